"""Collecting: keep sources running into the flow, choose live ones where several could be had.

Sources reconnect by themselves; what reaches this file has given up for good, so it is begun again
more slowly. The concrete sources are joined in `app/`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from quantdesk.core.backoff import Backoff, Chance
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.sources.patience import within
from quantdesk.sources.port import Source, Take

log = structlog.get_logger()

PROBE_S = 3.0
RESTART_S = 1.0
RESTART_S_MAX = 60.0


class Collector:
    """One source running into `take`.

    `failures` counts the times it gave up and `ended` says that it had nothing more to say (a
    recording). `problem` is its last error, until it has sent something again.
    """

    def __init__(
        self,
        *,
        source: Source,
        symbols: Sequence[str],
        take: Take,
        heard: Callable[[], int],
        clock: Clock,
        chance: Chance,
    ) -> None:
        """`heard` counts the frames that came from the source so far."""
        self.source = source
        self._symbols = tuple(symbols)
        self._take = take
        self._heard = heard
        self._clock = clock
        self._chance = chance
        self._problem: DeskError | None = None
        self._heard_before = 0
        self.failures = 0
        self.ended = False

    @property
    def problem(self) -> DeskError | None:
        """Return why it gave up last, None once it has sent something since."""
        return self._problem if self._heard() == self._heard_before else None

    async def run(self) -> None:
        """Collect until the source ends, refuses, or the task is cancelled.

        Begun again after `Unavailable`; a `Refused` no restart can cure stays its problem.
        """
        backoff = Backoff(self._chance, first_s=RESTART_S, longest_s=RESTART_S_MAX)
        while True:
            began = self._clock.monotonic()
            try:
                await self.source.run(self._symbols, self._take)
            except Unavailable as problem:
                self._note(problem)
                wait_s = backoff.failed(lived_s=self._clock.monotonic() - began)
                log.warning(
                    "source.failed", source=self.source.name, code=problem.code,
                    detail=problem.detail, retry_s=round(wait_s, 1),
                )  # fmt: skip
                await self._clock.sleep(wait_s)
            except Refused as problem:
                self._note(problem)
                log.warning(
                    "source.refused", source=self.source.name, code=problem.code,
                    detail=problem.detail,
                )  # fmt: skip
                return
            else:
                self.ended = True
                log.info("source.ended", source=self.source.name)
                return

    def _note(self, problem: DeskError) -> None:
        self.failures += 1
        self._problem, self._heard_before = problem, self._heard()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A live source, and how to find out whether it answers: `probe` raises `DeskError` if not."""

    source: Source
    probe: Callable[[], Awaitable[object]]


async def answering(candidates: Sequence[Candidate], *, clock: Clock) -> list[Source]:
    """Return those that answer within `PROBE_S`, in the order given; all are asked at once."""
    answers = await asyncio.gather(*(_answers(candidate, clock) for candidate in candidates))
    return [one.source for one, answered in zip(candidates, answers, strict=True) if answered]


async def _answers(candidate: Candidate, clock: Clock) -> bool:
    async def ask() -> object:
        return await candidate.probe()

    try:
        await within(PROBE_S, ask(), clock=clock)
    except (DeskError, TimeoutError) as problem:
        log.info("source.silent", source=candidate.source.name, detail=str(problem))
        return False
    return True
