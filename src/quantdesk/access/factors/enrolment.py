"""Adding and removing second factors. Each change takes a fresh proof and ends other sessions.

    begin ─▶ seed or options ─▶ the app or authenticator shows that it has it ─▶ added
                                                 └▶ the first factor: ten recovery codes, shown once

What was begun is bound to the session or key that began it: nobody else can confirm it.
Sessions end in the transaction of the change: there is never one without the other.
"""

from contextlib import suppress
from typing import Any
from uuid import UUID

from quantdesk.access import store as accounts
from quantdesk.access.audit import store as audit
from quantdesk.access.factors import drawn, passkeys, recovery, store, totp
from quantdesk.access.factors.known import KnownFactors
from quantdesk.access.factors.model import (
    ENROLMENT_MS,
    PASSKEYS_MAX,
    Credential,
    Factors,
    Passkey,
    Seed,
)
from quantdesk.access.factors.port import Means, Outside, act_of
from quantdesk.access.factors.prover import replayed, spent, totp_about
from quantdesk.access.model import Account, Origin, Principal
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.store.pool import Connection

Codes = tuple[str, ...]


class Enrolment:
    """Changes the second factors of whoever calls.

    Everything that changes something raises what `Outside.fresh` does.
    """

    def __init__(self, *, means: Means, outside: Outside) -> None:
        self._means = means
        self._outside = outside
        self._known = KnownFactors(means.pools)

    async def begin_totp(self, principal: Principal) -> Seed:
        """Return the seed of an app to be added; raise `Refused` (`factor.exists`)."""
        now_ms = await self._fresh(principal)
        account_id = principal.account_id
        if (await self._known.of(account_id)).totp_ms is not None:
            raise _exists("there is an app already; remove it first")
        account = await self._account(account_id)
        secret, expires_ms = drawn.seed(), now_ms + ENROLMENT_MS
        sealed = self._means.sealer.seal(secret.encode(), about=_pending(principal))
        async with self._means.pools.write.connection() as c:
            await store.begin_enrolment(
                c, account_id, holder=_holder(principal), seed=sealed, expires_ms=expires_ms
            )
        uri = totp.link(secret, name=account.email or account.name, issuer=self._means.site.name)
        return Seed(secret=secret, uri=uri, expires_ms=expires_ms)

    async def confirm_totp(self, principal: Principal, digits: str, origin: Origin) -> Codes:
        """Add the app that was begun; return the recovery codes made with a first factor.

        Raises `Refused` (`totp.not_begun`, `totp.wrong`, `factor.exists`).
        """
        now_ms, account_id = await self._fresh(principal), principal.account_id
        async with self._means.pools.write.connection() as c:
            pending = await store.try_enrolment(
                c, account_id, holder=_holder(principal), now_ms=now_ms
            )
        if pending is None:
            raise _not_begun()
        seed = self._means.sealer.open(pending, about=_pending(principal))
        step = totp.matching_step(seed.decode(), digits, now_ms=now_ms)
        if step is None:
            raise Refused(
                "this is not the app's code; check the clock of its device", code="totp.wrong"
            )
        sealed = self._means.sealer.seal(seed, about=totp_about(account_id))
        async with self._means.pools.write.transaction() as c:
            await store.lock(c, account_id)
            before = await store.factors(c, account_id)
            if not await store.end_enrolment(c, account_id, seed=pending):
                raise _not_begun()
            if not await store.add_totp(c, account_id, seed=sealed, step=step, at_ms=now_ms):
                raise _exists("there is an app already")
            codes = await _codes_of_the_first(c, account_id, before)
            await self._changed(c, principal, origin, "factor.added", "totp")
        await self._announce(account_id, "factor.added")
        return codes

    async def remove_totp(self, principal: Principal, origin: Origin) -> None:
        """Remove the app; raise `Refused` (`factor.unknown`)."""
        await self._fresh(principal)
        async with self._means.pools.write.transaction() as c:
            await store.lock(c, principal.account_id)
            if not await store.remove_totp(c, principal.account_id):
                raise _unknown()
            await self._removed(c, principal, origin, "totp")
        await self._announce(principal.account_id, "factor.removed")

    async def renew_codes(self, principal: Principal, origin: Origin) -> Codes:
        """Return ten new recovery codes; the old ones stop working.

        Raises `Refused` (`factor.none`): they stand in for a factor there is none of.
        """
        await self._fresh(principal)
        account_id, codes = principal.account_id, drawn.recovery_codes()
        async with self._means.pools.write.transaction() as c:
            await store.lock(c, account_id)
            if not (await store.factors(c, account_id)).any:
                raise Refused("add an app or a passkey first", code="factor.none")
            await store.replace_codes(c, account_id, [recovery.digest(code) for code in codes])
            await self._changed(c, principal, origin, "factor.added", "recovery")
        await self._announce(account_id, "factor.added")
        return codes

    async def begin_passkey(self, principal: Principal) -> dict[str, Any]:
        """Return what an authenticator is asked to make a passkey; see `_room`."""
        await self._fresh(principal)
        has = await self._known.of(principal.account_id)
        _room(has)
        account = await self._account(principal.account_id)
        challenge = self._means.challenges.make(_registering(principal))
        return passkeys.creation_options(self._means.site, account, challenge, has.passkeys)

    async def add_passkey(
        self, principal: Principal, *, name: str, credential: Credential, origin: Origin
    ) -> tuple[Passkey, Codes]:
        """Add a passkey; return it and the recovery codes made with a first factor.

        Raises `Refused` (`passkey.invalid`, `challenge.invalid`, `challenge.replayed`,
        `factor.exists`, `factor.too_many`).
        """
        now_ms = await self._fresh(principal)
        challenge = passkeys.challenge_of(credential)
        expires_ms = self._means.challenges.check(challenge, _registering(principal))
        made = passkeys.registered(self._means.site, credential, challenge)
        passkey = Passkey(
            id=self._means.new_id(),
            account_id=principal.account_id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            name=name,
            backed_up=made.backed_up,
            added_ms=now_ms,
        )
        async with self._means.pools.write.transaction() as c:
            await store.lock(c, principal.account_id)
            before = await store.factors(c, principal.account_id)
            _room(before)
            if not await store.spend(c, spent(challenge), expires_ms=expires_ms, now_ms=now_ms):
                raise replayed()
            if not await store.add_passkey(c, passkey):
                raise _exists("this passkey is known already")
            codes = await _codes_of_the_first(c, principal.account_id, before)
            await self._changed(c, principal, origin, "factor.added", f"passkey:{passkey.id}")
        await self._announce(principal.account_id, "factor.added")
        return passkey, codes

    async def remove_passkey(self, principal: Principal, passkey_id: UUID, origin: Origin) -> None:
        """Remove a passkey of the caller; raise `Refused` (`factor.unknown`)."""
        await self._fresh(principal)
        async with self._means.pools.write.transaction() as c:
            await store.lock(c, principal.account_id)
            if not await store.remove_passkey(c, principal.account_id, passkey_id):
                raise _unknown()
            await self._removed(c, principal, origin, f"passkey:{passkey_id}")
        await self._announce(principal.account_id, "factor.removed")

    async def _fresh(self, principal: Principal) -> int:
        now_ms = self._means.clock.now_ms()
        proofs = await self._known.proofs(principal.account_id)
        self._outside.fresh(principal, now_ms, methods=proofs)
        return now_ms

    async def _account(self, account_id: UUID) -> Account:
        async with self._means.pools.read.connection() as c:
            account = await accounts.account(c, account_id)
        assert account is not None, "a caller has an account"
        return account

    async def _removed(
        self, c: Connection, principal: Principal, origin: Origin, about: str
    ) -> None:
        if not (await store.factors(c, principal.account_id)).any:
            await store.replace_codes(c, principal.account_id, ())
        await self._changed(c, principal, origin, "factor.removed", about)

    async def _changed(
        self, c: Connection, principal: Principal, origin: Origin, action: str, about: str
    ) -> None:
        await self._outside.end_others(c, principal, origin)
        await audit.note(c, act_of(self._means, principal, origin, action, about))

    async def _announce(self, account_id: UUID, what: str) -> None:
        # It is done: whoever cannot be told of it now must not cost its owner the recovery codes.
        with suppress(Unavailable):
            await self._outside.felt()
        with suppress(Unavailable):
            await self._outside.tell_user(account_id, what)


