"""API keys: 256 random bits, shown once, stored as their SHA-256.

A key is that strong that a plain hash protects it; no slow hash is needed on the hot path.
"""

import hashlib
import secrets

from quantdesk.access.model import Principal

_PREFIX = "qd_"


def new_key() -> str:
    """Return a fresh API key."""
    return _PREFIX + secrets.token_urlsafe(32)


def digest(key: str) -> bytes:
    """Return what is stored of a key."""
    return hashlib.sha256(key.encode()).digest()


class Keys:
    """The keys that are valid now, by their digest; answering takes a microsecond and no I/O."""

    def __init__(self, known: dict[bytes, Principal]) -> None:
        self._known = known

    def principal(self, authorization: str | None) -> Principal | None:
        """Return who an `Authorization: Bearer …` header speaks for, if anybody."""
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":  # RFC 9110 §11.1: in any case
            return None
        return self._known.get(digest(key.strip()))
