"""API keys over HTTP: each caller's own, made and shown once, rotated, revoked.

A key makes no keys, the desk's own on this machine excepted: it could outlive its own bounds.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from quantdesk.access.api_keys.api_keys import ApiKeys, Wanted, unknown
from quantdesk.access.api_keys.rules import NETWORKS_MAX, takes_proof
from quantdesk.access.api_keys.store import ApiKey
from quantdesk.access.model import Permission, Principal
from quantdesk.api.answers import json, returns
from quantdesk.api.bodies import Line, body
from quantdesk.api.needs import fresh, needs
from quantdesk.core.clock import Clock, iso, unix_ms

Scope = Literal["market:read", "orders:read", "orders:write", "account:read", "admin"]
_Network = Annotated[str, msgspec.Meta(max_length=64)]
_OVERLAP_S = 3_600
_OVERLAP_S_MAX = 30 * 86_400


class NewKeyRequest(
    msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True
):
    """A key to make; without `expiresAt` it works until revoked, without `allowIps` anywhere."""

    name: Line
    scopes: Annotated[list[Scope], msgspec.Meta(min_length=1, max_length=5)]
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    allow_ips: Annotated[list[_Network], msgspec.Meta(max_length=NETWORKS_MAX)] = []


class RotateRequest(
    msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True
):
    """How long the key before goes on working, in seconds."""

    overlap_s: Annotated[int, msgspec.Meta(ge=0, le=_OVERLAP_S_MAX)] = _OVERLAP_S


class MadeKeyView(msgspec.Struct, frozen=True, rename="camel"):
    """A new key; this is the only time it is shown."""

    key_id: str
    key: str


class KeyView(msgspec.Struct, frozen=True, rename="camel"):
    """A key of yours; `scopes` null is all that your role may, `local` the desk's own."""

    key_id: str
    name: str
    prefix: str
    scopes: list[str] | None
    allow_ips: list[str]
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    local: bool


class KeysView(msgspec.Struct, frozen=True):
    """Your keys that work, the newest first."""

    keys: list[KeyView]


class RevokedKeyView(msgspec.Struct, frozen=True, rename="camel"):
    """A key that works no more."""

    key_id: str
    revoked: bool


class KeyRoutes:
    """The routes of API keys."""

    def __init__(self, *, keys: ApiKeys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(tags=["keys"])
        self._add_listed(router)
        self._add_changes(router)
        return router

    def _add_listed(self, router: APIRouter) -> None:
        @router.get(
            "/api/keys",
            **needs(Permission.ACCOUNT_READ),
            responses=returns(KeysView),
            summary="List your API keys",
        )
        async def listed(request: Request) -> Response:
            found = await self._keys.of(request.scope["principal"])
            return json(KeysView([_view(key) for key in found]))

        @router.post(
            "/api/keys",
            **needs(Permission.KEYS_WRITE, body=NewKeyRequest),
            responses=returns(MadeKeyView, status=201),
            summary="Make an API key; it is shown this once",
        )
        async def make(request: Request) -> Response:
            caller: Principal = request.scope["principal"]
            asked = await body(request, NewKeyRequest)
            if takes_proof(asked.scopes) or caller.session_id is None:
                fresh(caller, self._clock.now_ms())
            expires = asked.expires_at
            wanted = Wanted(
                name=asked.name,
                scopes=tuple(asked.scopes),
                allow_ips=tuple(asked.allow_ips),
                expires_ms=None if expires is None else unix_ms(expires),
            )
            key, secret = await self._keys.make(caller, wanted, origin=request.scope["origin"])
            return _once(key, secret)

    def _add_changes(self, router: APIRouter) -> None:
        @router.post(
            "/api/keys/{key_id}/rotate",
            **needs(Permission.KEYS_WRITE, body=RotateRequest),
            responses=returns(MadeKeyView, status=201),
            summary="Put a new key in place of one, which goes on working for a while",
        )
        async def rotate(request: Request, key_id: str) -> Response:
            caller: Principal = request.scope["principal"]
            empty = not await request.body()
            asked = RotateRequest() if empty else await body(request, RotateRequest)
            old = await self._keys.find(caller, _id(key_id))
            if takes_proof(old.scopes) or caller.session_id is None:
                fresh(caller, self._clock.now_ms())
            key, secret = await self._keys.rotate(
                caller, old.id, overlap_s=asked.overlap_s, origin=request.scope["origin"]
            )
            return _once(key, secret)

        @router.delete(
            "/api/keys/{key_id}",
            **needs(Permission.KEYS_WRITE),
            responses=returns(RevokedKeyView),
            summary="Revoke an API key, everywhere at once",
        )
        async def revoke(request: Request, key_id: str) -> Response:
            named = _id(key_id)
            await self._keys.revoke(
                request.scope["principal"], named, origin=request.scope["origin"]
            )
            return json(RevokedKeyView(str(named), revoked=True))


def _once(key: ApiKey, secret: str) -> Response:
    answer = json(MadeKeyView(str(key.id), secret), status=201)
    answer.headers["cache-control"] = "no-store"
    return answer


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise unknown() from None


def _view(key: ApiKey) -> KeyView:
    return KeyView(
        key_id=str(key.id),
        name=key.name,
        prefix=key.prefix,
        scopes=None if key.scopes is None else list(key.scopes),
        allow_ips=list(key.allow_ips),
        created_at=iso(key.created_ms),
        expires_at=None if key.expires_ms is None else iso(key.expires_ms),
        last_used_at=None if key.used_ms is None else iso(key.used_ms),
        local=key.local,
    )
