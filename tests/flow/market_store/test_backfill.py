"""Promise: what is missing is asked for, once, within the exchange's limits, and added up right."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.flow.market_store.rows import BTC, NOW_MS, candle, count, minutes, store

from quantdesk.core.candles import INTERVALS, Candle
from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.ingest.backfill import Backfill, Filled, Wanted
from quantdesk.ingest.store import read, write
from quantdesk.ingest.store.model import Gap
from quantdesk.sources.binance.exchange import SPOT, USD_M
from quantdesk.sources.binance.klines import BinanceKlines
from quantdesk.store.pool import Pools
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.klines import KlinesServer

pytestmark = pytest.mark.anyio
MINUTE_MS = 60_000
DAY_MS = 86_400_000
START_MS = NOW_MS - NOW_MS % DAY_MS - DAY_MS
"""Midnight before the last midnight."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now_ms=NOW_MS)


@pytest.fixture
async def server() -> AsyncIterator[KlinesServer]:
    async with KlinesServer(now_ms=NOW_MS) as serving:
        yield serving


@pytest.fixture
async def backfill(
    pools: Pools, clock: ManualClock, server: KlinesServer
) -> AsyncIterator[Backfill]:
    async with BinanceKlines(SPOT.at(rest_url=server.url), clock=clock) as klines:
        yield Backfill(pools, klines, clock=clock, chance=lambda: 0.5)


def _wanted(minutes: int, *, from_ms: int = START_MS, interval: str = "1m") -> Wanted:
    return Wanted(BTC, interval, from_ms, from_ms + minutes * MINUTE_MS)


async def _candles(pools: Pools, interval: str) -> list[Candle]:
    async with pools.read.connection() as c:
        return await read.candles(c, BTC, interval, from_ms=0, to_ms=NOW_MS, limit=5_000)


async def _gaps(pools: Pools, fate: str) -> list[Gap]:
    async with pools.read.connection() as c:
        return await read.gaps(c, fate=fate)


async def test_an_empty_store_is_filled_page_by_page(
    pools: Pools, backfill: Backfill, server: KlinesServer
) -> None:
    far: list[int] = []
    done = await backfill.run(_wanted(1_440), lambda filled: far.append(filled.stored))
    assert (done.missing, done.stored, done.absent) == (1_440, 1_440, 0)
    assert far == [1_000, 1_440]
    assert [ms for _, ms, _ in server.asked] == [START_MS, START_MS + 1_000 * MINUTE_MS]
    stored = await _candles(pools, "1m")
    assert [one.open_ms for one in stored] == [START_MS + n * MINUTE_MS for n in range(1_440)]
    assert {one.origin for one in stored} == {"exchange"}
    assert {one.flat for one in stored} == {one.trades == 0 for one in stored} == {True, False}
    assert [len(await _candles(pools, name)) for name in ("5m", "15m", "1h", "4h", "1d")] == [
        288, 96, 24, 6, 1,
    ]  # fmt: skip


async def test_only_what_is_missing_is_asked_for_and_nothing_twice(
    pools: Pools, clock: ManualClock, backfill: Backfill, server: KlinesServer
) -> None:
    live = minutes(30, from_ms=START_MS)
    kept = live[:10] + live[13:20]
    broken = candle(live[20].open_ms, gap=True, revision=3)
    await store(pools, clock, [*kept, broken])
    done = await backfill.run(_wanted(25))
    assert done.stored == 3 + 5
    assert server.asked == [
        ("1m", live[10].open_ms, live[13].open_ms - 1),
        ("1m", live[20].open_ms, live[25].open_ms - 1),
    ]
    stored = {one.open_ms: one for one in await _candles(pools, "1m")}
    assert [stored[one.open_ms] for one in kept] == kept
    healed = stored[broken.open_ms]
    assert (healed.gap, healed.origin, healed.revision) == (False, "exchange", 4)
    again = await backfill.run(_wanted(25))
    assert again == Filled()
    assert len(server.asked) == 2


