"""Proving a mailbox, and choosing another password: by a link, or by the present one.

    ask ─ 202, whoever it is ─▶ letter ─▶ link ─▶ confirm ─ one transaction ─▶ new password,
                                                   sessions ended, address proven, owner told

Whoever chooses a new password by a link still signs in afterwards, with a second factor if the
account has one: a mailbox alone opens no session.
"""

from uuid import UUID

from quantdesk.access.acts import Act
from quantdesk.access.audit.store import note
from quantdesk.access.links.links import Links, invalid
from quantdesk.access.links.model import Link, Purpose
from quantdesk.access.mail.addresses import address, words
from quantdesk.access.mail.outbox import Outbox
from quantdesk.access.model import Origin
from quantdesk.access.passwords import letters, rules, store
from quantdesk.access.passwords.model import NOTICE_MS, RESET_MS, Known, Signer
from quantdesk.access.passwords.ports import Around, Holders
from quantdesk.access.passwords.proving import Prover
from quantdesk.core.errors import Refused
from quantdesk.store.pool import Connection


class Recovering:
    """Takes links back, and gives accounts other passwords."""

    def __init__(
        self,
        around: Around,
        *,
        prover: Prover,
        outbox: Outbox,
        links: Links,
        holders: Holders,
    ) -> None:
        self._around = around
        self._prover = prover
        self._outbox = outbox
        self._links = links
        self._holders = holders

    async def ask(self, email: str, *, origin: Origin) -> None:
        """Have a link sent to whoever has an account of this address; nothing tells if any has.

        Raises `Refused` (`email.malformed`), `Unavailable` (`mail.full`).
        """
        email = address(email)
        async with self._around.pools.write.transaction() as c:
            await self._outbox.queue(c, letters.RESET, recipient=email, lasts_ms=RESET_MS)
            await note(c, self._act("reset.asked", origin, about=f"email:{email}"))
        self._outbox.nudge()

    async def verify(self, token: str, *, origin: Origin) -> None:
        """Note that an account's owner reads its mailbox; raise `Refused` (`link.invalid`)."""
        now_ms = self._around.clock.now_ms()
        try:
            async with self._around.pools.write.transaction() as c:
                link = await self._links.use(c, token, Purpose.VERIFY, now_ms=now_ms)
                await self._proven(c, link, now_ms)
                after: dict[str, object] = {"email": link.email, "emailVerified": True}
                act = self._act("user.changed", origin, account_id=link.account_id, after=after)
                await note(c, act)
        except Refused as problem:
            raise self._told(problem, origin) from None

    async def confirm(self, token: str, password: str, *, origin: Origin) -> None:
        """Give the account of a link a new password and end all of its sessions.

        Raises `Refused` (`link.invalid`, `password.short`, `.long`, `.malformed`, `.common`),
        `Unavailable` (`sign_in.busy`).
        """
        now_ms = self._around.clock.now_ms()
        try:
            async with self._around.pools.read.connection() as c:
                link = await self._links.peek(c, token, Purpose.RESET, now_ms=now_ms)
            # Refused or busy here, the link can be used again; nobody hashes without one.
            rules.check(password, own=words(link.email))
            hashed = await self._prover.hasher.hash(password)
            async with self._around.pools.write.transaction() as c:
                link = await self._links.use(c, token, Purpose.RESET, now_ms=now_ms)
                await self._reset(c, link, hashed, origin)
                await note(c, self._changed(link.account_id, origin, "link"))
        except Refused as problem:
            raise self._told(problem, origin) from None
        await self._changed_is_felt()

    async def change(self, signer: Signer, *, current: str, new: str, origin: Origin) -> None:
        """Give a signed-in account another password; its other sessions end.

        Raises `Refused` (`password.none`, `password.wrong`, `password.short`, `.long`,
        `.malformed`, `.common`, or what the throttle says), `Unavailable` (`sign_in.busy`).
        """
        async with self._around.pools.read.connection() as c:
            known = await store.by_id(c, signer.account_id)
        if known is None or known.hash is None or known.account.email is None:
            detail = "this account has no password; ask for a link to its email address"
            raise Refused(detail, code="password.none")
        email = known.account.email
        rules.check(new, own=words(email))
        await self._present(known, current, email, origin)
        hashed = await self._prover.hasher.hash(new)
        async with self._around.pools.write.transaction() as c:
            await self._replace(c, known, hashed)
            await self._holders.end_sessions(
                c, signer.account_id, origin=origin, but=signer.session_id
            )
            await note(c, self._changed(signer.account_id, origin, "password"))
        await self._changed_is_felt()

    async def _present(self, known: Known, current: str, email: str, origin: Origin) -> None:
        try:
            await self._prover.prove(known, current, email=email, origin=origin)
        except Refused as problem:
            if problem.code != "sign_in.failed":
                raise
            # They are signed in: 401 would send them away to sign in again.
            raise _wrong() from None

    async def _replace(self, c: Connection, known: Known, hashed: str) -> None:
        assert known.hash is not None, "it was just proven"
        assert known.account.email is not None, "it was just proven"
        account_id = known.account.id
        if not await store.choose_hash(
            c, account_id, old=known.hash, new=hashed, at_ms=self._around.clock.now_ms()
        ):
            raise _wrong()  # it was changed by somebody else a moment ago
        await self._links.void(c, account_id, Purpose.RESET)
        await self._notify(c, known.account.email)

    async def _reset(self, c: Connection, link: Link, hashed: str, origin: Origin) -> None:
        now_ms = self._around.clock.now_ms()
        known = await store.by_id(c, link.account_id)
        if known is None or known.account.disabled:
            raise invalid()
        if known.account.email_verified:
            await self._holders.end_sessions(c, link.account_id, origin=origin)
        else:
            # Whoever set this account up never read this mailbox: its owner takes it bare.
            await self._holders.evict(c, link.account_id, origin=origin)
        await self._proven(c, link, now_ms)
        await store.set_hash(c, link.account_id, hashed, at_ms=now_ms)
        await self._notify(c, link.email)

    async def _proven(self, c: Connection, link: Link, now_ms: int) -> None:
        if not await store.verify_email(c, link.account_id, link.email, at_ms=now_ms):
            raise invalid()  # the account has another address by now

    async def _changed_is_felt(self) -> None:
        self._outbox.nudge()
        await self._holders.felt()

    async def _notify(self, c: Connection, email: str) -> None:
        await self._outbox.queue(c, letters.CHANGED, recipient=email, lasts_ms=NOTICE_MS)

    def _told(self, problem: Refused, origin: Origin) -> Refused:
        """Return a refusal that the watch over threats has heard of if it may be a guess."""
        if problem.code == "link.invalid":
            self._around.tell(self._act("link.refused", origin, code=problem.code))
        return problem

    def _changed(self, account_id: UUID, origin: Origin, method: str) -> Act:
        after: dict[str, object] = {"method": method}
        return self._act("password.changed", origin, account_id=account_id, after=after)

    def _act(
        self,
        action: str,
        origin: Origin,
        *,
        account_id: UUID | None = None,
        about: str = "",
        code: str = "",
        after: dict[str, object] | None = None,
    ) -> Act:
        return Act(
            id=self._around.new_id(),
            at_ms=self._around.clock.now_ms(),
            action=action,
            origin=origin,
            account_id=account_id,
            about=about or ("" if account_id is None else f"account:{account_id}"),
            code=code,
            after=after,
        )


def _wrong() -> Refused:
    return Refused("the present password is wrong", code="password.wrong")
