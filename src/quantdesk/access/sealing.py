"""Sealing: secrets that the desk must read again (seeds, tokens, signing keys) at rest.

    master key ─ AES-256-GCM ─▶ a key of its own for each secret ─ AES-256-GCM ─▶ the secret

    number of the master key ‖ nonce ‖ wrapped key ‖ nonce ‖ ciphertext

Both layers are bound to what the secret is about (authenticated data), so that one moved to another
row does not open there. An envelope, not the master key alone: a rotation wraps 32 bytes anew and
never holds a secret in the clear, and a master key encrypts nothing but random bytes. AES-GCM: NIST
SP 800-38D; a random nonce of 12 bytes serves 2^32 wraps of one master key.
"""

import os
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from quantdesk.core.errors import Corrupt

KEY_BYTES: Final = 32
NUMBER_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_WRAPPED: Final = NUMBER_BYTES + _NONCE_BYTES + KEY_BYTES + _TAG_BYTES
"""Where the secret's own nonce begins."""


class Sealer:
    """Seals with the newest master key, opens with any that is known; keys are 32 bytes."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        assert keys, "a sealer has a key"
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}
        self.newest = max(keys)
        self._root = keys[self.newest]

    def derived(self, purpose: str) -> bytes:
        """Return a key of 32 bytes for one purpose; another master key makes it another one."""
        info = _bound("derived", purpose)
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(self._root)

    def seal(self, secret: bytes, *, about: str) -> bytes:
        """Return a secret as it may be stored."""
        own = os.urandom(KEY_BYTES)
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(own).encrypt(nonce, secret, _bound("secret", about))
        return self._wrapped(own, about) + nonce + sealed

    def open(self, sealed: bytes, *, about: str) -> bytes:
        """Return the secret; raise `Corrupt` (`secret.unreadable`) when it cannot be opened."""
        nonce_end = _WRAPPED + _NONCE_BYTES
        own = AESGCM(self._unwrapped(sealed, about))
        try:
            nonce, body = sealed[_WRAPPED:nonce_end], sealed[nonce_end:]
            return own.decrypt(nonce, body, _bound("secret", about))
        except (InvalidTag, ValueError):
            raise _changed(about) from None

    def rewrap(self, sealed: bytes, *, about: str) -> bytes:
        """Return the same sealed secret under the newest master key; raises as `open`."""
        return self._wrapped(self._unwrapped(sealed, about), about) + sealed[_WRAPPED:]

    def _wrapped(self, own: bytes, about: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        wrapped = self._ciphers[self.newest].encrypt(nonce, own, _bound("key", about))
        return self.newest.to_bytes(NUMBER_BYTES, "big") + nonce + wrapped

    def _unwrapped(self, sealed: bytes, about: str) -> bytes:
        number = number_of(sealed)
        cipher = self._ciphers.get(number)
        if cipher is None:
            raise Corrupt(f"the master key {number} is missing", code="secret.unreadable")
        nonce_end = NUMBER_BYTES + _NONCE_BYTES
        try:
            nonce, wrapped = sealed[NUMBER_BYTES:nonce_end], sealed[nonce_end:_WRAPPED]
            return cipher.decrypt(nonce, wrapped, _bound("key", about))
        except (InvalidTag, ValueError):  # ValueError: cut short
            raise _changed(about) from None


def number_of(sealed: bytes) -> int:
    """Return the number of the master key that opens a sealed secret."""
    return int.from_bytes(sealed[:NUMBER_BYTES], "big")


def _bound(layer: str, about: str) -> bytes:
    return f"quantdesk {layer} {about}".encode()


def _changed(about: str) -> Corrupt:
    return Corrupt(
        f"a secret about {about} was changed or moved, or is of another master key",
        code="secret.unreadable",
    )
