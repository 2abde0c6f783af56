"""One book and whether it can be believed: continuity of ids, snapshots, when to ask for another.

Pure: time comes in, and what is to be done goes out as `due`. The rules are the exchange's own,
put in one form: an update says after which id it begins ("U" - 1 on spot, "pu" on USD-M futures)
and at which it ends ("u"). It may be applied to a book that stands anywhere between the two, as
sizes are absolute. Spot's "U <= lastUpdateId + 1 <= u" and futures' "U <= lastUpdateId <= u", and
then "U == previous u + 1" and "pu == previous u", are cases of that.

Sources: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
("How to manage a local order book correctly") and
https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

from collections import deque
from enum import StrEnum

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Depth, Diff
from quantdesk.ingest.books.book import LEVELS_MAX, Book

BUFFER_MAX = 100
"""Diffs kept for a snapshot to come: ten seconds of the fastest stream; the oldest go first."""

RESYNC_MS_MIN = 1_000
RESYNC_MS_MAX = 30_000
"""How long to wait for a snapshot before asking again: doubled each time, up to this."""

HEALTHY_MS = 60_000
"""In sync for so long, the next trouble begins with the shortest wait again."""

SILENT_MS = 10_000
"""A book of which nothing was heard for so long is shown no more."""

RESTART_MS = 1_000
"""An old id so much newer in time is no repetition: the exchange has begun to count anew."""


class BookState(StrEnum):
    """What a book is worth."""

    EMPTY = "empty"
    SYNCED = "synced"
    DIRTY = "dirty"


class Outcome(StrEnum):
    """What became of a message; also the names its counters carry."""

    APPLIED = "applied"
    BRIDGED = "bridged"
    HEALED = "healed"
    REFRESHED = "refreshed"
    BUFFERED = "buffered"
    HELD = "held"
    DUPLICATE = "duplicate"
    UNNEEDED = "unneeded"
    TOO_OLD = "too_old"
    GAP = "gap"
    CROSSED = "crossed"
    RESTARTED = "restarted"
    UNREADABLE = "unreadable"


class BookSync:
    """A book of one market.

    `reason` says why it is not in sync: `starting`, `gap`, `crossed`, `restarted`, `unreadable`,
    `silent` or `skipped`. `missing` counts updates known to be lost at the last gap.
    """

    __slots__ = (
        *("_buffer", "_due_ms", "_held", "_levels_max", "_synced_ms", "_tries", "_waiting"),
        *("book", "last_id", "missing", "reason", "received_ms", "state"),
    )

    def __init__(self, *, levels_max: int = LEVELS_MAX, buffer_max: int = BUFFER_MAX) -> None:
        self._levels_max = levels_max
        self._buffer: deque[Diff] = deque(maxlen=buffer_max)
        self._held: Depth | None = None
        self._waiting = True
        self._tries = 0
        self._due_ms = 0
        self._synced_ms = 0
        self.state = BookState.EMPTY
        self.reason = "starting"
        self.book: Book | None = None
        self.last_id = 0
        self.received_ms = 0
        self.missing = 0

    def diff(self, diff: Diff, *, now_ms: int) -> Outcome:
        """Take changes, which arrived at `now_ms` (Unix milliseconds)."""
        self.received_ms = now_ms
        if self.state is not BookState.SYNCED:
            return self._gather(diff, now_ms)
        book = self.book
        assert book is not None, "a book in sync is a book"
        if diff.last_id <= book.last_id:
            return self._passed(diff, book, now_ms)
        if self._waiting:
            self._buffer.append(diff)
        if _after(diff) > book.last_id:
            self.missing = _after(diff) - book.last_id
            self._spoil(Outcome.GAP, now_ms)
            self._buffer.append(diff)
            return Outcome.GAP
        return self._apply(diff, book, now_ms)

    def depth(self, depth: Depth, *, now_ms: int) -> Outcome:
        """Take a snapshot, which arrived at `now_ms`."""
        if not self._waiting:
            return Outcome.UNNEEDED
        return self._bridge(depth, now_ms)

    def reset(self, *, now_ms: int) -> None:
        """Believe the book no longer: changes may have been lost on their way here.

        Should the next diff follow on the last one all the same, the book is good at once.
        """
        if self.state is BookState.SYNCED:
            self._spoil("skipped", now_ms)

    def hush(self, *, now_ms: int) -> bool:
        """Believe the book no longer once nothing has been heard of it for `SILENT_MS`.

        Its connection may have broken off without a word. Should the next diff follow on the last
        one all the same, the book is good at once. Returns whether it was believed until now.
        """
        if self.state is not BookState.SYNCED or now_ms - self.received_ms <= SILENT_MS:
            return False
        self._spoil("silent", now_ms)
        return True

    def due(self, now_ms: int) -> bool:
        """Say whether to ask for a snapshot now; saying yes counts as having asked.

        Asked only once changes flow, as a snapshot from before the first of them is of no use.
        """
        if not self._waiting or self._held or not self._buffer or now_ms < self._due_ms:
            return False
        self._due_ms = now_ms + min(RESYNC_MS_MIN << self._tries, RESYNC_MS_MAX)
        self._tries = min(self._tries + 1, 16)
        return True

    def _passed(self, diff: Diff, book: Book, now_ms: int) -> Outcome:
        if book.event_ms and diff.event_ms > book.event_ms + RESTART_MS:
            self._lose(Outcome.RESTARTED, now_ms)
            self._buffer.append(diff)
            return Outcome.RESTARTED
        return Outcome.DUPLICATE

    def _apply(self, diff: Diff, book: Book, now_ms: int) -> Outcome:
        try:
            book.apply(diff)
        except Corrupt:
            self._lose(Outcome.UNREADABLE, now_ms)
            return Outcome.UNREADABLE
        self.last_id = book.last_id
        if book.crossed:
            self._lose(Outcome.CROSSED, now_ms)
            self._buffer.append(diff)
            return Outcome.CROSSED
        if book.worn and not self._waiting:
            self._waiting = True
            self._buffer.append(diff)
        if self._held is not None and self._held.last_id <= book.last_id:
            self._bridge(self._held, now_ms)
        return Outcome.APPLIED

    def _gather(self, diff: Diff, now_ms: int) -> Outcome:
        self._buffer.append(diff)
        if self._held is not None:
            return self._bridge(self._held, now_ms)
        book = self.book
        if book is None or diff.last_id <= book.last_id or _after(diff) > book.last_id:
            return Outcome.BUFFERED
        fault = self._catch_up(book)
        if fault is Outcome.GAP:
            return Outcome.BUFFERED
        if fault is not None:
            self._lose(fault, now_ms)
            return fault
        self._believe(book, now_ms)
        return Outcome.HEALED

    def _bridge(self, depth: Depth, now_ms: int) -> Outcome:
        if not self._buffer or max(one.last_id for one in self._buffer) < depth.last_id:
            self._held = depth
            return Outcome.HELD
        self._held = None
        try:
            book = Book(depth, levels_max=self._levels_max)
        except Corrupt:
            return Outcome.UNREADABLE
        fault = self._catch_up(book)
        if fault is not None:
            return Outcome.TOO_OLD if fault is Outcome.GAP else fault
        refreshed = self.state is BookState.SYNCED
        self._believe(book, now_ms)
        return Outcome.REFRESHED if refreshed else Outcome.BRIDGED

    def _catch_up(self, book: Book) -> Outcome | None:
        """Bring a book up to the newest diff; return what stands against it, None if nothing."""
        for diff in sorted(self._buffer, key=_ends):
            if diff.last_id > book.last_id:
                if _after(diff) > book.last_id:
                    return Outcome.GAP
                try:
                    book.apply(diff)
                except Corrupt:
                    return Outcome.UNREADABLE
            elif diff.last_id == book.last_id:
                book.event_ms = diff.event_ms
        return Outcome.CROSSED if book.crossed else None

    def _believe(self, book: Book, now_ms: int) -> None:
        self.book = book
        self.last_id = book.last_id
        self.state, self.reason, self.missing = BookState.SYNCED, "", 0
        self._waiting = False
        self._buffer.clear()
        self._synced_ms = now_ms

    def _spoil(self, reason: str, now_ms: int) -> None:
        if now_ms - self._synced_ms >= HEALTHY_MS:
            self._tries = self._due_ms = 0
        self.state, self.reason = BookState.DIRTY, str(reason)
        self._waiting = True
        self._buffer.clear()
        self._held = None

    def _lose(self, reason: str, now_ms: int) -> None:
        self._spoil(reason, now_ms)
        self.book = None


def _after(diff: Diff) -> int:
    """Return the id on which a diff follows."""
    return diff.first_id - 1 if diff.previous_id is None else diff.previous_id


def _ends(diff: Diff) -> int:
    return diff.last_id