async def test_a_part_counted_after_a_restart_does_not_undo_a_backfill(
    pools: Pools, clock: ManualClock, backfill: Backfill
) -> None:
    await backfill.run(_wanted(3))
    filled = await _candles(pools, "1m")
    await store(pools, clock, [candle(START_MS, gap=True, revision=9)])
    assert await _candles(pools, "1m") == filled
    later = candle(START_MS, revision=10)
    await store(pools, clock, [later])
    assert (await _candles(pools, "1m"))[0] == later


async def test_what_the_exchange_does_not_have_is_never_asked_for_again(
    pools: Pools, clock: ManualClock, backfill: Backfill, server: KlinesServer
) -> None:
    server.since_ms = START_MS + 5 * MINUTE_MS
    server.down = frozenset({START_MS + 7 * MINUTE_MS, START_MS + 8 * MINUTE_MS})
    done = await backfill.run(_wanted(10))
    assert (done.stored, done.absent) == (3, 7)
    assert {(gap.from_ms, gap.to_ms) for gap in await _gaps(pools, "absent")} == {
        (START_MS, server.since_ms),
        (START_MS + 7 * MINUTE_MS, START_MS + 9 * MINUTE_MS),
    }
    asked = len(server.asked)
    assert await backfill.run(_wanted(10)) == Filled()
    assert len(server.asked) == asked


async def test_the_latest_windows_may_be_told_later_and_are_not_absent(
    pools: Pools, clock: ManualClock, backfill: Backfill, server: KlinesServer
) -> None:
    server.now_ms = NOW_MS - 3 * MINUTE_MS
    await backfill.run(_wanted(60, from_ms=NOW_MS - 30 * MINUTE_MS))
    assert not await _gaps(pools, "absent")
    server.now_ms = NOW_MS
    done = await backfill.run(_wanted(60, from_ms=NOW_MS - 30 * MINUTE_MS))
    assert done.stored == 1
    assert (await _candles(pools, "1m"))[-1].open_ms == NOW_MS - 2 * MINUTE_MS


async def test_it_waits_as_long_as_the_exchange_says(
    clock: ManualClock, backfill: Backfill, server: KlinesServer
) -> None:
    server.refusals = [(429, "7"), (418, "120"), (503, ""), (500, "")]
    run = asyncio.create_task(backfill.run(_wanted(1)))
    for wait_s in (7, 120, 60):
        await _asleep(clock)
        await clock.advance(wait_s - 1)
        assert not server.asked
        await clock.advance(1)
    while not run.done():
        await clock.advance(1)
    assert run.result().stored == 1


async def _asleep(clock: ManualClock) -> None:
    """Return when nothing is on its way to the server: an answer's deadline sleeps beside it."""
    for _ in range(200):
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("status", "tries", "code"), [(403, 1, "source.barred"), (500, 8, "source.declined")]
)
async def test_it_gives_up_where_asking_does_not_help(
    status: int, tries: int, code: str, clock: ManualClock, backfill: Backfill, server: KlinesServer
) -> None:
    server.refusals = [(status, "")] * 20
    run = asyncio.create_task(backfill.run(_wanted(1)))
    while not run.done():
        await clock.advance(1)
    with pytest.raises(Unavailable) as given_up:
        run.result()
    assert given_up.value.code == code
    assert len(server.refusals) == 20 - tries


async def test_a_run_that_was_cut_goes_on_where_it_ended(
    pools: Pools, clock: ManualClock, backfill: Backfill, server: KlinesServer
) -> None:
    def cut(_: Filled) -> None:
        server.refusals = [(403, "")]

    with pytest.raises(Unavailable):
        await backfill.run(_wanted(2_000), cut)
    assert await count(pools, "candles where interval = '1m'") == 1_000
    done = await backfill.run(_wanted(2_000))
    assert done.missing == done.stored == 1_000
    assert server.asked[-1][1] == START_MS + 1_000 * MINUTE_MS


