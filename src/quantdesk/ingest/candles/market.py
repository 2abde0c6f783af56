"""The candles of one market: a trade is counted once, in its second, and rolled up from there.

Pure. Windows close in order, when the watermark has passed their end: the newest event time less
`LATENESS_MS`, moved by trades, and by a timer where none come. While ids are missing that may still
come in order, windows wait for them: once, for the same lateness.
"""

from collections import Counter
from collections.abc import Callable, Iterator

import msgspec

from quantdesk.core.candles import INTERVALS
from quantdesk.core.ticks import Trade
from quantdesk.ingest.candles.exact import amount
from quantdesk.ingest.candles.holding import Verdict, agree, verdict
from quantdesk.ingest.candles.missing import MissingIds, Seen
from quantdesk.ingest.candles.series import Series
from quantdesk.ingest.candles.window import Window, first_of, fold

LATENESS_MS = 2_000
LATE_MS_MAX = 60_000
"""Trades later than this, against the newest event, are counted and left out."""

AHEAD_MS_MAX = 60_000
"""Events later than this, against their arrival, would close windows before their time."""

LEVELS = {interval: level for level, interval in enumerate(INTERVALS)}
_SECOND_MS = INTERVALS["1s"]

Emit = Callable[[Series, Window], None]
"""Is told of a window that closed, or changed after that."""

Dispute = Callable[[Series, Window, Window], None]
"""Is told of a window of ours, complete, and the exchange's that contradicts it."""


