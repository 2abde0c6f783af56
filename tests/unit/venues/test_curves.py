"""A pool's curve is what the pool trades, but for its roundings; and it only ever gets dearer."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from math import inf
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracles.meteora import pools
from tests.unit.venues import ground
from tests.unit.venues.raydium.cpmm import world

from quantdesk.core.errors import Refused
from quantdesk.core.markets import MARKETS
from quantdesk.venues import curves
from quantdesk.venues.meteora.dlmm import swap
from quantdesk.venues.meteora.dlmm.pool import DlmmPool
from quantdesk.venues.paper import Paper
from quantdesk.venues.port import About, Piece, Pool
from quantdesk.venues.raydium.cpmm.layout import Config
from quantdesk.venues.raydium.cpmm.pool import CpmmPool

_RELATIVE = 1e-9
_X, _Y = pools.MARKET.base.mint, pools.MARKET.quote.mint
_READ = ground.one(world.ready(world.BTC), world.BTC)
assert isinstance(_READ, CpmmPool)
_CPMM: Final = _READ
_RESERVES = st.integers(10**3, 10**17)


@st.composite
def _cpmm(draw: st.DrawFn) -> CpmmPool:
    trade, creator = draw(st.integers(1, 20_000)), draw(st.integers(0, 20_000))
    mode, enabled = draw(st.integers(0, 2)), draw(st.booleans())
    return replace(
        _CPMM,
        pool=replace(_CPMM.pool, creator_fee_on=mode, creator_fee_enabled=enabled),
        config=Config(trade, 120_000, 40_000, creator),
        reserves=(draw(_RESERVES), draw(_RESERVES)),
    )


def _pair(**changes: int) -> DlmmPool:
    about = About("meteora", "", "DLMM", (_X, _Y), Decimal(1), 0, 0, 0)
    numbers = replace(_NUMBERS, **changes)
    return DlmmPool(about, pools.decoded(numbers), pools.UPDATED_S + 1, None, ((), ()))


_NUMBERS = pools.Numbers(seed=1, bin_step=10, active_id=-1_610, below=100, above=100, bits=34)
_PAIRS = (
    _pair(),
    _pair(seed=2, gap=7, only_y=1, accumulator=350_000, index_offset=-30),
    _pair(seed=3, orders=1, active_id=70, bits=12),
    _pair(seed=4, bin_step=100, active_id=-71, only_y=1, orders=1, bits=48),
    _pair(seed=5, bin_step=1, active_id=0, below=0, above=0, bits=48),
    _pair(seed=6, bin_step=25, active_id=0, hole=1, accumulator=350_000, index_offset=30),
)
_STEEP = tuple(
    _pair(seed=7, active_id=0, control=4_000_000, only_y=only_y, index_offset=offset)
    for only_y in (0, 1)
    for offset in (-30, 30)
)
"""Their fees fall faster than their prices on the way to where volatility is counted from."""
_EACH_PAIR = pytest.mark.parametrize("number", range(len(_PAIRS)))


@st.composite
def _paper(draw: st.DrawFn) -> Pool:
    price = draw(st.decimals("0.01", "100000", places=2))
    venue = Paper(price=lambda *_: (price, 1, 1), fee_bps=draw(st.integers(0, 500)))
    return ground.one(venue, MARKETS["SOL-USDC"])


def _received(curve: Sequence[Piece], paid: float) -> tuple[float, list[Piece]]:
    """Return what paying brings, and the pieces that takes."""
    received, walked = 0.0, list[Piece]()
    for piece in curve:
        part = min(paid, piece.most)
        received += curves.given(piece, part)
        paid -= part
        walked.append(piece)
        if paid <= 0:
            break
    return received, walked


def _exact(pool: Pool, paid: str, amount: int) -> int:
    """Return what paying brings, nothing where the pool refuses to give so little."""
    try:
        return pool.exact_in(paid, amount).received
    except Refused as refused:
        if refused.code != "amount.too_small":
            raise
        return 0


def _agrees(pool: Pool, paid: str, amount: int, roundings: int) -> None:
    """Each rounding takes up to a unit of the token paid in, and one of the token received.

    They are all against the trader, so that a curve promises no less than the pool gives.
    """
    exact = _exact(pool, paid, amount)
    received, walked = _received(pool.curve(paid), amount)
    units = roundings * sum(1 + piece.price for piece in walked)
    assert -_RELATIVE * exact <= received - exact <= _RELATIVE * exact + units


@given(pool=_cpmm(), token=st.integers(0, 1), amount=st.integers(1, 10**18))
def test_the_curve_of_a_cpmm_pool_is_what_it_trades(
    pool: CpmmPool, token: int, amount: int
) -> None:
    roundings = 2 if pool.pool.creator_fee_enabled and pool.config.creator else 1

    _agrees(pool, pool.about.mints[token], amount, roundings)


@given(pool=_paper(), token=st.integers(0, 1), amount=st.integers(1, 10**18))
def test_the_curve_of_paper_is_what_it_trades(pool: Pool, token: int, amount: int) -> None:
    _agrees(pool, pool.about.mints[token], amount, 1)


@_EACH_PAIR
@settings(max_examples=25)
@given(paid=st.sampled_from([_X, _Y]), share=st.floats(0.000001, 1))
def test_the_curve_of_a_dlmm_pool_is_what_it_trades_bin_by_bin(
    number: int, paid: str, share: float
) -> None:
    pool = _PAIRS[number]
    most = sum(piece.most for piece in pool.curve(paid))

    # Cost and fee of a bin are rounded, and each of three layers where it holds limit orders.
    _agrees(pool, paid, max(1, int(most * share)), 4 if pool.pool.pair.limit_orders else 2)


@_EACH_PAIR
@pytest.mark.parametrize("paid", [_X, _Y])
def test_the_curve_of_a_dlmm_pool_ends_where_its_liquidity_does(number: int, paid: str) -> None:
    pool = _PAIRS[number]
    curve = pool.curve(paid)
    most = sum(piece.most for piece in curve)

    _agrees(pool, paid, int(most), 4)
    with pytest.raises(Refused) as refused:
        pool.exact_in(paid, int(most * (1 + _RELATIVE)) + 4 * len(curve) + 2)
    assert refused.value.code == "liquidity.insufficient"


def _gets_dearer(pool: Pool) -> None:
    for paid in pool.about.mints:
        curve = pool.curve(paid)
        assert all(piece.price > 0 and piece.most > 0 for piece in curve)
        for piece, following in pairwise(curve):
            assert piece.price / (1 + piece.most / piece.depth) ** 2 >= following.price


@given(pool=_cpmm() | _paper())
def test_a_curve_gets_dearer_with_size(pool: Pool) -> None:
    _gets_dearer(pool)


@pytest.mark.parametrize("number", range(len(_PAIRS + _STEEP)))
def test_a_curve_of_bins_gets_dearer_even_where_fees_fall(number: int) -> None:
    _gets_dearer((_PAIRS + _STEEP)[number])


@pytest.mark.parametrize("number", range(len(_STEEP)))
@settings(max_examples=25)
@given(paid=st.sampled_from([_X, _Y]), share=st.floats(0.000001, 1))
def test_a_curve_of_bins_promises_no_less_than_the_pool_gives_where_fees_fall(
    number: int, paid: str, share: float
) -> None:
    pool = _STEEP[number]
    curve = pool.curve(paid)
    amount = int(share * sum(piece.most for piece in curve))

    assert _received(curve, amount)[0] >= pool.exact_in(paid, amount).received * (1 - _RELATIVE)


def _ends_at(pool: Pool, paid: str, ratio: float) -> None:
    curve = pool.curve(paid)
    price = curve[0].price * ratio
    amount, received = curves.until(curve, price)

    assert received == pytest.approx(_received(curve, amount)[0], rel=_RELATIVE)
    _agrees(pool, paid, max(1, int(amount)), 4)
    more, _ = _received(curve, amount * 1.001)
    assert more - received <= amount * 0.001 * price * (1 + 1e-6)
    less, _ = _received(curve, amount * 0.999)
    assert received - less >= amount * 0.001 * price * (1 - 1e-6)


@given(pool=_cpmm(), token=st.integers(0, 1), ratio=st.floats(0.01, 0.999))
def test_what_a_cpmm_pool_trades_down_to_a_price_is_all_above_it(
    pool: CpmmPool, token: int, ratio: float
) -> None:
    _ends_at(pool, pool.about.mints[token], ratio)


@_EACH_PAIR
@settings(max_examples=25)
@given(paid=st.sampled_from([_X, _Y]), ratio=st.floats(0.5, 0.999))
def test_what_a_dlmm_pool_trades_down_to_a_price_is_all_above_it(
    number: int, paid: str, ratio: float
) -> None:
    _ends_at(_PAIRS[number], paid, ratio)


def test_a_piece_takes_nothing_below_its_price_and_no_more_than_it_has() -> None:
    hyperbola, flat = Piece(100.0, 4.0, 50.0), Piece(100.0, 4.0, inf)

    assert [curves.taken(hyperbola, at) for at in (5, 4, 1, 0.01)] == [0, 0, 50, 100]
    assert [curves.taken(flat, at) for at in (5, 4, 3.9, 0.01)] == [0, 0, 100, 100]
    assert curves.given(hyperbola, 50) == 100
    assert curves.given(flat, 50) == 200


def test_a_price_without_end_takes_and_gives_without_end() -> None:
    assert curves.until([Piece(inf, 2.0, inf)], 1.9) == (inf, inf)
    assert curves.until([Piece(inf, 2.0, inf)], 2.0) == (0, 0)


def _falling(levels: Iterable[tuple[float, float]], *, loose: int) -> list[Piece]:
    return list(curves.falling(levels, loose=loose))


def test_levels_out_of_order_become_one_of_the_same_worth() -> None:
    made = _falling([(1, 5.0), (2, 2.0), (2, 3.0), (1, 4.0), (3, 1.0)], loose=4)

    assert made == [Piece(1, 5.0, inf), Piece(5, 2.8, inf), Piece(3, 1.0, inf)]
    assert _falling([(1, 1.0), (1, 1.0)], loose=0) == [Piece(1, 1.0, inf)] * 2
    assert _falling([], loose=0) == []


def test_a_level_that_should_be_worse_is_taken_for_no_better() -> None:
    made = _falling([(1, 2.0), (1, 3.0), (1, 4.0), (1, 1.0)], loose=2)

    assert made == [Piece(3, 3.0, inf), Piece(1, 1.0, inf)]
    assert _falling([(1, 2.0), (1, 3.0)], loose=0) == [Piece(1, 2.0, inf), Piece(1, 2.0, inf)]


def test_levels_are_read_no_further_than_they_are_asked_for() -> None:
    levels = iter([(1, 5.0), (2, 4.0), (2, 3.0), (1, 2.0)])

    first = next(curves.falling(levels, loose=1))

    assert (first, list(levels)) == (Piece(1, 5.0, inf), [(2, 3.0), (1, 2.0)])


@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.floats(0.001, 1000)), max_size=20),
    st.lists(st.tuples(st.integers(1, 10**6), st.floats(0.001, 1000)), max_size=20),
)
def test_levels_put_in_order_hold_what_they_held(
    out_of_order: list[tuple[int, float]], others: list[tuple[int, float]]
) -> None:
    falling = sorted(others, key=lambda level: level[1], reverse=True)
    given_levels = [*out_of_order, *falling]

    # The last of those out of order is where the prices fall from.
    made = _falling(given_levels, loose=len(out_of_order))

    assert sum(piece.most for piece in made) == sum(most for most, _ in given_levels)
    worth = sum(most * price for most, price in given_levels)
    assert sum(piece.most * piece.price for piece in made) == pytest.approx(worth, rel=_RELATIVE)
    assert [piece.price for piece in made] == sorted((p.price for p in made), reverse=True)
    assert made == [*_falling(given_levels, loose=len(given_levels))]


@pytest.mark.parametrize("pair", _PAIRS)
@pytest.mark.parametrize("paid", [_X, _Y])
def test_a_pool_of_bins_is_drawn_as_if_all_its_levels_might_be_out_of_order(
    pair: DlmmPool, paid: str
) -> None:
    levels = list(swap.levels(pair.pool, sell_x=paid == _X, now_s=pair.now_s))

    assert list(pair.curve(paid)) == _falling(levels, loose=len(levels))


def test_a_curve_is_drawn_anew_each_time_and_no_further_than_it_is_read() -> None:
    read: list[float] = []

    def draw() -> Iterator[Piece]:
        for price in (3.0, 2.0, 1.0):
            read.append(price)
            yield Piece(1, price, inf)

    curve = curves.Drawn(draw)

    assert curve
    assert [next(iter(curve)).price, read] == [3.0, [3.0, 3.0]]
    assert (len(curve), curve[-1].price, [piece.price for piece in curve[:2]]) == (3, 1.0, [3, 2])
    assert not curves.Drawn(lambda: iter(()))
