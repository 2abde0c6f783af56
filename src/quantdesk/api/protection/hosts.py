"""Names and origins by which this desk may be called. Pure.

A page of another name that resolves to this machine (DNS rebinding) sends its own name as `Host`:
only names that are known are answered. An address in digits is not a name, and cannot be rebound.
Sources: `Host` RFC 9110 §7.2, origins RFC 6454 §6.2 and
https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final

from quantdesk.core.errors import Refused

_NAME: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
_HOST: Final = re.compile(rf"({_NAME}|\[[0-9a-f:.]+\])\.?(?::(\d{{1,5}}))?")
_ORIGIN: Final = re.compile(rf"(https?)://({_NAME}|\[[0-9a-f:.]+\])(?::(\d{{1,5}}))?")
_PORTS: Final = {"http": "80", "https": "443"}
_KEPT_MAX: Final = 256
_LOOPBACK: Final = frozenset({"localhost"})


class Hosts:
    """Says whether a `Host` names this desk; an answer that was yes is remembered."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = _LOOPBACK | {_checked_name(name) for name in names}
        self._known: set[bytes] = set()

    def allow(self, host: bytes) -> bool:
        """Return whether this desk goes by that name, whatever the port."""
        if host in self._known:
            return True
        found = _HOST.fullmatch(host.decode("latin-1").lower())
        if found is None or not (found[1] in self._names or is_address(found[1])):
            return False
        if len(self._known) < _KEPT_MAX:
            self._known.add(host)
        return True


class Origins:
    """Says whether a page's origin may use this desk: its own pages, and those on the list."""

    def __init__(self, listed: Iterable[str]) -> None:
        self._listed = frozenset(_checked_origin(origin).encode() for origin in listed)

    def listed(self, origin: bytes) -> bool:
        """Return whether it is on the list, letter by letter."""
        return origin in self._listed

    def own(self, origin: bytes, *, scheme: str, host: bytes) -> bool:
        """Return whether it is this desk's own, as it was called."""
        page = _ORIGIN.fullmatch(origin.decode("latin-1"))
        called = _HOST.fullmatch(host.decode("latin-1").lower())
        if page is None or called is None or page[1] != scheme:
            return False
        port = _PORTS[scheme]
        return (page[2], page[3] or port) == (called[1], called[2] or port)


def is_address(host: str) -> bool:
    """Return whether a host is an address in digits."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _checked_name(name: str) -> str:
    lowered = name.lower()
    if not re.fullmatch(_NAME, lowered):
        raise Refused(f"api.hosts: {name!r} is no name of a host", code="settings.invalid")
    return lowered


def _checked_origin(origin: str) -> str:
    found = _ORIGIN.fullmatch(origin)
    if found is None or found[3] == _PORTS[found[1]]:
        raise Refused(
            f"api.cors_origins: {origin!r} is no origin; write it as browsers do,"
            " like https://app.example.com, without path, * or the scheme's own port",
            code="settings.invalid",
        )
    return origin
