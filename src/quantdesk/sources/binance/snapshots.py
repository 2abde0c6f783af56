"""Snapshots of books by REST: fetched when asked for, one of a pair at a time.

A book that cannot be made right asks again as soon as a snapshot came; so a pair is fetched once
per `AGAIN_S` at most, however often it is asked for.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import structlog

from quantdesk.core.backoff import Backoff, Chance
from quantdesk.core.breaker import Breaker
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.sources.limits import Declined
from quantdesk.sources.together import together

log = structlog.get_logger()

AGAIN_S = 1.0
AT_ONCE = 4

Fetch = Callable[[str], Awaitable[bytes]]
Deliver = Callable[[str, bytes], None]


class Snapshots:
    """Pairs whose book is wanted, and the tasks that fetch them.

    `counts` gains snapshots and snapshot_failures. Bounded by the pairs it was made with; others
    are not fetched.
    """

    def __init__(
        self,
        *,
        fetch: Fetch,
        deliver: Deliver,
        clock: Clock,
        chance: Chance,
        counts: Counter[str],
    ) -> None:
        self._fetch = fetch
        self._deliver = deliver
        self._clock = clock
        self._chance = chance
        self._counts = counts
        self._breaker = Breaker()
        self._wanted: dict[str, None] = {}
        self._fetching: set[str] = set()
        self._fetched_s: dict[str, float] = {}
        self._asked = asyncio.Event()

    def want(self, pair: str) -> None:
        """Fetch this pair's book soon; asked while it is being fetched, it is fetched once more."""
        self._wanted[pair] = None
        self._asked.set()

    async def run(self) -> None:
        """Fetch until cancelled. Raises `Declined` once refused for good."""
        await together(*(self._work() for _ in range(AT_ONCE)))

    async def _work(self) -> None:
        backoff = Backoff(self._chance)
        while True:
            pair = await self._next()
            try:
                wait_s = await self._try(pair, backoff)
            finally:
                self._fetching.discard(pair)
                self._asked.set()
            if wait_s:
                await self._clock.sleep(wait_s)

    async def _next(self) -> str:
        while True:
            for pair in self._wanted:
                if pair not in self._fetching:
                    del self._wanted[pair]
                    self._fetching.add(pair)
                    return pair
            self._asked.clear()
            await self._asked.wait()

    async def _try(self, pair: str, backoff: Backoff) -> float:
        """Fetch one book; return how long to wait after a failure, the pair wanted again."""
        now_s = self._clock.monotonic()
        again_s = self._fetched_s.get(pair, now_s - AGAIN_S) + AGAIN_S - now_s
        if again_s > 0:
            await self._clock.sleep(again_s)
        while (wait_s := self._breaker.wait_s(self._clock.monotonic())) > 0:
            await self._clock.sleep(wait_s)
        try:
            body = await self._fetch(pair)
        except Unavailable as problem:
            return self._failed(pair, problem, backoff)
        except BaseException:
            self._breaker.abandoned()
            raise
        self._breaker.succeeded()
        backoff.healthy()
        self._counts["snapshots"] += 1
        self._fetched_s[pair] = self._clock.monotonic()
        self._fetching.discard(pair)  # whoever hears it may find it too old, and ask again
        self._deliver(pair, body)
        return 0.0

    def _failed(self, pair: str, problem: Unavailable, backoff: Backoff) -> float:
        self._breaker.failed(self._clock.monotonic())
        self._counts["snapshot_failures"] += 1
        wait_s = backoff.failed()
        if isinstance(problem, Declined):
            if problem.lasting:
                raise problem
            wait_s = max(wait_s, problem.wait_s)
        self._wanted[pair] = None
        log.warning("source.no_snapshot", pair=pair, code=problem.code, detail=problem.detail)
        return wait_s
