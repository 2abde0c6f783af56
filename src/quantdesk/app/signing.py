"""Whose wallet signs: said by the worker, read by processes that have no key."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from uuid import UUID

import structlog

from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.engines.orders.signing import EVERY_S, SILENT_S, Announced, Signing
from quantdesk.engines.orders.store import signing as store
from quantdesk.store.pool import Pools

log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Announcing:
    """A worker's announcements; `told` returns what is to be said now."""

    pools: Pools
    mode: str
    worker: UUID
    told: Callable[[], Signing]
    clock: Clock
    _problem: DeskError | None = None

    async def say(self) -> None:
        """Announce; raise `Refused` (`worker.other`) when another wallet is spoken for."""
        async with self.pools.write.connection() as c:
            stands = await store.announce(
                c, self.told(), mode=self.mode, worker=self.worker, silent_s=SILENT_S
            )
        if not stands:
            raise Refused(
                f"another worker signs for another wallet in mode {self.mode}: end it and wait "
                f"{SILENT_S:.0f} s, or give this one the same wallet",
                code="worker.other",
            )

    async def run(self) -> NoReturn:
        """Keep announcing until cancelled."""
        while True:
            await self.clock.sleep(EVERY_S)
            try:
                await self.say()
                self._problem = None
            except DeskError as problem:
                log.warning("worker.unannounced", code=problem.code, detail=problem.detail)
                self._problem = problem

    async def leave(self) -> None:
        """Say that this worker ends; without the database others find out by themselves."""
        try:
            async with self.pools.write.connection() as c:
                await store.leave(c, mode=self.mode, worker=self.worker)
        except DeskError as problem:
            log.warning("worker.leave_untold", code=problem.code)

    async def probe(self) -> str:
        """Return that it is known; raise what keeps it from being."""
        if self._problem is not None:
            raise Unavailable(self._problem.detail, code=self._problem.code)
        return "announced"


@dataclass(slots=True, kw_only=True)
class Announcements:
    """What workers say, as a process without a key reads it."""

    pools: Pools
    mode: str
    clock: Clock
    latest: Announced | None = None
    _opened_on: Signing | None = None
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def look(self) -> Signing:
        """Read what was said last, and stand on it.

        Raises `Unavailable`: `worker.absent` where no worker ever spoke.
        """
        await self.read()
        if self.latest is None:
            raise absent(self.mode)
        self._opened_on = self.latest.told
        return self.latest.told

    async def run(self) -> NoReturn:
        """Keep reading until cancelled."""
        while True:
            await self.clock.sleep(EVERY_S)
            try:
                await self.read()
            except DeskError as problem:
                log.warning("worker.unread", code=problem.code)

    async def moved(self) -> None:
        """Wait, then raise `Unavailable` (`worker.moved`) when another wallet or chain stands."""
        await self._moved.wait()
        raise Unavailable(
            "the worker signs for another wallet or on another chain now: start this process again",
            code="worker.moved",
        )

    def balances(self) -> Mapping[str, int] | None:
        """Return what the wallet can pay, as its worker read it last."""
        return None if self.latest is None else self.latest.told.balances

    async def probe(self) -> str:
        """Return that a worker lives; raise `Unavailable` (`worker.silent`)."""
        if self.latest is None or not self.latest.lives:
            raise Unavailable(
                "no worker speaks: orders are taken and wait; start `quantdesk run worker`",
                code="worker.silent",
            )
        return f"signs for {self.latest.told.wallet}"

    async def read(self) -> None:
        """Read what was said last; raise `Unavailable`."""
        async with self.pools.read.connection() as c:
            self.latest = await store.announced(c, mode=self.mode)
        stands, latest = self._opened_on, self.latest
        if stands is not None and latest is not None and latest.told.place != stands.place:
            self._moved.set()


def absent(mode: str) -> Unavailable:
    """Return what is said while nobody ever signed in a mode."""
    return Unavailable(
        f"no worker has ever signed in mode {mode} on this database: start `quantdesk run worker`",
        code="worker.absent",
    )
