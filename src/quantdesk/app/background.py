"""Tasks that run beside the desk and end with it."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any

import structlog

log = structlog.get_logger()


def background(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """Run a task until the stack unwinds; a bug in it is logged, not swallowed."""
    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(_ended)

    async def end() -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    stack.push_async_callback(end)


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.error("task.ended", exc_info=problem)
