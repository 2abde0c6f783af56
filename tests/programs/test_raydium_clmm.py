"""Our Raydium CLMM, run by the real VM, does to the unit what the venue's integers say.

So a quote is what a swap pays, however many ticks it crosses, limit orders it fills and however its
fee rises on the way; and the pool it leaves is the one the venue reckons with. What else it leaves
is in test_raydium_clmm_state.py.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.oracles.raydium import clmm_pools as pools
from tests.programs.clmm_world import (
    NOW_S,
    PURSE,
    World,
    bounded,
)

from quantdesk.core.errors import DeskError
from quantdesk.venues.port import Fill
from quantdesk.venues.raydium.clmm import layout, swap, ticks

_PROTOCOL, _FUND = 120_000, 40_000
_PLAIN: Final = pools.of_positions([(-300, 600, 10**15), (-2, 4, 10**15), (3, 40, 10**14)])
_LADDER: Final = pools.of_positions([(-n, 2 * n, 10**12) for n in range(1, 46)], spacing=10)
_FAR: Final = pools.of_positions(
    # The arrays of the first two lie in the pool's own map, those of the others beyond it.
    [(-90, 180, 10**12), (-30_000, 60_000, 10**12), (-40_000, 75_000, 10**12),
     (-45_000, 90_000, 10**12)],
    spacing=1,
)  # fmt: skip
_UNITS_ONE_RANGE: Final = 24_000
_UNITS_A_CROSSING: Final = 3_800

_SPACINGS: Final = st.sampled_from([1, 10, 60, 120])
_POSITIONS: Final = st.lists(
    st.tuples(
        st.integers(-60, 10) | st.integers(-700, 700),
        st.integers(1, 70) | st.integers(1, 700),
        st.integers(1, 10**6) | st.integers(1, 1 << 68),
    ),
    min_size=1,
    max_size=8,
)
_ORDERS: Final = st.dictionaries(
    st.integers(-40, 40), st.integers(1, 1 << 12) | st.integers(1, 1 << 45), max_size=5
)
_CONTROLS: Final = st.builds(
    lambda *fields: fields,
    st.integers(0, 60),  # filter and decay periods, reduction
    st.integers(60, 600),
    st.integers(0, 9_999),
    st.integers(1, 99_999),  # control, most, references, accumulator
    st.integers(1, 30_000_000),
    st.integers(-30, 30),
    st.integers(0, 400_000),
    st.integers(0, 400_000),
    st.integers(NOW_S - 700, NOW_S),
)
_TOO_MANY: Final = "more ticks than one swap can cross"  # what the venue does not offer
_AMOUNTS: Final = st.integers(1, 1 << 16) | st.integers(1, 1 << 40) | st.integers(1, 1 << 62)


@st.composite
def _pools(draw: st.DrawFn) -> pools.Numbers:
    made = pools.of_positions(
        draw(_POSITIONS),
        spacing=draw(_SPACINGS),
        tick=draw(st.integers(-100, 100) | st.integers(-250_000, 250_000)),
        into=draw(st.fractions(0, Fraction(99, 100), max_denominator=100)),
        orders=draw(st.just({}) | _ORDERS),
    )
    dynamic = draw(st.none() | _CONTROLS)
    if dynamic is not None:
        middle = dynamic[5] + made.tick // made.spacing
        dynamic = (*dynamic[:5], middle, *dynamic[6:])
    rate = draw(st.sampled_from([0, 1, 100, 500, 2_500, 10_000, 999_999]))
    rates = (rate, _PROTOCOL, _FUND)
    return replace(made, rates=rates, fee_on=draw(st.integers(0, 3)), dynamic=dynamic)


@pytest.fixture(scope="module")
def shared() -> World:
    return World()


@pytest.fixture
def world(shared: World) -> World:
    shared.open(_PLAIN)
    return shared


def _expected(world: World, amount: int, *, exact_in: bool, paid: int) -> swap.Outcome | None:
    trade = swap.exact_in if exact_in else swap.exact_out
    try:
        return trade(world.seen().market, amount, down=paid == 0)
    except DeskError:
        return None


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(pool=_pools(), amount=_AMOUNTS, exact_in=st.booleans(), paid=st.integers(0, 1))
def test_that_a_swap_does_what_was_quoted(
    shared: World, pool: pools.Numbers, amount: int, *, exact_in: bool, paid: int
) -> None:
    shared.open(pool)
    quoted = shared.quoted(amount, exact_in=exact_in, paid=paid)
    expected = _expected(shared, amount, exact_in=exact_in, paid=paid)
    before = shared.held(), shared.fees()

    done = (shared.sell if exact_in else shared.buy)(amount, paid=paid)

    after = shared.held(), shared.fees()
    if isinstance(quoted, DeskError) or quoted.paid > PURSE:
        unoffered = isinstance(quoted, DeskError) and quoted.detail == _TOO_MANY
        assert done.error is not None or unoffered
        assert after == before or unoffered
        return
    assert expected is not None
    assert (done.error, done.paid, done.received) == (None, quoted.paid, quoted.received)
    left = shared.pool()
    assert (left.sqrt_price, left.liquidity) == (expected.sqrt_price, expected.liquidity)
    assert ticks.sqrt_price_at(left.tick) <= left.sqrt_price <= ticks.sqrt_price_at(left.tick + 1)
    token = paid if quoted.fee_on_input else 1 - paid
    assert done.event is not None
    assert (done.event.fees[token], done.event.fees[1 - token]) == (quoted.fee, 0)
    assert _charged(before[1], after[1], token=token) <= quoted.fee
    # What moved, moved between the trader and the vaults.
    for side in (0, 1):
        assert after[0][side] + after[0][side + 2] == before[0][side] + before[0][side + 2]


def _charged(
    before: tuple[tuple[int, int], ...], after: tuple[tuple[int, int], ...], *, token: int
) -> int:
    for then, now in zip(before, after, strict=True):
        assert then[1 - token] == now[1 - token]
    return sum(now[token] - then[token] for then, now in zip(before[1:], after[1:], strict=True))


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    pool=_pools(),
    swaps=st.lists(st.tuples(_AMOUNTS, st.booleans(), st.integers(0, 1)), min_size=2, max_size=8),
)
def test_that_every_swap_of_a_sequence_does_what_was_quoted(
    shared: World, pool: pools.Numbers, swaps: list[tuple[int, bool, int]]
) -> None:
    shared.open(pool)
    for later, (amount, exact_in, paid) in enumerate(swaps):
        shared.fund(PURSE, PURSE)
        shared.at(NOW_S + 7 * later * later)
        quoted = shared.quoted(amount, exact_in=exact_in, paid=paid)
        done = (shared.sell if exact_in else shared.buy)(amount, paid=paid)
        if isinstance(quoted, Fill) and quoted.paid <= PURSE:
            assert (done.error, done.paid, done.received) == (None, quoted.paid, quoted.received)
        elif isinstance(quoted, Fill) or quoted.detail != _TOO_MANY:
            assert done.error is not None


@pytest.mark.parametrize("paid", [0, 1])
@pytest.mark.parametrize("exact_in", [True, False])
def test_that_a_swap_crosses_many_ticks(shared: World, paid: int, *, exact_in: bool) -> None:
    shared.open(_LADDER)
    market = shared.seen().market
    crossed = market.below if paid == 0 else market.above
    amount = int(sum(piece.most for piece in shared.seen().curve(pools.MINTS[paid])) * 0.97)
    outcome = swap.exact_in(market, amount, down=paid == 0)
    assert len([t for t in crossed if abs(t.number) < abs(outcome.last)]) > 30
    done = shared.sell(amount, paid=paid) if exact_in else shared.buy(outcome.received, paid=paid)
    assert done.error is None
    assert done.received == outcome.received
    assert shared.pool().liquidity == outcome.liquidity


@pytest.mark.parametrize("exact_in", [True, False])
@pytest.mark.parametrize("paid", [0, 1])
@pytest.mark.parametrize("tick", [-250_000, 250_000])
def test_that_orders_at_extreme_prices_round_as_quoted(
    shared: World, tick: int, paid: int, *, exact_in: bool
) -> None:
    # There a price has few digits or very many, so that its rounding shows.
    many, few = 1 << 62, 10**7
    orders = {3: many, -3: few} if tick < 0 else {3: few, -3: many}
    made = pools.of_positions([(-20, 40, 10**6)], spacing=1, tick=tick, orders=orders)
    amount, traded = 1, 0
    while amount < 1 << 62:
        shared.open(made)
        quoted = shared.quoted(amount, exact_in=exact_in, paid=paid)
        if isinstance(quoted, Fill) and quoted.paid < PURSE:
            done = (shared.sell if exact_in else shared.buy)(amount, paid=paid)
            assert (done.error, done.paid, done.received) == (None, quoted.paid, quoted.received)
            traded += 1
        amount = amount * 7 + 1
    assert traded > 5


@pytest.mark.parametrize("paid", [0, 1])
def test_that_a_limit_of_the_price_fills_a_part(world: World, paid: int) -> None:
    target = ticks.sqrt_price_at(-7 if paid == 0 else 7)
    done = world.send(bounded(world.call(1 << 62, paid=paid), target), paid)
    assert done.error is None
    assert world.pool().sqrt_price == target
    assert 0 < done.paid < 1 << 62
    world.open(_PLAIN)
    exact = world.quoted(done.paid, exact_in=True, paid=paid)
    assert isinstance(exact, Fill)
    # What it takes to come to a price may bring a unit more beyond it.
    assert exact.received - done.received in {0, 1}


@pytest.mark.parametrize("paid", [0, 1])
def test_that_the_search_goes_on_in_the_extension(shared: World, paid: int) -> None:
    shared.open(_FAR)
    most = int(sum(piece.most for piece in shared.seen().curve(pools.MINTS[paid])) * 0.999)
    quoted = shared.quoted(most, exact_in=True, paid=paid)
    done = shared.sell(most, paid=paid)
    assert isinstance(quoted, Fill)
    assert (done.error, done.received) == (None, quoted.received)
    assert abs(shared.pool().tick) > layout.MAP_ARRAYS * layout.ARRAY_TICKS
    back = shared.quoted(10**9, exact_in=True, paid=1 - paid)
    assert isinstance(back, Fill)
    assert shared.sell(10**9, paid=1 - paid).received == back.received


def test_that_a_swap_costs_little(shared: World) -> None:
    shared.open(_PLAIN)
    assert shared.sell(10**9).units < _UNITS_ONE_RANGE
    shared.open(_LADDER)
    one = shared.sell(10**6).units
    shared.open(_LADDER)
    everything = int(sum(piece.most for piece in shared.seen().curve(pools.MINTS[0])) * 0.97)
    outcome = swap.exact_in(shared.seen().market, everything, down=True)
    crossed = sum(outcome.last < tick.number for tick in shared.seen().market.below)
    assert shared.sell(everything).units < one + crossed * _UNITS_A_CROSSING
