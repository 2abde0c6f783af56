"""What the board said in the last minutes, so that a markout is taken at its moment. Pure.

The database may be slow or away when a markout is due; the price of that moment is kept here until
it can be written. A price from before the moment, or from too long after it, is never used.
"""

from bisect import bisect_left
from collections.abc import Mapping

import msgspec

from quantdesk.engines.orders.quality.model import HORIZONS, Entry, Mark

KEEP_MS = 600_000
"""How far back the tape reaches: the longest that writing a markout may be held up."""

_SLACK_MS = 60_000  # forgotten so much at a time
_GRACE_MS = 15_000  # another desk that watched while this one did not may write first
NOBODY_LOOKED = "late"
"""Why a mark is missing when no desk watched the board at its moment."""

CLOCK_SET_BACK = "clock.jumped"
"""Why it is missing when nobody knows any more which moment that was."""

AHEAD_MS = 5_000
"""A fill dated later than this from now was dated by a clock that was wrong."""

Sample = Mapping[str, Mark]
"""The board's word on every pair at one moment."""


class Tape:
    """Samples of the board, oldest first."""

    def __init__(self) -> None:
        self._at: list[int] = []
        self._samples: list[Sample] = []

    def __len__(self) -> int:
        return len(self._at)

    @property
    def last_ms(self) -> int | None:
        """Return when the board was last looked at, in Unix milliseconds."""
        return self._at[-1] if self._at else None

    def add(self, sample: Sample, *, at_ms: int) -> bool:
        """Take in what the board says now; forget what is older than `KEEP_MS`.

        Returns whether the clock was set back since the last time.
        """
        set_back = bool(self._at) and at_ms < self._at[-1]
        if set_back:
            # The machine's clock was set back: what the samples call their time is not true now.
            self._at.clear()
            self._samples.clear()
        self._at.append(at_ms)
        self._samples.append(sample)
        if self._at[0] < at_ms - KEEP_MS - _SLACK_MS:
            old = bisect_left(self._at, at_ms - KEEP_MS)
            del self._at[:old], self._samples[:old]
        return set_back

    def mark(self, pair: str, *, due_ms: int, late_ms: int, now_ms: int) -> Mark | None:
        """Return the first price at or after a moment and at most `late_ms` after it.

        Returns a mark that says why there is none once nobody can have one any more, and None while
        that is not certain.
        """
        start = bisect_left(self._at, due_ms)
        end = bisect_left(self._at, due_ms + late_ms + 1)
        for sample in self._samples[start:end]:
            if (found := sample.get(pair)) is not None and found.price is not None:
                return found
        if now_ms <= due_ms + late_ms + _GRACE_MS:
            return None
        if start == end:
            return Mark(missing=NOBODY_LOOKED)
        return self._samples[start].get(pair, Mark(missing="price.missing"))


def settled(entry: Entry, tape: Tape, *, now_ms: int) -> Entry:
    """Return the entry with every mark that is known by now, without a gap.

    Of a fill that is still to come by the clock nothing more will be known.
    """
    marks = list(entry.marks)
    if entry.landed_ms > now_ms + AHEAD_MS:
        marks += [Mark(missing=CLOCK_SET_BACK)] * (len(HORIZONS) - len(marks))
    for horizon in HORIZONS[len(marks) :]:
        due_ms = entry.landed_ms + horizon.after_ms
        mark = tape.mark(entry.pair, due_ms=due_ms, late_ms=horizon.late_ms, now_ms=now_ms)
        if mark is None:
            break
        marks.append(mark)
    return msgspec.structs.replace(entry, marks=tuple(marks))
