"""What every process of a desk stands on: its database, its owner, a quiet collector of garbage."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from quantdesk.access import store
from quantdesk.access.master import keyring
from quantdesk.access.owner import ensure_owner
from quantdesk.app.background import Background
from quantdesk.core.clock import Clock, SystemClock
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.ids import ids
from quantdesk.engines.orders.engine import Orders
from quantdesk.ops import folder, health
from quantdesk.ops.keeper import keep
from quantdesk.ops.tasks import Tasks
from quantdesk.settings import Settings
from quantdesk.store.embedded import Embedded
from quantdesk.store.migrate import migrate
from quantdesk.store.pool import Pools, connect

Say = Callable[[str], None]
"""Is told what a start is doing, one short line at a time."""

_CONNECTIONS: Final = 6
_ALLOCATIONS: Final = 50_000  # between young collections


async def _never() -> None:
    await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class Desk:
    """A process of a desk that runs; `new_key` is the owner's key if this start made it."""

    identity: dict[str, Any]
    new_key: str | None
    ends: Callable[[], Awaitable[object]] = _never
    """Raises when it can go on no longer; never returns."""

    @property
    def url(self) -> str:
        """Return where it listens."""
        api: str = self.identity["urls"]["api"]
        return api


async def open_database(
    stack: AsyncExitStack, tasks: Tasks, settings: Settings, home: Path, say: Say
) -> Pools:
    """Return the pools of the database written down, or of one of the desk's own, migrated."""
    url = settings.database_url
    if not url:
        embedded = Embedded(home, say=say)
        stack.push_async_callback(embedded.stop)
        url = await embedded.start()
        kept = partial(
            keep, "database", lives=embedded.runs, start=embedded.start, clock=SystemClock()
        )
        Background(stack, tasks).begin("database keeper", kept)
    for name in await migrate(url):
        say(f"database: {name}")
    return await stack.enter_async_context(
        await connect(url, write_max=_CONNECTIONS, read_max=_CONNECTIONS)
    )


async def owner(pools: Pools, home: Path, clock: Clock) -> str | None:
    """Make sure that the owner's key is in the data folder; return it if it was made now."""
    path = home / folder.OWNER_KEY
    known = path.read_text().strip() if path.exists() else None
    made = await ensure_owner(pools, known_key=known, clock=clock, new_id=ids(clock.now_ms))
    if made is not None:
        folder.write(path, made + "\n")
    return made


async def is_owned(pools: Pools) -> bool:
    """Return whether a process on this database has made an owner already."""
    async with pools.read.connection() as c:
        return await store.owner(c) is not None


def master_key(settings: Settings, home: Path) -> Path:
    """Return where the master keys are."""
    named = settings.access.master_key_file
    return Path(named).expanduser().absolute() if named else home / keyring.FILE


def answers(pools: Pools) -> health.Probe:
    """Return a probe of the database."""

    async def probe() -> str:
        await pools.ping()
        return "answers"

    return probe


def orders_move(orders: Orders) -> health.Probe:
    """Return a probe of the orders engine."""

    async def probe() -> str:
        if orders.journal.waiting_for_database:
            raise Unavailable("moves wait for the database", code="database.unavailable")
        return f"{len(orders.usage)} open, {orders.in_flight()} in flight"

    return probe


def check_apart(settings: Settings, role: str) -> None:
    """Raise `Refused` (`settings.invalid`) where a role that runs apart cannot reach the others."""
    wanted = {"database_url": settings.database_url, "nats_url": settings.nats_url}
    lacking = [name for name, value in wanted.items() if not value]
    if lacking:
        raise Refused(
            f"`run {role}` works with other processes: set {' and '.join(lacking)}, the same for"
            " all (QD_DATABASE_URL, QD_NATS_URL)",
            code="settings.invalid",
        )


def spare_the_collector() -> None:
    """Keep the garbage collector from walking, again and again, what lives as long as the desk."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 20, 50)
