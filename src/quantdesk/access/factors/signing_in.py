"""Signing in with a second factor, or with a passkey alone.

    first factor ─▶ ticket ─▶ code, recovery code or passkey ─▶ session
    passkey ─▶ session                          (its user was verified: it is two factors in one)

Options for a passkey alone are made without asking for a name, so that nobody learns from them who
has an account.
"""

import hashlib
from typing import Any, Final
from uuid import UUID

from quantdesk.access import store as accounts
from quantdesk.access.acts import Act
from quantdesk.access.factors import passkeys, store
from quantdesk.access.factors.known import KnownFactors
from quantdesk.access.factors.model import TICKET_TRIES_MAX, Credential, Passkey, SecondFactor
from quantdesk.access.factors.port import Means, Outside, throttled
from quantdesk.access.factors.prover import LOCKED, Prover
from quantdesk.access.model import Account, FactorNeeded, Origin, SignedIn
from quantdesk.access.welcome import Welcome
from quantdesk.core.errors import Refused

_ALONE: Final = "sign_in"
_NOBODY: Final = "factor:nobody"
"""What tries are counted under whose passkey nobody here has: by network alone."""


class SecondStep:
    """Finishes a sign-in whose first factor was right."""

    def __init__(self, *, means: Means, outside: Outside, prover: Prover, welcome: Welcome) -> None:
        self._means = means
        self._outside = outside
        self._prover = prover
        self._welcome = welcome
        self._known = KnownFactors(means.pools)

    async def options(self, ticket: str) -> dict[str, Any]:
        """Return what the passkeys of a ticket's holder are asked.

        Raises `Refused` (`ticket.invalid`).
        """
        account_id = await self._welcome.holder(ticket)
        known = await self._known.of(account_id)
        challenge = self._means.challenges.make(_purpose(ticket))
        return passkeys.request_options(self._means.site, challenge, known.passkeys)

    async def finish(self, ticket: str, shown: SecondFactor, origin: Origin) -> SignedIn:
        """Open the session of a ticket, by a second factor of its holder.

        Raises `Refused` (`ticket.invalid`, `factor.wrong`, `factor.locked`, `sign_in.throttled`).
        """
        account_id = await self._welcome.holder(ticket)
        await self._outside.throttle.check(throttled(account_id), origin.ip)
        await self._count(ticket, account_id, origin)
        try:
            method = await self._prover.prove(account_id, shown, purpose=_purpose(ticket))
        except Refused as problem:
            self._tell(account_id, origin, "factor.failed", problem.code)
            await self._outside.throttle.failed(throttled(account_id), origin.ip)
            raise problem if problem.code == LOCKED else wrong() from None
        await self._outside.throttle.succeeded(throttled(account_id), origin.ip)
        return await self._welcome.finish(ticket, method=method, origin=origin)

    async def _count(self, ticket: str, account_id: UUID, origin: Origin) -> None:
        now_ms = self._means.clock.now_ms()
        async with self._means.pools.write.connection() as c:
            if await store.try_ticket(c, _hashed(ticket), now_ms=now_ms):
                return
        self._tell(account_id, origin, "factor.failed", "ticket.exhausted")
        raise Refused(
            f"this sign-in was tried {TICKET_TRIES_MAX} times; sign in again",
            code="ticket.invalid",
        )

    def _tell(self, account_id: UUID, origin: Origin, action: str, code: str) -> None:
        self._outside.tell(_failure(self._means, account_id, origin, action, code))


class PasskeySignIn:
    """Signs in with a passkey alone."""

    def __init__(self, *, means: Means, outside: Outside, prover: Prover, welcome: Welcome) -> None:
        self._means = means
        self._outside = outside
        self._prover = prover
        self._welcome = welcome

    def options(self) -> dict[str, Any]:
        """Return what any passkey of this desk is asked."""
        return passkeys.request_options(self._means.site, self._means.challenges.make(_ALONE))

    async def sign_in(self, credential: Credential, origin: Origin) -> SignedIn:
        """Open a session of the account whose passkey answers.

        Raises `Refused` (`factor.wrong`, `account.disabled`, `sign_in.throttled`).
        """
        passkey = await self._known(credential)
        tried = _NOBODY if passkey is None else throttled(passkey.account_id)
        await self._outside.throttle.check(tried, origin.ip)
        try:
            account = await self._proven(passkey, credential)
        except Refused as problem:
            account_id = None if passkey is None else passkey.account_id
            self._outside.tell(
                _failure(self._means, account_id, origin, "sign_in.failed", problem.code)
            )
            await self._outside.throttle.failed(tried, origin.ip)
            raise wrong() from None
        await self._outside.throttle.succeeded(tried, origin.ip)
        begun = await self._welcome.begin(account, method="passkey", origin=origin)
        if isinstance(begun, FactorNeeded):
            return await self._welcome.finish(begun.ticket, method="passkey", origin=origin)
        return begun

    async def _known(self, credential: Credential) -> Passkey | None:
        try:
            return await self._prover.passkey(credential)
        except Refused:
            return None

    async def _proven(self, passkey: Passkey | None, credential: Credential) -> Account:
        if passkey is None or passkeys.user_of(credential) != passkey.account_id:
            raise passkeys.invalid("this passkey belongs to nobody here")
        await self._prover.prove_passkey(passkey, credential, purpose=_ALONE)
        async with self._means.pools.read.connection() as c:
            account = await accounts.account(c, passkey.account_id)
        assert account is not None, "a passkey refers to its account"
        return account


def wrong() -> Refused:
    """Return the one refusal of whatever did not prove an account's second factor."""
    return Refused(
        "this did not prove who you are; a code works once only, so wait for the next one",
        code="factor.wrong",
    )


def _failure(means: Means, account_id: UUID | None, origin: Origin, action: str, code: str) -> Act:
    return Act(
        id=means.new_id(),
        at_ms=means.clock.now_ms(),
        action=action,
        origin=origin,
        account_id=account_id,
        code=code,
    )


def _hashed(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()


def _purpose(ticket: str) -> str:
    return f"mfa:{_hashed(ticket).hex()}"
