"""A clock that moves from one sleeper to the next, for stories with real I/O in them.

`ManualClock` gives every sleeper a fixed number of turns of the loop, which a database does not
keep to. This one moves only when told, to a moment told; who tells it (`stage`) first waits until
nothing is under way.
"""

import asyncio
import heapq
import itertools

_US: int = 1_000_000


class SteppedClock:
    """Time that stands still until `step_to`; it satisfies `core.clock.Clock`."""

    def __init__(self, *, now_ms: int) -> None:
        self._began_us = now_ms * 1000
        self._past_us = 0
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._tickets = itertools.count()

    def now_ms(self) -> int:
        """Return Unix time in milliseconds."""
        return (self._began_us + self._past_us) // 1000

    def now_ns(self) -> int:
        """Return Unix time in nanoseconds."""
        return (self._began_us + self._past_us) * 1000

    def monotonic(self) -> float:
        """Return seconds since the clock was made."""
        return self._past_us / _US

    async def sleep(self, seconds: float) -> None:
        """Return once `step_to` has passed that many seconds."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if seconds <= 0:
            asyncio.get_running_loop().call_soon(_wake, woken)
        else:
            due_us = self._past_us - int(-seconds * _US // 1)  # never before its time
            heapq.heappush(self._sleepers, (due_us, next(self._tickets), woken))
        await woken

    def next_due(self) -> float | None:
        """Return when the next sleeper wakes, in seconds of `monotonic`."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] / _US if self._sleepers else None

    def step_to(self, moment: float) -> None:
        """Move time on to a moment and wake whoever is due by then."""
        self._past_us = max(self._past_us, round(moment * _US))
        while self._sleepers and self._sleepers[0][0] <= self._past_us:
            _wake(heapq.heappop(self._sleepers)[2])


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
