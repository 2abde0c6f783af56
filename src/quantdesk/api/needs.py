"""What a route needs: each declares one permission, or that anybody may ask.

    @router.get("/alerts", **needs(Permission.MARKET_READ), …)

The edge has found out who asks before a route runs; here it is held against what the route needs.
OpenAPI shows it as `x-permission`, and a test fails for a route that declares nothing.
"""

from typing import Any, Final

from fastapi import Depends
from starlette.requests import Request

from quantdesk.access.model import Permission, Principal
from quantdesk.core.errors import Refused

PUBLIC: Final = "public"


def needs(permission: Permission) -> dict[str, Any]:
    """Return what a route is declared with that needs this permission."""

    async def check(request: Request) -> None:
        allow(request.scope["principal"], permission)

    return {"dependencies": [Depends(check)], "openapi_extra": {"x-permission": permission.value}}


def public() -> dict[str, Any]:
    """Return what a route is declared with that anybody may ask."""
    return {"openapi_extra": {"x-permission": PUBLIC, "security": []}}


def allow(principal: Principal | None, permission: Permission) -> Principal:
    """Return the caller if they may; raise `Refused` (`request.unauthenticated`, `.forbidden`)."""
    if principal is None:
        raise unauthenticated()
    if permission not in principal.may:
        raise Refused(
            f"this needs the permission {permission}; your {_credential(principal)} does not have"
            " it",
            code="request.forbidden",
        )
    return principal


def unauthenticated() -> Refused:
    """Return the refusal of whoever has not said who they are."""
    return Refused(
        "sign in, or send Authorization: Bearer <API key>; the owner's is in owner.key",
        code="request.unauthenticated",
    )


def _credential(principal: Principal) -> str:
    return f"role {principal.role}" if principal.key_id is None else "API key"
