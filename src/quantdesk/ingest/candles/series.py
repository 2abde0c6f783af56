"""The windows of one interval that have closed: the last so many, and those of the exchange.

Pure. Windows stand on a grid, so the one that falls out when another comes in is known by name.
"""

from quantdesk.ingest.candles.window import Window

KEPT = 600
"""Closed windows kept of an interval; one takes about 470 bytes."""

PENDING_MAX = 64
"""Exchange's candles kept until ours closes, and those that contradict ours."""


class Series:
    """Closed windows by the time they open, of `length_ms` milliseconds each.

    `began_ms` is where the first of our own stands: earlier ones are the exchange's, or missing.
    `flats` counts windows without trades in a row; beyond `kept` they are not made (`unfilled`).
    """

    __slots__ = (
        *("began_ms", "disputed", "flats", "interval", "kept", "length_ms", "newest_ms"),
        *("pending", "unfilled", "windows"),
    )

    def __init__(self, interval: str, length_ms: int, *, kept: int) -> None:
        self.interval = interval
        self.length_ms = length_ms
        self.kept = kept
        self.windows: dict[int, Window] = {}
        self.began_ms = 0
        self.newest_ms = -1
        self.flats = 0
        self.unfilled = 0
        self.pending: dict[int, Window] = {}
        self.disputed: dict[int, Window] = {}

    def start_of(self, ms: int) -> int:
        """Return when the window of a moment opens."""
        return ms - ms % self.length_ms

    def put(self, window: Window) -> bool:
        """Keep a closed window; say no when it is older than those that are kept."""
        open_ms, newest_ms = window.open_ms, self.newest_ms
        reach_ms = self.kept * self.length_ms
        if open_ms > newest_ms:
            self.newest_ms = open_ms
            if open_ms - newest_ms == self.length_ms:
                self.windows.pop(open_ms - reach_ms, None)
            elif self.windows:
                self._drop_before(open_ms - reach_ms + 1)
        elif open_ms <= newest_ms - reach_ms:
            return False
        self.windows[open_ms] = window
        return True

    def holds(self, open_ms: int) -> bool:
        """Say whether a window that opened then is recent enough to be kept."""
        return open_ms > self.newest_ms - self.kept * self.length_ms

    def last(self, count: int) -> list[Window]:
        """Return the latest windows, oldest first."""
        found: list[Window] = []
        open_ms = self.newest_ms
        while len(found) < count and self.holds(open_ms):
            if (window := self.windows.get(open_ms)) is not None:
                found.append(window)
            open_ms -= self.length_ms
        found.reverse()
        return found

    def note(self, where: dict[int, Window], theirs: Window) -> None:
        """Remember a candle of the exchange; the oldest noted goes when there are too many."""
        where[theirs.open_ms] = theirs
        if len(where) > PENDING_MAX:
            del where[min(where)]

    def _drop_before(self, open_ms: int) -> None:
        for old in [one for one in self.windows if one < open_ms]:
            del self.windows[old]