async def _codes_of_the_first(c: Connection, account_id: UUID, before: Factors) -> Codes:
    """Return recovery codes when there was no factor before; they are shown this once."""
    if before.any:
        return ()
    codes = drawn.recovery_codes()
    await store.replace_codes(c, account_id, [recovery.digest(code) for code in codes])
    return codes


def _holder(principal: Principal) -> UUID:
    holder = principal.session_id or principal.key_id
    assert holder is not None, "a caller has a session or a key"
    return holder


def _pending(principal: Principal) -> str:
    return f"{totp_about(principal.account_id)}:{_holder(principal)}"


def _registering(principal: Principal) -> str:
    return f"register:{principal.account_id}:{_holder(principal)}"


def _room(has: Factors) -> None:
    """Raise `Refused` (`factor.too_many`) when there is no room for another passkey."""
    if len(has.passkeys) >= PASSKEYS_MAX:
        raise Refused(
            f"an account has at most {PASSKEYS_MAX} passkeys; remove one", code="factor.too_many"
        )


def _exists(detail: str) -> Refused:
    return Refused(detail, code="factor.exists")


def _unknown() -> Refused:
    return Refused("there is no such second factor", code="factor.unknown")


def _not_begun() -> Refused:
    return Refused(
        "no app is being added by this session, or it took too long; begin again",
        code="totp.not_begun",
    )
