"""The owner comes in by a browser on the desk's own machine, with the key in `owner.key`.

POST /api/auth/key {key, cookie?} ─▶ a session, or the second factor's turn
"""

from typing import Final

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from quantdesk.access.owner_key import OwnerKey
from quantdesk.api.answers import returns
from quantdesk.api.bodies import body
from quantdesk.api.needs import public
from quantdesk.api.sign_in.factor_shapes import Key
from quantdesk.api.welcome import SignedInView, answered


class KeyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The owner's key; with `cookie` the session is set as cookies too."""

    key: Key
    cookie: bool = False

    def __repr__(self) -> str:
        return type(self).__name__  # the key stays out of logs


class OwnerKeyRoutes:
    """The route of the owner's key."""

    def __init__(self, owner_key: OwnerKey) -> None:
        self._owner_key = owner_key

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/auth", tags=["sign-in"])

        @router.post(
            "/key",
            **public(body=KeyRequest),
            responses=returns(SignedInView),
            summary="Sign in as the owner, with the key in owner.key on the desk's own machine",
        )
        async def key(request: Request) -> Response:
            asked = await body(request, KeyRequest)
            outcome = await self._owner_key.sign_in(asked.key, origin=request.scope["origin"])
            return answered(outcome, cookie=asked.cookie)

        return router


VIEWS: Final = (KeyRequest,)
"""What this route reads, for OpenAPI."""
