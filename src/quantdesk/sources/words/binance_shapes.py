"""Binance's messages as they are written, field by field; `words/binance.py` says what they mean.

Fields that nobody reads are left out. Numbers stay strings; ids and times are whole and bounded.

Formats: https://github.com/binance/binance-spot-api-docs/blob/master/web-socket-streams.md
https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

DIGITS_MAX: Final = 40
MARKET: Final = "MARKET"
"""The kind of a trade that two sides of a market agreed on."""

Text = Annotated[str, Meta(min_length=1, max_length=DIGITS_MAX)]
Count = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
Id = Annotated[int, Meta(ge=-1, le=(1 << 63) - 1)]  # -1: a candle without trades has none


class Message(msgspec.Struct, frozen=True, gc=False):
    """A stream's message about one pair."""

    s: Text


class BookTicker(msgspec.Struct, frozen=True, gc=False):
    """The top of a book; spot gives no time. In the order it is written, which is read quickest."""

    u: Count
    s: Text
    b: Text
    B: Text
    a: Text
    A: Text
    E: Count | None = None


class Trade(Message, frozen=True, gc=False):
    """A trade; futures say what kind of trade in `X`."""

    t: Count
    p: Text
    q: Text
    T: Count
    m: bool = False
    X: str = MARKET


class AggTrade(Message, frozen=True, gc=False):
    """Trades of one order at one price."""

    a: Count
    p: Text
    q: Text
    T: Count
    m: bool = False


class DepthUpdate(Message, frozen=True):
    """Changes of a book."""

    U: Count
    u: Count
    b: list[tuple[Text, Text]]
    a: list[tuple[Text, Text]]
    E: Count
    pu: Id | None = None


class Candle(msgspec.Struct, frozen=True, gc=False):
    """A candle; without trades its ids are -1."""

    t: Count
    T: Count
    i: Text
    o: Text
    h: Text
    l: Text  # noqa: E741 - the exchange's own name
    c: Text
    v: Text
    n: Count
    f: Id
    L: Id
    x: bool
    q: Text | None = None
    V: Text | None = None


class Kline(Message, frozen=True, gc=False):
    """A message with a candle."""

    E: Count
    k: Candle


class MarkPrice(Message, frozen=True, gc=False):
    """The mark price of a contract."""

    p: Text
    i: Text
    r: Annotated[str, Meta(max_length=DIGITS_MAX)]  # empty where there is no funding
    T: Count
    E: Count


class Snapshot(msgspec.Struct, frozen=True, rename="camel"):
    """A book by REST."""

    last_update_id: Count
    bids: list[tuple[Text, Text]]
    asks: list[tuple[Text, Text]]
