"""The DLMM program moves exactly what our model says, and writes exactly those bytes.

The model equals the official SDK (tests/unit/venues/meteora/dlmm/test_vectors.py).
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.oracles.meteora import pools
from tests.oracles.meteora.chain import PURSE, Chain, Wish
from tests.oracles.meteora.pitch import PROGRAM, U64_MAX, Pitch

from quantdesk.venues.meteora.dlmm import layout
from quantdesk.venues.meteora.dlmm.swap import swap_exact_in, swap_exact_out

_VECTORS = Path(__file__).parents[1] / "vectors" / "meteora_dlmm.json"
_POOLS: list[dict[str, Any]] = json.loads(_VECTORS.read_text())["pools"]
_SERVED = [pool for pool in _POOLS if not pool["numbers"].get("orders")]
_ELAPSED_S = 60

_NUMBERS = pools.Numbers(seed=1, bin_step=10, active_id=-1_610, below=200, above=200, bits=34)
_SALE = Wish(exact_in=True, sell_x=True, amount=10**9, limit=0, arrays=(-23, -24))


@pytest.fixture(scope="module")
def pitch() -> Pitch:
    return Pitch(_NUMBERS)


@pytest.fixture
def chain() -> Chain:
    made = Chain(PROGRAM, pools.MARKET, pools.genesis(_NUMBERS), now_s=pools.UPDATED_S)
    made.set_time(pools.UPDATED_S + _ELAPSED_S)
    return made


@pytest.mark.parametrize("pool", _SERVED, ids=lambda pool: f"pool {pool['numbers']['seed']}")
def test_fills_the_vectors_as_the_model_does(pool: dict[str, Any]) -> None:
    place = Pitch(pools.numbers(pool["numbers"]))
    landed_count = 0
    for exact_in, sell_x, amount, seconds, expected in pool["cases"][::2] + pool["cases"][1:8:2]:
        place.reset()
        place.wait(seconds)
        if int(amount) > U64_MAX:
            continue

        fill, landed = place.swap(exact_in=bool(exact_in), sell_x=bool(sell_x), amount=int(amount))

        if landed.error is None:
            assert expected is not None
            assert [landed.paid, landed.received] == [int(n) for n in expected[:2]]
            landed_count += 1
        elif fill is not None and fill.amount_out:
            assert fill.amount_in > PURSE
    assert landed_count >= 4


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    swaps=st.lists(
        st.tuples(st.booleans(), st.booleans(), st.integers(0, 1 << 40), st.integers(0, 700)),
        min_size=1,
        max_size=8,
    )
)
def test_creates_no_value_over_any_run_of_swaps(
    pitch: Pitch, swaps: list[tuple[bool, bool, int, int]]
) -> None:
    pitch.reset()
    for exact_in, sell_x, amount, seconds in swaps:
        pitch.wait(seconds)
        before = pitch.unowned()

        fill, landed = pitch.swap(exact_in=exact_in, sell_x=sell_x, amount=amount)

        filled = fill is not None and fill.amount_out > 0
        assert filled is (landed.error is None)
        lp_fees = (fill.fee - fill.protocol_fee) if fill and filled else 0
        surplus = fill.surplus if fill and filled else 0
        gained = [now - then for now, then in zip(pitch.unowned(), before, strict=True)]
        # Reserves keep the providers' fees in what was paid and the surplus of what was received.
        assert gained == ([lp_fees, surplus] if sell_x else [surplus, lp_fees])


@pytest.mark.parametrize("sell_x", [True, False])
def test_takes_the_fee_in_token_y_where_the_pair_says_so(*, sell_x: bool) -> None:
    place = Pitch(replace(_NUMBERS, only_y=1, seed=9))
    place.wait(_ELAPSED_S)

    fill, landed = place.swap(exact_in=False, sell_x=sell_x, amount=10**11)

    assert landed.error is None
    assert fill is not None
    assert fill.fee_on_input is not sell_x
    assert place.chain.data(place.chain.pair)[216:224] == bytes(8)


@pytest.mark.parametrize(("active_id", "sell_x"), [(100, True), (4_370, False)])
def test_finds_the_next_array_across_words_of_the_bitmap(active_id: int, *, sell_x: bool) -> None:
    place = Pitch(replace(_NUMBERS, active_id=active_id, hole=1))
    place.wait(_ELAPSED_S)
    own = layout.array_index(active_id)
    bins = place.model().arrays[own].bins
    held = sum(bin_.amount_y if sell_x else bin_.amount_x for bin_ in bins)

    fill, landed = place.swap(exact_in=False, sell_x=sell_x, amount=held + 1_000)

    assert landed.error is None
    assert fill is not None
    touched = {abs(layout.array_index(step.bin_id) - own) for step in fill.steps}
    assert touched == {0, 2}


def test_honors_the_least_received(chain: Chain) -> None:
    out = swap_exact_in(
        chain.pool([-23, -24]), _SALE.amount, sell_x=True, now_s=pools.UPDATED_S + _ELAPSED_S
    ).amount_out

    assert chain.send(chain.call(replace(_SALE, limit=out + 1))).error == 6003
    assert chain.send(chain.call(replace(_SALE, limit=out))).received == out


def test_honors_the_most_paid(chain: Chain) -> None:
    paid = swap_exact_out(
        chain.pool([-23, -24]), _SALE.amount, sell_x=True, now_s=pools.UPDATED_S + _ELAPSED_S
    ).amount_in
    purchase = replace(_SALE, exact_in=False)

    assert chain.send(chain.call(replace(purchase, limit=paid - 1))).error == 6104
    assert chain.send(chain.call(replace(purchase, limit=paid))).paid == paid


def test_takes_bin_arrays_in_any_order_and_more_than_it_needs(chain: Chain) -> None:
    assert chain.send(chain.call(replace(_SALE, arrays=(-22, -24, -23, -23)))).error is None


@pytest.mark.parametrize(("bins", "units_max"), [(1, 20_000), (5, 30_000), (150, 250_000)])
def test_stays_within_its_compute_units(pitch: Pitch, bins: int, units_max: int) -> None:
    pitch.reset()
    below = [
        pitch.model().arrays[layout.array_index(bin_id)].bins[bin_id % 70].amount_y
        for bin_id in range(-1_610, -1_610 - bins, -1)
    ]

    fill, landed = pitch.swap(exact_in=False, sell_x=True, amount=sum(below))

    assert fill is not None
    assert len(fill.steps) == bins
    assert landed.units <= units_max
