"""Operations over HTTP: how the desk does, in one look, from what it counts and knows already."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from quantdesk.access.model import Permission
from quantdesk.api.answers import json, returns
from quantdesk.api.localnet import LocalnetView
from quantdesk.api.needs import needs
from quantdesk.api.sources import SourceHealth
from quantdesk.api.system import ServiceView


class QueueView(msgspec.Struct, frozen=True, rename="camel"):
    """Open orders of all users; ages in milliseconds, null where there are none.

    `inFlight` transactions are sent and of unknown fate. `resting` orders wait for their price;
    `oldestMovingMs` leaves them out.
    """

    open: int
    in_flight: int
    resting: int
    oldest_ms: int | None
    oldest_moving_ms: int | None
    by_status: dict[str, int]


class StageView(msgspec.Struct, frozen=True, rename="camel"):
    """How long orders of this process stayed in a stage in the last five to ten minutes.

    WHOLE is from creation to CONFIRMED. Quantiles are at most 6 % too high, null without orders.
    """

    stage: str
    count: int
    p50_ms: int | None
    p95_ms: int | None
    max_ms: int | None


class AuditCountsView(msgspec.Struct, frozen=True):
    """What the audit did since the start: rows chained, acts that wait or found no room."""

    rows: int
    waiting: int
    dropped: int
    tampered: bool


class HubView(msgspec.Struct, frozen=True):
    """Clients that follow by WebSocket, and those that could not keep up and were let go."""

    clients: int
    dropped: int


class OperationsView(msgspec.Struct, frozen=True, rename="camel"):
    """How the desk does; counts are this process's since its start.

    `attempts` are transactions signed, by the number of the attempt; `resends` how often the same
    bytes were sent again; `unknown` how often the chain fell silent about one; `failures` orders
    that FAILED and `problems` errors answered, by code; `restarts` background tasks begun again.
    `localnet` is null in other modes, and while its node does not answer.
    """

    as_of: str
    mode: str
    started_at: str
    queue: QueueView
    latency: list[StageView]
    attempts: dict[str, int]
    resends: int
    unknown: int
    halted: int
    failures: dict[str, int]
    problems: dict[str, int]
    unexpected: int
    restarts: dict[str, int]
    breakers: list[SourceHealth]
    localnet: LocalnetView | None
    roles: list[str]
    services: list[ServiceView]
    audit: AuditCountsView
    hub: HubView


Look = Callable[[], Awaitable[OperationsView]]
"""Returns how the desk does; raises `Unavailable`."""


class OperationsRoutes:
    """The route of operations."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api", tags=["system"])

        @router.get(
            "/operations",
            **needs(Permission.SYSTEM_READ),
            responses=returns(OperationsView),
            summary="How the desk does",
        )
        async def operations() -> Response:
            return json(await self._look())

        return router


VIEWS: Final = (OperationsView,)
"""What this route answers, for OpenAPI."""
