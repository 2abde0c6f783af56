"""Market data as sources say it: frames off the wire, and the events read from them.

A frame is kept as it came, so that every price can be traced to the bytes behind it. Events hold
numbers as the exchange wrote them: exact strings, or an integer and its power of ten; who needs to
reckon turns them into decimals (money) or floats (validation, charts).
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

_NS_PER_MS = 1_000_000

Level = tuple[str, str]
"""A price of a book and the size that stands there, "0" when it went."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """Bytes as a source sent them, and when they reached us (Unix nanoseconds).

    `feed` names the connection or route they came by ("ws", "depth"), which its reader may need.
    No two frames of a source share a `received_ns`: together they name a message for good.
    """

    source: str
    feed: str
    received_ns: int
    data: bytes

    @property
    def id(self) -> str:
        """Return the name by which the raw message is found again."""
        return f"{self.source}:{self.received_ns}"

    @property
    def received_ms(self) -> int:
        """Return when it reached us in Unix milliseconds."""
        return self.received_ns // _NS_PER_MS


class Quote(msgspec.Struct, frozen=True, gc=False):
    """The top of a book; `event_ms` is None where the exchange gives no time."""

    symbol: str
    currency: str
    bid: str
    bid_size: str
    ask: str
    ask_size: str
    update_id: int
    event_ms: int | None = None


class Trade(msgspec.Struct, frozen=True, gc=False):
    """A trade on an exchange; ids of a market rise by one."""

    symbol: str
    currency: str
    price: str
    quantity: str
    trade_id: int
    event_ms: int
    buyer_is_maker: bool = False


class Diff(msgspec.Struct, frozen=True):
    """Changes of a book, from update `first_id` to `last_id`.

    `previous_id` is the last id of the message before, where the exchange says it (USD-M futures).
    """

    symbol: str
    currency: str
    first_id: int
    last_id: int
    bids: Sequence[Level]
    asks: Sequence[Level]
    event_ms: int
    previous_id: int | None = None


class Depth(msgspec.Struct, frozen=True):
    """A whole book as it stood after update `last_id`; best prices first."""

    symbol: str
    currency: str
    last_id: int
    bids: Sequence[Level]
    asks: Sequence[Level]


class Kline(msgspec.Struct, frozen=True, gc=False):
    """A candle as the exchange builds it; `close_ms` is its last millisecond.

    `quote_volume` is in `currency`, `taker_buy_volume` in units; None where it does not tell them.
    """

    symbol: str
    currency: str
    interval: str
    open_ms: int
    close_ms: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    trades: int
    first_id: int
    last_id: int
    closed: bool
    event_ms: int
    quote_volume: str | None = None
    taker_buy_volume: str | None = None


class Mark(msgspec.Struct, frozen=True, gc=False):
    """The mark price of a perpetual, its index, and the funding that comes next."""

    symbol: str
    currency: str
    mark: str
    index: str
    funding_rate: str
    next_funding_ms: int
    event_ms: int


class Oracle(msgspec.Struct, frozen=True, gc=False):
    """A price with its confidence (one standard deviation), both times 10^exponent.

    `order` rises with every update of a feed that shares an `event_ms` (Pyth's slot); zero if the
    source has none.
    """

    symbol: str
    currency: str
    price: int
    confidence: int
    exponent: int
    event_ms: int
    order: int = 0

    @property
    def value(self) -> Decimal:
        """Return the price as a decimal in `currency` per unit."""
        return Decimal(self.price).scaleb(self.exponent)

    @property
    def deviation(self) -> Decimal:
        """Return the confidence as a decimal in `currency` per unit."""
        return Decimal(self.confidence).scaleb(self.exponent)


class Headline(msgspec.Struct, frozen=True):
    """A piece of news; `key` is the same however often and wherever it is told again.

    `symbols` are the assets it names, `votes` what a crowd thought of it (by name of the vote).
    """

    key: str
    title: str
    url: str
    publisher: str
    published_ms: int
    summary: str = ""
    symbols: tuple[str, ...] = ()
    votes: dict[str, int] = {}


Event = Quote | Trade | Diff | Depth | Kline | Mark | Oracle | Headline
