"""Depth snapshot + differences → a book in sync; pure.

The exchange's rule: differences are kept from before the snapshot is asked for; those that end at
or before its `lastUpdateId` are dropped; the first that counts begins at or before
`lastUpdateId + 1`, and each next one where the last ended. Anything else is a gap: the book is
worthless, and a new snapshot is needed. Levels beyond the snapshot's are only known if they change,
so that as many as it had are all that is told.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams (How to manage a local
order book correctly)
"""

from collections import deque
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from quantdesk.chains.binance.answers import UNREADABLE, unreadable

_WAITING_MAX: Final = 2_000
TOLD_MAX: Final = 200
"""Levels of each side that are told."""


class Difference(msgspec.Struct, frozen=True):
    """A `depthUpdate` event: what changed from update `U` to update `u`."""

    U: int
    u: int
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]
    s: str


class Depth(msgspec.Struct, frozen=True, rename="camel"):
    """An answer of `GET /api/v3/depth`."""

    last_update_id: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class Gap(Exception):
    """Differences are missing: the book needs a new snapshot."""


class Book:
    """One symbol's book. `update_id` is None while it waits for a snapshot."""

    def __init__(self) -> None:
        self.update_id: int | None = None
        self._waiting: deque[Difference] = deque(maxlen=_WAITING_MAX)
        self._sides: tuple[dict[Decimal, str], dict[Decimal, str]] = ({}, {})

    def changed(self, difference: Difference) -> bool:
        """Take in a difference; return whether the book is another now.

        Raises `Gap` when one before it is missing, `Unavailable` when it cannot be read.
        """
        if self.update_id is None:
            self._waiting.append(difference)
            return False
        if difference.u <= self.update_id:
            return False
        if self.update_id + 1 < difference.U:
            raise Gap
        self._apply(difference)
        return True

    def start(self, depth: Depth) -> bool:
        """Take in a snapshot; return whether it reaches the differences that wait.

        One that does not is too old: another must be asked for. Raises `Gap` as `changed` does.
        """
        waiting = self._waiting
        if len(waiting) == waiting.maxlen:
            raise Gap  # the oldest may be gone
        if waiting and depth.last_update_id < waiting[0].U:
            return False
        self._sides = (_side(depth.bids), _side(depth.asks))
        self.update_id = depth.last_update_id
        self._waiting = deque(maxlen=_WAITING_MAX)
        for difference in waiting:
            self.changed(difference)
        return True

    def told(self) -> bytes:
        """Return the book in the shape of `GET /api/v3/depth`, best levels first."""
        assert self.update_id is not None, "it was started"
        bids, asks = self._sides
        best = sorted(bids, reverse=True)[:TOLD_MAX], sorted(asks)[:TOLD_MAX]
        told = {
            "lastUpdateId": self.update_id,
            "bids": [(format(price, "f"), bids[price]) for price in best[0]],
            "asks": [(format(price, "f"), asks[price]) for price in best[1]],
        }
        return msgspec.json.encode(told)

    def _apply(self, difference: Difference) -> None:
        for side, rows in zip(self._sides, (difference.b, difference.a), strict=True):
            for price, quantity in rows:
                if _number(quantity):
                    side[_number(price)] = quantity
                else:
                    side.pop(_number(price), None)
        self.update_id = difference.u


_DIFFERENCE: Final = msgspec.json.Decoder(Difference)


def difference(raw: bytes) -> Difference:
    """Return a `depthUpdate` event; raise `Unavailable` (`exchange.unreadable`)."""
    try:
        return _DIFFERENCE.decode(raw)
    except UNREADABLE as problem:
        raise unreadable(str(problem)) from None


def _side(rows: list[tuple[str, str]]) -> dict[Decimal, str]:
    return {_number(price): quantity for price, quantity in rows if _number(quantity)}


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or number < 0:
        raise unreadable(f"{text[:40]!r} is no amount")
    return number
