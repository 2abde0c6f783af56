"""Backfill: candles that are not stored, asked of the exchange and added up.

    stored candles → holes → pages → the exchange's REST → store, roll-ups

The store itself is the progress: each page is one transaction, and a run that was cut goes on where
that ended. What the exchange does not have is noted as absent and never asked for again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from quantdesk.core.backoff import Backoff, Chance
from quantdesk.core.candles import INTERVALS, Candle
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.ingest.holes import Range, holes, on_grid, pieces
from quantdesk.ingest.retention import KEEP, Keep
from quantdesk.ingest.store import partitions, read, rollups, write
from quantdesk.ingest.store.model import Gap, Market
from quantdesk.ingest.store.periods import Period, candles_of, period_of
from quantdesk.sources.klines import Klines
from quantdesk.sources.limits import Declined
from quantdesk.store.pool import Pools

log = structlog.get_logger()

SETTLED_MS: Final = 600_000
"""An exchange may tell a window so much later: until then nothing is said to be absent."""
LATENESS_MS: Final = 5_000
TRIES_MAX: Final = 8
PAGES_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """The candles of a market and interval that open in [`from_ms`, `to_ms`)."""

    market: Market
    interval: str
    from_ms: int
    to_ms: int


@dataclass(slots=True)
class Filled:
    """What a backfill did: windows that were missing, stored, and that the exchange lacks."""

    missing: int = 0
    stored: int = 0
    absent: int = 0
    rolled_up: int = 0
    pages: int = 0


Told = Callable[[Filled], object]
"""Is told how far it got, after each page."""


class Backfill:
    """Fills holes of one exchange's candles; `keep` bounds how far back."""

    def __init__(
        self, pools: Pools, klines: Klines, *, clock: Clock, chance: Chance, keep: Keep = KEEP
    ) -> None:
        self._pools = pools
        self._klines = klines
        self._clock = clock
        self._chance = chance
        self._keep = keep

    async def missing(self, wanted: Wanted) -> list[Range]:
        """Return the ranges no whole candle is stored of, less what is absent.

        Windows that have not ended are not missing. Raises `Unavailable`, `Refused`
        (`backfill.range`) for a range of which nothing is kept or has ended.
        """
        length_ms = INTERVALS[wanted.interval]
        now_ms = self._clock.now_ms()
        kept_ms = self._keep.from_ms(wanted.interval, now_ms)
        from_ms, to_ms = on_grid(
            max(wanted.from_ms, kept_ms),
            min(wanted.to_ms, now_ms - LATENESS_MS),
            length_ms=length_ms,
        )
        if from_ms >= to_ms:
            raise Refused(
                f"nothing of {wanted.interval} is kept there, or has ended: choose a range after"
                " what retention drops and before now",
                code="backfill.range",
            )
        async with self._pools.read.connection() as c:
            there = await read.covered(
                c, wanted.market, wanted.interval, from_ms=from_ms, to_ms=to_ms
            )
        return list(holes(there, from_ms=from_ms, to_ms=to_ms))

    async def run(self, wanted: Wanted, told: Told = lambda _: None) -> Filled:
        """Fill what is missing of a range, the oldest first, and add it up.

        Raises `Refused` (`backfill.interval`, `backfill.range`, `backfill.large`,
        `market.unknown`), `Unavailable` when the exchange or the database stays away, and `Corrupt`
        when it tells nonsense. What was stored until then stays.
        """
        if wanted.interval not in self._klines.intervals:
            known = ", ".join(self._klines.intervals)
            raise Refused(
                f"{self._klines.name} tells no candles of {wanted.interval}; it has {known}",
                code="backfill.interval",
            )
        length_ms = INTERVALS[wanted.interval]
        page_ms = length_ms * self._klines.rows_max
        missing = await self.missing(wanted)
        todo = [piece for hole in missing for piece in pieces(hole, length_ms=page_ms)]
        if len(todo) > PAGES_MAX:
            raise Refused(
                f"that is {len(todo)} questions to {self._klines.name}: choose a shorter range, or"
                " a longer interval",
                code="backfill.large",
            )
        done = Filled(missing=sum(end - begin for begin, end in missing) // length_ms)
        for piece in todo:
            await self._page(wanted, piece, done)
            told(done)
        await self._settle_notes(wanted)
        return done

    async def _page(self, wanted: Wanted, piece: Range, done: Filled) -> None:
        candles = await self._asked(wanted, piece)
        now_ms = self._clock.now_ms()
        absent = _absent(wanted, piece, candles, settled_ms=now_ms - SETTLED_MS)
        table = candles_of(wanted.interval)
        periods = {period_of(table, one.open_ms) for one in candles}
        if wanted.interval == rollups.BASE:
            periods |= _rolled(candles)
        async with self._pools.write.transaction() as c:
            await partitions.create(c, periods)
        async with self._pools.write.transaction() as c:
            if candles:
                done.stored += await write.fill(c, candles)
            await write.note(c, absent, now_ms=now_ms)
            if candles and wanted.interval == rollups.BASE:
                done.rolled_up += await rollups.roll_up(
                    c, wanted.market, from_ms=piece[0], to_ms=piece[1], now_ms=now_ms
                )
        done.absent += sum(gap.count for gap in absent)
        done.pages += 1

    async def _asked(self, wanted: Wanted, piece: Range) -> Sequence[Candle]:
        """Ask until there is an answer: waiting as long as the exchange says, then longer."""
        backoff = Backoff(self._chance)
        _, symbol, currency = wanted.market
        while True:
            try:
                return await self._klines.candles(
                    symbol, currency, wanted.interval, from_ms=piece[0], to_ms=piece[1]
                )
            except Unavailable as problem:
                wait_s = backoff.failed()
                if isinstance(problem, Declined):
                    if problem.lasting:
                        raise
                    wait_s = max(wait_s, problem.wait_s)
                if backoff.failures >= TRIES_MAX:
                    raise
                log.warning("backfill.waiting", code=problem.code, seconds=round(wait_s, 1))
                await self._clock.sleep(wait_s)

    async def _settle_notes(self, wanted: Wanted) -> None:
        """Note which of the known gaps of this market and interval are filled now."""
        async with self._pools.read.connection() as c:
            noted = await read.gaps(c, fate="missing")
        of = ("candles", wanted.market, wanted.interval)
        for gap in noted:
            if (gap.kind, gap.market, gap.interval) != of:
                continue
            async with self._pools.write.transaction() as c:
                there = await read.covered(
                    c, gap.market, gap.interval, from_ms=gap.from_ms, to_ms=gap.to_ms
                )
                if not list(holes(there, from_ms=gap.from_ms, to_ms=gap.to_ms)):
                    await write.note_filled(c, gap, now_ms=self._clock.now_ms())


def _absent(
    wanted: Wanted, piece: Range, candles: Sequence[Candle], *, settled_ms: int
) -> list[Gap]:
    """Return what the exchange does not have of a piece it was asked for."""
    length_ms = INTERVALS[wanted.interval]
    told = ((one.open_ms, one.open_ms + length_ms) for one in candles)
    to_ms = min(piece[1], settled_ms - settled_ms % length_ms)
    return [
        Gap(
            "candles", *wanted.market, wanted.interval, begin_ms, end_ms,
            (end_ms - begin_ms) // length_ms, "the exchange has none", "absent",
        )
        for begin_ms, end_ms in holes(told, from_ms=piece[0], to_ms=to_ms)
    ]  # fmt: skip


def _rolled(candles: Sequence[Candle]) -> set[Period]:
    """Return the partitions that candles added up from these fall into."""
    return {
        period_of(candles_of(interval), one.open_ms - one.open_ms % INTERVALS[interval])
        for interval in rollups.TARGETS
        for one in candles
    }
