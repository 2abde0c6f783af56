"""A swap is quoted to the last unit as the official SDK quotes it, from the bytes it reads."""

from hashlib import sha256
from typing import Any

import pytest
from tests.oracles.raydium import clmm_pools as pools

from quantdesk.core.errors import Refused
from quantdesk.venues.raydium.clmm import swap, ticks

_POOLS = list(enumerate(pools.vectors()))


def _outcome(market: swap.Market, case: list[Any]) -> swap.Outcome:
    exact_in, down, amount, *_ = case
    trade = swap.exact_in if exact_in else swap.exact_out
    return trade(market, int(amount), down=down)


def _check(market: swap.Market, case: list[Any]) -> None:
    exact_in, _, amount, _, expected = case
    if expected is None or expected[0] == "0":
        with pytest.raises(Refused) as refusal:
            _outcome(market, case)
        # The program also refuses to trade for nothing, which the SDK calls a swap.
        code = "amount.too_small" if expected else "liquidity.insufficient"
        assert refusal.value.code == code, case
        return
    outcome = _outcome(market, case)
    exact, other = (outcome.paid, outcome.received)[:: 1 if exact_in else -1]
    assert exact == int(amount), case
    ours = (other, outcome.fee, outcome.sqrt_price, outcome.liquidity)
    assert ours == tuple(map(int, expected[:4])), case
    tick = ticks.tick_at(outcome.sqrt_price)
    fallen = outcome.sqrt_price == ticks.sqrt_price_at(tick)
    assert expected[4] in ({tick, tick - 1} if fallen else {tick}), case


@pytest.mark.parametrize(("number", "pool"), _POOLS)
def test_that_every_swap_is_the_sdks(number: int, pool: dict[str, Any]) -> None:
    numbers = pools.numbers(pool)
    markets = {at: pools.decoded(numbers, now_s=at) for at in {case[3] for case in pool["cases"]}}
    for case in pool["cases"]:
        _check(markets[case[3]], case)


@pytest.mark.parametrize(("number", "pool"), _POOLS)
def test_that_the_bytes_are_those_the_sdk_reads(number: int, pool: dict[str, Any]) -> None:
    numbers = pools.numbers(pool)
    made = {
        "pool": pools.pool_data(numbers),
        "config": pools.config_data(numbers),
        "extension": pools.extension_data(numbers),
    }
    hashes = pool["sha256"]
    assert {name: sha256(data).hexdigest() for name, data in made.items()} == {
        name: hashes[name] for name in made
    }
    for start, expected in hashes["arrays"].items():
        assert sha256(pools.array_data(numbers, int(start))).hexdigest() == expected


def test_that_the_vectors_cover_what_they_are_for() -> None:
    cases = [(pool, case) for _, pool in _POOLS for case in pool["cases"]]
    traded = [(pool, case) for pool, case in cases if case[4] and case[4][0] != "0"]

    def crossed(pool: dict[str, Any], case: list[Any]) -> int:
        low, high = sorted((pool["tick"], case[4][4]))
        return sum(low < tick[0] <= high for tick in pool["ticks"])

    assert len(cases) >= 2_000
    assert len(traded) >= 1_000
    for exact_in in (True, False):
        for down in (True, False):
            assert sum(case[0] is exact_in and case[1] is down for _, case in traded) >= 200
    assert sum(crossed(pool, case) >= 3 for pool, case in traded) >= 300
    assert sum(crossed(pool, case) >= 10 for pool, case in traded) >= 50
    assert sum(case[4] is None for _, case in cases) >= 200
    for way in ("dynamic", "feeOn"):
        assert sum(bool(pool[way]) for pool, _ in traded) >= 100
    assert sum(any(int(tick[3]) for tick in pool["ticks"]) for pool, _ in traded) >= 100
