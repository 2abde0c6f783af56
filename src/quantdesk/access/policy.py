"""Who may do what: the one table that decides. Pure.

A role holds all that the one before it does. The scopes of an API key narrow what its account may
do and never widen it: a viewer's key with `orders:write` still cannot trade.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from quantdesk.access.model import Permission, Role

P = Permission

_VIEWER: Final = frozenset(
    {P.MARKET_READ, P.SYSTEM_READ, P.ORDERS_READ, P.ACCOUNT_READ, P.ACCOUNT_WRITE, P.KEYS_WRITE}
)
_TRADER: Final = _VIEWER | {P.ORDERS_WRITE, P.HALT}
_APPROVER: Final = _TRADER | {P.APPROVE}
_ADMIN: Final = _APPROVER | {
    P.USERS_READ, P.USERS_WRITE, P.LIMITS_WRITE, P.AUDIT_READ, P.SECURITY_READ, P.SECURITY_WRITE
}  # fmt: skip

ROLES: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.VIEWER: _VIEWER,
        Role.TRADER: _TRADER,
        Role.APPROVER: _APPROVER,
        Role.ADMIN: _ADMIN,
        Role.OWNER: frozenset(Permission),
    }
)

SCOPES: Final[Mapping[str, frozenset[Permission]]] = MappingProxyType(
    {
        "market:read": frozenset({P.MARKET_READ, P.SYSTEM_READ}),
        "orders:read": frozenset({P.ORDERS_READ}),
        "orders:write": frozenset({P.ORDERS_WRITE, P.HALT}),
        "account:read": frozenset({P.ACCOUNT_READ}),
        "admin": frozenset(Permission),
    }
)

FRESH_MS: Final = 5 * 60_000
"""How long a proof of presence lasts for what asks for a fresh one."""


def granted(role: Role, scopes: Collection[str] | None = None) -> frozenset[Permission]:
    """Return what a role may do, narrowed by the scopes of a key; None is a session."""
    if scopes is None:
        return ROLES[role]
    return ROLES[role] & frozenset[Permission]().union(*(SCOPES[scope] for scope in scopes))
