"""What a request gives to say who it is, and whether a browser meant to give it. Pure.

A cookie goes along with whatever a browser sends, also when another site made it send: so it is
worth nothing without the header that only our own pages can set (X-CSRF-Token), and nothing in a
request that says it comes from elsewhere (Origin, Sec-Fetch-Site: W3C Fetch Metadata).
"""

import hmac
from collections.abc import Callable, Collection, Mapping
from typing import Final
from urllib.parse import parse_qs

import msgspec

from quantdesk.access.keys import Given
from quantdesk.core.errors import Refused

Headers = Mapping[bytes, bytes]

SESSION: Final = "qd_session"
CSRF: Final = "qd_csrf"
REFRESH: Final = "qd_refresh"
CSRF_HEADER: Final = b"x-csrf-token"
SAFE: Final = frozenset({b"GET", b"HEAD", b"OPTIONS"})
_TICKET_MAX: Final = 256


class Peer(msgspec.Struct, frozen=True, gc=False):
    """The other end of a connection: its address, and `https` where it is encrypted."""

    ip: str
    scheme: str = "http"


def given(headers: Headers, *, ip: str) -> Given:
    """Return the credentials of an HTTP request: its header, else its cookie."""
    authorization = headers.get(b"authorization")
    if authorization is not None:
        return Given(ip, authorization.decode("latin-1"))
    return Given(ip, None, cookie(headers, SESSION))


def socket_given(headers: Headers, *, ip: str, query: bytes) -> Given:
    """Return the credentials of a socket: its header, else its cookie, else its ticket."""
    found = given(headers, ip=ip)
    if found.authorization is not None or b"ticket=" not in query:
        return found
    # A page that took a ticket means it: what its browser sends along on its own is left aside.
    tickets = parse_qs(query.decode("latin-1"), max_num_fields=20).get("ticket", [])
    return Given(ip, None, None, tickets[0][:_TICKET_MAX]) if tickets else found


def cookie(headers: Headers, name: str) -> str | None:
    """Return the value of a cookie, if there is one."""
    sent = headers.get(b"cookie")
    if sent is None:
        return None
    for pair in sent.decode("latin-1").split(";"):
        found, equals, value = pair.strip().partition("=")
        if equals and found == name:
            return value
    return None


def check_csrf(headers: Headers, expected: str) -> None:
    """Raise `Refused` (`request.csrf`) unless our own page made this request."""
    sent = headers.get(CSRF_HEADER, b"")
    if not expected or not hmac.compare_digest(sent, expected.encode()):
        raise Refused("send X-CSRF-Token with the value of the cookie qd_csrf", code="request.csrf")


def check_origin(headers: Headers, peer: Peer, *, allowed: Collection[str], demanded: bool) -> None:
    """Raise `Refused` (`request.origin`) for what another site made a browser send.

    `demanded`: a request that does not say where it comes from is refused as well.
    """
    origin = headers.get(b"origin", b"").decode("latin-1")
    site = headers.get(b"sec-fetch-site", b"same-origin")
    own = _is_own(origin, headers, peer.scheme) if origin else not demanded
    if (own and site in {b"same-origin", b"none"}) or (origin and origin in allowed):
        return
    raise Refused("a cookie counts only on the desk's own pages", code="request.origin")


def _is_own(origin: str, headers: Headers, scheme: str) -> bool:
    sent_scheme, _, host = origin.partition("://")
    if not host or host.lower() != headers.get(b"host", b"").decode("latin-1").lower():
        return False
    # Whoever ends TLS in front of us may not say so; the other way round it is another site.
    return sent_scheme == "https" or (sent_scheme == "http" and scheme == "http")


Seen = Callable[[Peer, Headers], Peer]
"""Returns who stands behind a peer, as proxies that are trusted say it."""


def direct(peer: Peer, _: Headers) -> Peer:
    """Return the peer itself: no proxy is trusted."""
    return peer
