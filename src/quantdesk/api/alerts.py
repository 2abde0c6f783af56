"""Alerts over HTTP: what is the matter with market data now, and what was."""

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from quantdesk.access.model import Permission
from quantdesk.api.answers import json, returns
from quantdesk.api.needs import needs
from quantdesk.core.clock import iso
from quantdesk.ingest.alerts import Alert, Alerts


class AlertView(msgspec.Struct, frozen=True, rename="camel"):
    """Something that is or was the matter; `detail` says what can be done about it.

    `kind` is `feed.silent`, `book.unsynced`, `candle.mismatch`, `price.disagreement`,
    `source.away`, `clock.skewed` or `recording.stopped`. `source` and what follows are null where
    it is about all of them. `times` counts how often it happened while it stood. `endedAt` is when
    it was last seen to hold, null as long as it stands. `id` means something within one `epoch`.
    """

    id: int
    kind: str
    source: str | None
    symbol: str | None
    currency: str | None
    detail: str
    times: int
    begun_at: str
    ended_at: str | None


class AlertsView(msgspec.Struct, frozen=True):
    """The alerts that stand, the latest first, and the last that ended."""

    current: list[AlertView]
    recent: list[AlertView]


class AlertRoutes:
    """The route of alerts."""

    def __init__(self, alerts: Alerts) -> None:
        self._alerts = alerts

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api", tags=["sources"])

        @router.get(
            "/alerts",
            **needs(Permission.MARKET_READ),
            responses=returns(AlertsView),
            summary="What is the matter with market data",
        )
        async def alerts() -> Response:
            return json(alerts_view(self._alerts))

        return router


def alerts_view(alerts: Alerts) -> AlertsView:
    """Return all alerts as they are shown."""
    return AlertsView(
        [alert_view(alert) for alert in alerts.current()],
        [alert_view(alert) for alert in alerts.recent()],
    )


def alert_view(alert: Alert) -> AlertView:
    """Return an alert as it is shown."""
    about = alert.about
    return AlertView(
        id=alert.id,
        kind=about.kind,
        source=about.source or None,
        symbol=about.symbol or None,
        currency=about.currency or None,
        detail=alert.detail,
        times=alert.times,
        begun_at=iso(alert.begun_ms),
        ended_at=None if alert.ended_ms is None else iso(alert.ended_ms),
    )
