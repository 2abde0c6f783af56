"""Rates shared by several processes, through Postgres, behind the back of every request.

Each process judges alone, at once, by its own buckets. Every `TURN_S` it adds what it spent to a
small table, a slice of buckets at a time, and takes over what all have spent together.

How far that may overshoot: N processes that start from a full bucket may each give it out once
before they hear of each other, so in any stretch of t seconds they let through at most
`capacity + per_s t` and, once, `(N - 1) (capacity + per_s T)` more, T being the seconds between two
tellings of a bucket: `TURN_S`, and one more for each further `SLICE` of buckets in use. The
overshoot is a debt: the common bucket holds it, and lets nobody on until it is paid back.
"""

from itertools import islice
from typing import Final

import structlog

from quantdesk.access.limits import store
from quantdesk.access.limits.rates import Held, Rates
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError
from quantdesk.store.pool import Pools

log = structlog.get_logger()

TURN_S: Final = 0.5
SLICE: Final = 500
_SWEEP_TURNS: Final = 120
_FULL_MS: Final = 600_000
"""Every bucket of the table is full again after that."""


class Sharing:
    """Tells other processes what was spent; without it each process has bounds of its own."""

    def __init__(self, rates: Rates, *, pools: Pools, clock: Clock) -> None:
        assert rates.untold is not None, "these rates are not to be shared"
        self._untold = rates.untold
        self._pools = pools
        self._clock = clock

    async def run(self) -> None:
        """Tell and hear, until cancelled; without a database each process goes on alone."""
        turn = 0
        while True:
            await self._clock.sleep(TURN_S)
            turn += 1
            try:
                await self.turn()
                if turn % _SWEEP_TURNS == 0:
                    await self._sweep()
            except DeskError as problem:
                log.warning("rates.alone", code=problem.code, detail=problem.detail)

    async def turn(self) -> None:
        """Tell a slice of what was spent and take over what all spent; raises Unavailable."""
        told = [(bucket, bucket.untold) for bucket in islice(self._untold, SLICE)]
        if not told:
            return
        for bucket, _ in told:
            del self._untold[bucket]
        spending = [store.Spending(_name(bucket), spent, bucket.per_s) for bucket, spent in told]
        async with self._pools.write.connection() as c:
            known = await store.spend(c, spending, at_ms=self._clock.now_ms())
        now_s = self._clock.monotonic()
        for bucket, spent in told:
            bucket.untold -= spent
            bucket.learn(known[_name(bucket)] + bucket.untold, now_s)

    async def _sweep(self) -> None:
        async with self._pools.write.connection() as c:
            await store.forget_spending(c, before_ms=self._clock.now_ms() - _FULL_MS)


def _name(bucket: Held) -> str:
    return f"{bucket.shelf.name}:{bucket.subject}"
