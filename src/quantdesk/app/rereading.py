"""Order streams of a desk with several processes: what the bus may have lost is read again.

bus: "since then something may be missing" → what each follower follows → the store → told once
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NoReturn
from uuid import UUID

import structlog

from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError
from quantdesk.engines.orders.model import OrderEvent
from quantdesk.engines.orders.store.read import Filter
from quantdesk.hub.orders import Following, Log, OrderStreams

log = structlog.get_logger()

_AGAIN_S: Final = 1.0
_ORDERS_MAX: Final = 500  # of one question


class Rereading(OrderStreams):
    """Order streams whose followers are told again what they may not have heard."""

    def __init__(self, *, orders: Log, mode: str, clock: Clock) -> None:
        super().__init__(orders=orders, mode=mode)
        self._clock = clock
        self._members: set[Following] = set()
        self._since_ms: int | None = None
        self._due = asyncio.Event()

    def join(self, following: Following) -> None:
        """Hand a follower all that happens from now on."""
        super().join(following)
        self._members.add(following)

    def leave(self, following: Following) -> None:
        """Hand a follower no more."""
        super().leave(following)
        self._members.discard(following)

    def missed(self, since_ms: int) -> None:
        """Read again soon what happened since then (Unix milliseconds)."""
        known = self._since_ms
        self._since_ms = since_ms if known is None else min(known, since_ms)
        self._due.set()

    async def run(self) -> NoReturn:
        """Read again whatever was missed, until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            since_ms, self._since_ms = self._since_ms, None
            assert since_ms is not None, "somebody missed something"
            try:
                await self._read(since_ms)
            except DeskError as problem:
                log.warning("orders.not_read_again", code=problem.code, detail=problem.detail)
                self.missed(since_ms)
                await self._clock.sleep(_AGAIN_S)

    async def _read(self, since_ms: int) -> None:
        by_key: defaultdict[UUID, list[Following]] = defaultdict(list)
        for following in self._members:
            by_key[following.key].append(following)
        for key, followings in by_key.items():
            told = self.texts(await self._of(key, since_ms))
            for following in followings:
                if following in self._members:  # it may have left meanwhile
                    for event, text in told:
                        following.take(event, text)

    async def _of(self, key: UUID, since_ms: int) -> Sequence[OrderEvent]:
        """Return the events of an order, or of an account's orders that moved since then."""
        events = await self._orders.events([key])
        if events:
            return events
        wanted = Filter(account_id=key, mode=self._mode, limit=_ORDERS_MAX)
        orders = await self._orders.page(wanted)
        moved = [order.id for order in orders if order.updated_ms >= since_ms]
        return await self._orders.events(moved) if moved else []
