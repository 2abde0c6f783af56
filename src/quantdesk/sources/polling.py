"""A route that is asked again and again: how long to wait after what, and what is the matter.

ask ─ answered ──→ wait one to two intervals, or until the server counts anew → ask
    ├ no answer ─→ wait longer with every failure, an interval at most ───────→ ask
    ├ refused ───→ wait as long as the server says; an hour where it bars us ─→ ask
    └ key refused → `Refused`: only another key can cure it
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Final, NoReturn

import structlog

from quantdesk.core.backoff import Backoff, Chance
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.ticks import Frame
from quantdesk.sources.budget import OverBudget
from quantdesk.sources.limits import Declined
from quantdesk.sources.port import Take

log = structlog.get_logger()

FIRST_S: Final = 5.0
BARRED_S: Final = 3600.0

Ask = Callable[[], Awaitable[float]]
"""Asks once; returns for how many seconds at least the server wants to be left alone."""


class Asker:
    """What the routes of one source share: its clock, its frames, its counts and its problems.

    `counts` holds messages, unchanged, failures and refusals (requests that no budget was left
    for). `problem` says what is the matter now, "" when all is well.
    """

    def __init__(self, name: str, *, clock: Clock, chance: Chance, keyed: bool = True) -> None:
        """`keyed` says that the source has a key, without which nobody answers it."""
        self.name = name
        self.clock = clock
        self.counts: Counter[str] = Counter()
        self._chance = chance
        self._keyed = keyed
        self._last_ns = 0
        self._problems: dict[str, str] = {}
        self._digests: dict[str, bytes] = {}

    @property
    def problem(self) -> str:
        """Return what is the matter with each of its routes, "" when all is well."""
        return "; ".join(self._problems.values())

    def hand_over(self, take: Take, feed: str, data: bytes) -> None:
        """Hand over a frame, stamped later than any before."""
        self._last_ns = max(self.clock.now_ns(), self._last_ns + 1)
        self.counts["messages"] += 1
        take(Frame(self.name, feed, self._last_ns, data))

    def hand_over_new(self, take: Take, feed: str, data: bytes) -> None:
        """Hand over a frame if it is not the one before of that feed, letter by letter."""
        digest = sha256(data).digest()
        if self._digests.get(feed) == digest:
            self.counts["unchanged"] += 1
            return
        self._digests[feed] = digest
        self.hand_over(take, feed, data)

    async def poll(self, route: str, ask: Ask, *, every_s: float) -> NoReturn:
        """Ask until cancelled. Raises `Refused` (`source.key`) when our key is not taken.

        Between two askings lies a time drawn evenly between `every_s` and twice that.
        """
        backoff = Backoff(self._chance, first_s=min(FIRST_S, every_s), longest_s=every_s)
        while True:
            try:
                pause_s = await ask()
            except Unavailable as problem:
                wait_s = self._failed(route, problem, backoff)
            else:
                backoff.healthy()
                self._problems.pop(route, None)
                wait_s = max(pause_s, every_s * (1 + self._chance()))
            await self.clock.sleep(wait_s)

    def _failed(self, route: str, problem: Unavailable, backoff: Backoff) -> float:
        fate = _fate(problem)
        self._problems[route] = problem.detail
        self.counts["refusals" if fate.budget else "failures"] += 1
        log.warning(
            "source.unavailable", source=self.name, route=route, code=problem.code,
            detail=problem.detail,
        )  # fmt: skip
        if fate.hopeless and self._keyed:
            raise Refused(f"{problem.detail}: check its key in the settings", code="source.key")
        return max(fate.wait_s, 0.0 if fate.budget else backoff.failed())


@dataclass(frozen=True, slots=True)
class _Fate:
    """What follows from a failure."""

    wait_s: float = 0.0
    budget: bool = False
    hopeless: bool = False


def _fate(problem: DeskError) -> _Fate:
    if isinstance(problem, OverBudget):
        return _Fate(problem.wait_s, budget=True)
    if isinstance(problem, Declined):
        if problem.status == HTTPStatus.UNAUTHORIZED:
            return _Fate(BARRED_S, hopeless=True)
        return _Fate(max(problem.wait_s, BARRED_S if problem.lasting else 0.0))
    return _Fate()
