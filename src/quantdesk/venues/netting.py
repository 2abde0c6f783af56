"""A pool's curve less the fee of a transfer, for the router; pure, in floats as all curves.

Below its most a fee is a share: it scales the curve. Above, it is an amount: it shifts the curve,
and what is traded there is traded at a better price than before. A curve must only get dearer, so
the kink is bridged by the line that touches both parts: it promises no less than the pool gives,
and outside of the bridge nothing is lost.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import inf, sqrt
from typing import Final, NamedTuple

from quantdesk.core.money import BPS
from quantdesk.venues.curves import given, taken, until
from quantdesk.venues.port import Piece
from quantdesk.venues.transfer_fee import TransferFee

_U64: Final = 1 << 64
_LOWEST: Final = 1e-24  # of a price: as good as nothing
_TURNS: Final = 100
_NOISE: Final = 1e-13  # relative: as near as floats come


def netted(pieces: Sequence[Piece], fee: TransferFee, *, on_paid: bool) -> Sequence[Piece]:
    """Return the curve when transfers of the token paid, or of that received, pay a fee."""
    if not fee.bps or not fee.most:
        return pieces
    kept = 1 - fee.bps / BPS
    rated = [_rated(piece, kept, on_paid=on_paid) for piece in pieces] if kept else []
    # The amount from which on a transfer pays the most, and the curve's prices there.
    reached = fee.most * BPS / fee.bps
    ends = _prices_at(pieces, reached * (kept if on_paid else 1), on_paid=on_paid)
    if reached >= _U64 or ends is None:
        return list(_falling(rated))
    start = (float(fee.most), 0.0) if on_paid else (0.0, -float(fee.most))
    bridge = _Bridge(rated, pieces, *start)
    return list(_falling(bridge.pieces(max(kept, _LOWEST) * ends[1], ends[0])))


def _rated(piece: Piece, kept: float, *, on_paid: bool) -> Piece:
    if on_paid:
        return Piece(piece.most / kept, piece.price * kept, piece.depth / kept)
    return piece._replace(price=piece.price * kept)


def _prices_at(
    pieces: Sequence[Piece], amount: float, *, on_paid: bool
) -> tuple[float, float] | None:
    """Return the prices before and after an amount; None when the curve ends before it."""
    before = pieces[0].price if pieces else 0.0
    for piece in pieces:
        paid = amount if on_paid else _paid_for(piece, amount)
        if paid < piece.most:
            price = _price_after(piece, paid)
            return (price if paid else before), price
        before = _price_after(piece, piece.most)
        amount -= piece.most if on_paid else given(piece, piece.most)
    return None


def _paid_for(piece: Piece, received: float) -> float:
    resisted = received / piece.depth
    return received / (piece.price - resisted) if resisted < piece.price else inf


def _price_after(piece: Piece, paid: float) -> float:
    return piece.price / (1 + paid / piece.depth) ** 2


class _Bridge(NamedTuple):
    """From one curve to another, which starts at an amount already paid and received."""

    near: Sequence[Piece]
    far: Sequence[Piece]
    paid: float
    received: float

    def pieces(self, low: float, high: float) -> Iterator[Piece]:
        """Yield the near curve up to the line that touches both, the line, and the far curve.

        The slope of the line is known to be from `low` to `high`.
        """
        marginal = self._marginal(low, high)
        yield from _until(self.near, marginal)
        paid, received = self._span(marginal)
        if paid > 0 and received > 0:
            yield Piece(paid, received / paid, inf)
        yield from _beyond(self.far, marginal)

    def _marginal(self, low: float, high: float) -> float:
        """Return the slope at which the tangents of both curves are the same line."""
        marginal = sqrt(low * high)
        for _ in range(_TURNS):
            paid, received = self._span(marginal)
            # How far the tangent of the near curve lies above, which grows with the slope.
            lead = marginal * paid - received
            low, high = (low, marginal) if lead > 0 else (marginal, high)
            step = marginal - lead / paid if paid > 0 else low  # Newton's, where it stays inside
            step = step if low < step < high else sqrt(low * high)
            if abs(step - marginal) <= marginal * _NOISE:
                break
            marginal = step
        return marginal

    def _span(self, marginal: float) -> tuple[float, float]:
        """Return what lies between the points of both curves at which they have a slope."""
        near, far = until(self.near, marginal), until(self.far, marginal)
        return far[0] + self.paid - near[0], far[1] + self.received - near[1]


def _until(pieces: Sequence[Piece], marginal: float) -> Iterator[Piece]:
    for piece in pieces:
        part = taken(piece, marginal)
        if part:
            yield piece._replace(most=part)
        if part < piece.most:
            return


def _beyond(pieces: Sequence[Piece], marginal: float) -> Iterator[Piece]:
    for piece in pieces:
        part = taken(piece, marginal)
        if part < piece.most:
            yield Piece(piece.most - part, _price_after(piece, part), piece.depth + part)


def _falling(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield pieces none of which seems better than the end of the one before by a rounding."""
    price = inf
    for piece in pieces:
        fitted = piece._replace(price=min(piece.price, price))
        yield fitted
        price = _price_after(fitted, fitted.most)
