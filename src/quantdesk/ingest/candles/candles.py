"""The candles of all markets: trades and klines in, candles out, closed ones to listeners.

Fed by ingest's flow on the event loop, one plain call per message. Time is the frames' own, so that
a replay gives the same candles; `advance` moves it where nothing arrives.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import msgspec

from quantdesk.core.candles import INTERVALS, Candle
from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Frame, Kline, Trade
from quantdesk.ingest.candles.exact import DECIMALS, unscaled
from quantdesk.ingest.candles.holding import theirs_of
from quantdesk.ingest.candles.market import LEVELS, MarketCandles
from quantdesk.ingest.candles.series import KEPT, Series
from quantdesk.ingest.candles.window import Window, volume_text

MARKETS_MAX = 5_000
"""Markets at most; trades of further ones are counted (`refused`) and dropped."""

SILENT_MS_MAX = 86_400_000
"""Past a day of silence the stream has ended, or the timer's clock is not its own."""

Market = tuple[str, str, str]
"""Source, symbol and currency."""


class Mismatch(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Our candle, of which no trade is missing, and the exchange's that tells another story."""

    ours: Candle
    theirs: Candle


class Candles:
    """Candles of every market that trades arrive of, of all of `INTERVALS`.

    `counts` counts by source and outcome: trades that were `counted`, `late`, `untimely`,
    `unreadable` or `refused`, and klines that were `reconciled`, `replaced`, `taken`, ended in a
    `mismatch`, or were `open` or of an interval that is `unknown`.
    """

    def __init__(self, *, kept: int = KEPT, markets_max: int = MARKETS_MAX) -> None:
        self._kept = kept
        self._markets_max = markets_max
        self._markets: dict[Market, MarketCandles] = {}
        self._touched: list[Callable[[Market], None]] = []
        self._closed: list[Callable[[Candle], None]] = []
        self._disputed: list[Callable[[Mismatch], None]] = []
        self._counts: Counter[tuple[str, str]] = Counter()

    def on_change(self, listener: Callable[[Market], None]) -> None:
        """Call this with a market after each of its trades: quick, and raising nothing."""
        self._touched.append(listener)

    def on_candle(self, listener: Callable[[Candle], None]) -> None:
        """Call this with each candle that closes, and again with each revision of it."""
        self._closed.append(listener)

    def on_mismatch(self, listener: Callable[[Mismatch], None]) -> None:
        """Call this when the exchange contradicts a candle of ours that is complete."""
        self._disputed.append(listener)

    def trade(self, event: Trade, frame: Frame) -> None:
        """Count a trade in its windows, by event time."""
        market = (frame.source, event.symbol, event.currency)
        candles = self._markets.get(market) or self._begin(market)
        if candles is None:
            return
        try:
            counted = candles.trade(event, frame.received_ms)
        except Corrupt:
            candles.counts["unreadable"] += 1
            return
        if counted:
            for listener in self._touched:
                listener(market)

    def kline(self, event: Kline, frame: Frame) -> None:
        """Hold a candle of the exchange to ours, or take it where there is none.

        Rows of a backfill come this way too; open candles of the exchange are not needed.
        """
        level = LEVELS.get(event.interval)
        if level is None or event.open_ms % INTERVALS[event.interval]:
            self._counts[frame.source, "unknown"] += 1
            return
        if not event.closed:
            self._counts[frame.source, "open"] += 1
            return
        market = (frame.source, event.symbol, event.currency)
        candles = self._markets.get(market) or self._begin(market)
        if candles is None:
            return
        try:
            candles.hold(level, theirs_of(event))
        except Corrupt:
            candles.counts["unreadable"] += 1

    def advance(self, now_ms: int, offsets_ms: Mapping[str, int]) -> None:
        """Close windows of markets where nothing happens.

        `now_ms` is in the frames' time, that of the recording in a replay; `offsets_ms` says per
        source by how much our clock is ahead of its own (zero where it is not known).
        """
        for market, candles in self._markets.items():
            if now_ms - candles.received_ms <= SILENT_MS_MAX:
                candles.advance(now_ms - offsets_ms.get(market[0], 0))

    def latest(self, market: Market, interval: str) -> Candle | None:
        """Return the candle that time is in, not closed yet; None before any trade."""
        candles = self._markets.get(market)
        if candles is None:
            return None
        level = LEVELS[interval]
        window = candles.live(level)
        return _candle(market, interval, window, closed=False) if window else None

    def history(self, market: Market, interval: str, *, count: int) -> list[Candle]:
        """Return the last closed candles that are in memory, oldest first."""
        candles = self._markets.get(market)
        if candles is None:
            return []
        windows = candles.series[LEVELS[interval]].last(count)
        return [_candle(market, interval, window) for window in windows]

    def markets(self) -> Iterator[Market]:
        """Yield the markets that have candles."""
        yield from self._markets

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Return how often what happened, by source and outcome."""
        total = self._counts.copy()
        for (source, _, _), candles in self._markets.items():
            for outcome, number in candles.counts.items():
                total[source, outcome] += number
            missing = candles.missing
            total[source, "counted"] += candles.counted
            total[source, "duplicate"] += missing.duplicates
            total[source, "missing"] += missing.lost
            total[source, "restarted"] += missing.restarts
            total[source, "unfilled"] += sum(series.unfilled for series in candles.series)
        return total

    def _begin(self, market: Market) -> MarketCandles | None:
        if len(self._markets) >= self._markets_max:
            self._counts[market[0], "refused"] += 1
            return None

        def emit(series: Series, window: Window) -> None:
            if self._closed:
                candle = _candle(market, series.interval, window)
                for listener in self._closed:
                    listener(candle)

        def dispute(series: Series, ours: Window, theirs: Window) -> None:
            mismatch = Mismatch(
                _candle(market, series.interval, ours), _candle(market, series.interval, theirs)
            )
            for listener in self._disputed:
                listener(mismatch)

        made = MarketCandles(kept=self._kept, emit=emit, dispute=dispute)
        return self._markets.setdefault(market, made)


def _candle(market: Market, interval: str, window: Window, *, closed: bool = True) -> Candle:
    return Candle(
        *market,
        interval,
        window.open_ms,
        unscaled(window.open),
        unscaled(window.high),
        unscaled(window.low),
        unscaled(window.close),
        unscaled(window.volume),
        volume_text(window.quote_volume, decimals=2 * DECIMALS),
        volume_text(window.taker_buy_volume),
        window.trades,
        window.first_id,
        window.last_id,
        window.revision,
        closed,
        window.is_flat,
        window.gap,
        window.origin,
        window.reconciled,
    )
