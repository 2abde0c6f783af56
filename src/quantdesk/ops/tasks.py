"""Work that runs beside the desk: whatever of it ends by an error is begun again, and told.

    work ends by an error → logged with its trace → wait, longer each time in a row → begun again
    work returns          → it had nothing more to do

A part that was down for a moment is no news to whoever asks; one that is down now, or that keeps
failing, is.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import structlog

from quantdesk.core.backoff import full_jitter_s
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable

log = structlog.get_logger()

Work = Callable[[], Coroutine[Any, Any, None]]
"""Begins a piece of work; called again whenever it has failed."""

HEALTHY_S: Final = 60.0
"""Work that ran this long before it failed had recovered: its failures are counted anew."""
RESTART_S: Final = 1.0
RESTART_S_MAX: Final = 60.0
CANCEL_AGAIN_S: Final = 5.0
"""How long work that was canceled may take to end before it is canceled again."""
KEEPS_FAILING: Final = 3
"""So many failures in a row are told until the work is healthy again."""


def _no_chance() -> float:
    return 1.0  # one desk's tasks meet no crowd that jitter would keep them from


@dataclass(slots=True)
class _Task:
    """How one task is: `began` when it was last begun, None while it waits to be."""

    began: float | None = None
    failures: int = 0
    problem: str = ""


class Tasks:
    """The tasks of one desk, by name; `restarted` is told of every restart."""

    def __init__(self, *, clock: Clock, restarted: Callable[[str], None]) -> None:
        self._clock = clock
        self._restarted = restarted
        self._tasks: dict[str, _Task] = {}

    async def run(self, name: str, work: Work) -> None:
        """Do a piece of work until it returns or this is cancelled; begin it again if it fails."""
        assert name not in self._tasks, "names tell tasks apart"
        task = self._tasks[name] = _Task()
        try:
            while await self._fails(name, task, work):
                await self._clock.sleep(self._pause_s(task))
                self._restarted(name)
        finally:
            del self._tasks[name]

    async def probe(self) -> str:
        """Return how many run.

        Raises `Unavailable` (`task.failing`) when one is down or keeps failing.
        """
        for name, task in self._tasks.items():
            if task.began is None or self._keeps_failing(task, task.began):
                raise Unavailable(
                    f"{name} failed {task.failures} times in a row ({task.problem}) and is begun "
                    "again by itself: the log says why",
                    code="task.failing",
                )
        return f"{len(self._tasks)} run"

    async def _fails(self, name: str, task: _Task, work: Work) -> bool:
        """Do the work; return whether it failed."""
        task.began = began = self._clock.monotonic()
        problem = await self._ended(name, work())
        if problem is None:
            return False
        healthy = self._clock.monotonic() - began >= HEALTHY_S
        task.failures = 1 if healthy else task.failures + 1
        task.problem, task.began = type(problem).__name__, None
        log.error("task.failed", task=name, again_in_s=self._pause_s(task), exc_info=problem)
        return True

    async def _ended(self, name: str, work: Coroutine[Any, Any, None]) -> BaseException | None:
        """Return what ended the work, None when it returned; it ends with whoever awaits it."""
        task = asyncio.get_running_loop().create_task(work)
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            await self._end(task)
            if (problem := _problem(task)) is not None:
                log.exception("task.ended_badly", task=name, exc_info=problem)
            raise
        return asyncio.CancelledError() if task.cancelled() else _problem(task)

    async def _end(self, task: asyncio.Task[None]) -> None:
        # Once is not enough: a cancel that meets a result is lost in `asyncio.wait_for` of
        # Python 3.11 (https://github.com/python/cpython/issues/86296), which libraries await.
        while not task.done():
            task.cancel()
            patience = asyncio.get_running_loop().create_task(self._clock.sleep(CANCEL_AGAIN_S))
            await asyncio.wait((task, patience), return_when=asyncio.FIRST_COMPLETED)
            patience.cancel()

    def _pause_s(self, task: _Task) -> float:
        return full_jitter_s(
            task.failures, chance=_no_chance, first_s=RESTART_S, longest_s=RESTART_S_MAX
        )

    def _keeps_failing(self, task: _Task, began: float) -> bool:
        settled = self._clock.monotonic() - began >= HEALTHY_S
        return task.failures >= KEEPS_FAILING and not settled


def _problem(task: asyncio.Task[None]) -> BaseException | None:
    return None if task.cancelled() else task.exception()
