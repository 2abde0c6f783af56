"""The headers of every answer, as bytes that are put together once. Pure.

Sources: https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html,
https://www.w3.org/TR/CSP3/, HSTS RFC 6797, CORS https://fetch.spec.whatwg.org/#http-cors-protocol
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from quantdesk.api import docs

Fields = tuple[tuple[bytes, bytes], ...]

_NOTHING: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_PERMISSIONS: Final = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "geolocation",
    "gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "serial", "usb",
)  # fmt: skip
EVERYWHERE: Final[Fields] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", ", ".join(f"{name}=()" for name in _PERMISSIONS).encode()),
)
"""The server itself puts these on whatever it answers, to bytes that are no HTTP too."""
_API: Final[Fields] = (
    (b"content-security-policy", _NOTHING.encode()),
    (b"cache-control", b"no-store"),
    (b"vary", b"Origin"),
)
_HSTS: Final[Fields] = ((b"strict-transport-security", b"max-age=31536000"),)
"""For this name alone: what its operator serves on others is theirs to say."""
_SITE: Final = (
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:",
    "connect-src 'self'", "font-src 'self'", "base-uri 'none'", "form-action 'self'",
    "frame-ancestors 'none'",
)  # fmt: skip
SITE: Final[Fields] = ((b"content-security-policy", "; ".join(_SITE).encode()),)
"""Of the desk's page: what it is made of comes from this desk alone, and nothing stands in line."""
_PARTS: Final = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)
_SPLITS: Final = re.compile(rb"[\r\n\0]")


def fields(*, tls: bool) -> Fields:
    """Return the headers of an answer of the API beside those of every answer."""
    return _API + (_HSTS if tls else ())


def block(told: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return headers as they go over the wire."""
    return b"".join(b"%b: %b\r\n" % field for field in told)


def missing(told: Fields, given: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers an answer does not bring itself: a page's own policy stands."""
    own = {name.lower() for name, _ in given}
    return [field for field in told if field[0] not in own]


def checked(given: Sequence[tuple[bytes, bytes]]) -> None:
    """Fail on a header that would begin another one: whatever is echoed, it cannot split."""
    for name, value in given:
        assert not _SPLITS.search(name + value), "a header is one line"


def page_policy(page: str) -> bytes:
    """Return the policy of a page of ours: its own scripts and styles by hash, and this desk."""
    found: dict[str, list[str]] = {"script": [], "style": []}
    for kind, content in _PARTS.findall(page):
        hashed = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        found[kind].append(f"'sha256-{hashed}'")
    told = [_NOTHING, *(f"{kind}-src {' '.join(each)}" for kind, each in found.items() if each)]
    return "; ".join([*told, "connect-src 'self'"]).encode()


PAGES: Final[Mapping[str, Fields]] = MappingProxyType(
    {"/api/docs": ((b"content-security-policy", page_policy(docs.PAGE)),)}
)
"""Pages with a policy of their own, by path."""
