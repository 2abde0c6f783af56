"""API keys: a payload → its signature. No key, and no part of one, is ever shown.

How a payload is signed: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/request-security
"""

import base64
import binascii
import hmac
from hashlib import sha256
from typing import Final, Protocol
from urllib.parse import quote

from solders.keypair import Keypair

from quantdesk.core.errors import Refused

# PKCS#8 of an Ed25519 seed without attributes, up to the seed: RFC 8410 §7 and §10.3.
_PKCS8: Final = bytes.fromhex("302e020100300506032b657004220420")
_SEED_BYTES: Final = 32


class Key(Protocol):
    """What signs requests of one account."""

    @property
    def api_key(self) -> str:
        """Return the name the exchange knows the key by; as secret as the key itself."""

    def sign(self, payload: bytes) -> str:
        """Return the signature of a payload as the exchange reads it, not yet percent-encoded."""


class HmacKey:
    """A key whose secret the exchange knows too."""

    __slots__ = ("_api_key", "_secret")

    def __init__(self, *, api_key: str, secret: str) -> None:
        self._api_key = _named(api_key)
        self._secret = secret.encode()

    def __repr__(self) -> str:
        return "HmacKey(...)"

    @property
    def api_key(self) -> str:
        """Return the name the exchange knows the key by."""
        return self._api_key

    def sign(self, payload: bytes) -> str:
        """Return HMAC-SHA256 in hexadecimal."""
        return hmac.new(self._secret, payload, sha256).hexdigest()


class Ed25519Key:
    """A key of which the exchange knows only the public part; the kind it recommends."""

    __slots__ = ("_api_key", "_pair")

    def __init__(self, *, api_key: str, seed: bytes) -> None:
        assert len(seed) == _SEED_BYTES
        self._api_key = _named(api_key)
        self._pair = Keypair.from_seed(seed)

    def __repr__(self) -> str:
        return "Ed25519Key(...)"

    @property
    def api_key(self) -> str:
        """Return the name the exchange knows the key by."""
        return self._api_key

    def sign(self, payload: bytes) -> str:
        """Return the signature in base 64."""
        return base64.b64encode(bytes(self._pair.sign_message(payload))).decode("ascii")


def seed(pem: bytes) -> bytes:
    """Return the Ed25519 seed in an unencrypted PKCS#8 PEM file's content.

    Raises `Refused` (`key.unreadable`).
    """
    lines = [line.strip() for line in pem.splitlines() if line.strip()]
    framed = lines[:1] == [b"-----BEGIN PRIVATE KEY-----"] and lines[-1:] == [
        b"-----END PRIVATE KEY-----"
    ]
    try:
        content = base64.b64decode(b"".join(lines[1:-1]), validate=True) if framed else b""
    except binascii.Error:
        content = b""
    if not content.startswith(_PKCS8) or len(content) != len(_PKCS8) + _SEED_BYTES:
        raise Refused("this is no Ed25519 key in an unencrypted PEM file", code="key.unreadable")
    return content[len(_PKCS8) :]


def signed(payload: str, key: Key) -> str:
    """Return a query or form with its signature."""
    return f"{payload}&signature={quote(key.sign(payload.encode('ascii')), safe='')}"


def _named(api_key: str) -> str:
    # A line break would end the header it is sent in, and an error would then show it.
    if not (api_key.isascii() and api_key.isalnum()):
        raise Refused("the API key holds what no API key holds", code="key.unreadable")
    return api_key
