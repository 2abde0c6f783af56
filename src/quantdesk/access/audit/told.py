"""Acts that change nothing, such as refusals: gathered, and noted in batches soon after.

Telling takes a microsecond and no I/O. The room is bounded: what does not fit while the database is
away or somebody floods the desk is counted, and an act (`audit.dropped`) says how much it was.
"""

import asyncio
from collections import deque
from typing import Final

import structlog

from quantdesk.access.acts import Act
from quantdesk.access.audit.store import noting
from quantdesk.access.model import Origin
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Pools

log = structlog.get_logger()

ROOM: Final = 10_000
BATCH: Final = 1_000
GATHER_S: Final = 0.2
AWAY_S: Final = 1.0


class Told:
    """Takes acts (`tell`) and notes them."""

    def __init__(self, *, pools: Pools, clock: Clock, new_id: NewId, room: int = ROOM) -> None:
        self._pools = pools
        self._clock = clock
        self._new_id = new_id
        self._room = room
        self._waiting: deque[Act] = deque()
        self._some = asyncio.Event()
        self._unsaid = 0
        self.dropped = 0
        """Acts that found no room."""

    def __len__(self) -> int:
        return len(self._waiting)

    def tell(self, act: Act) -> None:
        """Take an act; a `Tell`."""
        if len(self._waiting) >= self._room:
            self.dropped += 1
            self._unsaid += 1
            return
        self._waiting.append(act)
        self._some.set()

    async def run(self) -> None:
        """Note what is told until cancelled."""
        while True:
            await self._some.wait()
            await self._clock.sleep(GATHER_S)
            try:
                while self._waiting:
                    await self.flush()
            except DeskError as problem:
                log.warning("audit.told_waits", code=problem.code, waiting=len(self._waiting))
                await self._clock.sleep(AWAY_S)

    async def flush(self) -> None:
        """Note the first acts that wait; raises `Unavailable`, and then they still wait."""
        self._some.clear()
        batch = [self._waiting[number] for number in range(min(BATCH, len(self._waiting)))]
        unsaid, noted = self._unsaid, list(batch)
        if unsaid:
            noted.append(self._loss(unsaid))
        if not noted:
            return
        try:
            async with self._pools.write.transaction() as c:
                await noting.note_once(c, noted)
        except BaseException:
            self._some.set()
            raise
        self._unsaid -= unsaid
        for _ in batch:
            self._waiting.popleft()
        if self._waiting:
            self._some.set()

    def _loss(self, count: int) -> Act:
        return Act(
            id=self._new_id(),
            at_ms=self._clock.now_ms(),
            action="audit.dropped",
            origin=Origin(ip=""),
            after={"acts": count},
        )
