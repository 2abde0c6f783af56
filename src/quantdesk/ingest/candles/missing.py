"""Trade ids not seen yet, and between which times those trades happened.

Pure. Ids of a market rise by one with time, so a hole in them lies between the trades on its two
sides. The ids before the first trade seen are a hole as well, which nothing is expected to fill.
"""

from enum import StrEnum

import msgspec

HOLES_MAX = 256
RESTART_MS = 1_000
"""An old id so much newer in time than the latest is no repetition: ids have begun anew."""

_EVER_MS = -1


class Hole(msgspec.Struct, gc=False):
    """Ids `low` to `high`, of trades between two times (Unix milliseconds, both included)."""

    low: int
    high: int
    from_ms: int
    to_ms: int

    @property
    def is_start(self) -> bool:
        """Say whether it is what happened before anybody listened."""
        return self.from_ms == _EVER_MS


class Seen(StrEnum):
    """What a trade is, by its id: the next one, or not."""

    NEXT = "next"
    FIRST = "first"
    OPENED = "opened"
    FILLED = "filled"
    REPEATED = "repeated"


class MissingIds:
    """Which trades have been seen, which not.

    `span` holds the times between which the hole lies that was opened or filled last; `lost` counts
    trades that are missing, `duplicates` those dropped, `restarts` how often ids began anew.
    """

    __slots__ = ("duplicates", "holes", "last_id", "last_ms", "lost", "restarts", "span")

    def __init__(self) -> None:
        self.last_id = -1
        self.last_ms = _EVER_MS
        self.holes: list[Hole] = []
        self.span = (_EVER_MS, _EVER_MS)
        self.lost = self.duplicates = self.restarts = 0

    def see(self, trade_id: int, event_ms: int) -> Seen:
        """Note a trade."""
        if trade_id == self.last_id + 1 and self.last_id >= 0:
            self.last_id = trade_id
            if event_ms > self.last_ms:  # noqa: PLR1730 - on the way of every trade
                self.last_ms = event_ms
            return Seen.NEXT
        return self._see_aside(trade_id, event_ms)

    def touches(self, open_ms: int, end_ms: int) -> bool:
        """Say whether a trade of this window [open, end) may be missing."""
        return any(hole.from_ms < end_ms and hole.to_ms >= open_ms for hole in self.holes)

    def awaited_from(self, watermark_ms: int) -> int | None:
        """Return since when trades are missing that may still come in order; None if none are."""
        return min(
            (
                hole.from_ms
                for hole in self.holes
                if hole.to_ms > watermark_ms and not hole.is_start and hole.high >= hole.low
            ),
            default=None,
        )

    def forget(self, before_ms: int) -> None:
        """Wait no longer for trades that happened before a time."""
        self.holes = [hole for hole in self.holes if hole.to_ms >= before_ms]

    def _see_aside(self, trade_id: int, event_ms: int) -> Seen:
        if self.last_id < 0:
            if trade_id:
                self._add(Hole(0, trade_id - 1, _EVER_MS, event_ms))
            self.last_id, self.last_ms = trade_id, event_ms
            return Seen.FIRST
        if trade_id > self.last_id:
            self.lost += trade_id - 1 - self.last_id
            self._open(Hole(self.last_id + 1, trade_id - 1, self.last_ms, event_ms), trade_id)
            return Seen.OPENED
        if event_ms > self.last_ms + RESTART_MS:
            self._restart(trade_id, event_ms)
            return Seen.OPENED
        for at in reversed(range(len(self.holes))):
            if self.holes[at].low <= trade_id <= self.holes[at].high:
                self._fill(at, trade_id, event_ms)
                return Seen.FILLED
        self.duplicates += 1
        return Seen.REPEATED

    def _open(self, hole: Hole, trade_id: int) -> None:
        """Note a hole just before this trade."""
        self.last_id, self.last_ms = trade_id, hole.to_ms
        self.span = (hole.from_ms, hole.to_ms)
        self._add(hole)

    def _restart(self, trade_id: int, event_ms: int) -> None:
        self.restarts += 1
        for hole in self.holes:
            hole.low, hole.high = 1, 0  # nothing can fill it any more
        self._open(Hole(1, 0, self.last_ms, event_ms), trade_id)

    def _add(self, hole: Hole) -> None:
        self.holes.append(hole)
        del self.holes[:-HOLES_MAX]

    def _fill(self, at: int, trade_id: int, event_ms: int) -> None:
        hole = self.holes[at]
        self.span = (hole.from_ms, hole.to_ms)
        parts = (
            Hole(hole.low, trade_id - 1, hole.from_ms, event_ms),
            Hole(trade_id + 1, hole.high, event_ms, hole.to_ms),
        )
        # Nobody waited for what happened before the first trade: only what follows this one is new.
        self.lost += hole.high - trade_id if hole.is_start else -1
        self.holes[at : at + 1] = [part for part in parts if part.low <= part.high]
        del self.holes[:-HOLES_MAX]
