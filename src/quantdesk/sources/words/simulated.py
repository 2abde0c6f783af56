"""The words of the simulated source, our own: what it tells of a step, written and read; pure.

One JSON message a step. Prices and confidences (one standard deviation) are integers times 10^-8,
in US dollars; trades and books hold decimal strings, as exchanges write them.

    {"at": <Unix ms>,
     "prices": [{"symbol": "BTC", "price": 6800000000000, "confidence": 2040000000}],
     "trades": [{"symbol": "BTC", "id": 7, "price": "68000.01", "quantity": "0.021", "sold": true}],
     "diffs":  [{"symbol": "BTC", "id": 7, "bids": [["67999.99", "0.3"], ...], "asks": [...]}],
     "books":  [{"symbol": "BTC", "id": 7, "bids": [["67999.99", "0.3"], ...], "asks": [...]}]}

`id` rises by one with every step of a run; `sold` says that the taker sold. A diff holds the levels
that changed since the step before ("0" for those that went), a book all that stand after it.
"""

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Depth, Diff, Event, Level, Oracle, Trade

EXPONENT = -8
CURRENCY = "USD"
_Count = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
_NUMBER = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?", re.ASCII).fullmatch


class Quoted(msgspec.Struct, frozen=True):
    """A price and its confidence times 10^8."""

    symbol: str
    price: _Count
    confidence: _Count


class Traded(msgspec.Struct, frozen=True):
    """A trade that nobody made."""

    symbol: str
    id: _Count
    price: str
    quantity: str
    sold: bool


class Levels(msgspec.Struct, frozen=True):
    """Orders that nobody placed, whole or changed; best prices first."""

    symbol: str
    id: _Count
    bids: list[Level]
    asks: list[Level]


class Step(msgspec.Struct, frozen=True):
    """Everything that is told of one moment."""

    at: _Count
    prices: list[Quoted]
    trades: list[Traded] = []
    diffs: list[Levels] = []
    books: list[Levels] = []


_step = msgspec.json.Decoder(Step).decode
_encoder = msgspec.json.Encoder()


def write(step: Step) -> bytes:
    """Return a step as a message."""
    return _encoder.encode(step)


def read(data: bytes, feed: str) -> Sequence[Event]:  # noqa: ARG001 - there is one feed
    """Return what a message says; raise `Corrupt` (`message.unreadable`) when it is none."""
    try:
        step = _step(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        detail = f"not a message of the simulated source: {problem}"
        raise Corrupt(detail, code="message.unreadable") from problem
    levels = [level for book in (*step.diffs, *step.books) for level in (*book.bids, *book.asks)]
    pairs = [*levels, *((trade.price, trade.quantity) for trade in step.trades)]
    if not all(_NUMBER(number) for pair in pairs for number in pair):
        raise Corrupt("a simulated trade or level is no number", code="message.unreadable")
    return [
        *(_oracle(said, step.at) for said in step.prices),
        *(_trade(said, step.at) for said in step.trades),
        *(_diff(said, step.at) for said in step.diffs),
        *(Depth(said.symbol, CURRENCY, said.id, said.bids, said.asks) for said in step.books),
    ]


def _oracle(said: Quoted, at_ms: int) -> Oracle:
    return Oracle(said.symbol, CURRENCY, said.price, said.confidence, EXPONENT, at_ms)


def _diff(said: Levels, at_ms: int) -> Diff:
    return Diff(said.symbol, CURRENCY, said.id, said.id, said.bids, said.asks, at_ms)


def _trade(said: Traded, at_ms: int) -> Trade:
    return Trade(
        said.symbol, CURRENCY, said.price, said.quantity, said.id, at_ms, buyer_is_maker=said.sold
    )
