"""Frames through the reader, the books and the candles, and what is found when held together."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from quantdesk.core.candles import Candle
from quantdesk.core.ticks import Depth, Diff, Event, Frame, Kline, Level, Quote, Trade
from quantdesk.ingest.books.books import BookNotice, Books
from quantdesk.ingest.books.sync import BookState
from quantdesk.ingest.candles.candles import Candles, Mismatch
from quantdesk.sources.words import binance

TICK_MS = 250


@dataclass
class Found:
    """What a play of frames showed; tops by update id."""

    books: Books
    candles: Candles
    tops: dict[int, tuple[Level, Level]] = field(default_factory=dict)
    tickers: dict[int, tuple[Level, Level]] = field(default_factory=dict)
    notices: list[BookNotice] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    closed: dict[tuple[str, int], Candle] = field(default_factory=dict)
    emitted: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    klines: int = 0
    last_ms: int = 0

    @property
    def compared(self) -> list[int]:
        """Return the updates of which both a top and a ticker are known."""
        return [update for update in self.tops if update in self.tickers]

    @property
    def reasons(self) -> list[str]:
        """Return what books fell out of sync for, "" each time one came back."""
        return [notice.reason for notice in self.notices]

    def counted(self, outcome: str) -> int:
        """Return how often something happened to books or candles, of any source."""
        both = Counter(dict(self.books.counts)) + self.candles.counts
        return sum(number for (_, what), number in both.items() if what == outcome)

    def of(self, interval: str) -> dict[int, Candle]:
        """Return the last word on every closed window of an interval."""
        return {ms: candle for (name, ms), candle in self.closed.items() if name == interval}


def events(frames: Iterable[Frame]) -> Iterator[tuple[Event, Frame]]:
    """Yield what frames say, with the frame."""
    for frame in frames:
        for event in binance.read(frame.data, frame.feed):
            yield event, frame


def play(said: Iterable[tuple[Event, Frame]]) -> Found:
    """Feed all of it, timers included, and return what came out."""
    asked: list[tuple[str, str]] = []
    found = Found(Books(resync=lambda *what: asked.append(what)), Candles(), asked=asked)
    found.books.on_notice(found.notices.append)
    found.candles.on_candle(lambda candle: _close(found, candle))
    found.candles.on_mismatch(found.mismatches.append)
    offsets: dict[str, int] = {}
    due_ms = 0
    for event, frame in said:
        _take(found, event, frame)
        at_ms = getattr(event, "event_ms", None)
        if at_ms:
            lag_ms = frame.received_ms - at_ms
            offsets[frame.source] = min(lag_ms, offsets.get(frame.source, lag_ms))
        if frame.received_ms >= due_ms:
            due_ms = frame.received_ms + TICK_MS
            found.books.advance(frame.received_ms)
            found.candles.advance(frame.received_ms, offsets)
        found.last_ms = frame.received_ms
    return found


def _take(found: Found, event: Event, frame: Frame) -> None:
    if isinstance(event, Diff):
        found.books.diff(event, frame)
        top = found.books.top(frame.source, event.symbol, event.currency)
        if top.state is BookState.SYNCED and top.bids and top.asks:
            found.tops[top.last_id] = (top.bids[0], top.asks[0])
    elif isinstance(event, Depth):
        found.books.depth(event, frame)
    elif isinstance(event, Trade):
        found.trades.append(event)
        found.candles.trade(event, frame)
    elif isinstance(event, Kline):
        found.klines += event.closed
        found.candles.kline(event, frame)
    elif isinstance(event, Quote):
        sides = ((event.bid, event.bid_size), (event.ask, event.ask_size))
        found.tickers[event.update_id] = sides


def _close(found: Found, candle: Candle) -> None:
    found.closed[candle.interval, candle.open_ms] = candle
    found.emitted += 1
