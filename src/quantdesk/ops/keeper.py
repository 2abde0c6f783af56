"""Keeping what the desk stands on alive: whatever died under it is started again."""

from collections.abc import Awaitable, Callable

import structlog

from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError

log = structlog.get_logger()

_LOOK_S = 1.0


async def keep(
    name: str,
    *,
    lives: Callable[[], Awaitable[bool]],
    start: Callable[[], Awaitable[object]],
    clock: Clock,
) -> None:
    """Start a part again whenever it no longer lives, until cancelled; a failed try is repeated."""
    while True:
        await clock.sleep(_LOOK_S)
        try:
            if not await lives():
                log.warning("keeper.starting", part=name)
                await start()
        except DeskError as problem:
            log.warning("keeper.failed", part=name, code=problem.code, detail=problem.detail)
