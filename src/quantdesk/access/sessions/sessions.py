"""Sessions: opened, renewed, proven and ended.

    sign-in ─▶ open: a new session id, an access token, a refresh token
    refresh ─▶ renew: the refresh token is spent, the next one takes its place
    a spent one comes back ─▶ somebody else has it too: the session ends

Each change is committed with the act that says so, and known to this process when it returns.
"""

from contextlib import suppress
from typing import Final
from uuid import UUID

import msgspec

from quantdesk.access import store as accounts
from quantdesk.access.acts import Act
from quantdesk.access.audit import store as audit
from quantdesk.access.keys import digest, new_secret
from quantdesk.access.known.known import Known
from quantdesk.access.model import Account, Origin, Principal, SignedIn
from quantdesk.access.sessions import store
from quantdesk.access.sessions.store import Refresh, Session
from quantdesk.access.tokens.csrf import csrf
from quantdesk.access.tokens.jwt import Tokens
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Connection, Pools

PER_ACCOUNT_MAX: Final = 50
"""Open sessions of an account; the one used least lately makes room for the next."""
FORGET_MS: Final = 90 * 86_400_000
_FORGET_S: Final = 60.0


class Sessions:
    """The sessions of a desk."""

    def __init__(
        self,
        *,
        pools: Pools,
        known: Known,
        tokens: Tokens,
        lasts_ms: int,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._pools = pools
        self._known = known
        self._tokens = tokens
        self._lasts_ms = lasts_ms
        self._clock = clock
        self._new_id = new_id

    async def open(
        self, c: Connection, account_id: UUID, *, method: str, origin: Origin
    ) -> SignedIn:
        """Open a session in this transaction; raise `Refused` (`account.disabled`)."""
        account = await accounts.account(c, account_id)
        if account is None or account.disabled:
            raise disabled()
        now_ms = self._clock.now_ms()
        surplus = await store.surplus(c, account.id, keep=PER_ACCOUNT_MAX - 1, now_ms=now_ms)
        if surplus:
            await store.end_sessions(
                c, account.id, only=surplus, spare=None, why="surplus", at_ms=now_ms
            )
        session = Session(
            id=self._new_id(),
            account_id=account.id,
            method=method,
            ip=origin.ip,
            agent=origin.agent,
            opened_ms=now_ms,
            proven_ms=now_ms,
            renewed_ms=now_ms,
            expires_ms=now_ms + self._lasts_ms,
        )
        await store.open_session(c, session)
        opened = await self._issue(c, account, session.id)
        act = self._act("session.opened", origin, account.id, session.id)
        await audit.note(c, msgspec.structs.replace(act, after={"method": method}))
        return opened

    async def renew(self, refresh: str, *, origin: Origin) -> SignedIn:
        """Spend a refresh token and return the session's next tokens.

        Raises `Refused`: `refresh.invalid`, `account.disabled`. One that was spent before ends the
        session, whoever it is that came second.
        """
        async with self._pools.write.transaction() as c:
            found = await store.spend_refresh(c, digest(refresh), at_ms=self._clock.now_ms())
            renewed = None if found is None else await self._renewed(c, found, origin)
        await self._known.felt()
        if renewed is None:
            raise Refused("sign in again: this session is over", code="refresh.invalid")
        return renewed

    async def owner_of(self, refresh: str) -> tuple[UUID, UUID] | None:
        """Return session and account of a refresh token, if it is known."""
        async with self._pools.read.connection() as c:
            return await store.refresh_owner(c, digest(refresh))

    async def of_account(self, account_id: UUID) -> list[Session]:
        """Return an account's open sessions, the newest first."""
        async with self._pools.read.connection() as c:
            return await store.sessions(c, account_id, now_ms=self._clock.now_ms())

    async def end(
        self, caller: Principal, session_id: UUID, *, origin: Origin, why: str = "signed out"
    ) -> None:
        """End one of the caller's sessions, everywhere; raise `Refused` (`session.unknown`)."""
        ending = Ending(caller.account_id, why, only=(session_id,))
        if not await self.end_all(ending, by=caller, origin=origin):
            raise Refused("there is no such session of yours", code="session.unknown")

    async def end_all(
        self, ending: "Ending", *, by: Principal | None, origin: Origin
    ) -> list[UUID]:
        """End sessions, everywhere; return which of them were open."""
        async with self._pools.write.transaction() as c:
            ended = await self.end_in(c, ending, by=by, origin=origin)
        await self._known.felt()
        return ended

    async def end_in(
        self, c: Connection, ending: "Ending", *, by: Principal | None, origin: Origin
    ) -> list[UUID]:
        """End sessions in this transaction; `Known.catch_up` after it makes it felt at once."""
        ended = await store.end_sessions(
            c,
            ending.account_id,
            only=ending.only,
            spare=ending.spare,
            why=ending.why,
            at_ms=self._clock.now_ms(),
        )
        for session_id in ended:
            act = self._act("session.closed", origin, by or ending.account_id, session_id)
            await audit.note(c, msgspec.structs.replace(act, after={"why": ending.why}))
        return ended

    async def prove(self, session_id: UUID) -> None:
        """Note that the person behind a session just proved to be there; felt at once."""
        async with self._pools.write.transaction() as c:
            await store.prove(c, session_id, at_ms=self._clock.now_ms())
        await self._known.felt()

    async def run(self) -> None:
        """Forget what ended long ago, until cancelled."""
        while True:
            now_ms = self._clock.now_ms()
            with suppress(Unavailable):  # there is time
                async with self._pools.write.transaction() as c:
                    await store.forget(c, now_ms=now_ms, ended_before_ms=now_ms - FORGET_MS)
            await self._clock.sleep(_FORGET_S)

    async def _renewed(self, c: Connection, found: Refresh, origin: Origin) -> SignedIn | None:
        if found.spent:
            act = self._act("token.replayed", origin, found.account_id, found.session_id)
            await audit.note(c, msgspec.structs.replace(act, code="refresh.invalid"))
            ending = Ending(found.account_id, "token replayed", only=(found.session_id,))
            await self.end_in(c, ending, by=None, origin=origin)
            return None
        account = await accounts.account(c, found.account_id)
        if not found.open or account is None or account.disabled:
            return None
        now_ms = self._clock.now_ms()
        await store.renew(
            c,
            found.session_id,
            origin=origin,
            at_ms=now_ms,
            until_ms=now_ms + self._lasts_ms,
        )
        return await self._issue(c, account, found.session_id)

    async def _issue(self, c: Connection, account: Account, session_id: UUID) -> SignedIn:
        now_ms, refresh = self._clock.now_ms(), new_secret("qdr_")
        await store.add_refresh(c, session_id, digest(refresh), at_ms=now_ms)
        token, expires_ms = self._tokens.make(
            account_id=account.id, session_id=session_id, token_id=self._new_id(), now_ms=now_ms
        )
        return SignedIn(
            account=account,
            session_id=session_id,
            token=token,
            refresh=refresh,
            csrf=csrf(token),
            expires_ms=expires_ms,
        )

    def _act(self, action: str, origin: Origin, who: Principal | UUID, about: UUID) -> Act:
        by = who if isinstance(who, Principal) else None
        return Act(
            id=self._new_id(),
            at_ms=self._clock.now_ms(),
            action=action,
            origin=origin,
            account_id=who.account_id if isinstance(who, Principal) else who,
            key_id=by.key_id if by else None,
            session_id=by.session_id if by else about,
            about=f"session:{about}",
        )


class Ending(msgspec.Struct, frozen=True):
    """Which sessions of an account end: those named, else all but the one spared; and why."""

    account_id: UUID
    why: str
    only: tuple[UUID, ...] | None = None
    spare: UUID | None = None


def disabled() -> Refused:
    """Return the refusal of an account that an admin has disabled."""
    return Refused("this account is disabled; the desk's admin knows more", code="account.disabled")
