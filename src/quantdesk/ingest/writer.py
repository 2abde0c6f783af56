"""The writer: what the store is to keep, from plain calls on the event loop to batches of COPY.

    sampler (prices) ─┐
    candles ──────────┼→ waiting, bounded → a batch every 100 ms, or when one is full → Postgres
    books' gaps ──────┘

Nobody who hands something over waits, whatever the database does. While it is away everything
waits up to a bound; past that the oldest ticks are lost and candles marked as missing, and rows
that say so are stored once it is back.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Final
from uuid import UUID

import structlog

from quantdesk.core.backoff import Backoff, Chance
from quantdesk.core.candles import Candle
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Unavailable
from quantdesk.ingest.retention import KEEP, Keep
from quantdesk.ingest.store import partitions
from quantdesk.ingest.store import write as stored
from quantdesk.ingest.store.model import Batch, Gap, Tick
from quantdesk.ingest.store.periods import TICKS, Period, candles_of, period_of
from quantdesk.ingest.waiting import BATCH_ROWS, BATCH_TICKS, Waiting
from quantdesk.sources.patience import within
from quantdesk.store.pool import WritePool

log = structlog.get_logger()

EVERY_S: Final = 0.1
CLOSE_S: Final = 5.0
_AGAIN_S_MAX: Final = 2.0
_AHEAD_MS_MAX: Final = 86_400_000
_NS_PER_MS: Final = 1_000_000
_DAY_NS: Final = 86_400 * 1_000_000_000


class Writer:
    """Takes ticks, candles and gaps, and stores them while `run` runs.

    `problem` is why the last try failed, None once one succeeded. `counts` counts rows stored by
    kind (`ticks`, `candles`, `gaps`), `batches`, and rows no table takes (`refused`) or of a time
    that is not kept (`untimely`); `waiting.counts` what was lost to overflow.
    """

    def __init__(
        self,
        pool: WritePool,
        *,
        writer_id: UUID,
        clock: Clock,
        chance: Chance,
        keep: Keep = KEEP,
        waiting: Waiting | None = None,
    ) -> None:
        """`writer_id` names this writer's numbers: a fresh one for each life of a process."""
        self._pool = pool
        self._id = writer_id
        self._clock = clock
        self._keep = keep
        self.waiting = Waiting() if waiting is None else waiting
        self._some = asyncio.Event()
        self._full = asyncio.Event()
        self._backoff = Backoff(chance, longest_s=_AGAIN_S_MAX)
        self._rows_max = BATCH_ROWS
        self._number = 0
        self._batch: Batch | None = None
        """Being stored, or in doubt: it goes before anything else, under its own number."""
        self._there: set[Period] = set()
        self.problem: Unavailable | None = None
        self.counts: Counter[str] = Counter()

    def tick(self, tick: Tick) -> None:
        """Take a tick; never blocks and never raises."""
        self.waiting.tick(tick)
        self._some.set()
        if len(self.waiting) >= BATCH_TICKS:
            self._full.set()

    def candle(self, candle: Candle) -> None:
        """Take a closed candle, or a later word on one; never blocks and never raises."""
        if candle.closed:
            self.waiting.candle(candle)
            self._some.set()

    def gap(self, gap: Gap) -> None:
        """Take what is known to be missing; never blocks and never raises."""
        self.waiting.gap(gap)
        self._some.set()

    async def run(self) -> None:
        """Store what waits until cancelled; the database may come and go."""
        while True:
            await self._some.wait()
            self._some.clear()
            with suppress(TimeoutError):
                await within(EVERY_S, self._full.wait(), clock=self._clock)
            self._full.clear()
            try:
                await self.flush()
            except Unavailable as problem:
                self._failed(problem)
                self._some.set()
                await self._clock.sleep(self._backoff.failed())

    async def close(self) -> None:
        """Store what still waits, within `CLOSE_S`; what cannot be is lost, and logged."""
        try:
            await within(CLOSE_S, self.flush(), clock=self._clock)
        except (TimeoutError, Unavailable) as problem:
            rows = len(self.waiting) + (self._batch.rows if self._batch else 0)
            log.warning("market_data.unstored", rows=rows, detail=str(problem))

    async def flush(self) -> None:
        """Store all that waits, batch after batch.

        Raises `Unavailable` when the database is; nothing is lost, and the next try goes on there.
        """
        while (batch := self._next()) is not None:
            try:
                await self._store(batch)
            except Corrupt as problem:
                self._refuse(batch, problem)
                continue
            self._batch = None
            self._rows_max = min(2 * self._rows_max, BATCH_ROWS)
            self._count(batch)
            if self.problem is not None:
                log.info("market_data.storing", waiting=len(self.waiting))
                self.problem = None
            self._backoff.healthy()

    def _next(self) -> Batch | None:
        while self._batch is None:
            batch = self.waiting.batch(self._number + 1, rows_max=self._rows_max)
            if batch is None:
                return None
            timely = self._timely(batch)
            if timely.rows:
                self._number += 1
                self._batch = timely
        return self._batch

    async def _store(self, batch: Batch) -> None:
        missing = set(_periods(batch)) - self._there
        if missing:
            async with self._pool.transaction() as c:
                await partitions.create(c, missing)
            self._there |= missing
        async with self._pool.transaction() as c:
            await stored.store(c, self._id, batch, now_ms=self._clock.now_ms())

    def _timely(self, batch: Batch) -> Batch:
        """Leave out what retention would drop at once, or what comes from another century."""
        now_ms = self._clock.now_ms()
        to_ms = now_ms + _AHEAD_MS_MAX
        from_ms = self._keep.from_ms(TICKS, now_ms)
        from_ns, to_ns = from_ms * _NS_PER_MS, to_ms * _NS_PER_MS
        ticks = [tick for tick in batch.ticks if from_ns <= tick.received_ns < to_ns]
        candles = [
            one
            for one in batch.candles
            if self._keep.from_ms(one.interval, now_ms) <= one.open_ms < to_ms
        ]
        self.counts["untimely"] += batch.rows - len(ticks) - len(candles) - len(batch.gaps)
        return Batch(batch.number, ticks, candles, batch.gaps)

    def _refuse(self, batch: Batch, problem: Corrupt) -> None:
        """Take a batch apart until what no table takes is alone, and leave that out."""
        self._batch = None
        self._there.clear()  # somebody may have dropped a partition
        if batch.rows > 1:
            self._rows_max = max(1, batch.rows // 2)
            self.waiting.put_back(batch)
            return
        log.error("market_data.refused", detail=problem.detail)
        self.counts["refused"] += 1
        for tick in batch.ticks:
            self.waiting.lose_tick(tick, "refused")
        for candle in batch.candles:
            self.waiting.lose_candle(candle, "refused")

    def _count(self, batch: Batch) -> None:
        self.counts["batches"] += 1
        self.counts["ticks"] += len(batch.ticks)
        self.counts["candles"] += len(batch.candles)
        self.counts["gaps"] += len(batch.gaps)

    def _failed(self, problem: Unavailable) -> None:
        if self.problem is None:
            log.warning("market_data.waiting", code=problem.code, detail=problem.detail)
        self.problem = problem


def _periods(batch: Batch) -> Iterator[Period]:
    """Yield the partitions that a batch needs."""
    days = {tick.received_ns // _DAY_NS for tick in batch.ticks}
    for day in days:
        yield period_of(TICKS, day * _DAY_NS // _NS_PER_MS)
    for one in batch.candles:
        yield period_of(candles_of(one.interval), one.open_ms)
