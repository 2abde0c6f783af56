"""The prover: says whether what somebody shows proves the second factor of an account.

Every refusal here names its reason for the audit; `signing_in` and `step_up` tell the person one
and the same thing.
"""

import hashlib
from uuid import UUID

from quantdesk.access.factors import passkeys, recovery, store, totp
from quantdesk.access.factors.known import KnownFactors
from quantdesk.access.factors.model import (
    Assertion,
    Code,
    Credential,
    Passkey,
    RecoveryCode,
    SecondFactor,
)
from quantdesk.access.factors.port import Means
from quantdesk.core.errors import Refused

LOCKED = "factor.locked"


def totp_about(account_id: UUID) -> str:
    """Return what the seed of an account's app is sealed about."""
    return f"totp:{account_id}"


class Prover:
    """Checks second factors; what is single-use is used up by it."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._known = KnownFactors(means.pools)

    async def prove(self, account_id: UUID, shown: SecondFactor, *, purpose: str) -> str:
        """Return the method that was right; `purpose` is what a passkey was challenged for.

        Raises `Refused` (`totp.wrong`, `totp.replayed`, `factor.locked`, `recovery.wrong`,
        `passkey.invalid`, `passkey.cloned`, `challenge.invalid`, `challenge.replayed`).
        """
        match shown:
            case Code():
                await self._prove_code(account_id, shown.digits)
                return "totp"
            case RecoveryCode():
                await self._prove_recovery(account_id, shown.text)
                return "recovery"
            case Assertion():
                passkey = await self.passkey(shown.credential)
                if passkey is None or passkey.account_id != account_id:
                    raise passkeys.invalid("this passkey belongs to nobody here")
                await self.prove_passkey(passkey, shown.credential, purpose=purpose)
                return "passkey"

    async def passkey(self, credential: Credential) -> Passkey | None:
        """Return the passkey that answers, if it is known; raise `Refused` (`passkey.invalid`)."""
        credential_id = passkeys.credential_id_of(credential)
        async with self._means.pools.read.connection() as c:
            return await store.passkey(c, credential_id)

    async def prove_passkey(
        self, passkey: Passkey, credential: Credential, *, purpose: str
    ) -> None:
        """Return when the answer is right; raise `Refused` as `prove` does."""
        challenge = passkeys.challenge_of(credential)
        expires_ms = self._means.challenges.check(challenge, purpose)
        count = passkeys.asserted(self._means.site, credential, challenge, passkey)
        now_ms = self._means.clock.now_ms()
        async with self._means.pools.write.transaction() as c:
            if not await store.spend(c, spent(challenge), expires_ms=expires_ms, now_ms=now_ms):
                raise replayed()
            if not await store.count_up(c, passkey.id, sign_count=count, at_ms=now_ms):
                raise Refused("the passkey's counter did not go up", code="passkey.cloned")

    async def _prove_code(self, account_id: UUID, digits: str) -> None:
        now_ms = self._means.clock.now_ms()
        async with self._means.pools.write.connection() as c:
            sealed = await store.try_totp(c, account_id, now_ms=now_ms)
        if sealed is None:
            raise await self._no_code(account_id)
        seed = self._means.sealer.open(sealed, about=totp_about(account_id)).decode()
        step = totp.matching_step(seed, digits, now_ms=now_ms)
        if step is None:
            raise Refused("this is not the app's code", code="totp.wrong")
        async with self._means.pools.write.connection() as c:
            if not await store.take_step(c, account_id, seed=sealed, step=step):
                raise Refused("this code was used already", code="totp.replayed")

    async def _no_code(self, account_id: UUID) -> Refused:
        if (await self._known.of(account_id)).totp_ms is None:
            return Refused("there is no app", code="totp.wrong")
        return Refused(
            "too many codes were wrong in the last hour; use a passkey or a recovery code, or wait"
            " until the hour is over",
            code=LOCKED,
        )

    async def _prove_recovery(self, account_id: UUID, text: str) -> None:
        async with self._means.pools.write.connection() as c:
            code, now_ms = recovery.digest(text), self._means.clock.now_ms()
            if not await store.use_code(c, account_id, code=code, at_ms=now_ms):
                raise Refused("this is no unused recovery code", code="recovery.wrong")


def spent(challenge: bytes) -> bytes:
    """Return what is stored of a challenge that was answered."""
    return hashlib.sha256(challenge).digest()


def replayed() -> Refused:
    """Return the refusal of a challenge that was answered before."""
    return Refused("this challenge was answered before", code="challenge.replayed")
