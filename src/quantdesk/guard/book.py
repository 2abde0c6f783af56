"""The limits in force, for every account, in every process: written once, read without I/O.

    change ─▶ one transaction: version + 1, values, history, the caller's act ─▶ here, at once
    another process ─▶ its poll sees the version ─▶ there, within `POLL_S` and a query

What a process holds is replaced whole and never by an older version. When the database is away the
last known limits stay: they are never looser than the settings, and no order is stored meanwhile.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog

from quantdesk.core.clock import Clock, iso
from quantdesk.core.errors import DeskError, Refused
from quantdesk.guard import store
from quantdesk.guard.check import Limits
from quantdesk.guard.halts import Halt, Halts
from quantdesk.guard.limits import EDITABLE, Value, Values, effective, loosens, read, written
from quantdesk.guard.store import Changed, Known
from quantdesk.store.pool import Connection, Pools

log = structlog.get_logger()

POLL_S: Final = 0.8
"""How long a change of another process may stay unseen, beside the time of a query."""

HALT: Final = "halt"
_NO_VALUES: Final[Values] = {}

Judge = Callable[[Collection[str]], None]
"""Is told the names that a change loosens, and raises where that is not allowed."""

Note = Callable[[Connection, Sequence[Changed]], Awaitable[None]]
"""Notes what was changed, in the transaction that changes it."""


class LimitBook:
    """What bounds each account. `load` before anybody asks; `run` keeps up with other processes."""

    def __init__(self, *, settings: Limits, pools: Pools, clock: Clock) -> None:
        self.settings = settings
        self.halts = Halts()
        self.desk = settings
        """What bounds an account without limits of its own."""
        self._own: dict[UUID | None, Values] = {}
        self._accounts: dict[UUID, Limits] = {}
        self._version = -1
        self._pools = pools
        self._clock = clock
        self._take(-1, {})

    def of(self, account_id: UUID) -> Limits:
        """Return what bounds an account now."""
        return self._accounts.get(account_id) or self.desk

    def own(self, account_id: UUID | None) -> Values:
        """Return what an account, or the desk, says by itself."""
        return self._own.get(account_id, _NO_VALUES)

    async def load(self) -> None:
        """Take over what the database says; raises Unavailable."""
        async with self._pools.read.connection() as c:
            self._take(*await store.state(c))

    async def run(self) -> None:
        """Keep up with what other processes change, until cancelled."""
        while True:
            await self._clock.sleep(POLL_S)
            try:
                await self._poll()
            except DeskError as problem:
                log.warning("limits.stale", code=problem.code, detail=problem.detail)

    async def edit(
        self,
        account_id: UUID | None,
        told: Mapping[str, object],
        *,
        by: UUID,
        judge: Judge,
        note: Note,
    ) -> None:
        """Set limits of an account, or of the desk; a value None takes one away.

        In force here when this returns. Raises what `judge` raises, having changed nothing, and
        `Refused`: `limit.unknown`, `limit.invalid`, `limit.above_settings`, `account.unknown`.
        """
        wanted = {
            name: _read(name, value, of_account=account_id is not None)
            for name, value in told.items()
        }
        for name, value in wanted.items():
            self._check_ceiling(name, value)

        def decide(known: Mapping[str, Any]) -> None:
            before = _values(known)
            judge([name for name, value in wanted.items() if loosens(before.get(name), value)])

        json = {name: None if value is None else written(value) for name, value in wanted.items()}
        await self._write(account_id, json, by=by, decide=decide, note=note)

    async def halt(self, account_id: UUID | None, halt: Halt, *, note: Note) -> None:
        """Stop trading of an account or of the desk; a wider stop is never made narrower.

        In force here when this returns. Raises `Refused` (`account.unknown`).
        """
        assert halt.by is not None, "the settings halt without being asked"

        def decide(known: Mapping[str, Any]) -> None:
            if HALT in known and (known[HALT]["scope"] == "all" or halt.scope == "new"):
                raise _Unchanged

        json = {HALT: msgspec.to_builtins(halt)}
        try:
            await self._write(account_id, json, by=halt.by, decide=decide, note=note)
        except _Unchanged:
            await self.load()

    async def resume(self, account_id: UUID | None, *, by: UUID, note: Note) -> None:
        """Let an account or the desk trade again.

        Raises `Refused`: `trading.not_halted`, `trading.halted_by_settings`.
        """
        if account_id is None and self.settings.halted:
            raise Refused(
                "guard.halted is written down in the settings: take it out and restart the desk",
                code="trading.halted_by_settings",
            )

        def decide(known: Mapping[str, Any]) -> None:
            if HALT not in known:
                raise Refused("trading is not halted", code="trading.not_halted")

        await self._write(account_id, {HALT: None}, by=by, decide=decide, note=note)

    async def is_account(self, account_id: UUID) -> bool:
        """Return whether there is such an account."""
        async with self._pools.read.connection() as c:
            return await store.is_account(c, account_id)

    async def history(
        self, account_id: UUID | None, *, below: int | None = None, limit: int = 100
    ) -> list[Changed]:
        """Return changes of the desk and of an account, newest first, older than a version."""
        async with self._pools.read.connection() as c:
            return await store.history(c, account_id=account_id, below=below, limit=limit)

    async def probe(self) -> str:
        """Say for the desk's health whether anything is halted; that is no fault of the desk."""
        desk, accounts = self.halts.desk, len(self.halts.accounts)
        told = "trading" if desk is None else f"halted ({desk.scope}) since {iso(desk.at_ms)}"
        return f"{told}, {accounts} accounts halted" if accounts else told

    async def _poll(self) -> None:
        async with self._pools.read.connection() as c:
            if await store.version(c) != self._version:
                self._take(*await store.state(c))

    async def _write(
        self,
        account_id: UUID | None,
        json: Mapping[str, Any],
        *,
        by: UUID,
        decide: Callable[[Mapping[str, Any]], None],
        note: Note,
    ) -> None:
        async with self._pools.write.transaction() as c:
            version = await store.next_version(c)
            known = (await store.state(c))[1].get(account_id, {})
            decide(known)
            now_ms = self._clock.now_ms()
            changes = [
                Changed(
                    version=version, account_id=account_id, name=name, before=known.get(name),
                    after=after, by=by, at_ms=now_ms,
                )
                for name, after in json.items()
                if known.get(name) != after
            ]  # fmt: skip
            await store.change(c, changes)
            if changes:
                await note(c, changes)
            state = await store.state(c)
        self._take(*state)

    def _take(self, version: int, known: Known) -> None:
        """Take over a state unless a newer one is here: polls and edits may overtake each other."""
        if version < self._version:
            return
        self._version = version
        self._own = {account: _values(told) for account, told in known.items()}
        halts = {a: msgspec.convert(told[HALT], Halt) for a, told in known.items() if HALT in told}
        desk_halt = halts.pop(None, None)
        if self.settings.halted and (desk_halt is None or desk_halt.scope == "new"):
            desk_halt = _of_settings(self._clock.now_ms(), self.halts.desk)
        accounts = {a: halt for a, halt in halts.items() if a is not None}
        self.halts.set(desk_halt, accounts)
        desk = self.own(None)
        self.desk = _halted(effective(self.settings, desk), desk_halt)
        self._accounts = {
            account: _halted(effective(self.settings, desk, values), self.halts.of(account))
            for account, values in self._own.items()
            if account is not None
        }

    def _check_ceiling(self, name: str, value: Value | None) -> None:
        ceiling: Value | None = getattr(self.settings, name)
        if value is not None and ceiling is not None and loosens(ceiling, value):
            raise Refused(
                f"{name} {written(value)} is more than the settings allow, {written(ceiling)}:"
                f" write guard.{name} down in quantdesk.toml to raise that",
                code="limit.above_settings",
            )


class _Unchanged(Exception):
    """Nothing is to be changed."""


def _values(told: Mapping[str, Any]) -> Values:
    # A limit is enforced or refused, never dropped: one of a newer desk raises.
    return {
        name: read(name, value, of_account=False) for name, value in told.items() if name != HALT
    }


def _halted(limits: Limits, halt: Halt | None) -> Limits:
    if halt is None:
        return limits
    by = halt.reason if halt.by is None else f"the kill switch: {halt.reason}"
    return msgspec.structs.replace(limits, halted=True, halted_by=by)


def _of_settings(now_ms: int, before: Halt | None) -> Halt:
    if before is not None and before.by is None:
        return before
    return Halt(scope="new", reason="guard.halted", at_ms=now_ms)


def _read(name: str, told: object, *, of_account: bool) -> Value | None:
    if told is None and name in EDITABLE and (EDITABLE[name].per_account or not of_account):
        return None
    return read(name, told, of_account=of_account)
