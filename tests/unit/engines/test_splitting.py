"""Promise: a split is the best there is, whatever the curves, and curves add up as pools do."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import inf, isclose
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.oracles import routing

from quantdesk.engines.orders.splitting import (
    Depth,
    alone,
    chained,
    clipped,
    level,
    merged,
    shares,
)
from quantdesk.testing import markets
from quantdesk.venues.port import Piece

_MARKETS = 100  # each way


@st.composite
def _curves(draw: st.DrawFn) -> list[Piece]:
    """Return a curve of up to five pieces, falling, with jumps; flat, hyperbolic, or endless."""
    pieces, price = [], draw(st.floats(0.01, 100))
    for _ in range(draw(st.integers(1, 5))):
        depth = draw(st.one_of(st.just(inf), st.floats(1e3, 1e12)))
        most = draw(st.floats(1e2, 1e9)) if depth == inf else depth * draw(st.floats(1e-6, 2))
        pieces.append(Piece(most, price, depth))
        price = price / (1 + most / depth) ** 2 * draw(st.floats(0.9, 1))
    if draw(st.booleans()):
        pieces.append(Piece(inf, price, draw(st.floats(1e3, 1e12))))
    return pieces


def _most(pieces: Iterable[tuple[float, float, float]]) -> float:
    """Return what can be paid before an endless piece gives next to nothing."""
    return sum(min(most, depth) for most, _, depth in pieces)


def _brought(pieces: list[Piece], paid: float) -> float:
    received = 0.0
    for most, price, depth in pieces:
        step = min(paid, most)
        received += step * price / (1 + step / depth)
        paid -= step
    return received


@given(_curves(), st.floats(0.001, 0.999))
def test_that_a_depth_reads_as_its_pieces_say(pieces: list[Piece], part: float) -> None:
    paid = part * _most(pieces)

    found = Depth(pieces).trade(paid, exact_in=True)

    assert found
    assert isclose(found[1], _brought(pieces, paid), rel_tol=1e-9)
    back = Depth(pieces).trade(found[1], exact_in=False)
    assert back
    assert isclose(_brought(pieces, back[1]), found[1], rel_tol=1e-9)


@given(_curves())
def test_that_a_depth_ends_where_its_pieces_do(pieces: list[Piece]) -> None:
    whole = sum(piece.most for piece in pieces)
    depth = Depth(pieces)

    assert (depth.trade(whole * 1.001, exact_in=True) is None) is (whole < inf)
    assert depth.trade(_brought(pieces, 1e40) * 1.001, exact_in=False) is None


@given(st.lists(_curves(), min_size=2, max_size=4), st.floats(0.001, 0.999))
def test_that_parts_sum_up_and_no_unit_would_do_better_elsewhere(
    curves: list[list[Piece]], part: float
) -> None:
    depths = [Depth(pieces) for pieces in curves]
    amount = part * sum(map(_most, curves))
    found = Depth(merged(depths)).trade(amount, exact_in=True)
    assert found
    root, received = found

    parts = shares(depths, root, amount, exact_in=True)

    assert isclose(sum(parts), amount, rel_tol=1e-9)
    got = [_brought(pieces, one) for pieces, one in zip(curves, parts, strict=True)]
    assert isclose(sum(got), received, rel_tol=1e-8)
    step = amount * 1e-3
    for giver in range(len(parts)):
        for taker in range(len(parts)):
            if giver != taker and parts[giver] >= step:
                moved = _brought(curves[giver], parts[giver] - step) + _brought(
                    curves[taker], parts[taker] + step
                )
                assert moved <= (got[giver] + got[taker]) * (1 + 1e-9)


@given(_curves(), _curves(), st.floats(0.001, 0.999))
def test_that_a_chain_trades_what_the_first_brings_along_the_second(
    one: list[Piece], two: list[Piece], part: float
) -> None:
    whole = Depth(chained(one, two))
    paid = part * _most(chained(one, two))

    found = whole.trade(paid, exact_in=True)

    assert found
    assert isclose(found[1], _brought(two, _brought(one, paid)), rel_tol=1e-6)
    prices = [price for _, price, _ in whole]
    assert all(later <= sooner * (1 + 1e-9) for sooner, later in pairwise(prices))


@pytest.mark.parametrize("exact_in", [True, False])
def test_that_a_clipped_curve_ends_there(*, exact_in: bool) -> None:
    pieces = [Piece(1e6, 2.0, inf), Piece(inf, 1.0, 1e7)]
    short = Depth(clipped(Depth(pieces), 1.5e6, exact_in=exact_in))

    assert short.trade(1.49e6, exact_in=exact_in) == pytest.approx(
        Depth(pieces).trade(1.49e6, exact_in=exact_in)
    )
    assert short.trade(1.51e6, exact_in=exact_in) is None


@pytest.mark.parametrize(("exact_in", "other"), [(True, 1.98e5), (False, 0.505e5)])
def test_that_a_chains_cost_is_on_the_side_that_is_not_exact(
    *, exact_in: bool, other: float
) -> None:
    first, then = [Piece(1e6, 4.0, inf)], [Piece(4e6, 0.5, inf)]
    worse = Depth(chained(first, then, bps=100, exact_in=exact_in))

    found = worse.trade(1e5, exact_in=exact_in)
    assert found
    assert found[1] == pytest.approx(other)


@given(st.lists(_curves(), min_size=2, max_size=5))
def test_that_a_market_ends_where_its_last_curve_does(curves: list[list[Piece]]) -> None:
    finite = [[piece for piece in pieces if piece.most < inf] for pieces in curves]
    whole = Depth(merged([Depth(pieces) for pieces in finite]))
    most = sum(piece.most for pieces in finite for piece in pieces)

    assert whole.trade(most * 0.999, exact_in=True)
    assert whole.trade(most * 1.001, exact_in=True) is None


@pytest.mark.parametrize("exact_in", [True, False])
def test_that_the_optimum_is_the_references_on_random_markets(*, exact_in: bool) -> None:
    chance, compared = Random(7 if exact_in else 8), 0
    while compared < _MARKETS:
        pools = markets.pools(chance.random, chance.randint(1, 4), ("A", "B"), 0.15, steps=4)
        whole = Depth(merged([Depth(pool.curve("A")) for pool in pools]))
        most = whole.at(chance.choice((2.6, 2.62, 2.7)))[0 if exact_in else 1]
        amount = int(most * chance.uniform(0.01, 0.99))
        if amount < 10**6:
            continue

        found = whole.trade(float(amount), exact_in=exact_in)

        supplies = [routing.supply(pool, "A") for pool in pools]
        best = routing.best(supplies, amount, exact_in=exact_in)
        assert found
        assert isclose(found[1], best, rel_tol=1e-10), (found[1], best)
        compared += 1


@given(
    pieces=_curves(),
    part=st.floats(0.001, 0.999),
    times=st.floats(0.5, 2),
    start=st.floats(0.5, 2),
    exact_in=st.booleans(),
)
def test_that_the_whole_along_one_curve_is_told_unless_it_is_too_little(
    pieces: list[Piece], part: float, times: float, start: float, *, exact_in: bool
) -> None:
    paid = part * _most(pieces)
    amount = paid if exact_in else _brought(pieces, paid)
    whole = Depth(pieces).trade(amount, exact_in=exact_in)
    assume(whole is not None)
    assert whole
    value = whole[1] if exact_in else -whole[1]
    least, depth = value * times, Depth(pieces)

    told = alone(depth, amount, exact_in=exact_in, least=least, root=depth.start * start)

    assert alone(Depth(pieces), amount, exact_in=exact_in, least=-inf, root=1.0) == value
    if least < value - abs(value) * 1e-8:
        assert told == value
    elif least > value + abs(value) * 1e-8:
        assert told is None


@pytest.mark.parametrize("exact_in", [True, False])
def test_that_a_hopeless_curve_is_drawn_no_farther_than_it_takes_to_know(*, exact_in: bool) -> None:
    drawn: list[Piece] = []

    def draw() -> Iterator[Piece]:
        for number in range(1_000):
            drawn.append(Piece(1.0, 1 - number / 2_000, inf))
            yield drawn[-1]

    # A thousand would bring 750, or cost 1,334. At least 98 in 100 of it are wanted.
    least = 980.0 if exact_in else -1_020.0
    told = alone(Depth(draw()), 1_000.0, exact_in=exact_in, least=least, root=1.0)

    assert told is None
    assert 20 < len(drawn) < 60


@given(
    curves=st.lists(_curves(), min_size=1, max_size=4),
    part=st.floats(0.01, 0.99),
    exact_in=st.booleans(),
)
def test_that_curves_reach_an_amount_at_the_root_of_their_sum(
    curves: list[list[Piece]], part: float, *, exact_in: bool
) -> None:
    whole = Depth(merged([Depth(pieces) for pieces in curves]))
    most = sum(_most(pieces) for pieces in curves) * part
    found = whole.trade(most, exact_in=True)
    assume(found is not None)
    assert found
    amount, depths = most if exact_in else found[1], [Depth(pieces) for pieces in curves]

    root = level(depths, amount, exact_in=exact_in, near=found[0] * 0.9)

    assert root
    side = 0 if exact_in else 1
    below, above = (sum(d.at(root * (1 + off))[side] for d in depths) for off in (-3e-12, 3e-12))
    assert below * (1 - 1e-11) <= amount <= above * (1 + 1e-11)
