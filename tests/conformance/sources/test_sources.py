"""Every price source keeps the port's promises: order, labels, only what was asked, a clean end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from quantdesk.core.assets import ASSETS
from quantdesk.core.prices import Reading
from quantdesk.sources.hermes import FEEDS
from quantdesk.sources.port import Source
from quantdesk.sources.pyth import Pyth
from quantdesk.sources.recorded import Recorded
from quantdesk.sources.simulated import Simulated
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.hermes import Hermes

T0 = 1_723_161_254_000


@dataclass(frozen=True)
class Stage:
    """A source, how to make it speak, the assets it knows, and what its prices are quoted in."""

    source: Source
    push: Callable[[], Awaitable[None]]
    symbols: tuple[str, ...]
    currency: str = "USD"


@asynccontextmanager
async def pyth(path: Path) -> AsyncIterator[Stage]:
    clock, times = ManualClock(), iter(range(1_700_000_000, 1_700_010_000))
    async with Hermes() as hermes:

        async def push() -> None:
            now_s = next(times)
            for number, feed in enumerate(FEEDS.values()):
                hermes.publish(feed, price=10**8 + now_s + number, conf=5, publish_time=now_s)

        await push()
        source = Pyth(clock=clock, chance=lambda: 0.0, base_url=hermes.base_url)
        yield Stage(source, push, tuple(FEEDS))


@asynccontextmanager
async def simulated(path: Path) -> AsyncIterator[Stage]:
    clock = ManualClock()
    source = Simulated(clock=clock, seed=1)
    yield Stage(source, lambda: clock.advance(1), tuple(ASSETS))


@asynccontextmanager
async def recorded_binance(path: Path) -> AsyncIterator[Stage]:
    lines = []
    for tick in range(400):
        ns, cents = (T0 + 250 * tick) * 1_000_000, 10_000 + tick * 7919 % 100
        for pair in ("BTCUSDT", "ETHUSDT"):
            trade = f'"E":{T0 + 250 * tick},"s":"{pair}","p":"{cents / 100:.2f}"'
            lines.append(f'{ns} {{"stream":"x@trade","data":{{{trade}}}}}')
            book = f'"u":1,"s":"{pair}","b":"{cents / 100:.2f}","a":"{cents / 100 + 1:.2f}"'
            lines.append(f'{ns} {{"stream":"x@bookTicker","data":{{{book}}}}}')
        lines.append("torn li")
    path.write_text("\n".join(lines))  # noqa: ASYNC240 - nothing else runs yet
    clock = ManualClock()
    source = Recorded(path=path, clock=clock)
    yield Stage(source, lambda: clock.advance(1), ("BTC", "ETH"), currency="USDT")


@asynccontextmanager
async def recorded_hermes(path: Path) -> AsyncIterator[Stage]:
    path.write_text(  # noqa: ASYNC240 - nothing else runs yet
        "\n".join(
            f'{{"parsed":[{{"id":"{feed}","price":{{"price":"{10**8 + second}","conf":"5",'
            f'"expo":-6,"publish_time":{1_700_000_000 + second - second % 3 // 2 * 2}}}}}]}}'
            for second in range(100)
            for feed in FEEDS.values()
        )
    )
    clock = ManualClock()
    yield Stage(Recorded(path=path, clock=clock), lambda: clock.advance(1), tuple(FEEDS))


Open = Callable[[Path], AbstractAsyncContextManager[Stage]]
SOURCES = [pyth, simulated, recorded_binance, recorded_hermes]
everywhere = pytest.mark.parametrize("opened", SOURCES, ids=lambda opened: opened.__name__)


async def hear(stage: Stage, symbols: Sequence[str], count: int) -> list[Reading]:
    got: list[Reading] = []

    async def listen() -> None:
        async for reading in stage.source.stream(symbols):
            got.append(reading)  # noqa: PERF401 - cut off in the middle

    task = asyncio.create_task(listen())
    async with asyncio.timeout(10):
        while len(got) < count and not task.done():
            await stage.push()
            for _ in range(50):  # loopback needs some passes of the loop
                await asyncio.sleep(0)
    task.cancel()
    (end,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(end, asyncio.CancelledError), end
    return got


def run(scene: Callable[[Stage], Awaitable[None]], opened: Open, path: Path) -> None:
    async def whole() -> None:
        async with opened(path) as stage:
            await scene(stage)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}, "something was left running"

    asyncio.run(whole())


@everywhere
def test_that_readings_are_ordered_positive_and_labeled(opened: Open, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        readings = await hear(stage, stage.symbols, 40)
        latest: dict[str, int] = {}
        for reading in readings:
            assert reading.published_ms >= latest.get(reading.symbol, 0)
            latest[reading.symbol] = reading.published_ms
            assert isinstance(reading.price, Decimal)
            assert reading.price.is_finite()
            assert reading.price > 0
            assert reading.confidence >= 0
            assert (reading.source, reading.currency) == (stage.source.name, stage.currency)
        assert latest.keys() == set(stage.symbols)

    run(scene, opened, tmp_path / "tape")


@everywhere
def test_that_only_what_was_asked_is_told(opened: Open, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        for symbol in stage.symbols:
            readings = await hear(stage, [symbol], 3)
            assert {reading.symbol for reading in readings} == {symbol}

    run(scene, opened, tmp_path / "tape")


@everywhere
def test_that_prices_move(opened: Open, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        readings = await hear(stage, ["BTC"], 8)
        assert len({reading.price for reading in readings}) > 1

    run(scene, opened, tmp_path / "tape")


@everywhere
def test_that_a_stream_can_be_left_at_any_reading_and_opened_again(
    opened: Open, tmp_path: Path
) -> None:
    async def scene(stage: Stage) -> None:
        for _ in range(3):
            readings = stage.source.stream(["BTC"])
            assert (await anext(readings)).symbol == "BTC"
            await readings.aclose()  # type: ignore[attr-defined]

    run(scene, opened, tmp_path / "tape")


@everywhere
def test_that_two_streams_run_side_by_side(opened: Open, tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        both = await asyncio.gather(hear(stage, ["BTC"], 4), hear(stage, ["ETH"], 4))
        assert [{reading.symbol for reading in one} for one in both] == [{"BTC"}, {"ETH"}]

    run(scene, opened, tmp_path / "tape")
