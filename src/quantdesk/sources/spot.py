"""The words of Binance spot's combined streams, without I/O: messages in, ticks out.

Format: https://github.com/binance/binance-spot-api-docs/blob/master/web-socket-streams.md
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from quantdesk.core.errors import Corrupt

PAIRS: Mapping[str, tuple[str, str]] = {
    "BTCUSDT": ("BTC", "USDT"),
    "ETHUSDT": ("ETH", "USDT"),
    "SOLUSDT": ("SOL", "USDT"),
    "USDCUSDT": ("USDC", "USDT"),
}
"""The asset a pair prices, and what it is quoted in."""

_DIGITS_MAX = 15  # before or after the point; no pair comes near
_MICROSECONDS_FROM = 10**14  # as milliseconds that would be the year 5138


@dataclass(frozen=True, slots=True)
class Tick:
    """What one message says: its kind, and a price where the kind has one.

    `price` is the price of a trade or the middle of a book's top, in `currency` per `symbol`;
    `event_ms` is Binance's own time in Unix milliseconds, None where the message has none.
    """

    kind: str
    event_ms: int | None = None
    symbol: str = ""
    currency: str = ""
    price: Decimal | None = None


class _Combined(msgspec.Struct, frozen=True):
    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Trade(msgspec.Struct, frozen=True, rename={"pair": "s", "event": "E", "price": "p"}):
    pair: str
    event: int
    price: Decimal


class _BookTicker(
    msgspec.Struct, frozen=True, rename={"pair": "s", "event": "E", "bid": "b", "ask": "a"}
):
    pair: str
    bid: Decimal
    ask: Decimal
    event: int | None = None


class _Other(msgspec.Struct, frozen=True, rename={"event": "E"}):
    event: int | None = None


_COMBINED = msgspec.json.Decoder(_Combined)
_TRADE = msgspec.json.Decoder(_Trade)
_BOOK_TICKER = msgspec.json.Decoder(_BookTicker)
_OTHER = msgspec.json.Decoder(_Other)


def tick(message: bytes) -> Tick:
    """Return what a combined-stream message says; raise `Corrupt` when it is unreadable.

    Messages that carry no price (depth, a REST snapshot) give a tick without one.
    """
    try:
        combined = _COMBINED.decode(message)
        kind = combined.stream.partition("@")[2].partition("@")[0]
        if kind == "trade":
            return _traded(_TRADE.decode(combined.data))
        if kind == "bookTicker":
            return _quoted(_BOOK_TICKER.decode(combined.data))
        return Tick(kind or "other", event_ms=_ms(_OTHER.decode(combined.data).event))
    except msgspec.DecodeError as problem:
        raise Corrupt(f"not a Binance message: {problem}", code="message.unreadable") from problem


def _traded(trade: _Trade) -> Tick:
    return _priced("trade", trade.pair, _positive(trade.price), trade.event)


def _quoted(book: _BookTicker) -> Tick:
    bid, ask = _positive(book.bid), _positive(book.ask)
    if bid >= ask:
        raise Corrupt(f"bid {bid} is not below ask {ask}", code="message.unreadable")
    return _priced("bookTicker", book.pair, (bid + ask) / 2, book.event)


def _priced(kind: str, pair: str, price: Decimal, event: int | None) -> Tick:
    symbol, currency = PAIRS.get(pair, ("", ""))
    return Tick(
        kind,
        event_ms=_ms(event),
        symbol=symbol,
        currency=currency,
        price=price if symbol else None,
    )


def _positive(price: Decimal) -> Decimal:
    if not (price.is_finite() and price > 0 and abs(price.adjusted()) <= _DIGITS_MAX):
        raise Corrupt(f"not a price: {price}", code="message.unreadable")
    return price


def _ms(event: int | None) -> int | None:
    return event // 1000 if event is not None and event >= _MICROSECONDS_FROM else event
