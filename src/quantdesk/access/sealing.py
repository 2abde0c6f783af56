"""Sealing: secrets that the desk must read again (seeds, tokens, signing keys) at rest.

    master key ─ AES-256-GCM ─▶ number of the key ‖ nonce ‖ ciphertext, bound to what it is about

`about` is authenticated, so that a secret moved to another row does not open there. AES-GCM: NIST
SP 800-38D; a random nonce of 12 bytes serves 2^32 secrets of one key.
"""

import os
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from quantdesk.core.errors import Corrupt

_NUMBER_BYTES: Final = 4
_NONCE_BYTES: Final = 12


class Sealer:
    """Seals with the newest master key, opens with any that is known; keys are 32 bytes."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        assert keys, "a sealer has a key"
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}
        self.newest = max(keys)

    def seal(self, secret: bytes, *, about: str) -> bytes:
        """Return a secret as it may be stored."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self.newest].encrypt(nonce, secret, about.encode())
        return self.newest.to_bytes(_NUMBER_BYTES, "big") + nonce + sealed

    def open(self, sealed: bytes, *, about: str) -> bytes:
        """Return the secret; raise `Corrupt` (`secret.unreadable`) when it cannot be opened."""
        number, rest = number_of(sealed), sealed[_NUMBER_BYTES:]
        cipher = self._ciphers.get(number)
        if cipher is None:
            raise Corrupt(f"the master key {number} is missing", code="secret.unreadable")
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], about.encode())
        except InvalidTag:
            raise Corrupt(
                f"a secret about {about} was changed or moved", code="secret.unreadable"
            ) from None


def number_of(sealed: bytes) -> int:
    """Return the number of the master key that opens a sealed secret."""
    return int.from_bytes(sealed[:_NUMBER_BYTES], "big")
