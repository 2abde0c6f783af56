"""Splitting: how much to trade along each of several curves so that no unit could do better. Pure.

The optimum has one marginal price wherever something is traded. `Depth` lets a curve be read at any
amount or price; curves side by side add up to one (`merged`), curves one after the other too
(`chained`), since stretches of hyperbolas are closed under both. So the optimum over a whole market
is read off one curve, in closed form. For a few curves asked once, `level` finds the price instead.

Prices are held as *roots*: the square root of what the next unit received costs. Along a piece of
liquidity `L = depth / root` a rise of the root by `r` takes in `L * r`, and gives `L` times the
fall of `1 / root`. Both follow from the formula of `Piece`; the same algebra for one pool stands in
https://uniswap.org/whitepaper-v3.pdf (6.2). Floats only: what is traded is quoted in integers.
"""

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf, isinf, ldexp, sqrt
from typing import Final

from quantdesk.core.money import BPS

Event = tuple[float, int, float]
"""At a root: by how much liquidity changes there (in 2^-64), and what a flat piece takes."""

Row = tuple[float, float, float]
"""A `Piece` as a bare tuple: curves are made of other curves a thousand pieces to a route."""

_FRACTION: Final = 64  # bits; sums of integers lose nothing when a huge range ends
_NOISE: Final = 1e-12  # relative; floats agree on a price to about a tenth of this
_STEP: Final = 1e-6  # how far a root is first looked for, relative; then ever farther, up to
_STEP_MAX: Final = 1e20
_PROMISED: Final = 1e-9  # relative: what a promise may be off
_ENDLESS: Final = float(1 << 64)  # base units; no account can hold as many
_TURNS: Final = 20  # of drawing a curve farther, before it is drawn as far as it goes


