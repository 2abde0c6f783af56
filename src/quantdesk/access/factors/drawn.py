"""Chance for the second factors: what must not be guessable is drawn here and nowhere else.

Seeds hold 160 bits, as RFC 4226 §4 recommends; recovery codes 80, so that a plain hash protects
them.
"""

import base64
import secrets
from typing import Final

CODES: Final = 10
_SEED_BYTES: Final = 20
_CODE_BYTES: Final = 10
_GROUP: Final = 4


def seed() -> str:
    """Return a fresh seed in base32."""
    return base64.b32encode(secrets.token_bytes(_SEED_BYTES)).decode()


def recovery_codes() -> tuple[str, ...]:
    """Return ten fresh recovery codes, written `xxxx-xxxx-xxxx-xxxx`."""
    return tuple(_recovery_code() for _ in range(CODES))


def nonce() -> bytes:
    """Return 16 bytes that nobody has seen (WebAuthn §13.4.3 asks for as many)."""
    return secrets.token_bytes(16)


def key() -> bytes:
    """Return a fresh key of 32 bytes."""
    return secrets.token_bytes(32)


def _recovery_code() -> str:
    letters = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower()
    return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))
