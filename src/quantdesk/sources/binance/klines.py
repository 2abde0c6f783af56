"""Binance's own candles of the past, spot and USD-M, by REST.

Rows and weights: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints#klinecandlestick-data
and https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api/Kline-Candlestick-Data
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, NamedTuple, Self

import msgspec

from quantdesk.core.candles import INTERVALS, Candle
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Refused
from quantdesk.sources.binance.exchange import Exchange
from quantdesk.sources.binance.rest import Rest
from quantdesk.sources.limits import Declined

_NUMBER: Final = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,18})?", re.ASCII)
_SHARE: Final = (
    6  # of the desk's weight for snapshots: books and orders must never wait for the past
)


class _Asking(NamedTuple):
    path: str
    rows_max: int
    weight: int
    intervals: tuple[str, ...]


_MINUTES_UP: Final = tuple(name for name, ms in INTERVALS.items() if ms >= INTERVALS["1m"])
_ASKING: Final[Mapping[str, _Asking]] = MappingProxyType(
    {
        "binance": _Asking("/api/v3/klines", 1_000, 2, ("1s", *_MINUTES_UP)),
        "binance.futures": _Asking("/fapi/v1/klines", 1_000, 5, _MINUTES_UP),
    }
)


class _Row(msgspec.Struct, frozen=True, array_like=True):
    open_ms: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    close_ms: int
    quote_volume: str
    trades: int
    taker_buy_volume: str


_ROWS: Final = msgspec.json.Decoder(list[_Row]).decode


class BinanceKlines:
    """The history of one of Binance's exchanges; satisfies `Klines`. Use as `async with`."""

    def __init__(self, exchange: Exchange, *, clock: Clock) -> None:
        self._asking = _ASKING[exchange.name]
        self._rest = Rest(
            url=exchange.rest_url, clock=clock, weight_share=exchange.weight_share // _SHARE
        )
        self._stack = AsyncExitStack()
        self._name = exchange.name

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._rest)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def name(self) -> str:
        """Return the name of the source whose candles these are."""
        return self._name

    @property
    def rows_max(self) -> int:
        """Return how many candles one answer may hold."""
        return self._asking.rows_max

    @property
    def intervals(self) -> Sequence[str]:
        """Return the intervals it can be asked for."""
        return self._asking.intervals

    async def candles(
        self, symbol: str, currency: str, interval: str, *, from_ms: int, to_ms: int
    ) -> Sequence[Candle]:
        """Return the candles that open in [`from_ms`, `to_ms`), oldest first; see `Klines`."""
        assert interval in self.intervals, "only what can be asked for"
        query = {
            "symbol": f"{symbol}{currency}",
            "interval": interval,
            "startTime": str(from_ms),
            "endTime": str(to_ms - 1),
            "limit": str(self._asking.rows_max),
        }
        try:
            body = await self._rest.get(self._asking.path, query, weight=self._asking.weight)
        except Declined as problem:
            if problem.status == HTTPStatus.BAD_REQUEST:
                raise Refused(
                    f"{self._name} has no market {symbol}{currency}: {problem.detail}",
                    code="market.unknown",
                ) from problem
            raise
        market = (self._name, symbol, currency)
        return [
            _candle(market, interval, row)
            for row in _rows(body, INTERVALS[interval], from_ms, to_ms)
        ]


def _rows(body: bytes, length_ms: int, from_ms: int, to_ms: int) -> list[_Row]:
    try:
        rows = _ROWS(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise _unreadable(str(problem)) from problem
    before_ms = from_ms - 1
    for row in rows:
        if not before_ms < row.open_ms < to_ms or row.open_ms % length_ms:
            raise _unreadable(f"a candle of {row.open_ms} where none may be")
        before_ms = row.open_ms
    return rows


def _candle(market: tuple[str, str, str], interval: str, row: _Row) -> Candle:
    volume = _number(row.volume)
    return Candle(
        *market,
        interval,
        row.open_ms,
        _number(row.open),
        _number(row.high),
        _number(row.low),
        _number(row.close),
        volume,
        _number(row.quote_volume),
        _number(row.taker_buy_volume),
        row.trades,
        first_id=-1,
        last_id=-1,
        closed=True,
        flat=not row.trades and volume == "0",
        origin="exchange",
        reconciled=True,
    )


def _number(text: str) -> str:
    """Return a number without the zeros behind its last digit, as candles are told."""
    if not _NUMBER.fullmatch(text):
        raise _unreadable(f"{text[:40]!r} is no amount")
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


def _unreadable(why: str) -> Corrupt:
    return Corrupt(f"the exchange's candles cannot be read: {why}", code="message.unreadable")
