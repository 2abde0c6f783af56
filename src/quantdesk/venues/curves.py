"""A pool's curve, walked piece by piece; pure. In floats: what is traded is then quoted exactly."""

from collections.abc import Iterable, Sequence
from math import inf, sqrt

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


def falling(levels: Iterable[tuple[float, float]]) -> list[Piece]:
    """Return levels of (most, price) as flat pieces whose prices never rise.

    Levels out of order, as when a fee falls faster than the price, become one at their average.
    """
    pieces: list[Piece] = []
    for level in levels:
        most, price = level
        while pieces and pieces[-1].price < price:
            last = pieces.pop()
            price = (last.most * last.price + most * price) / (last.most + most)
            most += last.most
        pieces.append(Piece(most, price, inf))
    return pieces


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
