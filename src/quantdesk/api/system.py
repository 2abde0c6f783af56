"""The desk about itself over HTTP: identity, health, metrics."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from quantdesk.access.model import Permission
from quantdesk.api.answers import json, returns
from quantdesk.api.needs import needs, public
from quantdesk.telemetry.metrics import CONTENT_TYPE, Metrics
from quantdesk.telemetry.redaction import redaction


class ServiceView(msgspec.Struct, frozen=True):
    """A part of the desk: Initializing, Ready, Processing, Error, Saving or Shutdown."""

    name: str
    state: str
    detail: str


class SystemView(msgspec.Struct, frozen=True, rename="camel"):
    """Which desk this is."""

    version: str
    mode: str
    pid: int
    urls: dict[str, str]
    wallet: str
    source: str
    roles: list[str]
    services: list[ServiceView]
    started_at: str


class HealthView(msgspec.Struct, frozen=True):
    """Whether the process answers."""

    status: str


class ReadyView(msgspec.Struct, frozen=True):
    """Whether orders move; each service says why not."""

    ready: bool
    services: list[ServiceView]


class SystemRoutes:
    """The routes of the desk about itself."""

    def __init__(
        self,
        *,
        identity: dict[str, Any],
        services: Callable[[], Awaitable[list[ServiceView]]],
        metrics: Metrics,
    ) -> None:
        self._identity = redaction.value(identity)
        self._services = services
        self._metrics = metrics

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(tags=["system"])

        @router.get(
            "/healthz", **public(), responses=returns(HealthView), summary="Is the process alive"
        )
        async def health() -> Response:
            return json(HealthView("ok"))

        @router.get("/readyz", **public(), responses=returns(ReadyView), summary="Do orders move")
        async def ready() -> Response:
            services = await self._told()
            all_ready = all(service.state in {"Ready", "Processing"} for service in services)
            return json(ReadyView(all_ready, services), status=200 if all_ready else 503)

        @router.get(
            "/api/system",
            **needs(Permission.SYSTEM_READ),
            responses=returns(SystemView),
            summary="Which desk this is",
        )
        async def system() -> Response:
            return json(SystemView(**self._identity, services=await self._told()))

        @router.get(
            "/metrics",
            **public(),
            summary="Numbers in the Prometheus text format",
        )
        async def metrics() -> Response:
            return Response(self._metrics.text(), media_type=CONTENT_TYPE)

        return router

    async def _told(self) -> list[ServiceView]:
        # Details are words of errors, of whatever a part of the desk talked to.
        return [
            ServiceView(each.name, each.state, redaction.text(each.detail))
            for each in await self._services()
        ]
