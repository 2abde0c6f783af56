"""Registering and signing in with an email address and a password.

    register ─ hash ─▶ new account, letter "verify" │ known one, letter "taken"      the same answer
    login ─ throttle ─▶ hash ─▶ session, or a second factor

Whether an address has an account is told by no answer, and both cost the same: one hash each.
"""

from typing import Final
from uuid import UUID

import asyncpg

from quantdesk.access import accounts
from quantdesk.access.acts import Act
from quantdesk.access.audit.store import note
from quantdesk.access.mail.addresses import address, words
from quantdesk.access.mail.outbox import Outbox
from quantdesk.access.model import Account, FactorNeeded, Origin, SignedIn
from quantdesk.access.passwords import letters, rules, store
from quantdesk.access.passwords.model import NOTICE_MS, VERIFY_MS, Known, Policy
from quantdesk.access.passwords.ports import Around, Holders
from quantdesk.access.passwords.proving import Prover, failed
from quantdesk.access.welcome import Welcome
from quantdesk.core.errors import Refused
from quantdesk.store.pool import Connection

NAME_MAX: Final = 64


class SigningIn:
    """Registers accounts and opens their sessions."""

    def __init__(
        self,
        around: Around,
        *,
        policy: Policy,
        prover: Prover,
        outbox: Outbox,
        holders: Holders,
        welcome: Welcome,
    ) -> None:
        self._around = around
        self._policy = policy
        self._prover = prover
        self._outbox = outbox
        self._holders = holders
        self._welcome = welcome

    async def register(self, email: str, password: str, *, origin: Origin) -> None:
        """Add an account, or write to the owner of a taken address: no answer tells which.

        Raises `Refused` (`account.uninvited`, `email.malformed`, `password.short`, `.long`,
        `.malformed`, `.common`), `Unavailable` (`sign_in.busy`, `mail.full`).
        """
        if self._policy.registration == "invite":
            detail = "this desk takes no new users by itself; its admin can add you"
            raise Refused(detail, code="account.uninvited")
        email = address(email)
        rules.check(password, own=words(email))
        hashed = await self._prover.hasher.hash(password)
        try:
            await self._add(email, hashed, origin)
        except asyncpg.UniqueViolationError:  # somebody was quicker by a moment: now it is taken
            await self._add(email, hashed, origin)
        self._outbox.nudge()

    async def login(self, email: str, password: str, *, origin: Origin) -> SignedIn | FactorNeeded:
        """Open the session of whoever knows an account's password, or ask for a second factor.

        Raises `Refused` (`email.malformed`, `sign_in.failed`, `email.unverified`,
        `account.disabled`, or what the throttle says), `Unavailable` (`sign_in.busy`).
        """
        email = address(email)
        async with self._around.pools.read.connection() as c:
            found = await store.by_email(c, email)
        known = await self._prover.prove(found, password, email=email, origin=origin)
        if self._policy.unverified == "refused" and not known.account.email_verified:
            await self._send_verification(email)
            raise Refused(
                "open the link that was just sent to this address first", code="email.unverified"
            )
        await self._prover.upgrade(known, password)
        outcome = await self._welcome.begin(known.account, method="password", origin=origin)
        await self._still(known, origin)
        return outcome

    async def send_verification(self, account_id: UUID) -> None:
        """Send the owner of an account a link that proves its address.

        Raises `Refused` (`email.missing`, `email.verified`), `Unavailable` (`mail.full`).
        """
        async with self._around.pools.read.connection() as c:
            known = await store.by_id(c, account_id)
        if known is None or known.account.email is None:
            raise Refused("this account has no email address", code="email.missing")
        if known.account.email_verified:
            raise Refused("this address is verified already", code="email.verified")
        await self._send_verification(known.account.email)

    async def _send_verification(self, email: str) -> None:
        async with self._around.pools.write.transaction() as c:
            await self._outbox.queue(c, letters.VERIFY, recipient=email, lasts_ms=VERIFY_MS)
        self._outbox.nudge()

    async def _still(self, known: Known, origin: Origin) -> None:
        """Take a session back that was opened with a password that was changed meanwhile."""
        async with self._around.pools.write.transaction() as c:
            if await store.version(c, known.account.id) == known.version:
                return
            await self._holders.end_sessions(c, known.account.id, origin=origin)
        await self._holders.felt()
        raise failed()

    async def _add(self, email: str, hashed: str, origin: Origin) -> None:
        async with self._around.pools.write.transaction() as c:
            if await store.by_email(c, email) is not None:
                await self._outbox.queue(c, letters.TAKEN, recipient=email, lasts_ms=NOTICE_MS)
                await note(c, self._registered(email, origin, code="email.taken"))
                return
            account = await self._account(c, email, hashed)
            await self._outbox.queue(c, letters.VERIFY, recipient=email, lasts_ms=VERIFY_MS)
            await note(c, self._registered(email, origin, account=account))

    async def _account(self, c: Connection, email: str, hashed: str) -> Account:
        now_ms = self._around.clock.now_ms()
        account = await accounts.register(
            c,
            name=email.partition("@")[0][:NAME_MAX],
            registration=self._policy.registration,
            new_id=self._around.new_id,
            now_ms=now_ms,
        )
        await store.give_email(c, account, email)
        await store.set_hash(c, account.id, hashed, at_ms=now_ms)
        return account

    def _registered(
        self, email: str, origin: Origin, *, account: Account | None = None, code: str = ""
    ) -> Act:
        return Act(
            id=self._around.new_id(),
            at_ms=self._around.clock.now_ms(),
            action="user.added",
            origin=origin,
            account_id=None if account is None else account.id,
            about=f"email:{email}",
            code=code,
            after=None if account is None else {"role": account.role, "method": "password"},
        )
