"""A swap with a DAMM v2 pool is quoted to the last unit as the official SDK quotes it."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.oracles.meteora_damm import pools

from quantdesk.core.errors import Refused
from quantdesk.venues.meteora.damm_v2.fees import RATE_ONE, Fee
from quantdesk.venues.meteora.damm_v2.layout import RateLimiter
from quantdesk.venues.port import Fill

_FILE = Path(__file__).parents[4] / "vectors" / "meteora_damm_v2.json"
_DOCUMENT: dict[str, Any] = json.loads(_FILE.read_text())
_POOLS: list[dict[str, Any]] = _DOCUMENT["pools"]


def _fill(pool: dict[str, Any], case: list[Any]) -> Fill:
    exact_in, pays_a, amount, later, _ = case
    snapshot = pools.snapshot(pools.pool(pools.numbers(pool["numbers"])), later=later)
    trade = snapshot.exact_in if exact_in else snapshot.exact_out
    return trade(pools.MINT_A if pays_a else pools.MINT_B, int(amount))


@pytest.mark.parametrize("pool", _POOLS, ids=lambda pool: f"pool {pool['numbers']['seed']}")
def test_that_every_vector_of_the_sdk_is_met(pool: dict[str, Any]) -> None:
    for case in pool["cases"]:
        expected = case[-1]
        if expected is None or expected[1] == "0":
            with pytest.raises(Refused) as refusal:
                _fill(pool, case)
            code = "amount.too_small" if expected else "liquidity.insufficient"
            assert refusal.value.code == code, case
            continue

        fill = _fill(pool, case)

        assert (fill.paid, fill.received, fill.fee) == tuple(map(int, expected[:3])), case


@pytest.mark.parametrize("asked", _DOCUMENT["limiters"], ids=lambda asked: str(asked["limiter"]))
def test_that_a_limiter_meets_every_vector_at_its_joints(asked: dict[str, Any]) -> None:
    cliff, increment_bps, max_bps, reference = asked["limiter"]
    limiter = RateLimiter(cliff, increment_bps, 1, max_bps, reference)
    fee = Fee(base=0, variable=0, cap=RATE_ONE, limiter=limiter)
    for whole, amount, expected in asked["cases"]:
        rate = fee.rate_of_whole if whole else fee.rate_of_rest
        if expected is None:
            with pytest.raises(Refused) as refusal:
                rate(int(amount))
            assert refusal.value.code == "liquidity.insufficient"
        else:
            assert rate(int(amount)) == expected, (whole, amount)


def test_that_the_vectors_reach_every_fee_and_both_ends_of_the_amounts() -> None:
    cases = [(pool, case) for pool in _POOLS for case in pool["cases"]]
    filled = [(pool, case) for pool, case in cases if case[-1] and case[-1][1] != "0"]
    kinds = {(pool["numbers"].get("fee", ["time"])[0], case[0], case[1]) for pool, case in filled}
    amounts = [int(case[2]) for _, case in filled]

    assert len(cases) >= 500
    assert len(filled) >= 500
    assert sum(case[-1] is None for _, case in cases) >= 50
    assert kinds == {
        (kind, exact_in, pays_a)
        for kind in ("time", "price", "limiter")
        for exact_in in (0, 1)
        for pays_a in (0, 1)
    }
    assert min(amounts) < 10
    assert max(amounts) > 1 << 60


def test_that_a_fee_falls_with_time_in_the_vectors() -> None:
    fees: dict[int, set[int]] = {}
    for pool in _POOLS:
        made = pools.pool(pools.numbers(pool["numbers"]))
        fees[pool["numbers"]["seed"]] = {
            pools.snapshot(made, later=case[3]).directions[1].fee.base for case in pool["cases"]
        }

    assert len(fees[9]) >= 5
    assert len(fees[10]) >= 5
    assert fees[1] == {2_500_000}
