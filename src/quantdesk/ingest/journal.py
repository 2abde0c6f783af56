"""The journal: what became of every message, as JSON lines, in the order it happened.

One object a line, told by `kind`: accepted, rejected, quarantined, confirmed, unreadable, silent,
top (of a book, when it changed), book (in sync or not, and why), candle, mismatch (with
the exchange's own). Nothing but what came in decides a byte of it, so two
replays of the same frames can be compared with `cmp`.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from quantdesk.core.candles import Candle
from quantdesk.core.ticks import Event, Frame, Level
from quantdesk.ingest.books.books import BookNotice, Books, Market
from quantdesk.ingest.candles.candles import Mismatch
from quantdesk.ingest.feeds import Feed
from quantdesk.ingest.flow import Unreadable
from quantdesk.ingest.market_data import MarketData
from quantdesk.ingest.rejections import Rejected

Write = Callable[[bytes], object]
"""Is given whole lines, each with its end."""

_REASON_MAX = 200
_NO_TOP: tuple[str, Level | None, Level | None] = ("", None, None)


class _Told(msgspec.Struct, frozen=True, rename="camel"):
    """A line about an event."""

    kind: str
    id: str
    event: str
    said: Any


class _Refused(msgspec.Struct, frozen=True, rename="camel"):
    kind: str
    id: str
    reason: str
    symbol: str = ""
    currency: str = ""


class _Silent(msgspec.Struct, frozen=True, rename="camel"):
    kind: str
    source: str
    symbol: str
    currency: str
    at_ms: int


class _Top(msgspec.Struct, frozen=True, rename="camel"):
    kind: str
    source: str
    symbol: str
    currency: str
    last_id: int
    received_ms: int
    bid: Level | None
    ask: Level | None


class _Other(msgspec.Struct, frozen=True, rename="camel"):
    kind: str
    said: Any


class Journal:
    """Writes lines about what it is told of; `counts` counts them by kind."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._encode = msgspec.json.Encoder().encode
        self._tops: dict[Market, tuple[str, Level | None, Level | None]] = {}
        self.counts: Counter[str] = Counter()

    def follow(self, market: MarketData) -> None:
        """Listen to all that happens in a desk's market data from now on."""
        gate, books = market.gate, market.books
        for heard in gate.accepted.values():
            heard.append(self._event("accepted"))
        gate.quarantined.append(self._event("quarantined"))
        gate.confirmed.append(self._event("confirmed"))
        gate.rejected.append(self.rejected)
        market.flow.on_unreadable(self.unreadable)
        market.silent.append(self.silent)
        market.candles.on_candle(self.candle)
        market.candles.on_mismatch(self.mismatch)
        books.on_notice(self.notice)
        books.on_change(lambda of: self.top(of, books))

    def rejected(self, rejected: Rejected) -> None:
        """Note an event that broke a rule."""
        told = (rejected.frame.id, str(rejected.reason), rejected.symbol, rejected.currency)
        self._line("rejected", _Refused("rejected", *told))

    def unreadable(self, unreadable: Unreadable) -> None:
        """Note a message that could not be read."""
        told = (unreadable.frame.id, unreadable.detail[:_REASON_MAX])
        self._line("unreadable", _Refused("unreadable", *told))

    def silent(self, feed: Feed, now_ms: int) -> None:
        """Note a feed that says nothing any more."""
        of = (feed.source, feed.symbol, feed.currency)
        self._line("silent", _Silent("silent", *of, now_ms))

    def notice(self, notice: BookNotice) -> None:
        """Note that a book fell out of sync or came back."""
        self._line("book", _Other("book", notice))

    def candle(self, candle: Candle) -> None:
        """Note a candle, or another word on one."""
        self._line("candle", _Other("candle", candle))

    def mismatch(self, mismatch: Mismatch) -> None:
        """Note that the exchange tells another story of a candle."""
        self._line("mismatch", _Other("mismatch", mismatch))

    def top(self, market: Market, books: Books) -> None:
        """Note the best bid and ask of a book, if they are other than before."""
        view = books.top(*market)
        bid = view.bids[0] if view.bids else None
        ask = view.asks[0] if view.asks else None
        if self._tops.get(market, _NO_TOP) == (view.state, bid, ask):
            return
        self._tops[market] = (view.state, bid, ask)
        self._line("top", _Top("top", *market, view.last_id, view.received_ms, bid, ask))

    def _event(self, kind: str) -> Callable[[Event, Frame], None]:
        def note(event: Event, frame: Frame) -> None:
            self._line(kind, _Told(kind, frame.id, type(event).__name__, event))

        return note

    def _line(self, kind: str, line: msgspec.Struct) -> None:
        self.counts[kind] += 1
        self._write(self._encode(line) + b"\n")
