"""News into Postgres: what changed is kept soon, what is old is let go.

Nothing waits for the database: while it is away the latest state of each story waits here, up to a
bound; feeds tell the rest again when it is back.
"""

import asyncio
from collections import Counter
from typing import Final, NoReturn

import structlog

from quantdesk.core.backoff import Backoff, Chance
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.ingest.news import store
from quantdesk.ingest.news.model import Place, Story
from quantdesk.store.pool import Pools

log = structlog.get_logger()

WAITING_MAX: Final = 5000
BATCH_MAX: Final = 500
GATHER_S: Final = 1.0
SWEEP_S: Final = 3600.0
KEPT_DAYS: Final = 90
_DAY_MS: Final = 86_400_000


class NewsKeeper:
    """Keeps stories for `days`; `counts` holds kept, lost (no room to wait in), failures, purged.

    Its `keep` is a listener of `News.keep`.
    """

    def __init__(
        self, *, pools: Pools, clock: Clock, chance: Chance, days: int = KEPT_DAYS
    ) -> None:
        assert days > 0, "news is kept for a while"
        self._pools = pools
        self._clock = clock
        self._backoff = Backoff(chance)
        self._days = days
        self._waiting: dict[str, Story] = {}
        self._came = asyncio.Event()
        self._swept_s = float("-inf")
        self.counts: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """Return how many stories are not kept yet."""
        return len(self._waiting)

    def keep(self, story: Story) -> None:
        """Note that a story is to be kept as it is now."""
        if story.key not in self._waiting and len(self._waiting) >= WAITING_MAX:
            self._waiting.pop(next(iter(self._waiting)))
            self.counts["lost"] += 1
        self._waiting[story.key] = story
        self._came.set()

    async def run(self) -> NoReturn:
        """Keep what comes, and let go of what is old, until cancelled."""
        while True:
            await self._came.wait()
            self._came.clear()
            await self._clock.sleep(GATHER_S)
            try:
                await self.flush()
            except Unavailable as problem:
                self.counts["failures"] += 1
                log.warning("news.not_kept", code=problem.code, waiting=self.waiting)
                self._came.set()
                await self._clock.sleep(self._backoff.failed())
            else:
                self._backoff.healthy()

    async def flush(self) -> None:
        """Keep all that waits, now; then sweep when it is time. Raises `Unavailable`."""
        while self._waiting:
            batch = dict(list(self._waiting.items())[:BATCH_MAX])
            async with self._pools.write.transaction() as c:
                await store.keep(c, list(batch.values()))
            self.counts["kept"] += len(batch)
            for key, story in batch.items():
                if self._waiting.get(key) is story:  # what changed meanwhile waits on
                    del self._waiting[key]
        await self._sweep()

    async def recent(self, limit: int) -> list[Story]:
        """Return the latest stories that are kept, for `News.restore`. Raises `Unavailable`."""
        return await self.page(symbol=None, before=None, limit=limit)

    async def page(self, *, symbol: str | None, before: Place | None, limit: int) -> list[Story]:
        """Return a page of what is kept, newest first. Raises `Unavailable`."""
        async with self._pools.read.connection() as c:
            return await store.page(c, symbol=symbol, before=before, limit=limit)

    async def _sweep(self) -> None:
        now_s = self._clock.monotonic()
        if now_s - self._swept_s < SWEEP_S:
            return
        before_ms = self._clock.now_ms() - self._days * _DAY_MS
        async with self._pools.write.transaction() as c:
            self.counts["purged"] += await store.purge(c, before_ms=before_ms)
        self._swept_s = now_s
