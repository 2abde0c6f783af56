"""How long to wait for the outside world: delays between tries, and deadlines on one.

Used by the sources that connect, by ingest that restarts them, and by the localnet's maker.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from quantdesk.core.clock import Clock

Chance = Callable[[], float]
"""Returns a random number in [0, 1); passed in so that tests choose it."""

FIRST_S = 0.5
LONGEST_S = 30.0
_DOUBLINGS_MAX = 16

T = TypeVar("T")


def delay_s(failures: int, *, chance: Chance, longest_s: float = LONGEST_S) -> float:
    """Return seconds to wait after that many failures in a row: doubling, bounded, jittered.

    The wait lies between half and all of min(longest_s, FIRST_S * 2^failures): never zero, so that
    nothing spins, and never equal, so that many clients do not come back at once.
    """
    bound = min(longest_s, FIRST_S * 2.0 ** min(failures, _DOUBLINGS_MAX))
    return bound * (1 + chance()) / 2


async def within(seconds: float, work: Coroutine[Any, Any, T], *, clock: Clock) -> T:
    """Return what `work` returns; cancel it and raise `TimeoutError` after that many seconds."""
    task = asyncio.ensure_future(work)
    alarm = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise TimeoutError(f"no answer within {seconds:g} s")
        return task.result()
    finally:
        task.cancel()
        alarm.cancel()
        await asyncio.gather(task, alarm, return_exceptions=True)