@pytest.mark.parametrize(
    "body",
    [
        "", "{}", "null", "[[]]", "[[1]]", '[["a"]]',
        "[[{0},\"1\",\"1\",\"1\",\"NaN\",\"1\",0,\"1\",1,\"1\"]]",
        "[[{0},\"1\",\"1\",\"1\",\"-1\",\"1\",0,\"1\",1,\"1\"]]",
        "[[{0},\"1\",\"1\",\"1\",1,\"1\",0,\"1\",1,\"1\"]]",
        "[[1,\"1\",\"1\",\"1\",\"1\",\"1\",0,\"1\",1,\"1\"]]",
        "[[{0},\"1\",\"1\",\"2\",\"1\",\"1\",0,\"1\",1,\"1\"]]",
        "[[{0},\"0\",\"1\",\"0\",\"1\",\"1\",0,\"1\",1,\"1\"]]",
        "[[{0},\"1\",\"1\",\"1\",\"1\",\"1\",0,\"1\",1,\"1\"],[{0},\"1\",\"1\",\"1\",\"1\",\"1\",0,\"1\",1,\"1\"]]",
    ],
)  # fmt: skip
async def test_nonsense_is_not_stored(
    body: str, pools: Pools, backfill: Backfill, server: KlinesServer
) -> None:
    server.body = body.replace("{0}", str(START_MS)) or "x"
    with pytest.raises(Corrupt):
        await backfill.run(_wanted(5))
    assert await count(pools, "candles") == 0
    assert await count(pools, "market_gaps") == 0


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (Wanted(("binance", "XYZ", "USDT"), "1m", START_MS, NOW_MS), "market.unknown"),
        (Wanted(BTC, "5s", START_MS, NOW_MS), "backfill.interval"),
        (Wanted(BTC, "1m", NOW_MS, NOW_MS + DAY_MS), "backfill.range"),
        (Wanted(BTC, "1m", START_MS - 400 * DAY_MS, NOW_MS - 399 * DAY_MS), "backfill.range"),
    ],
)
async def test_what_cannot_be_had_is_refused(wanted: Wanted, code: str, backfill: Backfill) -> None:
    with pytest.raises(Refused) as refused:
        await backfill.run(wanted)
    assert refused.value.code == code


async def test_a_recorded_gap_is_filled_and_says_so(
    pools: Pools, clock: ManualClock, backfill: Backfill
) -> None:
    end_ms = START_MS + 5 * MINUTE_MS
    gap = Gap("candles", *BTC, "1m", START_MS, end_ms, 5, "overflow")
    for _ in range(2):
        async with pools.write.transaction() as c:
            await write.note(c, [gap], now_ms=NOW_MS)
        assert await _gaps(pools, "missing") == [gap]
        await backfill.run(_wanted(6))
        (filled,) = await _gaps(pools, "filled")
        assert (filled.from_ms, filled.to_ms, filled.filled_ms) == (START_MS, end_ms, NOW_MS)
        assert not await _gaps(pools, "missing")


async def test_futures_are_asked_by_their_own_route(
    pools: Pools, clock: ManualClock, server: KlinesServer
) -> None:
    async with BinanceKlines(USD_M.at(rest_url=server.url), clock=clock) as klines:
        backfill = Backfill(pools, klines, clock=clock, chance=lambda: 0.5)
        market = ("binance.futures", "BTC", "USDT")
        done = await backfill.run(Wanted(market, "1h", START_MS, START_MS + DAY_MS))
    assert done.stored == DAY_MS // INTERVALS["1h"]
    async with pools.read.connection() as c:
        found: list[Any] = await read.candles(
            c, market, "1h", from_ms=START_MS, to_ms=NOW_MS, limit=99
        )
    assert len(found) == 24
