"""Execution quality over HTTP: what each fill was quoted, simulated and filled at, and came to."""

import re
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from quantdesk.access.model import Permission
from quantdesk.api.answers import json, returns
from quantdesk.api.malformed import cut
from quantdesk.api.needs import needs
from quantdesk.core.clock import unix_ms
from quantdesk.core.errors import Refused
from quantdesk.core.markets import market
from quantdesk.engines.orders.quality.ledger import Ledger
from quantdesk.engines.orders.quality.model import Entry
from quantdesk.engines.orders.quality.store import Filter, Place
from quantdesk.engines.orders.quality.wire import QualityView, fill_view, venue_view

_CURSOR = re.compile(r"([0-9]{1,13})\.([0-9a-f-]{36})\.([0-9]{1,4})")
_YEARS = range(2000, 2200)  # what clocks and databases agree on, with room to spare
_VENUE = r"^[A-Za-z0-9_.:> -]{1,64}$"  # a path through a third token names several


class QualityQuery(BaseModel):
    """Which fills are wanted; `cursor` is the `nextCursor` of the page before."""

    model_config = ConfigDict(extra="forbid")

    pair: str | None = None
    venue: str | None = Field(None, pattern=_VENUE)
    order_id: UUID | None = Field(None, alias="orderId")
    since: AwareDatetime | None = None
    limit: int = Field(50, ge=1, le=500)
    cursor: str | None = None


class ExecutionRoutes:
    """The routes of execution quality."""

    def __init__(self, *, ledger: Ledger) -> None:
        self._ledger = ledger

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/execution", tags=["execution"])

        @router.get(
            "/quality",
            **needs(Permission.ORDERS_READ),
            responses=returns(QualityView),
            summary="What fills cost, by venue and pair",
        )
        async def quality(request: Request, asked: Annotated[QualityQuery, Query()]) -> Response:
            account_id = request.scope["principal"].account_id
            wanted = _wanted(asked, account_id, self._ledger.mode)
            found = await self._ledger.page(wanted)
            shown = found[: asked.limit]
            tallies = await self._ledger.tallies(wanted)
            return json(
                QualityView(
                    rows=[fill_view(entry) for entry in shown],
                    summary=[venue_view(tally, self._ledger.bias) for tally in tallies],
                    next_cursor=_cursor(shown[-1]) if len(found) > asked.limit else None,
                )
            )

        return router


def _wanted(asked: QualityQuery, account_id: UUID, mode: str) -> Filter:
    if asked.since is not None and asked.since.year not in _YEARS:
        raise _malformed(f"since must be from {_YEARS[0]} to {_YEARS[-1]}")
    return Filter(
        account_id=account_id,
        mode=mode,
        pair=None if asked.pair is None else market(cut(asked.pair)).pair,
        venue=asked.venue,
        order_id=asked.order_id,
        since_ms=None if asked.since is None else unix_ms(asked.since),
        before=None if asked.cursor is None else _place(asked.cursor),
        limit=asked.limit + 1,
    )


def _cursor(entry: Entry) -> str:
    return f"{entry.landed_ms}.{entry.order_id}.{entry.leg}"


def _place(cursor: str) -> Place:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise _malformed("cursor must be the nextCursor of a page before")
    try:
        return int(found[1]), UUID(found[2]), int(found[3])
    except ValueError:
        raise _malformed("cursor must be the nextCursor of a page before") from None


def _malformed(detail: str) -> Refused:
    return Refused(detail, code="request.malformed")
