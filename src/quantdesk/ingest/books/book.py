"""One order book: whole from a snapshot, changed by diffs, best prices first.

Pure, and trusting: whether a diff may be applied is decided in `sync.py`. Levels are kept as the
exchange wrote them; floats only sort and find them. Two prices of a book are never the same float:
that would take more than fifteen digits, and a price level has at most thirteen.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from itertools import islice
from math import inf

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Depth, Diff, Level

LEVELS_MAX = 10_000
"""Levels kept on a side; the worst go first."""

CUT_MIN = 100
"""A snapshot's side with fewer levels is the whole side; one with more may have been cut there."""

_WORN = 0.8  # of the prices a cut snapshot told; past that a new one tells more


class Side:
    """Bids or asks.

    Keys rise towards the best price, on both sides, so that changes near it move few of them:
    they are prices for bids and negated prices for asks.
    """

    __slots__ = ("_sign", "edge", "keys", "levels", "worn")

    def __init__(self, levels: Sequence[Level], *, sign: int) -> None:
        self._sign = sign
        self.keys: list[float] = []
        self.levels: dict[float, Level] = {}
        self.merge(levels)
        self.edge = self.worn = -inf
        if len(self.keys) >= CUT_MIN:
            best, self.edge = self.keys[-1], self.keys[0]
            self.worn = best - (best - self.edge) * _WORN

    def merge(self, changes: Sequence[Level]) -> None:
        """Set levels, or take away those of size zero; raise `Corrupt` (`book.unreadable`)."""
        keys, levels, sign = self.keys, self.levels, self._sign
        try:
            for level in changes:
                key, size = float(level[0]) * sign, float(level[1])
                if not (0.0 < key * sign < inf and 0.0 <= size < inf):
                    raise _unreadable(level)
                if size:
                    if key not in levels:
                        insort(keys, key)
                    levels[key] = level
                elif key in levels:
                    del levels[key]
                    del keys[bisect_left(keys, key)]
        except ValueError:
            raise _unreadable(changes) from None

    def trim(self, most: int) -> None:
        """Forget the worst levels beyond so many."""
        excess = len(self.keys) - most
        if excess > 0:
            for key in self.keys[:excess]:
                del self.levels[key]
            del self.keys[:excess]
            self.edge = max(self.edge, self.keys[0])

    def best(self) -> Level | None:
        """Return the best level, None when the side is empty."""
        return self.levels[self.keys[-1]] if self.keys else None

    def top(self, count: int) -> tuple[Level, ...]:
        """Return so many levels, best first."""
        return tuple(islice(self._falling(), count))

    def reaches_past(self, key: float, *, count: int = 1) -> bool:
        """Say whether the first `count` levels go beyond a key."""
        return len(self.keys) >= count and self.keys[-count] < key

    def _falling(self) -> Iterator[Level]:
        return (self.levels[key] for key in reversed(self.keys))


class Book:
    """Both sides as they stood after update `last_id`, at `event_ms` of the exchange's clock.

    `event_ms` is zero as long as only a snapshot, which gives no time, has been seen.
    """

    __slots__ = ("_levels_max", "asks", "bids", "event_ms", "last_id")

    def __init__(self, depth: Depth, *, levels_max: int = LEVELS_MAX) -> None:
        self._levels_max = levels_max
        self.bids = Side(depth.bids, sign=1)
        self.asks = Side(depth.asks, sign=-1)
        self.last_id = depth.last_id
        self.event_ms = 0
        self._trim()

    def apply(self, diff: Diff) -> None:
        """Make the changes of a diff; raise `Corrupt` (`book.unreadable`), and then discard it."""
        self.bids.merge(diff.bids)
        self.asks.merge(diff.asks)
        self.last_id = diff.last_id
        self.event_ms = diff.event_ms
        self._trim()

    @property
    def crossed(self) -> bool:
        """Say whether somebody bids at least what is asked, which no exchange lets stand."""
        bids, asks = self.bids.keys, self.asks.keys
        return bool(bids and asks) and bids[-1] >= -asks[-1]

    @property
    def worn(self) -> bool:
        """Say whether the price has moved so far that a new snapshot would tell more."""
        bids, asks = self.bids, self.asks
        return bids.reaches_past(bids.worn) or asks.reaches_past(asks.worn)

    def partial(self, count: int) -> bool:
        """Say whether the first `count` levels go past what the snapshot told.

        Out there levels are known only if they changed since, as the exchange sends a snapshot's
        first thousands and later only changes.
        """
        return any(
            side.reaches_past(side.edge, count=min(count, len(side.keys)))
            for side in (self.bids, self.asks)
            if side.keys
        )

    def _trim(self) -> None:
        most = self._levels_max
        if len(self.bids.keys) > most or len(self.asks.keys) > most:
            self.bids.trim(most)
            self.asks.trim(most)


def _unreadable(what: object) -> Corrupt:
    return Corrupt(f"a level of a book makes no sense: {what!r:.80}", code="book.unreadable")
