"""The books of all markets: diffs and snapshots in, tops and depths out; asks for resyncs.

Fed by ingest's flow on the event loop, one plain call per message. Time is the frames' own, so that
a replay gives the same books; `advance` moves it where nothing arrives.
"""

from collections import Counter
from collections.abc import Callable, Iterator

import msgspec

from quantdesk.core.ticks import Depth, Diff, Frame, Level
from quantdesk.ingest.books.book import LEVELS_MAX
from quantdesk.ingest.books.sync import BUFFER_MAX, BookState, BookSync, Outcome

BOOKS_MAX = 5_000
"""Markets at most; diffs of further ones are counted (`refused`) and dropped."""

Market = tuple[str, str, str]
"""Source, symbol and currency."""

Resync = Callable[[str, str], None]
"""Is given a source and a symbol whose book needs a snapshot soon."""


class BookView(msgspec.Struct, frozen=True, rename="camel"):
    """A book as it stands; without levels unless it is in sync.

    `last_id` is the exchange's number of the last update in it, `event_ms` that update's time there
    (zero when no diff has told one), `received_ms` when it reached us. `partial` says that these
    levels reach past what the snapshot told, where some may be missing.
    """

    source: str
    symbol: str
    currency: str
    state: BookState
    reason: str
    last_id: int
    event_ms: int
    received_ms: int
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()
    partial: bool = False


class BookNotice(msgspec.Struct, frozen=True, rename="camel"):
    """A book's state changed; `missing` counts the updates known to be lost at a gap."""

    source: str
    symbol: str
    currency: str
    state: BookState
    reason: str
    missing: int
    at_ms: int


class Books:
    """Order books of every market that diffs arrive of.

    `counts` counts messages by source and outcome (`applied`, `duplicate`, `gap`, `crossed` … and
    `asked` for resyncs), for metrics and alerts.
    """

    def __init__(
        self,
        *,
        resync: Resync,
        levels_max: int = LEVELS_MAX,
        buffer_max: int = BUFFER_MAX,
        books_max: int = BOOKS_MAX,
    ) -> None:
        self._resync = resync
        self._levels_max = levels_max
        self._buffer_max = buffer_max
        self._books_max = books_max
        self._books: dict[Market, BookSync] = {}
        self._changed: list[Callable[[Market], None]] = []
        self._noticed: list[Callable[[BookNotice], None]] = []
        self.counts: Counter[tuple[str, str]] = Counter()

    def on_change(self, listener: Callable[[Market], None]) -> None:
        """Call this with a market after each change of its book: quick, and raising nothing."""
        self._changed.append(listener)

    def on_notice(self, listener: Callable[[BookNotice], None]) -> None:
        """Call this when a book falls out of sync, or comes back."""
        self._noticed.append(listener)

    def diff(self, event: Diff, frame: Frame) -> None:
        """Take changes of a book."""
        market = (frame.source, event.symbol, event.currency)
        sync = self._books.get(market) or self._open(market)
        if sync is None:
            return
        now_ms, before = frame.received_ms, sync.state
        outcome = sync.diff(event, now_ms=now_ms)
        self.counts[frame.source, outcome] += 1
        self._settle(market, sync, before, now_ms)
        if outcome is Outcome.APPLIED:
            for listener in self._changed:
                listener(market)

    def depth(self, event: Depth, frame: Frame) -> None:
        """Take a snapshot of a book, asked for or not."""
        market = (frame.source, event.symbol, event.currency)
        sync = self._books.get(market) or self._open(market)
        if sync is None:
            return
        now_ms, before = frame.received_ms, sync.state
        outcome = sync.depth(event, now_ms=now_ms)
        self.counts[frame.source, outcome] += 1
        self._settle(market, sync, before, now_ms)

    def reset(self, source: str, *, now_ms: int) -> None:
        """Believe no book of this source until it is shown to have missed nothing."""
        for market, sync in self._books.items():
            if market[0] == source:
                before = sync.state
                sync.reset(now_ms=now_ms)
                self._settle(market, sync, before, now_ms)

    def advance(self, now_ms: int) -> None:
        """Let silent books go, and ask again for snapshots that did not come.

        `now_ms` is in the frames' time.
        """
        for market, sync in self._books.items():
            if sync.hush(now_ms=now_ms):
                self._settle(market, sync, BookState.SYNCED, now_ms)
            else:
                self._ask(market, sync, now_ms)

    def top(self, source: str, symbol: str, currency: str) -> BookView:
        """Return the best bid and ask; none unless the book is in sync."""
        return self.view(source, symbol, currency, levels=1)

    def view(self, source: str, symbol: str, currency: str, *, levels: int) -> BookView:
        """Return so many levels of each side, best first; none unless the book is in sync."""
        sync = self._books.get((source, symbol, currency))
        if sync is None:
            return BookView(source, symbol, currency, BookState.EMPTY, "unknown", 0, 0, 0)
        book = sync.book
        head = (source, symbol, currency, sync.state, sync.reason, sync.last_id)
        if book is None or sync.state is not BookState.SYNCED:
            return BookView(*head, book.event_ms if book else 0, sync.received_ms)
        return BookView(
            *head,
            book.event_ms,
            sync.received_ms,
            book.bids.top(levels),
            book.asks.top(levels),
            book.partial(levels),
        )

    def markets(self) -> Iterator[Market]:
        """Yield the markets that have a book, good or not."""
        yield from self._books

    def _open(self, market: Market) -> BookSync | None:
        if len(self._books) >= self._books_max:
            self.counts[market[0], "refused"] += 1
            return None
        sync = BookSync(levels_max=self._levels_max, buffer_max=self._buffer_max)
        return self._books.setdefault(market, sync)

    def _settle(self, market: Market, sync: BookSync, before: BookState, now_ms: int) -> None:
        if sync.state is not before:
            notice = BookNotice(*market, sync.state, sync.reason, sync.missing, now_ms)
            for tell in self._noticed:
                tell(notice)
            for listener in self._changed:
                listener(market)
        self._ask(market, sync, now_ms)

    def _ask(self, market: Market, sync: BookSync, now_ms: int) -> None:
        if sync.due(now_ms):
            self.counts[market[0], "asked"] += 1
            self._resync(market[0], market[1])
