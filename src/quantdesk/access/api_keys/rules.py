"""Which API keys may be made, by whom. Pure."""

from collections.abc import Collection, Sequence
from ipaddress import ip_network
from typing import Final

from quantdesk.access.model import Role
from quantdesk.access.plans import Entitlements
from quantdesk.access.policy import ROLES, SCOPES
from quantdesk.core.errors import Refused

NETWORKS_MAX: Final = 20
LASTS_MS_MAX: Final = 3_652 * 86_400_000
MONEY: Final = frozenset({"orders:write", "admin"})
"""Scopes that move money or power: a key with one of them takes a fresh proof."""
_POWERFUL: Final = frozenset({Role.ADMIN, Role.OWNER})


def takes_proof(scopes: Collection[str] | None) -> bool:
    """Return whether making such a key asks for a fresh proof of presence."""
    return scopes is None or not MONEY.isdisjoint(scopes)


def check_scopes(role: Role, scopes: Collection[str]) -> tuple[str, ...]:
    """Return the scopes of a key in a fixed order; raise `Refused` (`key.scope`)."""
    for scope in scopes:
        needless = ROLES[role].isdisjoint(SCOPES[scope])
        if needless or (scope == "admin" and role not in _POWERFUL):
            raise Refused(f"your role {role} cannot use the scope {scope}", code="key.scope")
    if not scopes:
        raise Refused(f"give at least one scope of {', '.join(SCOPES)}", code="key.scope")
    return tuple(scope for scope in SCOPES if scope in scopes)


def check_networks(networks: Sequence[str]) -> tuple[str, ...]:
    """Return addresses and networks as CIDR; raise `Refused` (`key.network`)."""
    if len(networks) > NETWORKS_MAX:
        raise Refused(f"a key takes at most {NETWORKS_MAX} networks", code="key.network")
    try:
        return tuple(dict.fromkeys(str(ip_network(text)) for text in networks))
    except ValueError as problem:
        raise Refused(
            f"write an address or a network, such as 203.0.113.0/24: {str(problem)[:80]}",
            code="key.network",
        ) from None


def check_expiry(expires_ms: int | None, *, now_ms: int) -> None:
    """Raise `Refused` (`key.expiry`) for a key that would be over already, or never."""
    if expires_ms is not None and not now_ms < expires_ms <= now_ms + LASTS_MS_MAX:
        raise Refused(
            "expiresAt lies ahead, ten years at most; leave it out for no end", code="key.expiry"
        )


def check_quota(working: int, entitled: Entitlements) -> None:
    """Raise `Refused` (`plan.keys`) when the plan allows no more keys."""
    if working >= entitled.keys_max:
        raise Refused(
            f"your plan has room for {entitled.keys_max} keys: revoke one first", code="plan.keys"
        )
