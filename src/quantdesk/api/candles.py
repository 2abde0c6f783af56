"""Candles over HTTP: those in memory, and where it is known what is older, those in the store."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from quantdesk.access.model import Permission
from quantdesk.api.answers import json, returns
from quantdesk.api.listed import MS_MAX, Market, chosen, moment_ms
from quantdesk.api.needs import needs
from quantdesk.core.candles import Candle
from quantdesk.core.clock import iso
from quantdesk.core.errors import Refused

LIMIT_MAX = 1_500

Recent = Callable[[Market, str], list[Candle]]
"""Returns the candles in memory, oldest first, the one that is not closed yet last."""

Stored = Callable[["Span"], Awaitable[list[Candle]]]
"""Returns closed candles in the store, oldest first: the first of them with `from_ms`, else the
last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Candles asked for: those that open in [`from_ms`, `to_ms`), at most `limit`."""

    market: Market
    interval: str
    from_ms: int | None
    to_ms: int
    limit: int


class CandlesQuery(BaseModel):
    """Which candles; times are ISO-8601 or Unix milliseconds, `to` is not included."""

    model_config = ConfigDict(extra="forbid")

    interval: Literal["1s", "5s", "15s", "1m", "5m", "15m", "1h", "4h", "1d"] = "1m"
    begin: str | None = Field(None, alias="from")
    to: str | None = None
    source: str | None = Field(None, max_length=64)
    currency: str | None = Field(None, max_length=16)
    limit: int = Field(500, ge=1, le=LIMIT_MAX)


class CandleView(msgspec.Struct, frozen=True, rename="camel"):
    """A candle; numbers are exact decimal strings. What the flags mean: `core/candles.py`."""

    open_at: str
    open: str
    high: str
    low: str
    close: str
    volume: str
    trades: int
    revision: int
    closed: bool
    flat: bool
    gap: bool
    origin: str
    reconciled: bool


class CandlesView(msgspec.Struct, frozen=True):
    """Candles of a market, oldest first; the last may not be closed yet."""

    source: str
    symbol: str
    currency: str
    interval: str
    candles: list[CandleView]


class CandleRoutes:
    """The route of candles."""

    def __init__(
        self, *, markets: Callable[[], Iterable[Market]], recent: Recent, stored: Stored | None
    ) -> None:
        self._markets = markets
        self._recent = recent
        self._stored = stored

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/candles", tags=["markets"])

        @router.get(
            "/{symbol}",
            **needs(Permission.MARKET_READ),
            responses=returns(CandlesView),
            summary="Candles of a market",
        )
        async def candles(symbol: str, asked: Annotated[CandlesQuery, Query()]) -> Response:
            span = self._span(symbol, asked)
            source, symbol, currency = span.market
            found = [candle_view(candle) for candle in await self._candles(span)]
            return json(CandlesView(source, symbol, currency, span.interval, found))

        return router

    def _span(self, symbol: str, asked: CandlesQuery) -> Span:
        from_ms = moment_ms(asked.begin, name="from")
        to_ms = moment_ms(asked.to, name="to")
        if from_ms is not None and to_ms is not None and from_ms >= to_ms:
            raise Refused("from must be before to", code="candles.range")
        market = chosen(
            self._markets(), symbol=symbol, source=asked.source, currency=asked.currency
        )
        return Span(
            market=market,
            interval=asked.interval,
            from_ms=from_ms,
            to_ms=MS_MAX if to_ms is None else to_ms,
            limit=asked.limit,
        )

    async def _candles(self, span: Span) -> list[Candle]:
        begin = span.from_ms or 0
        recent = self._recent(span.market, span.interval)
        known = {c.open_ms: c for c in recent if begin <= c.open_ms < span.to_ms}
        if self._stored is not None and not self._suffice(recent, span, len(known)):
            stored = {candle.open_ms: candle for candle in await self._stored(span)}
            # Memory knows the later word, unless it missed trades that were fetched since.
            whole = {at: c for at, c in stored.items() if at in known and known[at].gap > c.gap}
            known = stored | known | whole
        found = [known[at] for at in sorted(known)]
        return found[-span.limit :] if span.from_ms is None else found[: span.limit]

    @staticmethod
    def _suffice(recent: list[Candle], span: Span, fitting: int) -> bool:
        if span.from_ms is None:
            return fitting >= span.limit
        return bool(recent) and recent[0].open_ms <= span.from_ms


def candle_view(candle: Candle) -> CandleView:
    """Return a candle as it is shown."""
    return CandleView(
        open_at=iso(candle.open_ms),
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        volume=candle.volume,
        trades=candle.trades,
        revision=candle.revision,
        closed=candle.closed,
        flat=candle.flat,
        gap=candle.gap,
        origin=candle.origin,
        reconciled=candle.reconciled,
    )
