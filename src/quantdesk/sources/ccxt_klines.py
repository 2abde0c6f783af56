"""Candles of the past of any exchange that ccxt knows, by its REST; needs `quantdesk[backfill]`.

    backfill → ccxt's `fetch_ohlcv` → the exchange's own digits → `Candle`

ccxt reads numbers as floats; here its readers of JSON and of numbers are told to keep the digits.
It is loaded when an exchange is asked for, never before: that takes most of a second.
`fetch_ohlcv`, `number` and the tree of errors: https://docs.ccxt.com/
"""

import importlib
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final, Self

from quantdesk.core.candles import INTERVALS, Candle
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.sources.limits import BARRED, Declined, retry_after_s

ROWS_MAX: Final = 1_000
_ROWS_WHERE_UNTOLD: Final = 100
"""Few enough for every exchange of which ccxt does not say how many it tells at once."""
_ANSWER_MS: Final = 10_000
_COLUMNS: Final = 6
_BUSY: Final = 429
_NOT_HERE: Final = 451
_NO: Final = 400
_SAID_MAX: Final = 200
_NUMBER: Final = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_NONSENSE: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What ccxt's readers raise of an answer in a shape they do not expect."""
_NONE: Final[Mapping[str, object]] = MappingProxyType({})

_MEANT: Final[Mapping[str, int | tuple[type[DeskError], str]]] = MappingProxyType(
    {
        "BadSymbol": (Refused, "market.unknown"),
        "RestrictedLocation": _NOT_HERE,
        "RateLimitExceeded": _BUSY,
        "DDoSProtection": _BUSY,
        "NetworkError": (Unavailable, "source.unavailable"),
        "BadResponse": (Corrupt, "message.unreadable"),
        "NotSupported": (Refused, "source.unsupported"),
        "AuthenticationError": (Refused, "source.unsupported"),
        "BaseError": _NO,
    }
)
"""What ccxt's errors mean, the narrower first: as if answered by a status, or a kind and code."""


