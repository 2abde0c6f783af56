"""API keys: made and shown once, rotated with an overlap, revoked at once and everywhere.

Each change is committed with the act that says so. When a key was used is noted lazily, at most
once a minute.
"""

from typing import Any, Final
from uuid import UUID

import msgspec

from quantdesk.access import store as accounts
from quantdesk.access.acts import Act
from quantdesk.access.api_keys import rules, store
from quantdesk.access.api_keys.store import ApiKey
from quantdesk.access.audit import store as audit
from quantdesk.access.keys import SHOWN, digest, new_key
from quantdesk.access.known.known import Known
from quantdesk.access.model import Account, Origin, Principal
from quantdesk.access.plans import entitled
from quantdesk.core.clock import Clock, iso
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Connection, Pools

NOTE_USES_S: Final = 60.0


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A key that somebody wants; times are Unix milliseconds."""

    name: str
    scopes: tuple[str, ...]
    allow_ips: tuple[str, ...] = ()
    expires_ms: int | None = None


class ApiKeys:
    """The keys of all accounts; each handles their own."""

    def __init__(self, *, pools: Pools, known: Known, clock: Clock, new_id: NewId) -> None:
        self._pools = pools
        self._known = known
        self._clock = clock
        self._new_id = new_id
        self._uses: dict[UUID, int] = {}

    async def of(self, caller: Principal) -> list[ApiKey]:
        """Return the caller's keys that work, the newest first."""
        async with self._pools.read.connection() as c:
            return await store.keys(c, caller.account_id, now_ms=self._clock.now_ms())

    async def make(
        self, caller: Principal, wanted: Wanted, *, origin: Origin
    ) -> tuple[ApiKey, str]:
        """Return a new key of the caller's and its secret, which is shown this once.

        Raises `Refused`: `key.scope`, `key.network`, `key.expiry`, `plan.keys`.
        """
        now_ms = self._clock.now_ms()
        rules.check_expiry(wanted.expires_ms, now_ms=now_ms)
        scopes = rules.check_scopes(caller.role, wanted.scopes)
        networks = rules.check_networks(wanted.allow_ips)
        async with self._pools.write.transaction() as c:
            holder = await self._holder(c, caller)
            working = [
                key for key in await store.keys(c, holder.id, now_ms=now_ms) if not key.local
            ]
            rules.check_quota(len(working), entitled(holder.plan))
            secret = new_key()
            key = ApiKey(
                id=self._new_id(),
                account_id=holder.id,
                name=wanted.name,
                prefix=secret[:SHOWN],
                scopes=scopes,
                allow_ips=networks,
                created_ms=now_ms,
                expires_ms=wanted.expires_ms,
            )
            await store.add(c, key, digest(secret))
            await audit.note(c, self._act("key.made", caller, key, origin, after=_told(key)))
        await self._known.felt()
        return key, secret

    async def find(self, caller: Principal, key_id: UUID) -> ApiKey:
        """Return one of the caller's keys; raise `Refused` (`api_key.unknown`)."""
        for key in await self.of(caller):
            if key.id == key_id:
                return key
        raise unknown()

    async def rotate(
        self, caller: Principal, key_id: UUID, *, overlap_s: int, origin: Origin
    ) -> tuple[ApiKey, str]:
        """Return a key like an earlier one, which goes on working for a while, and its secret.

        Raises `Refused`: `api_key.unknown`, `api_key.local`, `plan.overlap`.
        """
        now_ms = self._clock.now_ms()
        async with self._pools.write.transaction() as c:
            holder = await self._holder(c, caller)
            old = await self._own(c, caller, key_id)
            longest_s = entitled(holder.plan).key_rotation_overlap_s_max
            if overlap_s > longest_s:
                raise Refused(f"your plan overlaps at most {longest_s} s", code="plan.overlap")
            secret = new_key()
            key = msgspec.structs.replace(
                old, id=self._new_id(), prefix=secret[:SHOWN], created_ms=now_ms, used_ms=None
            )
            await store.add(c, key, digest(secret))
            until_ms = min(now_ms + overlap_s * 1000, old.expires_ms or now_ms + overlap_s * 1000)
            await store.expire(c, old.id, at_ms=until_ms)
            act = self._act(
                "key.rotated", caller, old, origin,
                before=_told(old), after={**_told(key), "before works until": iso(until_ms)},
            )  # fmt: skip
            await audit.note(c, act)
        await self._known.felt()
        return key, secret

    async def revoke(self, caller: Principal, key_id: UUID, *, origin: Origin) -> None:
        """End one of the caller's keys; raise `Refused` (`api_key.unknown`, `api_key.local`)."""
        async with self._pools.write.transaction() as c:
            key = await self._own(c, caller, key_id)
            await store.revoke(c, key.id, at_ms=self._clock.now_ms())
            await audit.note(c, self._act("key.revoked", caller, key, origin, before=_told(key)))
        await self._known.felt()

    def used(self, caller: Principal) -> None:
        """Note that a key was used; written later."""
        if caller.key_id is not None:
            self._uses[caller.key_id] = self._clock.now_ms()

    async def run(self) -> None:
        """Write down when keys were used last, once a minute, until cancelled."""
        while True:
            await self._clock.sleep(NOTE_USES_S)
            if not self._uses:
                continue
            uses, self._uses = self._uses, {}
            try:
                async with self._pools.write.transaction() as c:
                    await store.note_uses(c, uses)
            except Unavailable:  # there is time
                self._uses = uses | self._uses

    async def _holder(self, c: Connection, caller: Principal) -> Account:
        await store.lock_account(c, caller.account_id)
        holder = await accounts.account(c, caller.account_id)
        assert holder is not None, "a caller has an account"
        return holder

    async def _own(self, c: Connection, caller: Principal, key_id: UUID) -> ApiKey:
        key = await store.lock_key(c, caller.account_id, key_id, now_ms=self._clock.now_ms())
        if key is None:
            raise unknown()
        if key.local:
            raise Refused(
                "the desk's own key is replaced by deleting owner.key and starting the desk again",
                code="api_key.local",
            )
        return key

    def _act(
        self,
        action: str,
        caller: Principal,
        key: ApiKey,
        origin: Origin,
        *,
        before: object = None,
        after: object = None,
    ) -> Act:
        return Act(
            id=self._new_id(),
            at_ms=self._clock.now_ms(),
            action=action,
            origin=origin,
            about=f"key:{key.id}",
            before=before,
            after=after,
        ).by(caller)


def unknown() -> Refused:
    """Return the refusal of a key that is not there, or is somebody else's."""
    return Refused("there is no such key of yours", code="api_key.unknown")


def _told(key: ApiKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "prefix": key.prefix,
        "scopes": None if key.scopes is None else list(key.scopes),
        "allowIps": list(key.allow_ips),
        "expiresAt": None if key.expires_ms is None else iso(key.expires_ms),
    }
