"""Who is told of security events, over HTTP: which ways are set, and a test of them all.

Settings of the desk's file: no route changes them, so that whoever takes over a session cannot
silence the desk.
"""

from typing import Final

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from quantdesk.access.model import Permission
from quantdesk.access.threats.trial import LOG, Outcome, Trial, Way
from quantdesk.api.answers import json, returns
from quantdesk.api.limits import caller_of
from quantdesk.api.needs import needs
from quantdesk.telemetry.redaction import redaction


class WayView(msgspec.Struct, frozen=True):
    """A way of being told: `log`, `webhook`, `slack` or `mail`.

    `to` is the host of a webhook, or a mailbox. `kept` says why its notices stay on this machine,
    null where they leave it.
    """

    name: str
    to: str
    kept: str | None


class NoticesView(msgspec.Struct, frozen=True, rename="camel"):
    """The ways that are set; `logOnly`: none beside the log."""

    log_only: bool
    ways: list[WayView]


class TestedView(msgspec.Struct, frozen=True):
    """What became of a test notice on a way; `code` and `detail` are null when it arrived."""

    name: str
    to: str
    delivered: bool
    code: str | None
    detail: str | None


class NoticeTestView(msgspec.Struct, frozen=True, rename="camel"):
    """What became of a test notice on every way; `logOnly`: none is set beside the log."""

    log_only: bool
    ways: list[TestedView]


class NoticeRoutes:
    """The routes of whoever wants to know that they will be told."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/security/notices", tags=["security"])

        @router.get(
            "",
            **needs(Permission.SECURITY_READ),
            responses=returns(NoticesView),
            summary="Who is told of security events",
        )
        async def ways() -> Response:
            found = self._trial.ways()
            return json(NoticesView(_is_log_only(found), [_way(way) for way in found]))

        @router.post(
            "/test",
            **needs(Permission.SECURITY_WRITE),
            responses=returns(NoticeTestView),
            summary="Send a test notice to everybody who is told",
        )
        async def test(request: Request) -> Response:
            outcomes = await self._trial.send(caller_of(request), request.scope["origin"])
            log_only = _is_log_only([one.way for one in outcomes])
            return json(NoticeTestView(log_only, [_tested(one) for one in outcomes]))

        return router


def _is_log_only(ways: list[Way]) -> bool:
    return all(way == LOG for way in ways)


def _way(way: Way) -> WayView:
    return WayView(way.name, way.to, way.kept or None)


def _tested(outcome: Outcome) -> TestedView:
    failed = bool(outcome.code)
    return TestedView(
        name=outcome.way.name,
        to=outcome.way.to,
        delivered=not failed,
        code=outcome.code if failed else None,
        detail=redaction.text(outcome.detail) if failed else None,
    )


VIEWS: Final = (NoticesView, NoticeTestView)
"""What these routes answer, for OpenAPI."""
