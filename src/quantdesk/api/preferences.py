"""Settings of the terminal over HTTP: one JSON object of each user, as their client wrote it.

Every keystroke may save one, so saving is counted and not audited; nothing in it decides anything.
"""

from typing import Any, Final

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from quantdesk.access.model import Permission, Principal
from quantdesk.access.policy import ROLES
from quantdesk.access.preferences.preferences import Preferences
from quantdesk.api.answers import returns
from quantdesk.api.needs import needs
from quantdesk.core.errors import Refused


class UserSettingsView(msgspec.Struct, frozen=True):
    """How a user set up the terminal: a JSON object as their client wrote it, at most 16 KiB."""


class PreferenceRoutes:
    """The routes of settings of the terminal."""

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/me", tags=["users"])

        @router.get(
            "/settings",
            **needs(Permission.ACCOUNT_READ),
            responses=returns(UserSettingsView),
            summary="How you set up the terminal",
        )
        async def settings(request: Request) -> Response:
            return _answer(await self._preferences.read(_user(request).account_id))

        @router.put(
            "/settings",
            **needs(Permission.ACCOUNT_WRITE, body=UserSettingsView),
            responses=returns(UserSettingsView),
            summary="Keep how you set up the terminal",
        )
        async def keep(request: Request) -> Response:
            caller = _user(request)
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise Refused("send Content-Type: application/json", code="request.not_json")
            document = await request.body()
            return _answer(await self._preferences.keep(caller.account_id, document))

        return router


def opened(shapes: dict[str, Any]) -> None:
    """Say in OpenAPI's shapes that the document holds whatever its client put there."""
    shapes[UserSettingsView.__name__]["additionalProperties"] = True


def _user(request: Request) -> Principal:
    """Return who asks; a key that was narrowed is a program, and has no terminal."""
    caller: Principal = request.scope["principal"]
    if caller.key_id is not None and caller.may != ROLES[caller.role]:
        raise Refused("settings are a person's: sign in", code="session.needed")
    return caller


def _answer(document: str) -> Response:
    return Response(document, media_type="application/json")


VIEWS: Final = (UserSettingsView,)
"""What these routes read and answer, for OpenAPI."""