class CcxtKlines:
    """The history of one exchange, asked through ccxt; satisfies `Klines`. Use as `async with`.

    `options` are ccxt's own, such as `urls`. ccxt keeps the exchange's rate limits, by the
    machine's clock. Raises `Refused`: `backfill.missing` without ccxt, `source.unknown` for an
    exchange that it does not know or that tells no candles.
    """

    def __init__(self, name: str, *, options: Mapping[str, object] = _NONE) -> None:
        ccxt = _ccxt()
        if name not in ccxt.exchanges:
            raise _unknown(name, ccxt.exchanges)
        self._errors = ccxt
        self._name = name
        self._status = 0
        self._heard: str | None = None
        self._exchange = getattr(ccxt, name)(
            {"enableRateLimit": True, "timeout": _ANSWER_MS, **options}
        )
        self._exchange.on_rest_response = self._answered
        self._exchange.on_json_response = self._read
        self._exchange.parse_ohlcvs = self._all
        if self._exchange.has.get("fetchOHLCV") is not True:
            raise Refused(f"{name} tells no candles of the past", code="source.unknown")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exchange.close()

    @property
    def name(self) -> str:
        """Return the name of the source whose candles these are."""
        return self._name

    @property
    def rows_max(self) -> int:
        """Return how many candles one answer may hold."""
        told = (self._exchange.features or {}).get("spot") or {}
        limit = (told.get("fetchOHLCV") or {}).get("limit")
        return min(int(limit), ROWS_MAX) if limit else _ROWS_WHERE_UNTOLD

    @property
    def intervals(self) -> Sequence[str]:
        """Return the intervals it can be asked for."""
        return [name for name in INTERVALS if name in (self._exchange.timeframes or {})]

    async def candles(
        self, symbol: str, currency: str, interval: str, *, from_ms: int, to_ms: int
    ) -> Sequence[Candle]:
        """Return the candles that open in [`from_ms`, `to_ms`), oldest first; see `Klines`.

        Nobody tells how often was traded: `trades` is 0. Raises `Refused` also for what the
        exchange does not tell without a key (`source.unsupported`).
        """
        assert interval in self.intervals, "only what can be asked for"
        length_ms = INTERVALS[interval]
        rows = await self._asked(
            f"{symbol}/{currency}", interval, from_ms, -(-(to_ms - from_ms) // length_ms)
        )
        market = (self._name, symbol, currency)
        told = [_candle(market, interval, row) for row in _rows(rows)]
        # Some exchanges go on to the present: what was not asked for is left out.
        told = [one for one in told if from_ms <= one.open_ms < to_ms]
        _check_order(told, length_ms)
        return told

    async def _asked(self, pair: str, interval: str, from_ms: int, count: int) -> object:
        exchange = self._exchange
        try:
            # Markets are no money: their readers reckon with floats, and may.
            exchange.number = float
            await exchange.load_markets()
            exchange.number = str
            self._heard = None
            rows: object = await exchange.fetch_ohlcv(pair, interval, since=from_ms, limit=count)
        except self._errors.BaseError as problem:
            raise self._meant(problem, pair) from problem
        except _NONSENSE as problem:
            raise _unreadable(f"{type(problem).__name__}: {str(problem)[:_SAID_MAX]}") from problem
        if self._heard is None:  # to ccxt a page in HTML is an answer without candles
            raise _unreadable("the answer is no JSON")
        return rows

    def _answered(self, status: int, *said: Any) -> str:  # noqa: ANN401 - ccxt's hook
        """Note the status of an answer, before ccxt gives it a kind of error."""
        self._status, self._heard = status, None
        body: str = said[4]
        return body.strip()

    def _read(self, text: str) -> object:
        """Read JSON with its numbers as they are written."""
        read: object = json.loads(text, parse_float=str, parse_constant=str)
        self._heard = text
        return read

    def _all(self, rows: Sequence[object], market: object = None, *_: object) -> list[object]:
        """Take every row: ccxt's own reader drops those whose time it cannot read."""
        return [self._exchange.parse_ohlcv(row, market) for row in rows]

    def _meant(self, problem: Exception, pair: str) -> DeskError:
        """Return what an error of ccxt's means to who asked."""
        said = f"{self._name}: {str(problem)[:_SAID_MAX]}"
        status, self._status = self._status, 0
        if status in BARRED:
            return Declined(said, status=status)
        kinds = (kind for kind in _MEANT if isinstance(problem, getattr(self._errors, kind)))
        meant = _MEANT[next(kinds, "BaseError")]
        if meant == _BUSY:
            headers = self._exchange.last_response_headers or {}
            wait_s = retry_after_s(_BUSY, _header(headers, "retry-after"))
            return Declined(said, status=_BUSY, wait_s=wait_s)
        if isinstance(meant, int):
            return Declined(said, status=meant)
        kind, code = meant
        return kind(f"{pair}: {said}", code=code)


def _ccxt() -> Any:  # noqa: ANN401 - ccxt tells no types
    try:
        return importlib.import_module("ccxt.async_support")
    except ModuleNotFoundError as problem:
        raise Refused(
            "asking other exchanges than Binance takes ccxt: pip install 'quantdesk[backfill]'",
            code="backfill.missing",
        ) from problem


def _unknown(name: str, known: Sequence[str]) -> Refused:
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "such as kraken, coinbase, okx or bybit"
    return Refused(f"ccxt knows no exchange {name[:40]!r}: {hint}", code="source.unknown")


def _rows(told: object) -> list[list[Any]]:
    if not isinstance(told, list):
        raise _unreadable("no list of candles")
    for row in told:
        if not isinstance(row, list) or len(row) < _COLUMNS or type(row[0]) is not int:
            raise _unreadable(f"{str(row)[:_SAID_MAX]} is no candle")
    return sorted(told, key=lambda row: row[0])


def _check_order(candles: Sequence[Candle], length_ms: int) -> None:
    before_ms = -1
    for one in candles:
        if one.open_ms <= before_ms or one.open_ms % length_ms:
            raise _unreadable(f"a candle of {one.open_ms} where none may be")
        before_ms = one.open_ms


def _candle(market: tuple[str, str, str], interval: str, row: Sequence[object]) -> Candle:
    opened, high, low, close, volume = map(_number, row[1:_COLUMNS])
    return Candle(
        *market,
        interval,
        int(str(row[0])),
        opened,
        high,
        low,
        close,
        volume,
        quote_volume=None,
        taker_buy_volume=None,
        trades=0,
        first_id=-1,
        last_id=-1,
        closed=True,
        flat=volume == "0",
        origin="exchange",
        reconciled=True,
    )


def _number(told: object) -> str:
    """Return a number exactly as it was written, without exponent or zeros behind its last digit.

    What is no text went through a float on its way, and is refused as what cannot be read is.
    """
    if not isinstance(told, str) or not _NUMBER.fullmatch(told):
        raise _unreadable(f"{str(told)[:40]!r} is no amount")
    text = f"{Decimal(told):f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


def _header(headers: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in headers.items() if key.lower() == name), None)


def _unreadable(why: str) -> Corrupt:
    return Corrupt(f"the exchange's candles cannot be read: {why}", code="message.unreadable")
