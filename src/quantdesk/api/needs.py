"""What a route needs: each declares one permission, or that anybody may ask.

    @router.get("/alerts", **needs(Permission.MARKET_READ), …)

The edge has found out who asks before a route runs; here it is held against what the route needs.
OpenAPI shows it as `x-permission`, and a test fails for a route that declares nothing.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from fastapi import Depends
from starlette.requests import Request

from quantdesk.access.model import Permission, Principal
from quantdesk.access.policy import FRESH_MS
from quantdesk.api.answers import content
from quantdesk.core.errors import DeskError, Refused

PUBLIC: Final = "public"
BY_CHANNEL: Final = "channel"
"""Whoever is known may come in; each channel they then ask for needs its own permission."""


def needs(permission: Permission, *, body: type[msgspec.Struct] | None = None) -> dict[str, Any]:
    """Return what a route is declared with that needs this permission, and reads such a body."""

    async def check(request: Request) -> None:
        allow(request.scope["principal"], permission, instead=request.scope.get("turned_away"))

    told = {"x-permission": permission.value, **_reads(body)}
    return {"dependencies": [Depends(check)], "openapi_extra": told}


def public(*, body: type[msgspec.Struct] | None = None) -> dict[str, Any]:
    """Return what a route is declared with that anybody may ask, and that reads such a body."""
    return {"openapi_extra": {"x-permission": PUBLIC, "security": [], **_reads(body)}}


def _reads(body: type[msgspec.Struct] | None) -> dict[str, Any]:
    if body is None:
        return {}
    required = any(field.required for field in msgspec.structs.fields(body))
    return {"requestBody": {"required": required, "content": content(body)}}


def allow(
    principal: Principal | None, permission: Permission, *, instead: DeskError | None = None
) -> Principal:
    """Return the caller if they may; raise `Refused` (`request.unauthenticated`, `.forbidden`).

    `instead` is why a credential that was given counts for nothing, where that is known.
    """
    if principal is None:
        raise instead or unauthenticated()
    if permission not in principal.may:
        raise Refused(
            f"this needs the permission {permission}; your {_credential(principal)} does not have"
            " it",
            code="request.forbidden",
        )
    return principal


def allow_wider(principal: Principal, permission: Permission) -> None:
    """Raise `Refused` (`request.wider`) of whoever may do this to their own account alone."""
    if permission not in principal.may:
        raise Refused(
            f"for others, the whole desk, or a looser limit this needs {permission}; name your own"
            " account to bound or stop yourself",
            code="request.wider",
        )


class ProofNeeded(Refused):
    """Whoever asks has to prove anew that they are there; `methods` say how."""

    default_code = "proof.needed"

    def __init__(self, detail: str, methods: Sequence[str]) -> None:
        super().__init__(detail)
        self.extension = {"methods": list(methods)}


def fresh(principal: Principal, now_ms: int, *, methods: Sequence[str] = ()) -> None:
    """Raise `Refused` (`proof.needed`) unless a person proved to be there a moment ago.

    The owner's key on this machine needs no proof; no other API key can give one. `methods` are
    what the caller may prove it by; `POST /api/auth/proof` takes the proof.
    """
    if principal.local:
        return
    if principal.session_id is None:
        raise ProofNeeded("an API key cannot do this: sign in, and prove that it is you", ())
    if principal.proven_ms is None or now_ms - principal.proven_ms > FRESH_MS:
        raise ProofNeeded("prove that it is you, then ask again", methods)


def unauthenticated() -> Refused:
    """Return the refusal of whoever has not said who they are."""
    return Refused(
        "sign in, or send Authorization: Bearer <API key>; the owner's is in owner.key",
        code="request.unauthenticated",
    )


def _credential(principal: Principal) -> str:
    return f"role {principal.role}" if principal.key_id is None else "API key"
