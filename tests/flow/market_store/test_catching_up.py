"""Promise: a running desk gets back the minutes it missed, politely, and only where they exist."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from tests.flow.market_store.rows import BTC, NOW_MS, candle, count, minutes, store

from quantdesk.app.background import Background
from quantdesk.app.catching_up import catch_up
from quantdesk.app.feeding import Feeding
from quantdesk.core.candles import Candle
from quantdesk.ingest.backfill import Backfill
from quantdesk.ingest.board import Board
from quantdesk.ingest.catching_up import EVERY_S, FIRST_S, LIVE_MS, CatchUp
from quantdesk.ingest.collect import Collector
from quantdesk.ingest.market_data import MarketData
from quantdesk.ingest.store import read
from quantdesk.ingest.store.model import Market
from quantdesk.ops.tasks import Tasks, Work
from quantdesk.settings import SourcesSettings
from quantdesk.sources.binance import SPOT, Binance
from quantdesk.sources.binance.klines import BinanceKlines
from quantdesk.sources.port import Source
from quantdesk.sources.simulated import Simulated
from quantdesk.store.pool import Pools
from quantdesk.testing.binance_market import BinanceMarket
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.klines import KlinesServer

pytestmark = pytest.mark.anyio
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
UNKNOWN = ("binance", "AAA", "USDT")
"""Asked for before BTC, and not at this exchange."""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now_ms=NOW_MS)


@pytest.fixture
async def server() -> AsyncIterator[KlinesServer]:
    async with KlinesServer(now_ms=NOW_MS + 24 * HOUR_MS) as serving:
        yield serving


@asynccontextmanager
async def _running(
    pools: Pools, clock: ManualClock, server: KlinesServer, *markets: Market, hours: int = 1
) -> AsyncIterator[asyncio.Task[None]]:
    async with BinanceKlines(SPOT.at(rest_url=server.url), clock=clock) as klines:
        backfill = Backfill(pools, klines, clock=clock, chance=lambda: 0.5)
        work = CatchUp(backfill, markets=lambda: markets or (BTC,), hours=hours, clock=clock)
        task = asyncio.create_task(work.run())
        yield task
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _until(clock: ManualClock, done: Callable[[], Awaitable[bool]]) -> None:
    """Let a little time pass, again and again, until something is so; real I/O in between."""
    async with asyncio.timeout(60):
        while not await done():
            await clock.advance(0.01)
            await asyncio.sleep(0.005)


async def _stored(pools: Pools) -> list[Candle]:
    async with pools.read.connection() as c:
        return await read.candles(c, BTC, "1m", from_ms=0, to_ms=NOW_MS * 2, limit=5_000)


async def _looked(clock: ManualClock, server: KlinesServer, times: int) -> None:
    async def asked() -> bool:
        return len(server.asked) >= times

    await _until(clock, asked)


def _has(pools: Pools, least: int) -> Callable[[], Awaitable[bool]]:
    async def has() -> bool:
        return await count(pools, "candles where interval = '1m' and not gap") >= least

    return has


async def test_nothing_is_asked_while_a_desk_starts(
    pools: Pools, clock: ManualClock, server: KlinesServer
) -> None:
    async with _running(pools, clock, server):
        await clock.asleep(1)
        await clock.advance(FIRST_S - 1)
        await asyncio.sleep(0.02)
        assert not server.asked
        await clock.advance(1)
        await _looked(clock, server, 1)


async def test_what_is_missing_since_the_last_desk_is_filled_up_to_the_live_stream(
    pools: Pools, clock: ManualClock, server: KlinesServer
) -> None:
    begin_ms = NOW_MS - HOUR_MS + MINUTE_MS
    kept = minutes(10, from_ms=begin_ms)
    await store(pools, clock, kept)
    async with _running(pools, clock, server):
        await clock.asleep(1)
        await clock.advance(FIRST_S)
        await _until(clock, _has(pools, 57))
    end_ms = NOW_MS + MINUTE_MS - LIVE_MS
    stored = await _stored(pools)
    assert [one.open_ms for one in stored] == list(range(begin_ms, end_ms, MINUTE_MS))
    assert stored[:10] == kept
    assert {one.origin for one in stored[10:]} == {"exchange"}
    assert server.asked == [("1m", begin_ms + 10 * MINUTE_MS, end_ms - 1)]


async def test_a_gap_of_a_lost_connection_is_filled_at_the_next_look_and_nothing_else_is_asked(
    pools: Pools, clock: ManualClock, server: KlinesServer
) -> None:
    async with _running(pools, clock, server):
        await clock.asleep(1)
        await clock.advance(FIRST_S)
        await _until(clock, _has(pools, 57))
        live = minutes(3, from_ms=NOW_MS - 2 * MINUTE_MS)
        broken = candle(NOW_MS + MINUTE_MS, gap=True, revision=1)
        await store(pools, clock, [*live, broken])
        before = len(server.asked)
        await clock.advance(EVERY_S)
        await _looked(clock, server, before + 1)
        await _until(clock, _has(pools, 62))
    assert server.asked[before:] == [("1m", broken.open_ms, NOW_MS + 3 * MINUTE_MS - 1)]
    stored = {one.open_ms: one for one in await _stored(pools)}
    assert [stored[one.open_ms] for one in live] == live
    assert (stored[broken.open_ms].gap, stored[broken.open_ms].origin) == (False, "exchange")


async def test_one_market_the_exchange_lacks_does_not_keep_the_others_waiting(
    pools: Pools, clock: ManualClock, server: KlinesServer
) -> None:
    async with _running(pools, clock, server, UNKNOWN, BTC) as task:
        await clock.asleep(1)
        await clock.advance(FIRST_S)
        await _until(clock, _has(pools, 56))
        assert not task.done()


async def test_an_exchange_that_bars_the_desk_is_left_alone(
    pools: Pools, clock: ManualClock, server: KlinesServer
) -> None:
    server.refusals = [(403, "")]
    async with _running(pools, clock, server) as task:
        await clock.asleep(1)
        await clock.advance(FIRST_S)

        async def ended() -> bool:
            return task.done()

        await _until(clock, ended)
        assert task.exception() is None
    assert not server.asked


async def test_nonsense_is_not_stored_and_is_asked_again_at_the_next_look(
    pools: Pools, clock: ManualClock, server: KlinesServer
) -> None:
    server.body = "[[1]]"
    async with _running(pools, clock, server):
        await clock.asleep(1)
        await clock.advance(FIRST_S)
        await _looked(clock, server, 1)
        await clock.asleep(1)
        assert await count(pools, "candles") == 0
        server.body = ""
        await clock.advance(EVERY_S)
        await _until(clock, _has(pools, 55))


class _Noting(Background):
    """Notes the names of what is begun."""

    def __init__(self, stack: AsyncExitStack, tasks: Tasks) -> None:
        super().__init__(stack, tasks)
        self.begun: set[str] = set()

    def begin(self, name: str, work: Work) -> None:
        self.begun.add(name)
        super().begin(name, work)


@asynccontextmanager
async def _desk(
    pools: Pools, clock: ManualClock, source: Source, settings: SourcesSettings
) -> AsyncIterator[tuple[set[str], MarketData]]:
    """Run one source with what catches up; yields the names of what runs, and the market data."""
    market = MarketData({source.name: source.read}, board=Board(), resync=lambda *_: None)
    take = market.flow.take
    collector = Collector(
        source=source, symbols=("BTC",), take=take, heard=lambda: 0, clock=clock, chance=lambda: 0.5
    )
    async with AsyncExitStack() as stack:
        background = _Noting(stack, Tasks(clock=clock, restarted=lambda _: None))
        feeding = Feeding(market=market, collectors=(collector,))
        catch_up(background, feeding, pools=pools, settings=settings, clock=clock)
        background.begin("source", collector.run)
        yield background.begun, market


async def test_the_markets_that_a_live_source_tells_of_are_caught_up_with(
    pools: Pools, clock: ManualClock, server: KlinesServer
) -> None:
    async with BinanceMarket(clock=clock) as exchange:
        live = SPOT.at(stream_url=exchange.stream_url, rest_url=exchange.rest_url)
        source = Binance(live, clock=clock, chance=lambda: 0.5, quotes=("USDT",))
        settings = SourcesSettings(binance_rest_url=server.url, backfill_hours=1)
        async with _desk(pools, clock, source, settings) as (begun, market):
            assert "catching up binance" in begun
            async with asyncio.timeout(60):
                while BTC not in market.candles.markets():
                    await exchange.tick()
                    await asyncio.sleep(0.005)
                    await clock.advance(0.1)
            await clock.advance(FIRST_S)
            await _until(clock, _has(pools, 55))
    assert {name for name, _, _ in server.asked} == {"1m"}


@pytest.mark.parametrize("hours", [0, 6])
async def test_made_up_prices_have_no_past_and_zero_is_off(
    hours: int, pools: Pools, clock: ManualClock, server: KlinesServer
) -> None:
    settings = SourcesSettings(binance_rest_url=server.url, backfill_hours=hours)
    source: Source = (
        Simulated(clock=clock, seed=7)
        if hours
        else Binance(SPOT.at(stream_url=server.url), clock=clock, chance=lambda: 0.5)
    )
    async with _desk(pools, clock, source, settings) as (begun, _):
        assert begun == {"source"}
