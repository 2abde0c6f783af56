"""Orders where they are taken and not executed: the process that serves clients.

A row is written without a lease, so that any worker may have it at once; the event that tells of it
wakes them. What becomes of orders is heard by the bus; what the bus loses is read.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, NoReturn
from uuid import UUID

import structlog

from quantdesk.bus.port import Bus
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError
from quantdesk.core.ids import NewId
from quantdesk.engines.orders.engine import Orders, Rules
from quantdesk.engines.orders.floor import Floor
from quantdesk.engines.orders.model import OPEN, Attempt, Order, OrderEvent, OrderStatus, Step
from quantdesk.engines.orders.store import known, read, write
from quantdesk.store.pool import Pools

log = structlog.get_logger()

_PASS_S: Final = 0.5
_EACH_MAX: Final = 5_000
_HEARD_MAX: Final = 100_000


class Taking(Orders):
    """Orders of one mode, led by others. Listens to what they tell with `heard` and `missed`."""

    def __init__(
        self, *, rules: Rules, pools: Pools, floor: Floor, bus: Bus, clock: Clock, new_id: NewId
    ) -> None:
        super().__init__(rules=rules, pools=pools, floor=floor, bus=bus, clock=clock, new_id=new_id)
        self._heard: set[UUID] = set()
        self._missed = False

    async def start(self) -> None:
        """Count what is open; nothing is led, now or later."""
        await self.recount.start()

    def heard(self, events: Sequence[OrderEvent]) -> None:
        """Count what others place and end; a listener of the bus between processes."""
        for event in events:
            if event.status not in OPEN:
                self._heard.discard(event.order_id)
                self.usage.ended(event.order_id, event.status)
            elif self._is_news(event):
                self._heard.add(event.order_id)

    def missed(self, since_ms: int) -> None:  # noqa: ARG002 - all that is open is asked for
        """Look soon for what the bus may have lost."""
        self._missed = True
        self.recount.hurry()

    async def run(self) -> NoReturn:
        """Keep the count true until cancelled."""
        while True:
            await self._clock.sleep(_PASS_S)
            try:
                await self.step()
            except DeskError as problem:
                log.warning("orders.not_counted", code=problem.code, detail=problem.detail)

    async def step(self) -> None:
        """Count what others placed, and now and then what ended unheard.

        Raises `Unavailable`: another pass takes up what was left.
        """
        await self._count_heard()
        if self.recount.is_due():
            if self._missed:
                await self._count_open()
            for order_id, status in await self.recount.ended():
                self.usage.ended(order_id, status)

    def _is_news(self, event: OrderEvent) -> bool:
        if event.version != 1 or len(self._heard) >= _HEARD_MAX:
            return False
        return not self.usage.is_open(event.order_id)

    async def _count_heard(self) -> None:
        asked = list(self._heard)[:_EACH_MAX]
        if not asked:
            return
        async with self._pools.read.connection() as c:
            found = await known.still_open(c, asked, mode=self.rules.mode)
        for order in found:
            if order.id in self._heard:  # else its end was heard meanwhile
                self.usage.opened(order)
        self._heard.difference_update(asked)

    async def _count_open(self) -> None:
        self._missed = False  # more may be missed while this is read
        try:
            async with self._pools.read.connection() as c:
                still_open = await read.open_orders(c, mode=self.rules.mode)
        except DeskError:
            self._missed = True
            raise
        for order in still_open:
            self.usage.opened(order)

    async def _commit(self, steps: Sequence[Step]) -> dict[UUID, UUID]:
        pool = self._pools.write
        lend = pool.transaction if write.has_keys(steps) else pool.connection
        async with lend() as c:
            return await write.commit(c, steps, owner=None, lease_s=0)

    def _run(self, order: Order, attempt: Attempt | None) -> None:
        """Leave it to a worker, which hears of it when it is committed."""


class Working(Orders):
    """Orders of one mode that others take: a worker looks for them when it is told, and anyway."""

    def __init__(
        self, *, rules: Rules, pools: Pools, floor: Floor, bus: Bus, clock: Clock, new_id: NewId
    ) -> None:
        super().__init__(rules=rules, pools=pools, floor=floor, bus=bus, clock=clock, new_id=new_id)
        self._told = asyncio.Event()

    async def start(self) -> None:
        """Keep every order moving until `stop`."""
        await super().start()
        self._keep(self._told_loop, self._told_loop())

    def heard(self, events: Sequence[OrderEvent]) -> None:
        """Look for what others took, let go of what they cancelled; a listener of the bus."""
        for event in events:
            running = self._running.get(event.order_id)
            if running is None:
                if event.version == 1:
                    self._told.set()
            elif event.status is OrderStatus.CANCELLED:
                running.cancel()  # the store has it so: its next move would be lost
                self.usage.ended(event.order_id, event.status)

    def missed(self, since_ms: int) -> None:  # noqa: ARG002 - all that nobody leads is asked for
        """Look now for what the bus may have lost."""
        self._told.set()

    async def _told_loop(self) -> None:
        while True:
            await self._told.wait()
            self._told.clear()
            try:
                await self._claim()
            except DeskError as problem:  # the claims that come anyway find it
                log.warning("orders.claim_failed", code=problem.code, detail=problem.detail)
