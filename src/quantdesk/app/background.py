"""Tasks that run beside the desk and end with what they were begun for."""

import asyncio
from contextlib import AsyncExitStack, suppress

from quantdesk.ops.tasks import Tasks, Work


class Background:
    """Begins tasks that run until a stack unwinds; one that fails is begun again (`ops.tasks`)."""

    def __init__(self, stack: AsyncExitStack, tasks: Tasks) -> None:
        self._stack = stack
        self._tasks = tasks

    def begin(self, name: str, work: Work) -> None:
        """Run a task under a name that says to an operator what it is for."""
        task = asyncio.get_running_loop().create_task(self._tasks.run(name, work))

        async def end() -> None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

        self._stack.push_async_callback(end)

    def at_end(self, work: Work) -> None:
        """Do something when the stack unwinds, after what is begun from now on has ended."""
        self._stack.push_async_callback(work)
