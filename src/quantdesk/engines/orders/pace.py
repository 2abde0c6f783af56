"""The pace of executions: how many at once, and how many may start per minute.

Both delay and never refuse. The document's figures (10 per wallet, 100 per minute) are the defaults
where real money moves and off elsewhere.
"""

import asyncio

from quantdesk.core.clock import Clock

_SECONDS_PER_MINUTE = 60.0


class Pace:
    """Slots for executions, handed out in the order they were asked for."""

    def __init__(self, *, in_flight_max: int, rate_per_minute: int, clock: Clock) -> None:
        self._slots = asyncio.Semaphore(in_flight_max)
        self._interval_s = _SECONDS_PER_MINUTE / rate_per_minute if rate_per_minute else 0.0
        self._next_start = clock.monotonic()
        self._clock = clock

    async def start(self) -> None:
        """Return when an execution may start; `finish` must follow."""
        await self._slots.acquire()
        if self._interval_s:
            now = self._clock.monotonic()
            start = max(now, self._next_start)
            self._next_start = start + self._interval_s
            try:
                await self._clock.sleep(start - now)
            except BaseException:
                self._slots.release()
                raise

    def finish(self) -> None:
        """Give the slot to the next."""
        self._slots.release()
