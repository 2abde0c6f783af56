"""API keys and other secrets of 256 random bits: shown once, stored as their SHA-256.

Such a secret is that strong that a plain hash protects it; no slow hash is needed on the hot path.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping

import msgspec

from quantdesk.access.model import Principal

PREFIX = "qd_"
SHOWN = len(PREFIX) + 8
"""How much of a key is shown to recognize it by; the rest is 210 bits."""


def new_secret(prefix: str) -> str:
    """Return a fresh secret that begins with what it is for."""
    return prefix + secrets.token_urlsafe(32)


def new_key() -> str:
    """Return a fresh API key."""
    return new_secret(PREFIX)


def digest(secret: str) -> bytes:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()


class Given(msgspec.Struct, frozen=True, gc=False):
    """The credentials of a request, as the client sent them, and the address it came from."""

    ip: str = ""
    authorization: str | None = None
    cookie: str | None = None
    ticket: str | None = None


def bearer(authorization: str) -> str:
    """Return the credential of an `Authorization` header, empty where there is none."""
    scheme, _, credential = authorization.partition(" ")
    # In any case: RFC 9110 §11.1.
    return credential.strip() if scheme.lower() == "bearer" else ""


class Keys:
    """Callers with API keys that never change."""

    def __init__(self, known: Mapping[bytes, Principal]) -> None:
        self._known = known

    def caller(self, given: Given) -> Principal | None:
        """Return who an API key speaks for, if anybody."""
        key = bearer(given.authorization or "")
        return self._known.get(digest(key)) if key.startswith(PREFIX) else None

    async def late_caller(self, _: Given) -> Principal | None:
        """Return nobody: all that there is was known at once."""
        return None

    def still(self, _: Principal) -> bool:
        """Return that nothing changes."""
        return True

    def csrf(self, _: str) -> str:
        """Return that no cookie holds."""
        return ""

    def on_change(self, _: Callable[[], None]) -> None:
        """Call nobody: nothing changes."""