class Depth:
    """A curve that can be read at any amount or root. Grows as far as it was asked, then remembers.

    Not for use by several threads at once.
    """

    __slots__ = ("_end", "_last", "_paid", "_pieces", "_received", "_roots", "_rows")

    def __init__(self, pieces: Iterable[Row]) -> None:
        self._pieces = iter(pieces)
        self._rows: list[Row] = []
        self._roots: list[float] = []
        self._paid = [0.0]
        self._received = [0.0]
        self._last = 0.0
        self._end = 0.0

    @property
    def start(self) -> float:
        """Return the root at which the first unit is received; endless when there is none."""
        return self._roots[0] if self._roots or self._more() else inf

    def at(self, root: float) -> tuple[float, float]:
        """Return what is paid and received when everything at this root or better is taken."""
        if self._last <= root:
            self._more(root)
        end = bisect_right(self._roots, root)
        if not end:
            return 0.0, 0.0
        index = end - 1
        most, _, depth = self._rows[index]
        start = self._roots[index]
        if depth == inf or (paid := depth * (root - start) / start) >= most:
            return self._paid[end], self._received[end]
        return self._paid[index] + paid, self._received[index] + paid / (start * root)

    def edge(self, low: float, high: float) -> float:
        """Return where a piece starts between two roots, of several one in the middle.

        Zero if none does, as far as the curve has been drawn.
        """
        roots = self._roots
        first, end = bisect_right(roots, low), bisect_left(roots, high)
        return roots[(first + end) // 2] if first < end else 0.0

    def trade(self, amount: float, *, exact_in: bool) -> tuple[float, float] | None:
        """Return the root at which `amount` is reached, and the amount of the other token.

        With `exact_in` the amount is what is paid, else what is received. None when the curve ends
        before that.
        """
        totals = self._paid if exact_in else self._received
        while totals[-1] <= amount and self._more():
            pass
        index = bisect_right(totals, amount) - 1
        if index == len(self._rows) and amount <= totals[-1] * (1 + _NOISE):
            index -= 1
        if not 0 <= index < len(self._rows):
            return None
        _, price, depth = self._rows[index]
        over = amount - totals[index]
        if exact_in:
            paid, other = over, self._received[index] + over * price / (1 + over / depth)
        elif over < price * depth:
            paid = over / (price - over / depth)
            other = self._paid[index] + paid
        else:
            return None
        return self._roots[index] * (1 + paid / depth), other

    def events(self) -> Iterator[Event]:
        """Yield where liquidity comes and goes, by rising root."""
        index = 0
        while index < len(self._rows) or self._more():
            root, (most, _, depth) = self._roots[index], self._rows[index]
            if depth == inf:
                yield root, 0, most
            else:
                liquidity = int(ldexp(depth / root, _FRACTION))
                yield root, liquidity, 0.0
                if most != inf:
                    yield root * (1 + most / depth), -liquidity, 0.0
            index += 1

    def __iter__(self) -> Iterator[Row]:
        rows, index = self._rows, 0
        while index < len(rows) or self._more():
            yield rows[index]
            index += 1

    def _more(self, root: float = 0.0) -> bool:
        """Take in the next piece, and all others up to a root; False when there is none."""
        paid, received, end = self._paid[-1], self._received[-1], self._end
        for most, price, depth in self._pieces:
            if most == inf == depth:  # what has no end at one price has no worth to compare either
                most = _ENDLESS  # noqa: PLW2901 - as much as anyone could pay
            if most > 0 and price > 0:
                # Two pieces that meet may miss each other by a rounding: the curve must not rise.
                start = max(1 / sqrt(price), end)
                worn = 1.0 if depth == inf else 1 + most / depth
                paid += most
                received += price * depth if most == inf else price * most / worn
                end = start * worn
                self._rows.append((most, price, depth))
                self._roots.append(start)
                self._paid.append(paid)
                self._received.append(received)
                if start > root:
                    self._last, self._end = start, end
                    return True
        self._last = inf
        return False


def merged(depths: Iterable[Depth]) -> Iterator[Row]:
    """Yield the curve of trading along several at once, always where the next unit is best."""
    liquidity, at = 0, 0.0
    for root, change, flat in heapq.merge(*(depth.events() for depth in depths)):
        if liquidity and root > at:
            worth = ldexp(liquidity, -_FRACTION)
            yield worth * (root - at), 1 / (at * at), worth * at
        at = root
        liquidity += change
        if flat:
            yield flat, 1 / (root * root), inf
    if liquidity:
        yield inf, 1 / (at * at), ldexp(liquidity, -_FRACTION) * at


def chained(
    first: Iterable[Row], then: Iterable[Row], *, bps: int = 0, exact_in: bool = True
) -> Iterator[Row]:
    """Yield the curve of trading along `first` and what that brings along `then`.

    It is made worse by `bps`, on the side whose amount is not exact.
    """
    ahead, behind = iter(first), iter(then)
    one, two = next(ahead, None), next(behind, None)
    worse, kept = (1.0, 1 - bps / BPS) if exact_in else (1 + bps / BPS, 1 / (1 + bps / BPS))
    while one and two:
        (most, price, depth), (most_then, price_then, depth_then) = one, two
        brought = price * depth if most == inf else price * most / (1 + most / depth)
        ends_first = brought <= most_then
        paid = most if ends_first else most_then / (price - most_then / depth)
        resistance = 1 / depth + price / depth_then
        yield (
            paid * worse,
            price * price_then * kept,
            worse / resistance if resistance else inf,
        )
        if paid == inf:
            return
        if ends_first:
            one, two = next(ahead, None), _after(two, brought) or next(behind, None)
        else:
            one, two = _after(one, paid) or next(ahead, None), next(behind, None)


def clipped(depth: Depth, most: float, *, exact_in: bool) -> Iterator[Row]:
    """Yield the curve up to `most` of the exact token."""
    left: float | None = most if exact_in else None
    if left is None and (found := depth.trade(most, exact_in=False)):
        left = found[1]
    for row in depth:
        if left is not None and row[0] >= left:
            yield (left, *row[1:])
            return
        yield row
        left = left - row[0] if left is not None else None


def level(depths: Sequence[Depth], amount: float, *, exact_in: bool, near: float) -> float | None:
    """Return the root at which curves traded side by side reach an amount; None if they never do.

    Cheaper than `merged` for an amount that is asked once. `near` is a guess.
    """
    side, whole = (0 if exact_in else 1), amount * (1 - _NOISE)

    def missing(root: float) -> float:
        return whole - sum([depth.at(root)[side] for depth in depths])

    low = high = (near, missing(near))
    step = _STEP
    while high[1] > 0:
        if step > _STEP_MAX:
            return None
        root = near * (1 + step)
        low, high, step = high, (root, missing(root)), step * 8
    while low[1] <= 0:
        root = near / (1 + step)
        low, high, step = (root, missing(root)), low, step * 8

    def middle(low: float, high: float) -> float:
        edges = sorted(filter(None, [depth.edge(low, high) for depth in depths]))
        return edges[len(edges) // 2] if edges else 0.0

    return _narrowed(missing, low, high, middle=middle, enough=amount * _NOISE)


def _narrowed(
    missing: Callable[[float], float],
    low: tuple[float, float],
    high: tuple[float, float],
    *,
    middle: Callable[[float, float], float],
    enough: float,
) -> float:
    """Return where nothing is missing, from roots with what is missing there.

    Along pieces a straight line hits at once. Where it does not, there are edges in between, one of
    them in the `middle`, or at the end: at an edge much may be taken at one price.
    """
    straight, at_end = True, 0.0
    while (wide := high[0] - low[0]) > high[0] * _NOISE / 2:
        nearest = high[0] * _NOISE / 4  # what is nearer to an end is as good as the end
        if straight:
            line = low[0] + wide * low[1] / (low[1] - high[1])
            root = min(max(line, low[0] + nearest), high[0] - nearest)
        elif not (root := middle(low[0], high[0])):
            root = low[0] + wide / 2 if high[0] == at_end else high[0] - nearest
            at_end = high[0] - nearest
        left = missing(root)
        if abs(left) <= enough:
            return root
        if left > 0:
            low = (root, left)
        else:
            high = (root, left)
        straight = not straight or high[0] - low[0] < wide / 2
    return high[0]


def alone(
    depth: Depth, amount: float, *, exact_in: bool, least: float, root: float
) -> float | None:
    """Return what the whole amount brings along one curve, or minus what it costs.

    None when the curve ends before that, or when it is less than `least`. The tangent at any root
    promises more than the curve: so, from a `root` on, it is drawn only to where what is left can
    no longer bring what is short, and farther only if it does better on the way.
    """
    for _ in range(_TURNS if least > -inf else 0):
        paid, received = depth.at(root)
        left, short = (amount - paid if exact_in else amount - received), least - received
        if left <= 0 or (exact_in and short <= 0):
            break
        squared = left / short if exact_in else max(-least - paid, 0.0) / left
        ruled_out = sqrt(squared) * (1 + _PROMISED)
        if root >= ruled_out:
            return None
        root = ruled_out
    found = depth.trade(amount, exact_in=exact_in)
    if found is None:
        return None
    value = found[1] if exact_in else -found[1]
    return value if value + abs(value) * _PROMISED >= least else None


def shares(depths: Sequence[Depth], root: float, amount: float, *, exact_in: bool) -> list[float]:
    """Return how much of `amount` goes along each curve when all are traded up to a root.

    What stands exactly at that price goes to whichever takes most of it, so to few.
    """
    side = 0 if exact_in else 1
    low = [depth.at(root * (1 - _NOISE))[side] for depth in depths]
    high = [depth.at(root * (1 + _NOISE))[side] for depth in depths]
    left = amount - sum(low)
    for index in sorted(range(len(low)), key=lambda at: low[at] - high[at]):
        part = max(min(left, high[index] - low[index]), -low[index])
        low[index] += part
        left -= part
    return low


def _after(row: Row, paid: float) -> Row | None:
    """Return the rest of a piece; None when nothing is left of it."""
    most, price, depth = row
    left = most - paid
    if left <= most * _NOISE and not isinf(left):
        return None
    fallen = 1 + paid / depth
    return left, price / (fallen * fallen), depth + paid
