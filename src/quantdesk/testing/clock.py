"""A clock that moves by hand, so that tests of waiting do not wait."""

import asyncio
import heapq
import itertools

_SETTLE_PASSES = 50  # a chain of tasks waking each other runs one link per pass of the loop


class ManualClock:
    """Time that stands still until `advance`; sleepers wake in order of their time, then of coming.

    `SystemClock`'s twin for tests: it satisfies `core.clock.Clock`.
    """

    def __init__(self, *, now_ms: int = 1_700_000_000_000) -> None:
        self._now_us = now_ms * 1000
        self._began_us = self._now_us
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._ticket = itertools.count()
        self._fell_asleep = asyncio.Event()

    def now_ms(self) -> int:
        """Return Unix time in milliseconds."""
        return self._now_us // 1000

    def now_ns(self) -> int:
        """Return Unix time in nanoseconds."""
        return self._now_us * 1000

    def monotonic(self) -> float:
        """Return seconds since the clock was made."""
        return (self._now_us - self._began_us) / 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Return once `advance` has passed that many seconds; for zero, after others had a turn."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Rounded up: a sleeper must not wake before its time.
        due_us = self._now_us - int(-seconds * 1_000_000 // 1)
        heapq.heappush(self._sleepers, (due_us, next(self._ticket), woken))
        self._fell_asleep.set()
        await woken

    @property
    def sleepers(self) -> int:
        """Return how many tasks are asleep."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    def step_s(self, least_s: float) -> float:
        """Return how far time can move in one step: to the next sleeper, or `least_s`.

        Nothing happens before it: smaller steps tell no more, where loopback is at rest.
        """
        due = (due_us for due_us, _, woken in self._sleepers if not woken.done())
        return max(least_s, (min(due, default=0) - self._now_us) / 1_000_000)

    async def asleep(self, count: int) -> None:
        """Return once that many tasks sleep: how a test waits for real I/O to come to rest."""
        while self.sleepers < count:
            self._fell_asleep.clear()
            await self._fell_asleep.wait()

    async def advance(self, seconds: float) -> None:
        """Move time on, letting every sleeper on the way act at its own moment."""
        assert seconds >= 0, "time does not run backwards"
        until_us = self._now_us + round(seconds * 1_000_000)
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= until_us:
            due_us, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self._now_us = max(self._now_us, due_us)
                woken.set_result(None)
                await _settle()
        self._now_us = until_us
        await _settle()


async def _settle() -> None:
    for _ in range(_SETTLE_PASSES):
        await asyncio.sleep(0)
