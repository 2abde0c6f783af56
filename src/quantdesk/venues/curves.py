"""A pool's curve, walked piece by piece; pure. In floats: what is traded is then quoted exactly."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf, sqrt
from typing import overload

from quantdesk.venues.port import Piece


def taken(piece: Piece, marginal: float) -> float:
    """Return what a piece takes until its marginal price (received per paid) falls to this."""
    if piece.price <= marginal:
        return 0.0
    if piece.depth == inf:
        return piece.most
    return min(piece.most, piece.depth * (sqrt(piece.price / marginal) - 1))


def given(piece: Piece, paid: float) -> float:
    """Return what a piece gives for what it is paid."""
    if piece.depth == inf:
        return piece.price * paid
    return piece.price * paid / (1 + paid / piece.depth)


class Drawn(Sequence[Piece]):
    """A curve drawn anew each time it is read, and only as far as it is read.

    Most of a market lies beyond the prices that a trade reaches: those pieces are never made.
    """

    __slots__ = ("_draw",)

    def __init__(self, draw: Callable[[], Iterator[Piece]]) -> None:
        self._draw = draw

    def __iter__(self) -> Iterator[Piece]:
        return self._draw()

    def __bool__(self) -> bool:
        return next(self._draw(), None) is not None

    def __len__(self) -> int:
        return sum(1 for _ in self._draw())

    @overload
    def __getitem__(self, index: int) -> Piece: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Piece]: ...
    def __getitem__(self, index: int | slice) -> Piece | Sequence[Piece]:
        return tuple(self._draw())[index]


def falling(levels: Iterable[tuple[float, float]], *, loose: int) -> Iterator[Piece]:
    """Yield levels of (most, price) as flat pieces whose prices never rise.

    The first `loose` levels may be out of order, as when a fee falls faster than the price: those
    become one at their average. Later ones are never taken for better than what came before.
    """
    pieces: list[Piece] = []
    worst = inf
    for number, (most, offered) in enumerate(levels, start=1):
        price = min(offered, worst)
        if number > loose:
            worst = price
        whole = Piece(most, price, inf)
        if pieces and pieces[-1].price < price:
            while pieces and pieces[-1].price < whole.price:
                whole = _joined(pieces.pop(), whole)
        elif number > loose:  # whatever follows will not be better than this
            yield from pieces
            pieces.clear()
        pieces.append(whole)
    yield from pieces


def until(curve: Sequence[Piece], marginal: float) -> tuple[float, float]:
    """Return what is paid and received while the marginal price stays above this."""
    paid = received = 0.0
    for piece in curve:
        part = taken(piece, marginal)
        if not part:
            break
        paid += part
        received += given(piece, part)
    return paid, received


def _joined(one: Piece, other: Piece) -> Piece:
    """Return two flat pieces as one at their average price."""
    most = one.most + other.most
    return Piece(most, (one.most * one.price + other.most * other.price) / most, inf)
