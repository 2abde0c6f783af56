"""Our DAMM v2, run by the real VM, does to the unit what the venue's integers say.

So a quote is what a swap pays; and whatever is asked of it, the pool is never poorer for it.
"""

import struct
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.programs.damm_world import (
    ADDRESS,
    NOW_S,
    PURSE,
    Books,
    Outcome,
    World,
    opened,
)

from quantdesk.core.money import BPS, ceil_div
from quantdesk.venues.meteora.damm_v2.curve import Range
from quantdesk.venues.meteora.damm_v2.fees import RATE_ONE
from quantdesk.venues.meteora.damm_v2.layout import (
    BY_SLOT,
    FEE_IN_B,
    FEE_ON_OUTPUT,
    DynamicFee,
    Pool,
    TimeSchedule,
)
from quantdesk.venues.port import Fill

_U64: Final = 1 << 64
_X64: Final = 1 << 64
_PRICE: Final = int(0.39 * _X64)
_PLAIN: Final = opened(10**13 << 64, _PRICE, _PRICE // 2, _PRICE * 2)
_UNITS_MAX: Final = 20_000  # of a swap of an ordinary size; the real program takes 14,500 to 17,000
_SWAPS: Final = st.tuples(st.booleans(), st.integers(0, 1), st.integers(0, 30))

_SCHEDULES: Final = st.builds(
    TimeSchedule,
    st.integers(10**5, 5 * 10**8),
    st.booleans(),
    st.integers(0, 400),
    st.integers(0, 400),
    st.integers(0, 10_000),
)
_DYNAMICS: Final = st.builds(
    DynamicFee,
    st.integers(0, 10**7),
    st.integers(0, 10**6),
    st.integers(0, 10**7),
    st.integers(0, 10**7),
    st.integers(_PRICE // 2, _PRICE * 2),
    st.integers(NOW_S - 200, NOW_S),
)


@st.composite
def _pools(draw: st.DrawFn) -> Pool:
    price = draw(st.integers(1 << 44, 1 << 84))
    low = price * draw(st.integers(1, 999)) // 1000
    high = price * (1000 + draw(st.integers(1, 4000))) // 1000
    liquidity = draw(st.integers(1 << 70, 1 << 120))
    while max(opened(liquidity, price, low, high).reserves) >= PURSE // 2:
        liquidity >>= 8
    return replace(
        opened(liquidity, price, low, high),
        base_fee=draw(_SCHEDULES),
        dynamic_fee=draw(st.none() | _DYNAMICS),
        fee_mode=draw(st.sampled_from([FEE_ON_OUTPUT, FEE_IN_B])),
        fee_version=draw(st.integers(0, 1)),
        activation_point=NOW_S - draw(st.integers(0, 10_000)),
    )


@pytest.fixture(scope="module")
def shared() -> World:
    return World()


@pytest.fixture
def world(shared: World) -> World:
    shared.open(_PLAIN)
    return shared


def _asked(
    world: World, swap: tuple[bool, int, int], dust: int
) -> tuple[Fill | None, Outcome, tuple[Books, Books]]:
    """Quote a swap of up to four times a reserve, take it, and return the books on both sides."""
    exact_in, paid, bits = swap
    reserve = world.pool().reserves[paid if exact_in else 1 - paid]
    amount = 1 + (4 * reserve * dust >> 64 + bits)
    before = world.books()
    quoted = world.quoted(amount, exact_in=exact_in, paid=paid)
    done = (world.sell if exact_in else world.buy)(amount, paid=paid)
    return quoted, done, (before, world.books())


@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(pool=_pools(), swap=_SWAPS, dust=st.integers(0, _U64))
def test_that_a_swap_does_what_was_quoted(
    shared: World, pool: Pool, swap: tuple[bool, int, int], dust: int
) -> None:
    shared.open(pool)

    quoted, done, (before, after) = _asked(shared, swap, dust)

    if quoted is None or quoted.paid > PURSE:
        assert done.error is not None or done.received == 0
        return
    assert (done.error, done.paid, done.received) == (None, quoted.paid, quoted.received)
    fees = [now - then for now, then in zip(after.fees, before.fees, strict=True)]
    paid = swap[1]
    token = paid if quoted.fee_on_input else 1 - paid
    assert (fees[token], fees[1 - token]) == (quoted.fee, 0)
    assert after.protocol[token] - before.protocol[token] == quoted.fee * 20 // 100
    assert shared.pool().sqrt_price == _moved(pool, quoted, exact_in=swap[0], paid=paid)


def _moved(pool: Pool, fill: Fill, *, exact_in: bool, paid: int) -> int:
    curve = Range(pool.liquidity, pool.sqrt_price, pool.sqrt_min, pool.sqrt_max)
    if exact_in:
        reached = fill.paid - (fill.fee if fill.fee_on_input else 0)
        return curve.after_input(reached, a_to_b=paid == 0)
    given_ = fill.received + (0 if fill.fee_on_input else fill.fee)
    return curve.after_output(given_, a_to_b=paid == 0)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    pool=_pools(),
    swaps=st.lists(st.tuples(_SWAPS, st.integers(0, _U64)), min_size=2, max_size=10),
)
def test_that_no_sequence_of_swaps_takes_value_from_the_pool(
    shared: World, pool: Pool, swaps: list[tuple[tuple[bool, int, int], int]]
) -> None:
    shared.open(pool)
    for swap, dust in swaps:
        _, done, (before, after) = _asked(shared, swap, dust)

        assert after.supply == before.supply
        # A vault holds the reserve and the fees, and never less than its curve may ask of it.
        assert after.unexplained == before.unexplained
        assert _covers(shared.pool())
        if done.error is not None:
            assert after == before


def _covers(pool: Pool) -> bool:
    """Say whether the virtual reserves are at least L/P and L*P: their product is at least L^2."""
    a, b = opened(pool.liquidity, pool.sqrt_price, pool.sqrt_min, pool.sqrt_max).reserves
    return pool.reserves[0] >= a and pool.reserves[1] >= b


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(pool=_pools(), paid=st.integers(0, 1), bits=st.integers(1, 62))
def test_that_a_round_trip_never_gains(shared: World, pool: Pool, paid: int, bits: int) -> None:
    shared.open(pool)
    there = shared.sell(1 << bits, paid=paid)
    if there.error is None and there.received:
        back = shared.sell(there.received, paid=1 - paid)
        assert back.received <= there.paid


@pytest.mark.parametrize("paid", [0, 1])
@pytest.mark.parametrize("mode", [FEE_ON_OUTPUT, FEE_IN_B])
def test_that_fees_stay_where_the_pool_collects_them(world: World, mode: int, paid: int) -> None:
    world.open(replace(_PLAIN, fee_mode=mode))
    assert world.sell(10**6, paid=paid).error is None
    collected = 1 if mode == FEE_IN_B else 1 - paid
    fees = world.books().fees
    assert fees[collected] > 0
    assert fees[1 - collected] == 0


def test_that_providers_share_a_fee_by_liquidity(world: World) -> None:
    world.sell(10**9, paid=1)
    fees = world.books().fees[0]
    (growth,) = struct.unpack_from("<32s", world.data(ADDRESS), 488)
    kept = fees - fees * 20 // 100
    assert int.from_bytes(growth, "little") == (kept << 128) // _PLAIN.liquidity
    # What was ever earned is counted too: by providers and, behind them, by the protocol.
    assert struct.unpack_from("<2Q", world.data(ADDRESS), 600) == (fees - kept, 0)


def test_that_the_least_received_is_honored_to_the_unit(world: World) -> None:
    received = world.sell(10**6).received
    world.open(_PLAIN)
    assert world.sell(10**6, received + 1).error == 6002
    assert world.sell(10**6, received).received == received


def test_that_the_most_paid_is_honored_to_the_unit(world: World) -> None:
    paid = world.buy(10**6).paid
    world.open(_PLAIN)
    assert world.buy(10**6, paid - 1).error == 6002
    assert world.buy(10**6, paid).paid == paid


@pytest.mark.parametrize("paid", [0, 1])
@pytest.mark.parametrize("mode", [FEE_ON_OUTPUT, FEE_IN_B])
def test_that_a_partial_fill_ends_where_the_range_does(world: World, mode: int, paid: int) -> None:
    world.open(replace(_PLAIN, fee_mode=mode))
    assert world.sell(10**15, paid=paid).error == 6015
    done = world.fill(10**15, paid=paid)
    pool = world.pool()
    assert done.error is None
    assert 0 < done.paid < 10**15
    assert pool.sqrt_price == (pool.sqrt_max if paid else pool.sqrt_min)
    assert pool.reserves[1 - paid] <= 1  # what rounding left
    assert world.fill(10**15, paid=paid).error == 6006


def test_that_a_partial_fill_within_the_range_is_an_exact_one(world: World) -> None:
    whole = world.sell(10**7, paid=1)
    world.open(_PLAIN)
    part = world.fill(10**7, whole.received, paid=1)
    assert (part.paid, part.received) == (whole.paid, whole.received)


@pytest.mark.parametrize("paid", [0, 1])
@pytest.mark.parametrize("amount", [2**45, _U64 - 1])
def test_that_more_than_the_range_holds_cannot_be_bought(
    world: World, amount: int, paid: int
) -> None:
    assert world.buy(amount, paid=paid).error in {6000, 6007, 6015}


@pytest.mark.parametrize("exponential", [False, True])
@pytest.mark.parametrize(("passed", "steps"), [(0, 0), (59, 0), (60, 1), (600, 10), (10**6, 10)])
def test_that_a_scheduled_fee_falls_by_the_period(
    world: World, passed: int, steps: int, *, exponential: bool
) -> None:
    cliff, off = 10**8, 500 if exponential else 9 * 10**6
    schedule = TimeSchedule(cliff, exponential, periods=10, period=60, reduction=off)
    world.open(replace(_PLAIN, base_fee=schedule), now_s=NOW_S + passed)
    rate = cliff * (BPS - off) ** steps / BPS**steps if exponential else cliff - off * steps
    done = world.sell(10**9)
    fee = world.books().fees[1]
    assert fee / (done.received + fee) * RATE_ONE == pytest.approx(rate, rel=1e-6)


def test_that_volatility_is_counted_after_the_swap_and_forgotten_in_time(world: World) -> None:
    dynamic = DynamicFee(accumulator_max=10**6, control=10**5, sqrt_price_reference=_PRICE)
    world.open(replace(_PLAIN, dynamic_fee=dynamic))
    plain = world.sell(10**10).received
    world.open(replace(_PLAIN, dynamic_fee=None))
    assert plain == world.sell(10**10).received

    world.open(replace(_PLAIN, dynamic_fee=dynamic))
    world.sell(10**10)
    moved = world.pool().dynamic_fee
    assert moved is not None
    ratio = (_PRICE << 64) // world.pool().sqrt_price - _X64
    assert moved.accumulator == min(10**6, ratio // dynamic.bin_step_x64 * 2 * BPS) > 0
    assert moved.updated_s == NOW_S

    for elapsed, reference in ((9, 0), (10, moved.accumulator // 2), (120, 0)):
        world.at(NOW_S + elapsed)
        world.sell(1)
        now = world.pool().dynamic_fee
        assert now is not None
        assert now.reference == reference


def test_that_a_pool_that_counted_no_reserves_begins_to(world: World) -> None:
    world.open(replace(_PLAIN, layout_version=0, reserves=(0, 0)))
    for vault, amount in zip(world.vaults, _PLAIN.reserves, strict=True):
        world.patch(vault, 64, "<Q", amount)
    done = world.sell(10**6)
    pool = world.pool()
    fee = world.books().fees[1]
    assert pool.layout_version == 1
    a, b = _PLAIN.reserves
    assert pool.reserves == (a + 10**6, b - done.received - fee)


def test_that_a_pool_may_count_in_slots(world: World) -> None:
    pool = replace(_PLAIN, activation_type=BY_SLOT, activation_point=500)
    world.open(pool, slot=499)
    assert world.sell(10**6).error == 6003
    world.at(NOW_S, slot=500)
    assert world.sell(10**6).error is None


@pytest.mark.parametrize("paid", [0, 1])
def test_that_the_event_says_what_happened(world: World, paid: int) -> None:
    done = world.sell(10**9, 5, paid=paid)
    (event,) = done.events
    assert event[:16] == bytes.fromhex("e445a52e51cb9a1dbd4233a826507599")
    assert event[16:48] == bytes(ADDRESS)
    assert struct.unpack_from("<3B2QB", event, 48) == (paid, FEE_ON_OUTPUT, 0, 10**9, 5, 0)
    pool, fee = world.pool(), world.books().fees[1 - paid]
    protocol = fee * 20 // 100
    assert struct.unpack_from("<4Q16s4Q", event, 68) == (
        *(10**9, 10**9, 0, done.received, pool.sqrt_price.to_bytes(16, "little")),
        *(fee - protocol, protocol, 0, 0),
    )
    assert struct.unpack_from("<6Q", event, 148) == (
        *(10**9, done.received, done.received, NOW_S),
        *pool.reserves,
    )


@pytest.mark.parametrize("mode", [FEE_ON_OUTPUT, FEE_IN_B])
@pytest.mark.parametrize("exact_in", [True, False])
@pytest.mark.parametrize("paid", [0, 1])
def test_that_it_stays_within_its_compute_units(
    world: World, mode: int, paid: int, *, exact_in: bool
) -> None:
    dynamic = DynamicFee(accumulator_max=350_000, control=40_000, sqrt_price_reference=_PRICE)
    for fee in (None, dynamic):
        world.open(replace(_PLAIN, fee_mode=mode, dynamic_fee=fee))
        done = (world.sell if exact_in else world.buy)(10**9 + 7, paid=paid)
        assert done.error is None
        assert done.units <= _UNITS_MAX + (4_000 if fee else 0)


def test_that_the_fee_is_rounded_against_the_trader(world: World) -> None:
    done = world.sell(10**9 + 1)
    fee = world.books().fees[1]
    out = done.received + fee
    assert fee == ceil_div(out * 2_500_000, RATE_ONE)
    assert out * 2_500_000 % RATE_ONE
