"""Retention: partitions that are too old are dropped whole, those soon needed are made ahead."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import structlog

from quantdesk.core.clock import Clock, unix_ms, utc
from quantdesk.core.errors import Unavailable
from quantdesk.ingest.store import partitions, write
from quantdesk.ingest.store.periods import PARENTS, TICKS, Period, candles_of, period_of
from quantdesk.store.pool import WritePool

log = structlog.get_logger()

SWEEP_S: Final = 3600.0
_DAY_MS: Final = 86_400_000
_AHEAD: Final = timedelta(days=2)

TICKS_DAYS: Final = 7
CANDLES_DAYS: Final[Mapping[str, int]] = MappingProxyType(
    {"1s": 2, "5s": 7, "15s": 14, "1m": 90, "5m": 365, "15m": 365}
)
"""Longer candles are kept for ever."""


class Keep:
    """How many days are kept of ticks, and of candles by interval; for ever where none is said."""

    def __init__(
        self,
        *,
        ticks_days: int | None = TICKS_DAYS,
        candles_days: Mapping[str, int] = CANDLES_DAYS,
    ) -> None:
        self._days: dict[str, int | None] = {TICKS: ticks_days}
        self._days |= {candles_of(interval): days for interval, days in candles_days.items()}

    def from_ms(self, what: str, now_ms: int) -> int:
        """Return since when rows of an interval, or of `ticks`, are kept; 0 for ever."""
        days = self._days.get(what if what == TICKS else candles_of(what))
        return 0 if days is None else max(0, now_ms - days * _DAY_MS)

    def past(self, period: Period, now_ms: int) -> bool:
        """Say whether all of a period is older than what is kept."""
        days = self._days.get(period.parent)
        return days is not None and unix_ms(period.end) <= now_ms - days * _DAY_MS


KEEP: Final = Keep()


class Retention:
    """Sweeps once an hour while `run` runs; several desks may do so at once."""

    def __init__(self, pool: WritePool, *, clock: Clock, keep: Keep) -> None:
        self._pool = pool
        self._clock = clock
        self._keep = keep
        self.problem: Unavailable | None = None

    async def run(self) -> None:
        """Sweep at once and then every hour, until cancelled; a failed sweep is tried again."""
        while True:
            try:
                await self.sweep()
                self.problem = None
            except Unavailable as problem:
                self.problem = problem
                log.warning("retention.failed", code=problem.code, detail=problem.detail)
            await self._clock.sleep(SWEEP_S)

    async def sweep(self) -> list[str]:
        """Make what the next two days need, drop what is old; return the names dropped.

        Raises `Unavailable`.
        """
        now_ms = self._clock.now_ms()
        async with self._pool.transaction() as c:
            await partitions.create(c, _needed(now_ms))
            await write.purge(c, before_ms=self._keep.from_ms(TICKS, now_ms) or now_ms - _DAY_MS)
        dropped = []
        for parent in PARENTS:
            async with self._pool.connection() as c:
                there = await partitions.existing(c, parent)
            for period in there:
                if self._keep.past(period, now_ms):
                    async with self._pool.transaction() as c:
                        await partitions.drop(c, period)
                    dropped.append(period.name)
        if dropped:
            log.info("retention.dropped", partitions=dropped)
        return dropped


def _needed(now_ms: int) -> set[Period]:
    soon_ms = unix_ms(utc(now_ms) + _AHEAD)
    moments = (now_ms, now_ms + _DAY_MS, soon_ms)
    return {period_of(parent, ms) for parent in PARENTS for ms in moments}