class MarketCandles:
    """One market's windows of every interval; `counts` by outcome.

    `watermark_ms` is the event time up to which nothing more is expected; `received_ms` when the
    last trade reached us.
    """

    __slots__ = (
        *("_at_ms", "_before", "_dispute", "_emit", "_open", "counted", "counts", "missing"),
        *("received_ms", "series", "watermark_ms"),
    )

    def __init__(self, *, kept: int, emit: Emit, dispute: Dispute) -> None:
        self._emit = emit
        self._dispute = dispute
        self.series = [Series(name, length, kept=kept) for name, length in INTERVALS.items()]
        self.missing = MissingIds()
        self.counts: Counter[str] = Counter()
        self.counted = 0
        self.watermark_ms = -1
        self.received_ms = 0
        self._open: dict[int, Window] = {}
        self._at_ms = -1
        """All windows that end by then have closed; below zero before the first trade."""
        self._before: int | None = None
        """The close of the last window that closed."""

    def trade(self, event: Trade, received_ms: int) -> bool:
        """Count a trade and say whether it was; raise `Corrupt` (`number.unreadable`)."""
        event_ms = event.event_ms
        price, quantity = amount(event.price), amount(event.quantity)
        if not self._is_timely(event_ms, received_ms):
            self.counts["untimely"] += 1
            return False
        seen = self.missing.see(event.trade_id, event_ms)
        if seen is Seen.REPEATED:
            return False
        self.counted += 1
        self.received_ms = received_ms
        open_ms = event_ms - event_ms % _SECOND_MS
        window = self._open.get(open_ms)
        if window is None:
            window = self._window(open_ms, price)
        if window.origin == "trades":
            window.add(event.trade_id, price, quantity, taker_buys=not event.buyer_is_maker)
        if open_ms < self._at_ms or seen is not Seen.NEXT:
            self._look_back(window, seen)
        if event_ms - LATENESS_MS > self.watermark_ms:
            self.watermark_ms = event_ms - LATENESS_MS
            if self.watermark_ms >= self._at_ms + _SECOND_MS:
                self._close()
        return True

    def advance(self, event_now_ms: int) -> None:
        """Let time pass without a trade; `event_now_ms` by the exchange's clock."""
        if self._at_ms >= 0 and event_now_ms - LATENESS_MS > self.watermark_ms:
            self.watermark_ms = event_now_ms - LATENESS_MS
            if self.watermark_ms >= self._at_ms + _SECOND_MS:
                self._close()

    def hold(self, level: int, theirs: Window) -> None:
        """Compare a closed candle of the exchange with ours, or take it where there is none."""
        series = self.series[level]
        ours = series.windows.get(theirs.open_ms)
        if ours is not None:
            self._compare(level, ours, theirs)
        elif self._at_ms >= 0 and theirs.open_ms + series.length_ms > self._at_ms:
            series.note(series.pending, theirs)
        else:
            self.counts["taken"] += 1
            self._put(level, theirs)

    def live(self, level: int) -> Window | None:
        """Return the window that time is in, as far as it is known; None before any trade."""
        if self._at_ms < 0:
            return None
        open_ms = self.series[level].start_of(self.watermark_ms + LATENESS_MS)
        window = self._known(level, open_ms)
        if window is None:
            return None
        gap = self.missing.touches(open_ms, open_ms + self.series[level].length_ms)
        return msgspec.structs.replace(window, gap=window.gap or gap)

    def _is_timely(self, event_ms: int, received_ms: int) -> bool:
        if event_ms > received_ms + AHEAD_MS_MAX:
            return False
        if self._at_ms < 0:
            return True
        if event_ms < self.watermark_ms + LATENESS_MS - LATE_MS_MAX:
            return False
        began_ms = self.series[0].began_ms
        return event_ms >= began_ms or began_ms == self._at_ms

    def _window(self, open_ms: int, price: int) -> Window:
        """Return the second of a trade, closed or not, made if need be."""
        if self._at_ms < 0 or (open_ms < self._at_ms == self.series[0].began_ms):
            self._at_ms = open_ms
            for series in self.series:
                series.began_ms = series.start_of(open_ms)
        if open_ms < self._at_ms:
            closed = self.series[0].windows.get(open_ms)
            if closed is None:
                closed = first_of(open_ms, price)
                self.series[0].put(closed)
            return closed
        window = self._open[open_ms] = first_of(open_ms, price)
        return window

    def _look_back(self, window: Window, seen: Seen) -> None:
        """Revise what has closed already and is changed by a trade."""
        changed = set()
        if window.open_ms < self._at_ms:
            self.counts["late"] += 1
            changed = {window.open_ms, *self._flats_after(window)}
        if seen in (Seen.OPENED, Seen.FILLED):
            changed |= self._marked(*self.missing.span)
        self._revise(changed)

    def _flats_after(self, window: Window) -> Iterator[int]:
        """Move the windows without trades that follow a late trade to its close."""
        windows, open_ms = self.series[0].windows, window.open_ms + _SECOND_MS
        while (after := windows.get(open_ms)) is not None and _follows(after, window):
            after.open = after.high = after.low = after.close = window.close
            yield open_ms
            open_ms += _SECOND_MS
        if open_ms == self._at_ms:
            self._before = window.close

    def _marked(self, from_ms: int, to_ms: int) -> set[int]:
        """Mark closed seconds by whether trades of them are missing; return those that changed."""
        base, changed = self.series[0], set()
        kept_ms = base.newest_ms - base.kept * _SECOND_MS
        first_ms = max(base.start_of(max(from_ms, 0)), base.began_ms, kept_ms)
        for open_ms in range(first_ms, min(to_ms + 1, self._at_ms), _SECOND_MS):
            window = base.windows.get(open_ms)
            if window is None or window.reconciled:
                continue
            gap = self.missing.touches(open_ms, open_ms + _SECOND_MS)
            if gap != window.gap:
                window.gap = gap
                changed.add(open_ms)
        return changed

    def _revise(self, changed: set[int]) -> None:
        for open_ms in sorted(changed):
            self._changed(0, self.series[0].windows[open_ms])
        self._roll_up(0, changed)

    def _roll_up(self, level: int, changed: set[int]) -> None:
        """Fold again what has closed above the windows that changed."""
        while changed and level + 1 < len(self.series):
            level += 1
            series, below = self.series[level], changed
            changed = set()
            for open_ms in sorted({series.start_of(one) for one in below}):
                ours = series.windows.get(open_ms)
                if ours is not None and self._refold(level, ours):
                    changed.add(open_ms)

    def _refold(self, level: int, ours: Window) -> bool:
        if ours.origin == "exchange" or not self.series[level - 1].holds(ours.open_ms):
            return False
        new = self._folded(level, ours.open_ms)
        if new is None or new.says() == ours.says() or (ours.reconciled and agree(new, ours)):
            return False
        new.revision = ours.revision
        self.series[level].windows[ours.open_ms] = new
        self._changed(level, new)
        return True

    def _changed(self, level: int, window: Window) -> None:
        """Tell of a closed window once more."""
        window.revision += 1
        window.reconciled = False
        series = self.series[level]
        self._emit(series, window)
        theirs = series.disputed.pop(window.open_ms, None)
        if theirs is not None:
            self._compare(level, window, theirs)

    def _close(self) -> None:
        """Close what the watermark has passed, seconds first, each with what it completes."""
        limit_ms = self.watermark_ms
        if self.missing.holes:
            awaited_ms = self.missing.awaited_from(limit_ms)
            limit_ms = limit_ms if awaited_ms is None else min(limit_ms, awaited_ms)
        while (end_ms := self._next_end()) <= limit_ms:
            self._at_ms = end_ms
            for level, series in enumerate(self.series):
                if end_ms % series.length_ms:
                    break
                self._close_one(level, end_ms - series.length_ms)
        if self.missing.holes:
            self.missing.forget(self.watermark_ms - LATE_MS_MAX)

    def _next_end(self) -> int:
        """Return when the next window ends, past those that are not made any more."""
        at_ms = end_ms = self._at_ms
        for series in self.series:
            end_ms = series.start_of(at_ms) + series.length_ms
            if series.flats < series.kept:
                break
        soonest_ms = at_ms + _SECOND_MS
        if end_ms > soonest_ms and self._open:
            end_ms = min(end_ms, max(soonest_ms, min(self._open)))
        return end_ms

    def _close_one(self, level: int, open_ms: int) -> None:
        series = self.series[level]
        window = self._open.pop(open_ms, None) if not level else self._folded(level, open_ms)
        if window is None:
            assert self._before is not None, "the first window has a trade"
            window = first_of(open_ms, self._before)
        if not level:
            self._before = window.close
            if self.missing.holes:
                window.gap = self.missing.touches(open_ms, open_ms + _SECOND_MS)
        series.flats = series.flats + 1 if window.is_flat else 0
        theirs = series.pending.pop(open_ms, None)
        if series.flats > series.kept and theirs is None:
            series.unfilled += 1
            return
        series.put(window)
        if theirs is None or not self._compare(level, window, theirs):
            self._emit(series, window)

    def _folded(self, level: int, open_ms: int) -> Window | None:
        """Return a window made of the closed ones below it."""
        below, end_ms = self.series[level - 1], open_ms + self.series[level].length_ms
        opens = range(open_ms, end_ms, below.length_ms)
        parts = [below.windows.get(one) for one in opens]
        whole = fold(open_ms, (part for part in parts if part is not None), self._before)
        if whole is not None and open_ms < below.began_ms:
            early = range(open_ms, min(below.began_ms, end_ms), below.length_ms)
            whole.gap |= any(one not in below.windows for one in early)
        return whole

    def _known(self, level: int, open_ms: int) -> Window | None:
        series = self.series[level]
        closed = series.windows.get(open_ms)
        if closed is not None or not level:
            return closed or self._open.get(open_ms)
        below = self.series[level - 1]
        until_ms = min(open_ms + series.length_ms, self.watermark_ms + LATENESS_MS + 1)
        parts = (self._known(level - 1, one) for one in range(open_ms, until_ms, below.length_ms))
        whole = fold(open_ms, (part for part in parts if part is not None), self._before)
        if whole is not None and open_ms < below.began_ms and open_ms not in below.windows:
            whole.gap = True
        return whole

    def _compare(self, level: int, ours: Window, theirs: Window) -> bool:
        """Hold ours to theirs; say whether listeners have been told of the window."""
        series = self.series[level]
        found = verdict(ours, theirs, seen_id=self.missing.last_id)
        if found is Verdict.RECONCILED:
            if ours.reconciled:
                return False
            ours.reconciled = True
            was_gap, ours.gap = ours.gap, False
            ours.revision += was_gap
            self._emit(series, ours)
            if was_gap:
                self._roll_up(level, {ours.open_ms})
        elif found is Verdict.REPLACED:
            theirs.revision = ours.revision + 1
            self._put(level, theirs)
        elif series.disputed.get(ours.open_ms) != theirs:
            series.note(series.disputed, theirs)
            self._dispute(series, ours, theirs)
        else:
            return False
        self.counts[found] += 1
        if found is Verdict.MISMATCH:
            return False
        series.disputed.pop(theirs.open_ms, None)
        return True

    def _put(self, level: int, theirs: Window) -> None:
        self.series[level].put(theirs)
        self._emit(self.series[level], theirs)
        self._roll_up(level, {theirs.open_ms})


def _follows(after: Window, window: Window) -> bool:
    """Say whether a window stands at the close before, and that has just changed."""
    return after.is_flat and not after.reconciled and after.close != window.close
