"""Promise: market data reaches the store once, in batches, and nobody ever waits for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import msgspec
import pytest
from tests.flow.market_store.rows import BTC, NOW_MS, NS, candle, count, tick, writer

from quantdesk.core.errors import Unavailable
from quantdesk.ingest.store import read
from quantdesk.ingest.store.model import Gap
from quantdesk.ingest.waiting import BATCH_TICKS, Waiting
from quantdesk.store.pool import Connection, Pools, WritePool, connect
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio
DAY_MS = 86_400_000
HOUR_MS = 3_600_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now_ms=NOW_MS)


async def _gaps(pools: Pools) -> list[Gap]:
    async with pools.read.connection() as c:
        return await read.gaps(c)


async def test_what_is_written_is_read_back_exactly(pools: Pools, clock: ManualClock) -> None:
    one = writer(pools, clock)
    told = [tick(number, at_ms=NOW_MS + number) for number in range(3)]
    told.append(msgspec.structs.replace(told[0], event_ms=None, received_ns=(NOW_MS + 9) * NS,
                                        price=Decimal("1e-12"), is_raw=False))  # fmt: skip
    for each in told:
        one.tick(each)
    fine = candle(
        open="0.000000000000000001", low="0.000000000000000001", volume="0", quote_volume=None,
        taker_buy_volume=None, revision=4, gap=True, origin="exchange", reconciled=True,
    )  # fmt: skip
    whole = candle(NOW_MS, "1h", quote_volume="123456789012345678901234567890.123456789012345678")
    for each_candle in (fine, whole):
        one.candle(each_candle)
    await one.flush()

    async with pools.read.connection() as c:
        assert await read.ticks(c, BTC, from_ms=0, to_ms=NOW_MS * 2, limit=9) == told
        for stored in (fine, whole):
            found = await read.candles(
                c, BTC, stored.interval, from_ms=None, to_ms=NOW_MS * 2, limit=9
            )
            assert found == [stored]


async def test_candles_are_read_from_a_moment_on_or_up_to_one(
    pools: Pools, clock: ManualClock
) -> None:
    one = writer(pools, clock)
    opens = [NOW_MS + number * 60_000 for number in range(5)]
    for open_ms in opens:
        one.candle(candle(open_ms))
    await one.flush()

    async def asked(from_ms: int | None, to_ms: int) -> list[int]:
        async with pools.read.connection() as c:
            found = await read.candles(c, BTC, "1m", from_ms=from_ms, to_ms=to_ms, limit=2)
        return [each.open_ms for each in found]

    assert await asked(opens[1], opens[4]) == opens[1:3]
    assert await asked(None, opens[4]) == opens[2:4]
    assert await asked(opens[4], NOW_MS * 2) == opens[4:]


async def test_the_latest_word_on_a_candle_wins_in_whatever_order_it_comes(
    pools: Pools, clock: ManualClock
) -> None:
    words = [
        candle(close="101", revision=0),
        candle(close="103", revision=2),
        candle(close="102", revision=1),
        candle(close="103", revision=2, reconciled=True),
        candle(close="103", revision=2, reconciled=False),
    ]
    for number, word in enumerate(words):
        one = writer(pools, clock, number=number + 1)
        one.candle(word)
        await one.flush()

    async with pools.read.connection() as c:
        assert await read.candles(c, BTC, "1m", from_ms=0, to_ms=NOW_MS * 2, limit=9) == [words[3]]


async def test_an_open_candle_is_not_stored(pools: Pools, clock: ManualClock) -> None:
    one = writer(pools, clock)
    one.candle(candle(closed=False))
    await one.flush()
    assert await count(pools, "candles") == 0


async def test_it_writes_every_tenth_of_a_second_or_as_soon_as_a_batch_is_full(
    pools: Pools, clock: ManualClock
) -> None:
    one = writer(pools, clock)
    running = asyncio.create_task(one.run())
    one.tick(tick(0))
    await clock.asleep(1)
    assert await count(pools, "ticks") == 0
    await clock.advance(0.1)
    await _stored(pools, 1)
    for number in range(BATCH_TICKS):
        one.tick(tick(number + 1))
    await _stored(pools, BATCH_TICKS + 1)
    running.cancel()


async def _stored(pools: Pools, rows: int) -> None:
    async with asyncio.timeout(60):
        while await count(pools, "ticks") < rows:  # noqa: ASYNC110 - only the store knows
            await asyncio.sleep(0)


class Deaf(WritePool):
    """Loses the server's answer to the next commit."""

    def __init__(self, inner: WritePool) -> None:
        self.inner = inner
        self.lose = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Commit, and then perhaps say nothing of it."""
        async with self.inner.transaction() as c:
            yield c
        if self.lose:
            self.lose -= 1
            raise Unavailable("the answer was lost", code="database.unavailable")


async def test_a_commit_that_nobody_heard_of_is_not_repeated(
    pools: Pools, clock: ManualClock
) -> None:
    deaf = Deaf(pools.write)
    one = writer(deaf, clock)
    one.tick(tick(0))
    one.candle(candle(NOW_MS - 60_000))
    await one.flush()
    for number in (1, 2):
        one.tick(tick(number))
    one.candle(candle())
    deaf.lose = 1
    with pytest.raises(Unavailable):
        await one.flush()
    assert await count(pools, "ticks") == 3
    one.tick(tick(3))
    await one.flush()
    assert await count(pools, "ticks") == 4
    assert await count(pools, "candles") == 2


async def test_a_minute_without_a_database_loses_the_oldest_ticks_and_says_so(
    database: str, pools: Pools, tmp_path: Path, clock: ManualClock
) -> None:
    sockets = Path(parse_qs(urlsplit(database).query)["host"][0])
    way = tmp_path / "way"
    way.symlink_to(sockets)
    url = f"postgresql://quantdesk@/{urlsplit(database).path[1:]}?host={way}"
    async with await connect(url, write_max=2, read_max=1) as own:
        waiting = Waiting(ticks_max=1_000, candles_max=30)
        one = writer(own, clock, waiting=waiting)
        one.tick(tick(0))
        await one.flush()
        way.unlink()
        await _cut(database)
        running = asyncio.create_task(one.run())
        for second in range(60):
            for number in range(100):
                at_ms = clock.now_ms() + number
                one.tick(tick(1 + second * 100 + number, at_ms=at_ms))
            one.candle(candle(NOW_MS + second * 1_000, "1s"))
            await clock.asleep(1)
            await clock.advance(1)
        assert one.problem is not None
        assert one.problem.code == "database.unavailable"
        way.symlink_to(sockets)
        running.cancel()
        await one.flush()

    kept, lost = await count(pools, "ticks"), waiting.counts["ticks"]
    assert kept + lost == 6_001
    assert kept <= 1 + 1_000 + BATCH_TICKS
    stored = {gap.kind: gap for gap in await _gaps(pools)}
    assert stored["ticks"].count == lost
    assert stored["ticks"].fate == "lost"
    assert NOW_MS <= stored["ticks"].from_ms < stored["ticks"].to_ms <= NOW_MS + 60_000
    assert stored["candles"].fate == "missing"
    assert stored["candles"].count == 60 - await count(pools, "candles")
    assert stored["candles"].interval == "1s"


async def _cut(database: str) -> None:
    """End every session of a database but this one."""
    c = await asyncpg.connect(database)
    await c.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    await c.close()


async def test_a_session_killed_while_it_stores_loses_and_repeats_nothing(
    database: str, pools: Pools, clock: ManualClock
) -> None:
    one = writer(pools, clock)
    failed = 0
    for number in range(20):
        for part in range(500):
            one.tick(tick(number * 500 + part))
        flush, cut = asyncio.create_task(one.flush()), asyncio.create_task(_cut(database))
        await cut
        try:
            await flush
        except Unavailable:
            failed += 1
    for _ in range(8):  # each idle connection that was cut fails once
        with suppress(Unavailable):
            await one.flush()
    assert failed
    async with pools.read.connection() as c:
        numbers = [row[0] for row in await c.fetch("select raw_ns from ticks order by 1")]
    assert numbers == [NOW_MS * NS + number for number in range(10_000)]


async def test_what_no_table_takes_is_left_out_alone(pools: Pools, clock: ManualClock) -> None:
    one = writer(pools, clock)
    for number in range(100):
        one.tick(tick(number))
        one.candle(candle(NOW_MS + number * 1_000, "1s"))
    one.tick(msgspec.structs.replace(tick(100), price=Decimal(0)))
    one.candle(candle(NOW_MS, "5s", last_id=1 << 63))
    one.tick(msgspec.structs.replace(tick(101), symbol="nul\0"))
    await one.flush()
    assert await count(pools, "ticks") == 100
    assert await count(pools, "candles") == 100
    assert one.counts["refused"] == 4  # the fourth is the gap row of a market with no name
    assert {(gap.kind, gap.interval) for gap in await _gaps(pools)} == {
        ("ticks", ""),
        ("candles", "5s"),
    }


async def test_times_that_are_not_kept_make_no_partitions(pools: Pools, clock: ManualClock) -> None:
    one = writer(pools, clock)
    for at_ms in (0, NOW_MS - 8 * DAY_MS, NOW_MS + 2 * DAY_MS):
        one.tick(tick(0, at_ms=at_ms))
        one.candle(candle(at_ms - at_ms % 1_000, "1s"))
    one.candle(candle(NOW_MS - 9_000 * HOUR_MS, "1h"))
    await one.flush()
    assert one.counts["untimely"] == 6
    assert await count(pools, "ticks") == 0
    assert await count(pools, "candles") == 1
