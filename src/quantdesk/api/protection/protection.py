"""What may pass to the edge, and what every answer carries: one decision per request. Pure.

    peer, headers ─▶ its client as the proxies tell ─▶ by a name of ours? ─▶ from a page of ours?

A hot request asks `passage` (api/express.py), every other one `judge` (`guarded.py`).
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from quantdesk.api.protection import headers as secure
from quantdesk.api.protection.hosts import Hosts, Origins, is_address
from quantdesk.api.protection.listening import only_through_proxies
from quantdesk.api.protection.proxies import Proxies, Seen, is_loopback
from quantdesk.core.errors import Refused
from quantdesk.settings import ApiSettings

Headers = Mapping[bytes, bytes]

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_PREFLIGHT: Final = b"access-control-request-method"
_ALLOWED: Final[secure.Fields] = (
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers",
     b"Authorization, Content-Type, Idempotency-Key, X-CSRF-Token"),
    (b"access-control-max-age", b"600"),
)  # fmt: skip
_EXPOSED: Final = (
    b"access-control-expose-headers",
    b"Retry-After, Idempotency-Replayed, RateLimit, RateLimit-Policy",
)


class Passage(msgspec.Struct, frozen=True):
    """A hot request may pass: where it came from and how, and what its answer carries as bytes."""

    ip: str
    scheme: str
    block: bytes


class Protection:
    """The decisions of one desk; `names` are those of its certificate."""

    def __init__(self, api: ApiSettings, *, names: Iterable[str] = ()) -> None:
        own = [] if is_address(api.host.strip("[]")) or api.host == "" else [api.host]
        self._hosts = Hosts([*own, *api.hosts, *names])
        self._origins = Origins(api.cors_origins)
        self._proxies = Proxies(api.trusted_proxies)
        self._only_proxies = only_through_proxies(api)
        self._direct = not (self._proxies or self._only_proxies)
        self._blocks = {
            scheme: secure.block(secure.fields(tls=scheme == "https"))
            for scheme in ("http", "https")
        }

    def passage(self, peer: str, headers: Headers, *, tls: bool) -> Passage | None:
        """Return how a hot request passes; None sends it the ordinary way, to be judged."""
        if b"origin" in headers:
            return None
        scheme = "https" if tls else "http"
        if self._direct:
            allowed = self._hosts.allow(headers.get(b"host", b""))
            return Passage(peer, scheme, self._blocks[scheme]) if allowed else None
        if self._turned_away(peer):
            return None
        seen = self._proxies.seen(peer, headers, scheme=scheme)
        allowed = self._hosts.allow(seen.host)
        return Passage(seen.ip, seen.scheme, self._blocks[seen.scheme]) if allowed else None

    def judge(self, peer: str, headers: Headers, *, scheme: str) -> Seen:
        """Return a request as its client made it; `scheme` is how the peer reached us.

        Raises `Refused` (`proxy.bypassed`, `host.foreign`).
        """
        if self._turned_away(peer):
            raise Refused("this desk is reached through its proxy only", code="proxy.bypassed")
        seen = self._proxies.seen(peer, headers, scheme=scheme)
        if not self._hosts.allow(seen.host):
            raise Refused(
                "this desk does not go by the name in Host; its owner can add it to api.hosts",
                code="host.foreign",
            )
        return seen

    def check_page(self, method: str, origin: bytes | None, seen: Seen) -> None:
        """Return unless a page of a foreign origin wants more than to look.

        What it may read of an answer is its browser's to decide, by `cors`. Raises `Refused`
        (`origin.foreign`).
        """
        if origin is None or method in _SAFE or self._friendly(origin, seen):
            return
        raise _foreign()

    def check_socket(self, origin: bytes | None, seen: Seen) -> None:
        """Return unless a page of a foreign origin opens a socket, which no CORS keeps it from.

        Raises `Refused` (`origin.foreign`).
        """
        if origin is not None and not self._friendly(origin, seen):
            raise _foreign()

    def cors(self, origin: bytes | None) -> secure.Fields:
        """Return what lets the page of a listed origin read an answer; nothing for all others."""
        if origin is None or not self._origins.listed(origin):
            return ()
        return (
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            _EXPOSED,
        )

    def preflight(self, method: str, headers: Headers) -> secure.Fields | None:
        """Return the answer to a preflight, None when it is none; raises as `check_page`."""
        origin = headers.get(b"origin")
        if method != "OPTIONS" or origin is None or _PREFLIGHT not in headers:
            return None
        if not self._origins.listed(origin):
            raise _foreign()
        return (*self.cors(origin), *_ALLOWED)

    def _turned_away(self, peer: str) -> bool:
        return self._only_proxies and not (self._proxies.trusts(peer) or is_loopback(peer))

    def _friendly(self, origin: bytes, seen: Seen) -> bool:
        return self._origins.listed(origin) or self._origins.own(
            origin, scheme=seen.scheme, host=seen.host
        )


def _foreign() -> Refused:
    return Refused(
        "this desk takes nothing from pages of that origin; its owner can add it to"
        " api.cors_origins",
        code="origin.foreign",
    )
