"""Which class a route is of, and how often each class may be asked for: two tables. Pure.

The rates are for people and their programs to never notice, and for a program that runs wild to
stop at. Whoever asks is bounded three times: as an account, by the API key, and by the address.
The owner's own key on this machine is bounded only where `local` says so.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import msgspec


class RouteClass(StrEnum):
    """What a request costs the desk."""

    READ = "read"
    WRITE = "write"
    ORDERS = "orders"
    SIGN_IN = "sign-in"
    EXPENSIVE = "expensive"
    FREE = "free"
    """Never bounded: health, and the kill switch."""


class Rate(msgspec.Struct, frozen=True):
    """At most `burst` at once and `per_s` a second in the long run."""

    burst: float
    per_s: float


class ClassRates(msgspec.Struct, frozen=True, kw_only=True):
    """The rates of a class; None is no bound."""

    account: Rate | None = None
    key: Rate | None = None
    address: Rate | None = None
    """Of an IPv4 address or an IPv6 /64."""
    local: Rate | None = None


R = RouteClass
RATES: Final[Mapping[RouteClass, ClassRates]] = MappingProxyType(
    {
        R.READ: ClassRates(account=Rate(600, 100), key=Rate(600, 100), address=Rate(1200, 200)),
        R.WRITE: ClassRates(account=Rate(120, 10), key=Rate(120, 10), address=Rate(240, 20)),
        R.ORDERS: ClassRates(account=Rate(1000, 200), key=Rate(1000, 200), address=Rate(2000, 400)),
        R.SIGN_IN: ClassRates(address=Rate(60, 1)),
        R.EXPENSIVE: ClassRates(account=Rate(30, 1), key=Rate(30, 1), address=Rate(60, 2)),
        R.FREE: ClassRates(),
    }
)

_ROUTES: Final[tuple[tuple[str, str, str, RouteClass], ...]] = (
    # method ("" is any), how the path begins, how it ends, class; the first that fits
    ("", "/healthz", "", R.FREE),
    ("", "/readyz", "", R.FREE),
    ("", "/metrics", "", R.FREE),
    ("POST", "/api/trading/halt", "", R.FREE),
    ("", "/api/auth/refresh", "", R.WRITE),
    ("", "/api/auth/logout", "", R.WRITE),
    ("", "/api/auth/ws-ticket", "", R.WRITE),
    ("GET", "/api/auth/factors", "", R.READ),
    ("", "/api/auth/factors", "", R.WRITE),  # of somebody who is in already
    ("", "/api/auth/", "", R.SIGN_IN),
    ("POST", "/api/orders", "", R.ORDERS),
    ("DELETE", "/api/orders/", "", R.ORDERS),
    ("POST", "/api/trading/order", "", R.ORDERS),
    ("GET", "/api/orders/", "/evidence", R.EXPENSIVE),
    ("GET", "/api/audit", "", R.EXPENSIVE),
    ("GET", "/api/security/report", "", R.EXPENSIVE),
    ("POST", "/api/security/notices/test", "", R.EXPENSIVE),
    ("GET", "", "", R.READ),
    ("HEAD", "", "", R.READ),
    ("", "", "", R.WRITE),
)


@lru_cache(maxsize=4_096)
def class_of(method: str, path: str) -> RouteClass:
    """Return the class of a request."""
    return next(
        found
        for known, begins, ends, found in _ROUTES
        if known in ("", method) and path.startswith(begins) and path.endswith(ends)
    )


def rates(*, orders_per_s: float | None = None) -> Mapping[RouteClass, ClassRates]:
    """Return the rates with that many orders a second for everybody, the owner's key included.

    None is the default of the table; bursts are five seconds' worth, at least one order.
    """
    if orders_per_s is None:
        return RATES
    rate = Rate(max(1.0, 5 * orders_per_s), orders_per_s)
    twice = Rate(2 * rate.burst, 2 * rate.per_s)
    own = ClassRates(account=rate, key=rate, address=twice, local=rate)
    return MappingProxyType({**RATES, R.ORDERS: own})
