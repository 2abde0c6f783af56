"""The words of Binance's market data, spot and USD-M: bytes of a message in, events out; pure.

The stream's name says what a combined message holds; a plain one is told by its `e`, and by its
fields where it has none (spot's book ticker, REST's depth). Numbers stay the strings that came, but
they are numbers: whoever turns one into a float or a decimal need not fear what it says.

Formats: https://github.com/binance/binance-spot-api-docs/blob/master/web-socket-streams.md
https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, Generic, TypeVar

import msgspec

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Depth, Diff, Event, Kline, Mark, Quote, Trade
from quantdesk.sources.words import binance_shapes as shapes

DEPTH_FEED: Final = "depth:"
"""Feed of a snapshot by REST, with the pair behind it: the snapshot itself does not name it."""

_QUOTED: Final = (
    *("FDUSD", "RLUSD", "USDT", "USDC", "TUSD", "BUSD", "USD1", "USDE", "BFUSD"),
    *("BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "JPY", "USD"),
)
_PAIRS_KNOWN: Final = 4096  # remembered; the exchange lists fewer
_MICROSECONDS_FROM: Final = 10**14  # as milliseconds that would be the year 5138
_SHUTDOWN: Final = "serverShutdown"
_COMBINED: Final = b'{"stream":"'
_STREAM_AT: Final = len(_COMBINED)
_STREAM_MAX: Final = 60  # bytes to the @
_NUMBERS: Final = re.compile(r"[0-9]++(?:\.[0-9]++)?+(?: [0-9]++(?:\.[0-9]++)?+)*+").fullmatch
_SHORT_BYTES_MAX: Final = 300
_ZEROED: Final = bytes.maketrans(b"123456789", b"000000000")
_SHAPES_KNOWN: Final = 32_768  # a few for every pair: its numbers are not all of one length
_RATE: Final = re.compile(r"-?[0-9]++(?:\.[0-9]++)?+").fullmatch


class _Error(msgspec.Struct, frozen=True):
    code: int = 0
    msg: str = ""


class _Plain(msgspec.Struct, frozen=True, rename={"last_update_id": "lastUpdateId"}):
    """Whatever a message may be told by."""

    stream: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")
    e: str | None = None
    u: shapes.Count | None = None
    last_update_id: shapes.Count | None = None
    id: int | str | None = None
    error: _Error | None = None
    code: int | None = None
    msg: str = ""


class _Pair(msgspec.Struct, frozen=True):
    s: str = ""


class _Named(msgspec.Struct, frozen=True):
    data: _Pair = _Pair()
    s: str = ""


_PLAIN: Final = msgspec.json.Decoder(_Plain).decode
_NAMED: Final = msgspec.json.Decoder(_Named).decode
_SNAPSHOT: Final = msgspec.json.Decoder(shapes.Snapshot).decode


class Reply(msgspec.Struct, frozen=True):
    """The exchange's answer to a request made over a stream; `error` is empty for a yes."""

    id: int | str | None
    error: str = ""


class Shutdown(msgspec.Struct, frozen=True):
    """The server is about to close the connection: connect anew now."""


Control = Reply | Shutdown


def read(data: bytes, feed: str) -> Sequence[Event]:
    """Return what a message says; nothing for replies, notices, and what no market is made by.

    `feed` matters to a snapshot by REST alone (`DEPTH_FEED` and its pair). Raises `Corrupt`
    (`message.unreadable`).
    """
    try:
        if len(data) < _SHORT_BYTES_MAX:
            known = _SOUND.get(data.translate(_ZEROED))
            if known is not None:
                decode, say = known
                return say(decode(data).data)
        if data.startswith(_COMBINED):
            at = data.find(b"@", _STREAM_AT, _STREAM_AT + _STREAM_MAX) + 1
            kind = _BY_START.get(data[at : at + _START])
            if kind is not None:
                events = kind.say(kind.combined(data).data)
                _remember(data, kind)
                return events
        return _read_plain(data, feed)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Corrupt(f"not a Binance message: {problem}", code="message.unreadable") from problem


