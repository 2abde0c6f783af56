"""Collecting: run sources into the board, restart those that fail, choose one where several could.

Sources reconnect by themselves; what reaches this file has given up for good, so it is begun again
more slowly. The concrete sources are joined in `app.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Unavailable
from quantdesk.ingest.board import Board
from quantdesk.sources.patience import Chance, delay_s, within
from quantdesk.sources.port import Source

log = structlog.get_logger()

PROBE_S = 3.0
HEALTHY_S = 60.0
RESTART_S_MAX = 60.0


class Collector:
    """One source running into the board.

    `failures` counts the times it gave up, `problem` is its last error until it speaks again, and
    `ended` says that it had nothing more to say (a recording).
    """

    def __init__(
        self,
        *,
        source: Source,
        symbols: Sequence[str],
        board: Board,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._source = source
        self._symbols = tuple(symbols)
        self._board = board
        self._clock = clock
        self._chance = chance
        self.failures = 0
        self.problem: DeskError | None = None
        self.ended = False

    async def run(self) -> None:
        """Collect until the source ends or the task is cancelled.

        Restarts after `Unavailable`; raises `Refused`, which no restart can cure.
        """
        tries = 0
        while True:
            began = self._clock.monotonic()
            try:
                await self._collect()
            except Unavailable as problem:
                self.failures += 1
                self.problem = problem
                tries = 0 if self._clock.monotonic() - began >= HEALTHY_S else tries + 1
                wait_s = delay_s(tries, chance=self._chance, longest_s=RESTART_S_MAX)
                log.warning(
                    "source.failed", source=self._source.name, code=problem.code,
                    detail=problem.detail, retry_s=round(wait_s, 1),
                )  # fmt: skip
                await self._clock.sleep(wait_s)
            else:
                self.ended = True
                log.info("source.ended", source=self._source.name)
                return

    async def _collect(self) -> None:
        async for reading in self._source.stream(self._symbols):
            self._board.take(reading, self._clock.now_ms())
            self.problem = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A live source, and how to find out whether it answers: `probe` raises `DeskError` if not."""

    source: Source
    probe: Callable[[], Awaitable[object]]


async def choose(candidates: Sequence[Candidate], *, otherwise: Source, clock: Clock) -> Source:
    """Return the first candidate that answers within `PROBE_S`, else the last resort.

    All are asked at once; the order given is the order of preference.
    """
    answers = await asyncio.gather(*(_answers(candidate, clock) for candidate in candidates))
    for candidate, answered in zip(candidates, answers, strict=True):
        if answered:
            return candidate.source
    return otherwise


async def _answers(candidate: Candidate, clock: Clock) -> bool:
    async def ask() -> Any:  # noqa: ANN401 - whatever a probe returns, it answered
        return await candidate.probe()

    try:
        await within(PROBE_S, ask(), clock=clock)
    except (DeskError, TimeoutError) as problem:
        log.info("source.silent", source=candidate.source.name, detail=str(problem))
        return False
    return True
