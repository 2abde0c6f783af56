"""Order books over HTTP."""

from collections.abc import Iterable
from typing import Annotated, Protocol

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from quantdesk.access.model import Permission
from quantdesk.api.answers import json, returns
from quantdesk.api.listed import Market, chosen
from quantdesk.api.needs import needs
from quantdesk.core.clock import Clock, iso
from quantdesk.ingest.books.books import BookView

LEVELS_MAX = 1_000


class Books(Protocol):
    """What is known of order books (`ingest/books`)."""

    def markets(self) -> Iterable[Market]:
        """Return the markets that have a book, good or not."""

    def view(self, source: str, symbol: str, currency: str, *, levels: int) -> BookView:
        """Return so many levels of each side, best first; none unless the book is in sync."""


class BookQuery(BaseModel):
    """How much of which book."""

    model_config = ConfigDict(extra="forbid")

    source: str | None = Field(None, max_length=64)
    currency: str | None = Field(None, max_length=16)
    levels: int = Field(20, ge=1, le=LEVELS_MAX)


class LevelsView(msgspec.Struct, frozen=True, rename="camel"):
    """An order book; no levels unless `state` says that it is in sync, `reason` says why not.

    Levels are price and size as the exchange wrote them, best first. `partial`: these levels reach
    past what the snapshot told, where some may be missing. `eventAt` is null where no update told.
    """

    source: str
    symbol: str
    currency: str
    state: str
    reason: str
    last_id: int
    event_at: str | None
    received_at: str | None
    age_ms: int | None
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    partial: bool


class BookRoutes:
    """The route of order books."""

    def __init__(self, *, books: Books, clock: Clock) -> None:
        self._books = books
        self._clock = clock

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/books", tags=["markets"])

        @router.get(
            "/{symbol}",
            **needs(Permission.MARKET_READ),
            responses=returns(LevelsView),
            summary="An order book",
        )
        async def book(symbol: str, asked: Annotated[BookQuery, Query()]) -> Response:
            market = chosen(
                self._books.markets(), symbol=symbol, source=asked.source, currency=asked.currency
            )
            view = self._books.view(*market, levels=asked.levels)
            return json(levels_view(view, now_ms=self._clock.now_ms()))

        return router


def levels_view(book: BookView, *, now_ms: int) -> LevelsView:
    """Return a book as it is shown."""
    return LevelsView(
        source=book.source,
        symbol=book.symbol,
        currency=book.currency,
        state=book.state,
        reason=book.reason,
        last_id=book.last_id,
        event_at=iso(book.event_ms) if book.event_ms else None,
        received_at=iso(book.received_ms) if book.received_ms else None,
        age_ms=now_ms - book.received_ms if book.received_ms else None,
        bids=list(book.bids),
        asks=list(book.asks),
        partial=book.partial,
    )
