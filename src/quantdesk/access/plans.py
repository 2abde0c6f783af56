"""Plans: what an account is entitled to, in one table. Pure.

A plan bounds quotas and never what a role may do; nothing here can let anybody trade. None is the
desk's own bound.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import msgspec

Plan = Literal["free", "pro", "desk"]
DEFAULT: Final = "free"


class Entitlements(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Quotas of an account; None leaves it to the desk's own bounds."""

    keys_max: int
    """API keys that work at the same time."""
    key_rotation_overlap_s_max: int
    """How long a rotated key may go on working beside the new one, in seconds."""
    requests_per_minute: int | None = None
    open_orders_max: int | None = None
    sockets_max: int | None = None


PLANS: Final[Mapping[str, Entitlements]] = MappingProxyType(
    {
        "free": Entitlements(keys_max=10, key_rotation_overlap_s_max=86_400),
        "pro": Entitlements(keys_max=50, key_rotation_overlap_s_max=7 * 86_400),
        "desk": Entitlements(keys_max=500, key_rotation_overlap_s_max=30 * 86_400),
    }
)


def entitled(plan: str) -> Entitlements:
    """Return what a plan entitles to; one that is not listed any more counts as the smallest."""
    return PLANS.get(plan, PLANS[DEFAULT])
