"""Stepping up: whoever is signed in proves again to be there, before what moves money or access.

Who has a second factor shows it; a password, a wallet or the owner's key alone is enough only for
those who have none. The proof is good for `policy.FRESH_MS` and for the session that gave it.
"""

from typing import Any
from uuid import UUID

import msgspec

from quantdesk.access.audit import store as audit
from quantdesk.access.factors import passkeys
from quantdesk.access.factors.known import KnownFactors
from quantdesk.access.factors.model import (
    FirstFactor,
    Password,
    SecondFactor,
    WalletSignature,
)
from quantdesk.access.factors.port import Means, Outside, act_of, throttled
from quantdesk.access.factors.prover import LOCKED, Prover
from quantdesk.access.model import Origin, Principal
from quantdesk.core.errors import Refused


class FactorWanted(Refused):
    """A first factor is not enough for an account that has a second one."""

    def __init__(self, methods: tuple[str, ...]) -> None:
        super().__init__(
            f"prove it with your second factor: {', '.join(methods)}", code="proof.factor_needed"
        )
        self.extension = {"methods": methods}


class StepUp:
    """Takes proofs of presence."""

    def __init__(self, *, means: Means, outside: Outside, prover: Prover) -> None:
        self._means = means
        self._outside = outside
        self._prover = prover
        self._known = KnownFactors(means.pools)

    async def options(self, principal: Principal) -> dict[str, Any]:
        """Return what the caller's passkeys are asked; raise `Refused` (`session.needed`)."""
        purpose = _purpose(principal.account_id, _session(principal))
        known = await self._known.of(principal.account_id)
        challenge = self._means.challenges.make(purpose)
        return passkeys.request_options(self._means.site, challenge, known.passkeys)

    async def give(
        self, principal: Principal, shown: SecondFactor | FirstFactor, origin: Origin
    ) -> int:
        """Return when (Unix ms) the person behind the caller's session proved to be there: now.

        Raises `Refused` (`proof.wrong`, `proof.factor_needed`, `factor.locked`, `session.needed`,
        `sign_in.throttled`).
        """
        account_id, session_id = principal.account_id, _session(principal)
        await self._outside.throttle.check(throttled(account_id), origin.ip)
        try:
            method = await self._method(account_id, shown, _purpose(account_id, session_id), origin)
        except FactorWanted:
            raise
        except Refused as problem:
            failed = act_of(self._means, principal, origin, "factor.failed", "proof")
            self._outside.tell(msgspec.structs.replace(failed, code=problem.code))
            await self._outside.throttle.failed(throttled(account_id), origin.ip)
            raise problem if problem.code == LOCKED else _wrong() from None
        await self._outside.throttle.succeeded(throttled(account_id), origin.ip)
        given = act_of(self._means, principal, origin, "proof.given", method)
        async with self._means.pools.write.transaction() as c:
            await audit.note(c, given)
        await self._outside.proven(session_id, given.at_ms)
        return given.at_ms

    async def _method(
        self, account_id: UUID, shown: SecondFactor | FirstFactor, purpose: str, origin: Origin
    ) -> str:
        if not isinstance(shown, FirstFactor):
            return await self._prover.prove(account_id, shown, purpose=purpose)
        if second := await self._known.methods(account_id):
            raise FactorWanted(second)
        if isinstance(shown, Password):
            method = "password"
            right = await self._outside.password_right(account_id, shown.text, origin)
        elif isinstance(shown, WalletSignature):
            method = "wallet"
            right = await self._outside.wallet_right(account_id, shown, origin)
        else:
            method = "key"
            right = await self._outside.key_right(account_id, shown.text, origin)
        if not right:
            raise Refused(f"the {method} was not right", code=f"{method}.wrong")
        return method


def _session(principal: Principal) -> UUID:
    if principal.session_id is None:
        raise Refused(
            "an API key cannot prove that anybody is there; sign in", code="session.needed"
        )
    return principal.session_id


def _purpose(account_id: UUID, session_id: UUID) -> str:
    return f"proof:{account_id}:{session_id}"


def _wrong() -> Refused:
    return Refused(
        "this did not prove that you are there; a code works once only, so wait for the next one",
        code="proof.wrong",
    )
