"""Accounts, keys and sessions in memory, and who each credential speaks for. Pure.

A caller is worked out when first asked for and kept until anything changes.
"""

from collections.abc import Collection, Iterable, Iterator
from uuid import UUID

import msgspec

from quantdesk.access.known.store import Holder, KnownKey, KnownSession
from quantdesk.access.model import Principal
from quantdesk.access.networks import is_loopback, within
from quantdesk.access.policy import granted


class _Key(msgspec.Struct, frozen=True):
    """An API key, ready to be asked: who it speaks for from here, and from elsewhere."""

    near: Principal
    far: Principal
    allow_ips: tuple[str, ...]
    expires_ms: int | None


class Directory:
    """What is known; times are Unix milliseconds."""

    def __init__(self) -> None:
        self._holders: dict[UUID, Holder] = {}
        self._keys: dict[bytes, KnownKey] = {}
        self._hashes: dict[UUID, bytes] = {}
        self._sessions: dict[UUID, KnownSession] = {}
        self._callers_by_key: dict[bytes, _Key] = {}
        self._callers_by_session: dict[UUID, Principal] = {}

    def clear(self) -> None:
        """Forget everything."""
        for known in (self._holders, self._keys, self._hashes, self._sessions):
            known.clear()
        self._forget_callers()

    def put_holders(self, holders: Iterable[Holder]) -> None:
        """Take accounts as they are now."""
        self._holders |= {holder.id: holder for holder in holders}
        self._forget_callers()

    def put_keys(self, keys: Iterable[KnownKey], *, asked: Collection[UUID] = ()) -> None:
        """Take keys as they are now; those asked for that are not among them work no more."""
        for key_id in asked:
            if (known := self._hashes.pop(key_id, None)) is not None:
                del self._keys[known]
        for key in keys:
            self._keys[key.hash] = key
            self._hashes[key.id] = key.hash
        self._forget_callers()

    def put_sessions(
        self, sessions: Iterable[KnownSession], *, asked: Collection[UUID] = ()
    ) -> None:
        """Take sessions as they are now; those asked for that are not among them have ended."""
        for session_id in asked:
            self._sessions.pop(session_id, None)
            self._callers_by_session.pop(session_id, None)
        for session in sessions:
            self._sessions[session.id] = session
            self._callers_by_session.pop(session.id, None)

    def expire(self, *, now_ms: int) -> bool:
        """Forget sessions and keys whose time is over; return whether there were any."""
        sessions = [s.id for s in self._sessions.values() if s.expires_ms <= now_ms]
        keys = [k.id for k in self._keys.values() if k.expires_ms and k.expires_ms <= now_ms]
        self.put_sessions((), asked=sessions)
        if keys:
            self.put_keys((), asked=keys)
        return bool(sessions or keys)

    def by_session(self, session_id: UUID, *, now_ms: int) -> Principal | None:
        """Return who a session speaks for while it is open."""
        session = self._sessions.get(session_id)
        if session is None or session.expires_ms <= now_ms:
            return None
        caller = self._callers_by_session.get(session_id)
        if caller is None:
            holder = self._able(session.account_id)
            if holder is None:
                return None
            caller = self._callers_by_session[session_id] = Principal(
                account_id=holder.id,
                role=holder.role,
                may=granted(holder.role),
                session_id=session_id,
                proven_ms=session.proven_ms,
            )
        return caller

    def by_key(self, key_hash: bytes, *, ip: str, now_ms: int) -> Principal | None:
        """Return who an API key speaks for, asked from an address, while it works."""
        ready = self._callers_by_key.get(key_hash)
        if ready is None:
            ready = self._ready(key_hash)
            if ready is None:
                return None
            self._callers_by_key[key_hash] = ready
        if ready.expires_ms is not None and ready.expires_ms <= now_ms:
            return None
        if ready.allow_ips and not within(ip, ready.allow_ips):
            return None
        return ready.near if ready.near is ready.far or is_loopback(ip) else ready.far

    def now(self, caller: Principal, *, now_ms: int) -> Principal | None:
        """Return a caller of earlier as they are now, wherever they ask from."""
        if caller.session_id is not None:
            return self.by_session(caller.session_id, now_ms=now_ms)
        key_hash = self._hashes.get(caller.key_id) if caller.key_id else None
        if key_hash is None:
            return None
        ready = self._callers_by_key.get(key_hash) or self._ready(key_hash)
        if ready is None or (ready.expires_ms is not None and ready.expires_ms <= now_ms):
            return None
        return ready.far

    def _ready(self, key_hash: bytes) -> _Key | None:
        key = self._keys.get(key_hash)
        holder = self._able(key.account_id) if key is not None else None
        if key is None or holder is None:
            return None
        far = Principal(
            account_id=holder.id,
            role=holder.role,
            may=granted(holder.role, key.scopes),
            key_id=key.id,
        )
        near = msgspec.structs.replace(far, local=True) if key.local else far
        return _Key(near, far, key.allow_ips, key.expires_ms)

    def _able(self, account_id: UUID) -> Holder | None:
        holder = self._holders.get(account_id)
        return None if holder is None or holder.disabled else holder

    def _forget_callers(self) -> None:
        self._callers_by_key.clear()
        self._callers_by_session.clear()

    def __iter__(self) -> Iterator[UUID]:
        return iter(self._sessions)

    def __len__(self) -> int:
        return len(self._sessions)
