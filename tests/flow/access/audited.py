"""A small audited world for tests: acts to note, a keeper to step, and somebody who may do all."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg

from quantdesk.access.acts import Act
from quantdesk.access.audit.keeper import Keeper, Means, Witness, open_signer
from quantdesk.access.audit.signing import Signer
from quantdesk.access.audit.store import note
from quantdesk.access.model import Origin
from quantdesk.access.sealing import Sealer
from quantdesk.core.ids import uuid7
from quantdesk.store.pool import Pools
from quantdesk.testing.clock import ManualClock

NOON_MS = 1_700_049_600_000 - 1_700_049_600_000 % 86_400_000 + 43_200_000
DAY_S = 86_400
SEALER = Sealer({1: bytes(range(32))})


class World:
    """One desk's audit on hand-moved time."""

    def __init__(self, pools: Pools, url: str) -> None:
        self.pools = pools
        self.url = url
        self.clock = ManualClock(now_ms=NOON_MS)
        self._numbers = itertools.count(1)
        self.signer: Signer
        self.told: list[Act] = []

    def new_id(self) -> UUID:
        """Return the next identifier."""
        return uuid7(self.clock.now_ms(), next(self._numbers).to_bytes(10, "big"))

    async def begin(self) -> None:
        """Make the key."""
        self.signer = await open_signer(self.pools, SEALER, clock=self.clock, new_id=self.new_id)

    def keeper(self, witness: Witness | None = None, pools: Pools | None = None) -> Keeper:
        """Return a keeper."""
        return Keeper(
            Means(
                pools=pools or self.pools,
                clock=self.clock,
                new_id=self.new_id,
                signer=self.signer,
                witness=witness,
                hear=self.told.extend,
            )
        )

    def act(self, action: str = "key.made", **more: Any) -> Act:  # noqa: ANN401
        """Return an act that nobody did yet."""
        origin = Origin(ip="192.0.2.7", agent="curl", request_id="r-1")
        return Act(
            id=self.new_id(), at_ms=self.clock.now_ms(), action=action, origin=origin, **more
        )

    async def note(self, *acts: Act) -> None:
        """Note acts in a transaction of their own."""
        async with self.pools.write.transaction() as c:
            await note(c, *acts)

    async def keep(self, count: int = 1, keeper: Keeper | None = None) -> None:
        """Note some acts and chain all that waits."""
        await self.note(*(self.act(about=f"key:{number}") for number in range(count)))
        mine = keeper or self.keeper()
        while await mine.step():
            pass

    async def actions(self) -> list[str]:
        """Return the actions of the chain, in order."""
        async with self.pools.read.connection() as c:
            return [
                row[0] for row in await c.fetch("select body->>'action' from audit order by seq")
            ]

    @asynccontextmanager
    async def superuser(self) -> AsyncIterator[Any]:
        """Lend a connection of somebody who may do everything, triggers taken away."""
        c = await asyncpg.connect(self.url)
        try:
            for table in ("audit", "audit_roots", "audit_keys", "order_events", "order_attempts"):
                await c.execute(f"alter table {table} disable trigger append_only")
            yield c
        finally:
            await c.close()
