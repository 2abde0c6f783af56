"""Users: listed, added, changed by admins; each change committed with the act that says so."""

from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from quantdesk.access import store as accounts
from quantdesk.access.acts import Act
from quantdesk.access.audit import store as audit
from quantdesk.access.known.known import Known
from quantdesk.access.model import Account, Origin, Principal, Role
from quantdesk.access.plans import PLANS
from quantdesk.access.sessions.sessions import Ending, Sessions
from quantdesk.access.users import rules, store
from quantdesk.access.users.kyc import KycProvider
from quantdesk.access.users.rules import Change
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Connection, Pools

_CHECKED: Final = frozenset({"pending", "approved"})


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user to add: signs in with an email address (lower case) or a wallet (chain, address)."""

    name: str
    role: Role
    email: str | None = None
    wallet: tuple[str, str] | None = None


class Users:
    """The users of a desk."""

    def __init__(  # what a user's change touches
        self,
        *,
        pools: Pools,
        known: Known,
        sessions: Sessions,
        kyc: KycProvider,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._pools = pools
        self._known = known
        self._sessions = sessions
        self._kyc = kyc
        self._clock = clock
        self._new_id = new_id

    async def page(self, *, before: UUID | None, limit: int) -> list[Account]:
        """Return users, the newest first, from before one of them."""
        async with self._pools.read.connection() as c:
            return await store.page(c, before=before, limit=limit)

    async def me(self, account_id: UUID) -> tuple[Account, list[tuple[str, str]]]:
        """Return a user and chain and address of their wallets."""
        async with self._pools.read.connection() as c:
            account = await accounts.account(c, account_id)
            assert account is not None, "a caller has an account"
            return account, await store.wallets(c, account_id)

    async def add(self, caller: Principal, wanted: NewUser, *, origin: Origin) -> Account:
        """Return a new user; raise `Refused` (`user.role`, `user.exists`)."""
        rules.check_role(caller, wanted.role)
        now_ms = self._clock.now_ms()
        user = Account(
            id=self._new_id(),
            name=wanted.name,
            role=wanted.role,
            email=wanted.email,
            created_ms=now_ms,
        )
        try:
            async with self._pools.write.transaction() as c:
                await accounts.add_account(c, user)
                if wanted.wallet is not None:
                    chain, address = wanted.wallet
                    await accounts.link_wallet(
                        c, user.id, chain=chain, address=address, at_ms=now_ms
                    )
                told = {**_told(user), "wallet": wanted.wallet and list(wanted.wallet)}
                await audit.note(c, self._act("user.added", caller, user, origin, after=told))
        except asyncpg.UniqueViolationError:
            raise Refused(
                "somebody of this desk has this address already", code="user.exists"
            ) from None
        await self._known.felt()
        return user

    async def find(self, user_id: UUID) -> Account:
        """Return a user; raise `Refused` (`user.unknown`)."""
        async with self._pools.read.connection() as c:
            user = await accounts.account(c, user_id)
        if user is None:
            raise unknown()
        return user

    async def change(
        self, caller: Principal, user_id: UUID, change: Change, *, origin: Origin
    ) -> Account:
        """Return a user as changed; felt at once, also by their open sockets.

        Raises `Refused`: `user.unknown`, `user.protected`, `user.role`, `user.self`,
        `user.last_owner`, `plan.unknown`.
        """
        if change.plan is not None and change.plan not in PLANS:
            raise Refused(f"plans are {', '.join(PLANS)}", code="plan.unknown")
        async with self._pools.write.transaction() as c:
            # Owners first, whoever is changed: two changes lock in the same order.
            owners = await store.lock_owners(c)
            before = await store.lock(c, user_id)
            if before is None:
                raise unknown()
            rules.check_change(caller, before, change, owners=owners)
            after = rules.changed(before, change)
            if after != before:
                await self._write(c, caller, before, after, origin)
        await self._known.felt()
        return after

    async def begin_kyc(self, caller: Principal, *, origin: Origin) -> Account:
        """Have it checked who the caller is, unless that was done or is being done."""
        user = await self.find(caller.account_id)
        if user.kyc in _CHECKED:
            return user
        begun = await self._kyc.begin(user)
        async with self._pools.write.transaction() as c:
            before = await store.lock(c, caller.account_id)
            assert before is not None, "a caller has an account"
            if before.kyc in _CHECKED:  # an admin was faster
                return before
            after = msgspec.structs.replace(before, kyc=begun)
            await self._write(c, caller, before, after, origin)
        return after

    async def _write(
        self, c: Connection, caller: Principal, before: Account, after: Account, origin: Origin
    ) -> None:
        await store.change(c, after, at_ms=self._clock.now_ms())
        if after.disabled and not before.disabled:
            await self._sessions.end_in(
                c, Ending(after.id, "account disabled"), by=caller, origin=origin
            )
        act = self._act("user.changed", caller, after, origin, after=_told(after))
        await audit.note(c, msgspec.structs.replace(act, before=_told(before)))

    def _act(
        self, action: str, caller: Principal, user: Account, origin: Origin, *, after: object
    ) -> Act:
        return Act(
            id=self._new_id(),
            at_ms=self._clock.now_ms(),
            action=action,
            origin=origin,
            about=f"user:{user.id}",
            after=after,
        ).by(caller)


def unknown() -> Refused:
    """Return the refusal of a user that is not there."""
    return Refused("there is no such user", code="user.unknown")


def _told(user: Account) -> dict[str, Any]:
    return {
        "name": user.name,
        "role": user.role,
        "email": user.email,
        "disabled": user.disabled,
        "kyc": user.kyc,
        "plan": user.plan,
    }
