"""A swap with a CLMM pool gives nothing away, and the curve a router sees is what it gets."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import inf

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.oracles.raydium import clmm_pools as pools

from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.venues.port import Piece
from quantdesk.venues.raydium.clmm import curve, swap, ticks

_WAYS = st.booleans()
_PARTS = st.floats(1e-9, 0.999)
_HELD = 1 << 64
_FALLING = (30, 600, 5_000, 90_000, 200_000, -90, 0, 200_000, pools.NOW_S - 10)
# As of one second, in turn: a fee at rest, one that rises, one at its highest, one that falls.
_DYNAMICS = (
    (30, 600, 5_000, 4_000, 350_000, 0, 0, 0, pools.NOW_S - 5_000),
    (30, 600, 5_000, 60_000, 350_000, 3, 20_000, 90_000, pools.NOW_S - 100),
    (30, 600, 5_000, 90_000, 50_000, 40, 50_000, 50_000, pools.NOW_S),
    _FALLING,
)


@st.composite
def _plain(draw: st.DrawFn) -> pools.Numbers:
    """Return a pool of a few positions, the first of which reaches past the price both ways."""
    amounts = st.integers(16, 44).flatmap(lambda bits: st.integers(1 << (bits - 1), 1 << bits))
    first = (draw(st.integers(-60, -1)), draw(st.integers(62, 200)), draw(amounts) << 8)
    more = st.lists(st.tuples(st.integers(-90, 90), st.integers(1, 80), amounts), max_size=7)
    made = pools.of_positions(
        [first, *draw(more)],
        spacing=draw(st.sampled_from([1, 10, 60])),
        tick=draw(st.integers(-30_000, 30_000)),
        into=Fraction(draw(st.integers(0, 99)), 100),
    )
    return replace(made, rates=(draw(st.sampled_from([100, 2_500, 10_000])), 120_000, 40_000))


@st.composite
def _any_pool(draw: st.DrawFn) -> pools.Numbers:
    """Return one with limit orders, a dynamic fee and fees in one token, as it comes."""
    made = draw(_plain())
    places = draw(st.lists(st.integers(-20, 20), max_size=4, unique=True))
    found = dict(made.ticks)
    for place in places:
        number = (made.tick // made.spacing + place) * made.spacing
        net, gross, _, _ = found.get(number, (0, 0, 0, 0))
        found[number] = (net, gross, draw(st.integers(0, 1 << 40)), draw(st.integers(1, 1 << 20)))
    fee_on, dynamic = draw(st.integers(0, 2)), draw(st.sampled_from([None, *_DYNAMICS]))
    return replace(made, ticks=found, fee_on=fee_on, dynamic=dynamic)


def _amount(part: float, most: float) -> int:
    return max(1, int(most * part))


def _curve(numbers: pools.Numbers, *, down: bool) -> tuple[Piece, ...]:
    return tuple(curve.pieces(pools.decoded(numbers), down=down, held=_HELD))


def _worth(pieces: tuple[Piece, ...], paid: float) -> tuple[float, int]:
    """Return what a curve brings, and how many of its pieces that takes."""
    brought = 0.0
    for number, piece in enumerate(pieces):
        part = min(paid, piece.most)
        brought += piece.price * part / (1 + part / piece.depth)
        paid -= part
        if not paid:
            return brought, number + 1
    raise AssertionError("the curve ends before the amount")


def _after(market: swap.Market, left: swap.Outcome, *, down: bool) -> swap.Market:
    """Return the market a swap leaves."""
    tick = ticks.tick_at(left.sqrt_price)
    if down and left.sqrt_price == ticks.sqrt_price_at(tick):
        tick -= left.sqrt_price < market.sqrt_price
    known = sorted((*market.below, *market.above))
    return replace(
        market,
        sqrt_price=left.sqrt_price,
        liquidity=left.liquidity,
        tick=tick,
        below=tuple(one for one in reversed(known) if one.number <= tick),
        above=tuple(one for one in known if one.number > tick),
    )


@settings(deadline=None)
@given(numbers=_any_pool(), part=_PARTS, more=_PARTS, down=_WAYS)
def test_that_paying_more_brings_no_less(
    numbers: pools.Numbers, part: float, more: float, *, down: bool
) -> None:
    market = pools.decoded(numbers)
    most = sum(piece.most for piece in _curve(numbers, down=down))
    low, high = sorted((_amount(part, most), _amount(more, most)))
    try:
        less = swap.exact_in(market, low, down=down)
    except Refused:
        return
    assert swap.exact_in(market, high, down=down).received >= less.received


@settings(deadline=None)
@given(numbers=_any_pool(), part=_PARTS, down=_WAYS)
def test_that_what_an_exact_output_costs_buys_it(
    numbers: pools.Numbers, part: float, *, down: bool
) -> None:
    market = pools.decoded(numbers)
    pieces = _curve(numbers, down=down)
    wanted = _amount(part, _worth(pieces, sum(piece.most for piece in pieces[:-1]))[0])
    try:
        bought = swap.exact_out(market, wanted, down=down)
    except Refused:
        return
    assert bought.received == wanted
    assert swap.exact_in(market, bought.paid, down=down).received >= wanted


@settings(deadline=None)
@given(numbers=_any_pool(), part=_PARTS, down=_WAYS)
def test_that_what_an_exact_input_bought_costs_no_more(
    numbers: pools.Numbers, part: float, *, down: bool
) -> None:
    market = pools.decoded(numbers)
    paid = _amount(part, sum(piece.most for piece in _curve(numbers, down=down)))
    try:
        bought = swap.exact_in(market, paid, down=down)
    except Refused:
        return
    assert swap.exact_out(market, bought.received, down=down).paid <= paid


@settings(deadline=None)
@given(numbers=_plain(), part=_PARTS, down=_WAYS)
def test_that_going_there_and_back_never_gains(
    numbers: pools.Numbers, part: float, *, down: bool
) -> None:
    market = pools.decoded(numbers)
    paid = _amount(part, sum(piece.most for piece in _curve(numbers, down=down)))
    try:
        there = swap.exact_in(market, paid, down=down)
        back = swap.exact_in(_after(market, there, down=down), there.received, down=not down)
    except Refused:
        return
    assert back.received < paid


@settings(deadline=None)
@given(numbers=_any_pool(), part=_PARTS, down=_WAYS)
def test_that_the_curve_is_what_a_swap_brings(
    numbers: pools.Numbers, part: float, *, down: bool
) -> None:
    pieces = _curve(numbers, down=down)
    paid = _amount(part, sum(piece.most for piece in pieces))
    expected, steps = _worth(pieces, paid)
    assume(expected > 1)
    try:
        received = swap.exact_in(pools.decoded(numbers), paid, down=down).received
    except Refused:
        received = 0
    # Each step rounds what is paid and what is received by less than a base unit, the fee too.
    slack = expected * 1e-6 + 3 * (steps + 1) * (1 + pieces[0].price)
    assert received >= expected - slack
    # Where the fee falls on the way, no concave curve follows it: this one stays below.
    if numbers.dynamic != _FALLING:
        assert received <= expected + slack


@settings(deadline=None)
@given(numbers=_any_pool(), down=_WAYS)
def test_that_the_curve_is_concave(numbers: pools.Numbers, *, down: bool) -> None:
    pieces = _curve(numbers, down=down)
    assert 0 < len(pieces) <= 2 * swap.STEPS_MAX
    assert all(piece.most > 0 and piece.price > 0 and piece.depth > 0 for piece in pieces)
    for one, other in pairwise(pieces):
        assert other.price <= one.price / (1 + one.most / one.depth) ** 2


def test_that_limit_orders_are_a_piece_of_one_price() -> None:
    numbers = pools.of_positions([(-3, 6, 10**12)], orders={-1: 10**9})
    found = [piece for piece in _curve(numbers, down=True) if piece.depth == inf]
    price = float(Fraction(10_001, 10_000) ** -60)
    assert [round(piece.price / price, 9) for piece in found] == [0.9975]
    assert [round(piece.most * piece.price) for piece in found] == [10**9]


def test_that_the_curve_ends_where_the_vault_does() -> None:
    market = pools.decoded(pools.of_positions([(-3, 6, 10**12), (-6, 3, 10**12)]))
    pieces = tuple(curve.pieces(market, down=True, held=_HELD))
    first, _ = _worth(pieces, pieces[0].most)
    assert len(pieces) == 2
    assert tuple(curve.pieces(market, down=True, held=int(first) + 1)) == pieces[:1]
    assert not list(curve.pieces(market, down=True, held=int(first) - 1))


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (0, "amount.too_small"),
        (-1, "amount.too_small"),
        (1, "amount.too_small"),
        (10**12, "liquidity.insufficient"),
        (1 << 64, "liquidity.insufficient"),
    ],
)
def test_that_an_amount_no_swap_takes_is_refused(amount: int, code: str) -> None:
    market = pools.decoded(pools.of_positions([(-3, 6, 10**12)]))
    with pytest.raises(Refused) as refused:
        swap.exact_in(market, amount, down=True)
    assert refused.value.code == code


def test_that_a_swap_crosses_no_more_ticks_than_a_transaction_can() -> None:
    ladder = [(place, 1, 10**9) for place in range(-150, 1)]
    market = pools.decoded(pools.of_positions(ladder, spacing=1))
    # Each tick trades some 50,000.
    assert swap.exact_out(market, 3_650_000, down=True).last == -73
    with pytest.raises(Refused, match="more ticks") as refused:
        swap.exact_out(market, 3_850_000, down=True)
    assert refused.value.code == "liquidity.insufficient"
    assert len([*curve.pieces(market, down=True, held=_HELD)]) == swap.STEPS_MAX


def test_that_a_gap_is_one_step_however_wide_and_whatever_the_fee() -> None:
    near, far = (-1, 2, 10**9), (-400, 2, 10**9)
    slow = (30, 600, 5_000, 4, 9_000_000, 0, 0, 0, pools.NOW_S - 5_000)
    numbers = replace(pools.of_positions([near, far], spacing=1), dynamic=slow)
    assert swap.exact_out(pools.decoded(numbers), 100_000, down=True).last == -400


def test_that_pool_and_ticks_of_different_slots_are_no_market() -> None:
    numbers = pools.of_positions([(-3, 6, 10**12)])
    stale = pools.decoded(replace(numbers, liquidity=10**12 - 1))
    with pytest.raises(Unavailable) as unavailable:
        swap.exact_in(stale, 10**12, down=True)
    assert unavailable.value.code == "pool.incomplete"


def test_that_an_array_not_seen_is_told_from_liquidity_that_is_not_there() -> None:
    market = pools.decoded(pools.of_positions([(-3, 6, 10**12)]))
    with pytest.raises(DeskError) as error:
        swap.exact_in(replace(market, unseen=(True, False)), 10**12, down=True)
    assert error.value.code == "pool.incomplete"
    with pytest.raises(DeskError) as error:
        swap.exact_in(replace(market, unseen=(True, False)), 10**12, down=False)
    assert error.value.code == "liquidity.insufficient"


@given(st.integers(-ticks.TICK_MAX, ticks.TICK_MAX - 1), st.integers(0, 1 << 64))
def test_that_a_price_lies_in_its_tick(tick: int, into: int) -> None:
    low, high = ticks.sqrt_price_at(tick), ticks.sqrt_price_at(tick + 1)
    assert low < high
    assert ticks.tick_at(low + into % (high - low)) == tick


@given(st.integers(-ticks.TICK_MAX, ticks.TICK_MAX))
def test_that_a_tick_is_a_power_of_its_step(tick: int) -> None:
    squared = Fraction(ticks.sqrt_price_at(tick) ** 2, 1 << 128)
    assert abs(float(squared) / 1.0001**tick - 1) < 1e-8


def test_that_the_ends_of_prices_are_the_programs() -> None:
    assert ticks.sqrt_price_at(-ticks.TICK_MAX) == ticks.SQRT_PRICE_MIN
    assert ticks.sqrt_price_at(ticks.TICK_MAX) == ticks.SQRT_PRICE_MAX
    assert ticks.sqrt_price_at(0) == ticks.ONE
