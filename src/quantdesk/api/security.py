"""Security events, blocks and the daily report over HTTP."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from quantdesk.access.model import Permission
from quantdesk.access.threats.model import Block, SecurityEvent
from quantdesk.access.threats.report import Report
from quantdesk.access.threats.store import Filter
from quantdesk.access.threats.threats import Threats
from quantdesk.api.answers import json, returns
from quantdesk.api.limits import caller_of
from quantdesk.api.needs import needs
from quantdesk.core.clock import iso
from quantdesk.core.errors import Refused

Reports = Callable[[str | None], Awaitable[Report]]
"""Returns the report of a UTC day (YYYY-MM-DD), of today where none is named."""

DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}").fullmatch


class SecurityEventView(msgspec.Struct, frozen=True, rename="camel"):
    """What acts added up to; `count` of them between `since` and `at`, by `subject`."""

    id: UUID
    at: str
    kind: str
    severity: str
    subject: str
    count: int
    since: str
    detail: str
    network: str
    account_id: UUID | None
    block_seconds: int


class SecurityEventsView(msgspec.Struct, frozen=True, rename="camel"):
    """Security events, the newest first."""

    events: list[SecurityEventView]
    next_cursor: UUID | None


class BlockView(msgspec.Struct, frozen=True, rename="camel"):
    """A network that is kept out, why, and until when."""

    network: str
    until: str
    reason: str
    event_id: UUID


class BlocksView(msgspec.Struct, frozen=True):
    """The networks that are kept out."""

    blocks: list[BlockView]


class EventsQuery(BaseModel):
    """Which events are wanted."""

    model_config = ConfigDict(extra="forbid")

    kind: str | None = Field(None, max_length=64)
    severity: str | None = Field(None, pattern="^(notice|warning|critical)$")
    cursor: UUID | None = None
    limit: int = Field(50, ge=1, le=500)


class ReportQuery(BaseModel):
    """Which day is wanted."""

    model_config = ConfigDict(extra="forbid")

    day: str | None = Field(None, max_length=10)


class SecurityRoutes:
    """The routes of the watch over threats."""

    def __init__(self, threats: Threats, *, reports: Reports) -> None:
        self._threats = threats
        self._reports = reports

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/security", tags=["security"])

        @router.get(
            "/events",
            **needs(Permission.SECURITY_READ),
            responses=returns(SecurityEventsView),
            summary="What acts added up to",
        )
        async def events(asked: Annotated[EventsQuery, Query()]) -> Response:
            wanted = Filter(
                kind=asked.kind,
                severity=asked.severity,
                before=asked.cursor,
                limit=asked.limit + 1,
            )
            found = await self._threats.events(wanted)
            shown = found[: asked.limit]
            more = shown[-1].id if len(found) > asked.limit else None
            return json(SecurityEventsView([event_view(event) for event in shown], more))

        @router.get(
            "/blocks",
            **needs(Permission.SECURITY_READ),
            responses=returns(BlocksView),
            summary="Networks that are kept out",
        )
        async def blocks() -> Response:
            return json(BlocksView([_block(block) for block in self._threats.blocks()]))

        @router.delete(
            "/blocks/{network:path}",
            **needs(Permission.SECURITY_WRITE),
            status_code=204,
            summary="Let a network in again",
        )
        async def lift(request: Request, network: str) -> Response:
            await self._threats.lift(network, caller_of(request), request.scope["origin"])
            return Response(status_code=204)

        @router.get(
            "/report",
            **needs(Permission.SECURITY_READ),
            responses=returns(Report),
            summary="What a day came to",
        )
        async def report(asked: Annotated[ReportQuery, Query()]) -> Response:
            if asked.day is not None and not DAY(asked.day):
                raise Refused("write the day as YYYY-MM-DD", code="request.malformed")
            return json(await self._reports(asked.day))

        return router


def event_view(event: SecurityEvent) -> SecurityEventView:
    """Return an event as it is shown."""
    return SecurityEventView(
        id=event.id,
        at=iso(event.at_ms),
        kind=event.kind,
        severity=event.severity,
        subject=event.subject,
        count=event.count,
        since=iso(event.since_ms),
        detail=event.detail,
        network=event.network,
        account_id=event.account_id,
        block_seconds=event.block_s,
    )


def _block(block: Block) -> BlockView:
    return BlockView(
        network=block.network,
        until=iso(block.until_ms),
        reason=block.reason,
        event_id=block.event_id,
    )


VIEWS: Final = (
    SecurityEventsView,
    BlocksView,
    Report,
)
"""What these routes read and answer, for OpenAPI."""
