"""The keys that sign tokens: made here, sealed at rest, rotated without signing anybody out.

    seed ─ Sealer ─▶ signing_keys ─▶ every process: the newest signs, those before it still verify

A new key signs only after every process has had time to hear of it. One that was replaced verifies
until the last token it may have signed has expired.
"""

from base64 import urlsafe_b64encode
from typing import Final
from uuid import UUID

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

from quantdesk.access.sealing import Sealer
from quantdesk.access.tokens import store
from quantdesk.access.tokens.store import SigningKey
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Pools

log = structlog.get_logger()

HEARD_MS: Final = 3_000
"""After so long every process knows a new key."""


class Signing(msgspec.Struct, frozen=True):
    """A key and what names it in the header of a token."""

    kid: str
    key: OKPKey


class SigningKeys:
    """The keys of this desk; `load` first, and again when they changed."""

    def __init__(
        self, *, pools: Pools, sealer: Sealer, clock: Clock, new_id: NewId, token_ms: int
    ) -> None:
        self._pools = pools
        self._sealer = sealer
        self._clock = clock
        self._new_id = new_id
        self._token_ms = token_ms
        self._signers: list[tuple[int, Signing]] = []
        self._verifiers: dict[str, tuple[OKPKey, int | None]] = {}
        self.generation = 0
        """Rises when the keys changed: what was verified by earlier ones is verified anew."""

    async def load(self) -> None:
        """Read the keys; make one when none can sign.

        One that another master key sealed still verifies here, and does not sign.
        """
        found = await self._read()
        if not self._take(found):
            await self._make(only_first=not found)
            signs = self._take(await self._read())
            assert signs, "a key that was just made can be opened"

    async def rotate(self) -> UUID:
        """Put a new key in place of the one that signs; return its number."""
        made = await self._make(only_first=False)
        await self.load()
        return made

    def signer(self) -> Signing:
        """Return the key that signs now."""
        heard_ms = self._clock.now_ms() - HEARD_MS
        heard = [signing for made_ms, signing in self._signers if made_ms <= heard_ms]
        return heard[-1] if heard else self._signers[0][1]

    def verifier(self, kid: object) -> OKPKey | None:
        """Return the key that verifies what a key of this name signed, if it may still."""
        found = self._verifiers.get(kid) if isinstance(kid, str) else None
        if found is None:
            return None
        key, until_ms = found
        return key if until_ms is None or self._clock.now_ms() < until_ms else None

    async def _read(self) -> list[SigningKey]:
        async with self._pools.read.connection() as c:
            return await store.signing_keys(c)

    def _take(self, found: list[SigningKey]) -> bool:
        """Take the keys in; return whether one of them may sign here."""
        current = [key for key in found if key.retired_ms is None]
        before = [key for key in found if key.retired_ms is not None]
        # The one before signs on until the new one has been heard of.
        candidates = [(key.made_ms, self._signing(key)) for key in (*before[-1:], *current)]
        self._verifiers = {
            str(key.id): (
                OKPKey.import_key(_public(key.public)),
                None if key.retired_ms is None else key.retired_ms + HEARD_MS + self._token_ms,
            )
            for key in found
        }
        self.generation += 1
        signers = [(made_ms, key) for made_ms, key in candidates if key is not None]
        if current and signers:
            self._signers = signers
        return bool(self._signers)

    def _signing(self, key: SigningKey) -> Signing | None:
        try:
            seed = self._sealer.open(key.sealed, about=_about(key.id))
        except Corrupt as problem:
            log.warning("access.signing_key_foreign", detail=problem.detail)
            return None
        whole = {**_public(key.public), "d": _b64(seed)}
        return Signing(str(key.id), OKPKey.import_key(whole))

    async def _make(self, *, only_first: bool) -> UUID:
        key_id, private = self._new_id(), Ed25519PrivateKey.generate()
        now_ms = self._clock.now_ms()
        async with self._pools.write.transaction() as c:
            await store.lock_signing_keys(c)
            found = [key for key in await store.signing_keys(c) if key.retired_ms is None]
            if found and only_first:
                return found[-1].id
            sealed = self._sealer.seal(private.private_bytes_raw(), about=_about(key_id))
            public = private.public_key().public_bytes_raw()
            await store.add_signing_key(c, SigningKey(key_id, sealed, public, now_ms, None))
            await store.forget_signing_keys(
                c, retired_before_ms=now_ms - self._token_ms - 2 * HEARD_MS
            )
        return key_id


def _about(key_id: UUID) -> str:
    return f"signing_key:{key_id}"


def _public(public: bytes) -> dict[str, str | list[str]]:
    return {"kty": "OKP", "crv": "Ed25519", "x": _b64(public)}


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
