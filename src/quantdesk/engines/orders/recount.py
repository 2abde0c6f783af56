"""Keeping `Usage` true to the store: what nobody told is read, at start and now and then after it.

Part of the engine in `engines/orders/engine.py`. An order may end without a word: another desk
ended it, or this one did and the answer of the database was lost on the way.
"""

from collections.abc import Container
from typing import Final
from uuid import UUID

from quantdesk.core.clock import Clock
from quantdesk.engines.orders.model import OrderStatus
from quantdesk.engines.orders.store import known, read
from quantdesk.engines.orders.usage import DAY_MS, Usage
from quantdesk.store.pool import Pools

RECOUNT_S: Final = 10.0
"""How long an order that ended unheard may count as open."""

_EACH_MAX: Final = 5_000


class Recount:
    """What the store says of the orders that count as open; every method raises `Unavailable`."""

    def __init__(self, *, mode: str, pools: Pools, usage: Usage, clock: Clock) -> None:
        self._mode = mode
        self._pools = pools
        self._usage = usage
        self._clock = clock
        self._due_s = clock.monotonic() + RECOUNT_S

    async def start(self) -> None:
        """Count what is open and what was ordered today."""
        now_ms = self._clock.now_ms()
        async with self._pools.read.connection() as c:
            filled = await read.filled_usd(c, mode=self._mode, since_ms=now_ms - now_ms % DAY_MS)
            still_open = await read.open_orders(c, mode=self._mode)
        self._usage.count_day(filled, now_ms=now_ms)
        for order in still_open:
            self._usage.opened(order)

    def hurry(self) -> None:
        """Be due now."""
        self._due_s = self._clock.monotonic()

    def is_due(self) -> bool:
        """Return whether `ended` asks for all orders that count as open."""
        return self._clock.monotonic() >= self._due_s

    async def ended(self, *, led: Container[UUID] = ()) -> list[tuple[UUID, OrderStatus]]:
        """Return which of the orders that count as open have ended, and how.

        The `led` ones tell of their own end and are asked for only when that is due.
        """
        is_due = self.is_due()
        asked = [one for one in self._usage.open_ids() if is_due or one not in led]
        found = []
        for start in range(0, len(asked), _EACH_MAX):
            async with self._pools.read.connection() as c:
                some = asked[start : start + _EACH_MAX]
                found += await known.ended(c, some, mode=self._mode)
        if is_due:
            self._due_s = self._clock.monotonic() + RECOUNT_S
        return found
