"""How long to wait for an answer of the outside world: a deadline on one try.

How long to wait between tries says `core/backoff.py`.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from quantdesk.core.clock import Clock

T = TypeVar("T")


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