def control(data: bytes) -> Control | None:
    """Return what a message says of the connection itself, None for all that tells of markets.

    What cannot be read is no control either.
    """
    try:
        plain = _PLAIN(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if _SHUTDOWN in (plain.e, (plain.stream or "").lstrip("!")):
        return Shutdown()
    if plain.error is not None:
        return Reply(plain.id, f"{plain.error.msg} ({plain.error.code})")
    if plain.code is not None:
        return Reply(plain.id, f"{plain.msg} ({plain.code})")
    return None if plain.id is None else Reply(plain.id)


def pair_named(data: bytes) -> str:
    """Return the pair a stream's message is about, as the exchange spells it; "" for none."""
    try:
        named = _NAMED(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return named.data.s or named.s


@lru_cache(maxsize=_PAIRS_KNOWN)
def market(pair: str) -> tuple[str, str] | None:
    """Return the asset a pair prices and what it is quoted in; None for contracts that expire.

    The longest quote the name ends with is taken: BTCFDUSD is quoted in FDUSD, not in USD.
    """
    for quote in _QUOTED:
        if pair.endswith(quote) and len(pair) > len(quote) and pair.isalnum():
            return pair[: -len(quote)], quote
    return None


def _read_plain(data: bytes, feed: str) -> Sequence[Event]:
    plain = _PLAIN(data)
    if plain.stream is not None:
        kind = _BY_STREAM.get(_kind_of(plain.stream))
        return kind.say(kind.plain(plain.data)) if kind else ()
    if plain.last_update_id is not None:
        return _depth(_SNAPSHOT(data), feed)
    kind = _BY_EVENT.get(_BOOK_TICKER if plain.e is None and plain.u is not None else plain.e or "")
    return kind.say(kind.plain(data)) if kind else ()


def _kind_of(stream: str) -> str:
    """Return `depth` of btcusdt@depth@100ms, `kline` of btcusdt@kline_1m."""
    return stream.partition("@")[2].partition("@")[0].partition("_")[0]


def _remember(data: bytes, kind: "_Kind[Any]") -> None:
    """Note that a message's numbers are numbers, and so are those of all of its shape."""
    if kind.sound is None or len(data) >= _SHORT_BYTES_MAX or b"\\" in data:
        return  # behind a backslash digits may spell a letter
    if len(_SOUND) >= _SHAPES_KNOWN:
        _SOUND.clear()
    _SOUND[data.translate(_ZEROED)] = kind.sound


def _quote(said: shapes.BookTicker) -> Sequence[Event]:
    if not _are_numbers(said.b, said.B, said.a, said.A):
        raise _no_number(said)
    return _sound_quote(said)


def _sound_quote(said: shapes.BookTicker) -> Sequence[Event]:
    of = market(said.s)
    if of is None:
        return ()
    event_ms = None if said.E is None else _ms(said.E)
    return (Quote(of[0], of[1], said.b, said.B, said.a, said.A, said.u, event_ms),)


def _trade(said: shapes.Trade) -> Sequence[Event]:
    if said.X == shapes.MARKET and not _are_numbers(said.p, said.q):
        raise _no_number(said)
    return _sound_trade(said)


def _sound_trade(said: shapes.Trade) -> Sequence[Event]:
    if said.X != shapes.MARKET:  # the insurance fund and the like: no price two sides agreed on
        return ()
    of = market(said.s)
    return (Trade(of[0], of[1], said.p, said.q, said.t, _ms(said.T), said.m),) if of else ()


def _agg_trade(said: shapes.AggTrade) -> Sequence[Event]:
    if not _are_numbers(said.p, said.q):
        raise _no_number(said)
    return _sound_agg_trade(said)


def _sound_agg_trade(said: shapes.AggTrade) -> Sequence[Event]:
    of = market(said.s)
    return (Trade(of[0], of[1], said.p, said.q, said.a, _ms(said.T), said.m),) if of else ()


def _diff(said: shapes.DepthUpdate) -> Sequence[Event]:
    _check_levels(said.b, said.a)
    of = market(said.s)
    if of is None:
        return ()
    return (Diff(of[0], of[1], said.U, said.u, said.b, said.a, _ms(said.E), said.pu),)


def _depth(said: shapes.Snapshot, feed: str) -> Sequence[Event]:
    _check_levels(said.bids, said.asks)
    pair = feed.removeprefix(DEPTH_FEED)
    of = market(pair)
    if of is None or pair == feed:
        raise Corrupt(f"a book came by {feed!r}: whose is it?", code="message.unreadable")
    return (Depth(of[0], of[1], said.last_update_id, said.bids, said.asks),)


def _kline(said: shapes.Kline) -> Sequence[Event]:
    k = said.k
    if not _are_numbers(k.o, k.h, k.l, k.c, k.v, k.q or "0", k.V or "0"):
        raise _no_number(said)
    of = market(said.s)
    if of is None:
        return ()
    candle = Kline(
        *of, k.i, _ms(k.t), _ms(k.T), k.o, k.h, k.l, k.c, k.v, k.n, k.f, k.L, k.x, _ms(said.E),
        k.q, k.V,
    )  # fmt: skip
    return (candle,)


def _mark(said: shapes.MarkPrice) -> Sequence[Event]:
    of = market(said.s)
    if of is None:  # of a contract that expires, which has no funding either
        return ()
    if not (_are_numbers(said.p, said.i) and _RATE(said.r)):
        raise _no_number(said)
    return (Mark(of[0], of[1], said.p, said.i, said.r, _ms(said.T), _ms(said.E)),)


def _check_levels(*sides: list[tuple[str, str]]) -> None:
    for levels in sides:
        if levels and not _are_numbers(*chain.from_iterable(levels)):
            raise Corrupt("not a Binance message: a level is no number", code="message.unreadable")


def _are_numbers(*texts: str) -> bool:
    joined = " ".join(texts)
    return joined.count(" ") == len(texts) - 1 and _NUMBERS(joined) is not None


def _no_number(said: object) -> Corrupt:
    return Corrupt(f"not a Binance message: no number in {said}", code="message.unreadable")


def _ms(time: int) -> int:
    """Return a time in milliseconds; Binance gives microseconds to those who ask for them."""
    return time if time < _MICROSECONDS_FROM else time // 1000


_Said = TypeVar("_Said")


class _Combined(msgspec.Struct, Generic[_Said], frozen=True, gc=False):
    data: _Said


class _Kind(Generic[_Said]):
    """How one kind of message is decoded, inside a combined one or plain, and what it says.

    `sound` decodes a combined one whose numbers are known to be numbers, and says what it says;
    None where no message is like another.
    """

    __slots__ = ("combined", "plain", "say", "sound")

    def __init__(
        self,
        said: type[_Said],
        say: Callable[[_Said], Sequence[Event]],
        say_sound: Callable[[_Said], Sequence[Event]] | None = None,
    ) -> None:
        self.combined = msgspec.json.Decoder(_Combined[said]).decode  # type: ignore[valid-type]
        self.plain = msgspec.json.Decoder(said).decode
        self.say = say
        self.sound = say_sound and (self.combined, say_sound)


_BOOK_TICKER: Final = "bookTicker"
_QUOTES: Final = _Kind(shapes.BookTicker, _quote, _sound_quote)
_TRADES: Final = _Kind(shapes.Trade, _trade, _sound_trade)
_AGG_TRADES: Final = _Kind(shapes.AggTrade, _agg_trade, _sound_agg_trade)
_DIFFS: Final = _Kind(shapes.DepthUpdate, _diff)
_KLINES: Final = _Kind(shapes.Kline, _kline)
_MARKS: Final = _Kind(shapes.MarkPrice, _mark)

_SOUND: Final[dict[bytes, tuple[Callable[[bytes], Any], Callable[[Any], Sequence[Event]]]]] = {}
"""By shape, which is a message with zeros for its digits: how to read one that was found sound.
Which digits stand in a text does not decide whether it is a number: that is asked of the first
message of a shape alone, and would be a third of what reading costs. All else is asked of each.
"""

_BY_STREAM: Final[Mapping[str, _Kind[Any]]] = {
    _BOOK_TICKER: _QUOTES, "trade": _TRADES, "aggTrade": _AGG_TRADES,
    "depth": _DIFFS, "kline": _KLINES, "markPrice": _MARKS,
}  # fmt: skip
_BY_EVENT: Final[Mapping[str, _Kind[Any]]] = {
    _BOOK_TICKER: _QUOTES, "trade": _TRADES, "aggTrade": _AGG_TRADES,
    "depthUpdate": _DIFFS, "kline": _KLINES, "markPriceUpdate": _MARKS,
}  # fmt: skip
_START: Final = 6
_BY_START: Final[Mapping[bytes, _Kind[Any]]] = {
    b"bookTi": _QUOTES, b'trade"': _TRADES, b"aggTra": _AGG_TRADES, b"depth@": _DIFFS,
    b'depth"': _DIFFS, b"kline_": _KLINES, b"markPr": _MARKS,
}  # fmt: skip
"""By the six bytes behind the @ of the stream's name: enough to tell depth from depth20."""
