"""What is known is kept true: asked twice a second for what changed, at once for one's own changes.

    sign-in, revocation … ─ commit ─▶ access_changes ─ catch_up ─▶ Directory ─▶ listeners

So no request waits for the database, and what one process revokes is over in all of them within a
second. While the database is away the last known state stays in force, for five minutes at most.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Final
from uuid import UUID

import structlog

from quantdesk.access.known import store
from quantdesk.access.known.directory import Directory
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.store.pool import Connection, Pools

log = structlog.get_logger()

ASK_S: Final = 0.4
"""Between two questions what changed."""
STALE_S: Final = 300.0
"""How long what is known may be relied on while the database is away."""
_EXPIRE_S: Final = 5.0
_ROUNDS_MAX: Final = 50
"""Of changes in one catching up; more of them are read whole."""

Reload = Callable[[], Awaitable[None]]


class Known:
    """The directory of this process; `load` first, then `run` beside the desk."""

    def __init__(self, *, pools: Pools, clock: Clock) -> None:
        self.directory = Directory()
        self._pools = pools
        self._clock = clock
        self._number = 0
        self._true_s = 0.0
        self._expired_s = 0.0
        self._turn = asyncio.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._others: dict[str, Reload] = {}

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a listener after every change."""
        self._listeners.append(listener)

    def also(self, kind: str, reload: Reload) -> None:
        """Have something reloaded when something of its kind changed."""
        self._others[kind] = reload

    @property
    def stale(self) -> bool:
        """Return whether what is known is too old to rely on."""
        return self._clock.monotonic() - self._true_s > STALE_S

    async def load(self) -> None:
        """Read everything; raises `Unavailable`."""
        async with self._turn:
            await self._load()

    async def catch_up(self) -> None:
        """Take in whatever was committed before this was called; raises `Unavailable`."""
        async with self._turn:
            asked_s = self._clock.monotonic()
            changed = await self._take_changes()
            self._true_s = asked_s
            if asked_s - self._expired_s >= _EXPIRE_S:
                self._expired_s = asked_s
                changed = self.directory.expire(now_ms=self._clock.now_ms()) or changed
        if changed:
            for listener in self._listeners:
                listener()

    async def felt(self) -> None:
        """Take in one's own changes; where the database just went away, `run` does it later."""
        with suppress(Unavailable):
            await self.catch_up()

    async def run(self) -> None:
        """Catch up until cancelled; a database that is away is asked again."""
        away = False
        while True:
            await self._clock.sleep(ASK_S)
            try:
                await self.catch_up()
            except Unavailable as problem:
                if not away:
                    log.warning("access.away", detail=problem.detail)
                away = True
            else:
                away = False

    async def _load(self) -> None:
        asked_s, now_ms = self._clock.monotonic(), self._clock.now_ms()
        async with self._pools.read.connection() as c:
            # First: what changes while the rest is read is read once more.
            number = await store.number(c)
            holders = await store.holders(c)
            keys = await store.keys(c)
            sessions = await store.sessions(c, now_ms=now_ms)
        self.directory.clear()
        self.directory.put_holders(holders)
        self.directory.put_keys(keys)
        self.directory.put_sessions(sessions)
        self._number, self._true_s = number, asked_s

    async def _take_changes(self) -> bool:
        kinds = await self._read_changes()
        if kinds is None:
            await self._load()
            kinds = set(self._others)
        for kind in kinds & set(self._others):
            await self._others[kind]()
        return bool(kinds)

    async def _read_changes(self) -> set[str] | None:
        """Return the kinds of what changed; None where everything has to be read anew."""
        kinds: set[str] = set()
        async with self._pools.read.connection() as c:
            for _ in range(_ROUNDS_MAX):
                found = await store.changes(c, self._number)
                if not found:
                    return kinds
                if found[0].number != self._number + 1:  # what lay between was forgotten
                    return None
                await self._apply(c, found)
                kinds |= {change.kind for change in found}
                self._number = found[-1].number
        return None

    async def _apply(self, c: Connection, changes: Collection[store.Change]) -> None:
        ids: dict[str, set[UUID]] = {}
        for change in changes:
            ids.setdefault(change.kind, set()).add(change.id)
        now_ms = self._clock.now_ms()
        if accounts := ids.get("account"):
            self.directory.put_holders(await store.holders(c, list(accounts)))
        if keys := ids.get("api_key"):
            self.directory.put_keys(await store.keys(c, list(keys)), asked=keys)
        if sessions := ids.get("session"):
            found = await store.sessions(c, now_ms=now_ms, only=list(sessions))
            self.directory.put_sessions(found, asked=sessions)
