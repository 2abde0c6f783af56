"""Promise: what is old goes with its partition, what is kept stays, and tomorrow has a place."""

import pytest
from tests.flow.market_store.rows import BTC, NOW_MS, candle, count, tick, writer

from quantdesk.ingest.retention import Keep, Retention
from quantdesk.ingest.store import read
from quantdesk.ingest.store.periods import PARENTS, named, period_of
from quantdesk.store.pool import Pools
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio
DAY_MS = 86_400_000


async def test_only_what_is_older_than_it_is_kept_goes(pools: Pools) -> None:
    clock = ManualClock(now_ms=NOW_MS)
    one = writer(pools, clock)
    for days in range(8):
        one.tick(tick(days, at_ms=NOW_MS - days * DAY_MS + 1))
    for interval in ("1s", "1m", "1h"):
        one.candle(candle(NOW_MS - DAY_MS, interval))
    await one.flush()
    retention = Retention(pools.write, clock=clock, keep=Keep())
    assert await retention.sweep() == []
    assert await count(pools, "ticks") == 8

    await clock.advance(3 * 86_400)
    dropped = await retention.sweep()
    assert dropped == [
        *(f"ticks_2025111{day}" for day in (4, 5, 6)), "candles_1s_20251120", "candles_1s_20251121",
    ]  # fmt: skip
    async with pools.read.connection() as c:
        kept = await read.ticks(c, BTC, from_ms=0, to_ms=NOW_MS * 2, limit=99)
        assert [each.received_ns % 1_000_000 for each in kept] == [4, 3, 2, 1, 0]
        for interval, rows in (("1s", 0), ("1m", 1), ("1h", 1)):
            found = await read.candles(c, BTC, interval, from_ms=0, to_ms=NOW_MS * 2, limit=9)
            assert len(found) == rows

    await clock.advance(200 * 86_400)
    assert "candles_1m_202511" in await retention.sweep()
    async with pools.read.connection() as c:
        assert await read.candles(c, BTC, "1h", from_ms=0, to_ms=NOW_MS * 2, limit=9)


async def test_the_next_days_have_partitions_before_they_come(pools: Pools) -> None:
    clock = ManualClock(now_ms=NOW_MS)
    retention = Retention(pools.write, clock=clock, keep=Keep())
    await retention.sweep()
    await clock.advance(86_400)
    async with pools.write.connection() as c:
        for parent in PARENTS:
            period = period_of(parent, clock.now_ms())
            assert await c.fetchval("select to_regclass($1) is not null", period.name)
            assert named(parent, period.name) == period
    await retention.sweep()


async def test_a_partition_dropped_by_hand_is_made_again(pools: Pools) -> None:
    one = writer(pools, ManualClock(now_ms=NOW_MS))
    one.tick(tick(0))
    await one.flush()
    async with pools.write.connection() as c:
        await c.execute("drop table ticks_20251121")
    one.tick(tick(1))
    one.tick(tick(2))
    await one.flush()
    assert await count(pools, "ticks") == 2
    assert one.counts["refused"] == 0


@pytest.mark.parametrize("days", [1, 28, 31, 365, 366, 1461, 20_000])
def test_periods_follow_each_other_without_a_seam(days: int) -> None:
    for parent in PARENTS:
        at_ms = days * DAY_MS + 12_345
        period = period_of(parent, at_ms)
        assert period.begin.timestamp() * 1000 <= at_ms < period.end.timestamp() * 1000
        after = period_of(parent, int(period.end.timestamp() * 1000))
        assert after.begin == period.end
        assert named(parent, period.name) == period
        assert named(parent, period.name + "x") is None
