"""Challenges for passkeys: made without storing anything, valid for one purpose and a few minutes.

    nonce (16) ‖ expiry in ms (8) ‖ HMAC-SHA-256 of purpose, nonce and expiry (32)

Nobody can fill a table by asking for options; only a challenge that was answered well is stored as
spent (`store.spend`). All processes of the desk share the key.
"""

import hashlib
import hmac
from typing import Final

from quantdesk.access.factors import drawn, store
from quantdesk.access.sealing import Sealer
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused
from quantdesk.store.pool import Pools

LIFETIME_MS: Final = 5 * 60_000
_HEAD_BYTES: Final = 24
_BYTES: Final = _HEAD_BYTES + 32
_NAME: Final = "challenges"


class Challenges:
    """Makes challenges and knows them again."""

    def __init__(self, key: bytes, *, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def make(self, purpose: str) -> bytes:
        """Return a challenge that is good for this purpose only."""
        expires_ms = self._clock.now_ms() + LIFETIME_MS
        head = drawn.nonce() + expires_ms.to_bytes(8, "big")
        return head + self._mac(head, purpose)

    def check(self, challenge: bytes, purpose: str) -> int:
        """Return when a challenge expires (Unix ms); raise `Refused` (`challenge.invalid`)."""
        head, mac = challenge[:_HEAD_BYTES], challenge[_HEAD_BYTES:]
        whole = len(challenge) == _BYTES
        if not whole or not hmac.compare_digest(mac, self._mac(head, purpose)):
            raise _invalid("this challenge was not made for this")
        expires_ms = int.from_bytes(head[-8:], "big")
        if expires_ms <= self._clock.now_ms():
            raise _invalid("this challenge is too old; ask for another one")
        return expires_ms

    def _mac(self, head: bytes, purpose: str) -> bytes:
        return hmac.digest(self._key, head + purpose.encode(), hashlib.sha256)


async def open_challenges(pools: Pools, *, sealer: Sealer, clock: Clock) -> Challenges:
    """Return the challenges of this desk; the first process to ask makes their key.

    Raises `Corrupt` (`secret.unreadable`).
    """
    about = f"factor_key:{_NAME}"
    async with pools.write.connection() as c:
        sealed = await store.factor_key(c, _NAME, sealed=sealer.seal(drawn.key(), about=about))
    return Challenges(sealer.open(sealed, about=about), clock=clock)


def _invalid(detail: str) -> Refused:
    return Refused(detail, code="challenge.invalid")
