"""Pyth survives every bad day of its server, and says so when it cannot go on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal

import pytest

from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.prices import Reading
from quantdesk.sources.hermes import FEEDS
from quantdesk.sources.patience import delay_s
from quantdesk.sources.pyth import Pyth
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.hermes import Hermes

BTC = FEEDS["BTC"]
TIME = 1_735_645_930

Scene = Callable[[Hermes, Pyth, ManualClock], Awaitable[None]]


def play(scene: Scene, *, server_key: str | None = None, key: str | None = None) -> None:
    async def run() -> None:
        clock = ManualClock()
        async with Hermes(api_key=server_key) as hermes, asyncio.timeout(10):
            hermes.publish(BTC, price=6_100_000_000_000, conf=2_000_000_000, publish_time=TIME)
            pyth = Pyth(clock=clock, chance=lambda: 0.0, base_url=hermes.base_url, api_key=key)
            await scene(hermes, pyth, clock)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}, "something was left running"

    asyncio.run(run())


async def until(claim: Callable[[], bool]) -> None:
    while not claim():  # noqa: ASYNC110 - waits for the loopback, which tells nobody
        await asyncio.sleep(0)


async def coming(readings: AsyncIterator[Reading]) -> Reading:
    return await anext(readings)


async def close(readings: AsyncIterator[Reading], *waiting: asyncio.Task[Reading]) -> None:
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await readings.aclose()  # type: ignore[attr-defined]


def test_that_latest_and_stream_give_the_servers_numbers() -> None:
    async def scene(hermes: Hermes, pyth: Pyth, clock: ManualClock) -> None:
        first = Reading("pyth", "BTC", Decimal(61000), Decimal(20), TIME * 1000)
        assert await pyth.latest(["BTC"]) == [first]
        readings = pyth.stream(["BTC"])
        assert await anext(readings) == first
        hermes.publish(BTC, price=6_100_000_000_001, conf=0, publish_time=TIME + 1)
        second = Reading("pyth", "BTC", Decimal("61000.00000001"), Decimal(0), (TIME + 1) * 1000)
        assert await anext(readings) == second
        await close(readings)

    play(scene)


def test_that_the_key_is_sent() -> None:
    async def scene(hermes: Hermes, pyth: Pyth, clock: ManualClock) -> None:
        assert len(await pyth.latest(["BTC"])) == 1

    play(scene, server_key="sesame", key="sesame")


@pytest.mark.parametrize(
    ("server_key", "key", "code"),
    [("sesame", None, "source.unauthorized"), ("sesame", "mellon", "source.unauthorized")],
)
def test_that_a_bad_key_gives_up_after_three_tries(
    server_key: str, key: str | None, code: str
) -> None:
    async def scene(hermes: Hermes, pyth: Pyth, clock: ManualClock) -> None:
        readings = pyth.stream(["BTC"])
        asked = asyncio.create_task(coming(readings))
        for tries in (1, 2):
            await until(lambda tries=tries: pyth.counts["reconnects"] == tries)  # type: ignore[misc]
            await clock.advance(delay_s(tries, chance=lambda: 0.0))
        with pytest.raises(Unavailable) as caught:
            await asked
        assert caught.value.code == code
        assert hermes.requests == 3
        assert key is None or key not in caught.value.detail

    play(scene, server_key=server_key, key=key)


def test_that_a_feed_the_server_does_not_know_is_named() -> None:
    async def scene(hermes: Hermes, pyth: Pyth, clock: ManualClock) -> None:
        with pytest.raises(Unavailable, match=f"Price ids not found: 0x{FEEDS['SOL']}") as caught:
            await pyth.latest(["BTC", "SOL"])
        assert caught.value.code == "source.declined"

    play(scene)


def test_that_an_asset_without_a_feed_is_refused() -> None:
    async def scene(hermes: Hermes, pyth: Pyth, clock: ManualClock) -> None:
        with pytest.raises(Refused) as caught:
            await anext(pyth.stream(["DOGE"]))
        assert caught.value.code == "symbol.unknown"

    play(scene)


@pytest.mark.parametrize(("retry_after", "wait_s"), [("", 60), ("20", 20), ("86400", 60)])
def test_that_a_busy_server_is_left_alone_as_long_as_it_asks(
    retry_after: str, wait_s: float
) -> None:
    async def scene(hermes: Hermes, pyth: Pyth, clock: ManualClock) -> None:
        hermes.status, hermes.retry_after = 429, retry_after
        readings = pyth.stream(["BTC"])
        asked = asyncio.create_task(coming(readings))
        await until(lambda: pyth.counts["reconnects"] == 1)
        hermes.status = 200
        await clock.advance(wait_s - 0.1)
        assert hermes.requests == 1
        await clock.advance(0.2)
        assert (await asked).price == 61000
        await close(readings)

    play(scene)


def test_that_a_broken_server_is_tried_for_ever() -> None:
    async def scene(hermes: Hermes, pyth: Pyth, clock: ManualClock) -> None:
        hermes.status = 500
        readings = pyth.stream(["BTC"])
        asked = asyncio.create_task(coming(readings))
        for tries in range(1, 9):
            await until(lambda tries=tries: pyth.counts["reconnects"] == tries)  # type: ignore[misc]
            hermes.status = 500 if tries < 8 else 200
            await clock.advance(delay_s(tries, chance=lambda: 0.0))
        assert (await asked).price == 61000
        await close(readings)

    play(scene)


def test_that_a_server_that_is_gone_is_unavailable() -> None:
    async def scene(hermes: Hermes, pyth: Pyth, clock: ManualClock) -> None:
        gone = Pyth(clock=clock, chance=lambda: 0.0, base_url="http://127.0.0.1:9")
        with pytest.raises(Unavailable) as caught:
            await gone.latest(["BTC"])
        assert caught.value.code == "source.unavailable"

    play(scene)


def test_that_a_probe_ends_after_three_seconds() -> None:
    async def scene(hermes: Hermes, pyth: Pyth, clock: ManualClock) -> None:
        hermes.silent = True
        asked = asyncio.create_task(pyth.latest(["BTC"]))
        await until(lambda: hermes.requests == 1)
        await clock.advance(2.9)
        assert not asked.done()
        await clock.advance(0.2)
        with pytest.raises(Unavailable, match="within 3 s"):
            await asked

    play(scene)


def test_that_a_silent_stream_is_opened_anew() -> None:
    async def scene(hermes: Hermes, pyth: Pyth, clock: ManualClock) -> None:
        hermes.silent = True
        readings = pyth.stream(["BTC"])
        asked = asyncio.create_task(coming(readings))
        await hermes.opened(1)
        await until(lambda: clock.sleepers == 1 and hermes.streams_opened == 1)
        await until_quiet()
        await clock.advance(9.9)
        assert pyth.counts["silences"] == 0
        await clock.advance(0.2)
        await until(lambda: pyth.counts["silences"] == 1)
        hermes.silent = False
        await clock.advance(1)
        assert (await asked).price == 61000
        assert hermes.streams_opened == 2
        await close(readings)

    play(scene)


async def until_quiet() -> None:
    # The response's head crosses the loopback; nothing the source shows tells of it.
    for _ in range(200):
        await asyncio.sleep(0)


def test_that_garbage_is_counted_and_any_byte_is_a_sign_of_life() -> None:
    async def scene(hermes: Hermes, pyth: Pyth, clock: ManualClock) -> None:
        readings = pyth.stream(["BTC"])
        await anext(readings)
        asked = asyncio.create_task(coming(readings))
        for rounds in range(1, 4):
            await clock.advance(9)
            hermes.keep_alive()
            hermes.garbage()
            await until(lambda rounds=rounds: pyth.counts["unreadable"] == 2 * rounds)  # type: ignore[misc]
        hermes.publish(BTC, price=1, conf=0, publish_time=TIME + 1)
        assert (await asked).price == Decimal("0.00000001")
        assert (pyth.counts["silences"], hermes.streams_opened) == (0, 1)
        await close(readings)

    play(scene)


@pytest.mark.parametrize("farewell", [Hermes.cut, Hermes.end])
def test_that_a_stream_that_ends_is_opened_anew(farewell: Callable[[Hermes], None]) -> None:
    async def scene(hermes: Hermes, pyth: Pyth, clock: ManualClock) -> None:
        readings = pyth.stream(["BTC"])
        first = await anext(readings)
        asked = asyncio.create_task(coming(readings))
        farewell(hermes)
        await until(lambda: pyth.counts["reconnects"] == 1)
        await clock.advance(1)
        assert await asked == first
        assert (hermes.streams_opened, pyth.counts["unreadable"]) == (2, 0)
        await close(readings)

    play(scene)


def test_that_an_older_update_after_a_reconnect_is_not_told() -> None:
    async def scene(hermes: Hermes, pyth: Pyth, clock: ManualClock) -> None:
        readings = pyth.stream(["BTC"])
        await anext(readings)
        hermes.publish(BTC, price=5, conf=0, publish_time=TIME - 1)
        hermes.publish(BTC, price=7, conf=0, publish_time=TIME + 1)
        assert (await anext(readings)).price == Decimal("0.00000007")
        assert pyth.counts["disordered"] == 1
        await close(readings)

    play(scene)


def test_that_a_stale_feed_keeps_its_own_time() -> None:
    async def scene(hermes: Hermes, pyth: Pyth, clock: ManualClock) -> None:
        hermes.publish(BTC, price=5, conf=0, publish_time=1000)
        assert [reading.published_ms for reading in await pyth.latest(["BTC"])] == [1_000_000]

    play(scene)
