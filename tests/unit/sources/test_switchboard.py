"""Switchboard is asked at its pace, through every bad day of its server."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal

import pytest

from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.core.ticks import Frame, Oracle
from quantdesk.sources.switchboard import AT_ONCE_MAX, Switchboard, feeds_named
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.loopback import Loopback
from quantdesk.testing.switchboard import Crossbar

BTC = "4cSM2e6rvbGQUFiJbqytoVMi5GgghSMr8LwVrT9VPSPo"
ETH = "EAsoLo2uSvBDx3a5grqzfqBMg5RqpJVHRtXmjsFEc4LL"
FEEDS = {"BTC": BTC, "ETH": ETH}


class Kit:
    """A server, the source that asks it, and what came."""

    def __init__(self, crossbar: Crossbar, source: Switchboard, clock: ManualClock) -> None:
        self.crossbar = crossbar
        self.source = source
        self.clock = clock
        self.loopback = Loopback()
        self.frames: list[Frame] = []
        self.task: asyncio.Task[None] | None = None

    async def listen(self, *symbols: str) -> None:
        """Let the source run, and its first question be answered."""
        wanted = symbols or ("BTC", "ETH")
        self.task = asyncio.ensure_future(self.source.run(wanted, self.frames.append))
        await self.rest()

    async def rest(self, seconds: float = 0.0) -> None:
        """Let loopback come to rest, then time pass in steps, then loopback again."""
        await self.loopback.rest()
        while seconds > 0:
            step = min(seconds, self.clock.step_s(0.5))
            seconds -= step
            await self.clock.advance(step)
            await self.loopback.rest()

    def told(self, frame: Frame) -> list[tuple[str, Decimal]]:
        """Return assets and prices in a frame."""
        events = self.source.read(frame)
        return [(event.symbol, event.value) for event in events if isinstance(event, Oracle)]


Scene = Callable[[Kit], Awaitable[None]]


def play(scene: Scene, *, feeds: Mapping[str, str] = FEEDS) -> None:
    async def run() -> None:
        clock = ManualClock()
        async with Crossbar() as crossbar, asyncio.timeout(60):
            crossbar.publish(BTC, ["60999", 61000.5, "61003"])
            crossbar.publish(ETH, [2500])
            source = Switchboard(
                clock=clock, chance=lambda: 0.5, base_url=crossbar.base_url + "/", feeds=feeds
            )
            kit = Kit(crossbar, source, clock)
            try:
                await scene(kit)
            finally:
                if kit.task is not None:
                    kit.task.cancel()
                    await asyncio.gather(kit.task, return_exceptions=True)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}, "something was left running"

    asyncio.run(run())


def test_that_it_asks_every_interval_and_says_what_was_answered() -> None:
    async def scene(kit: Kit) -> None:
        await kit.listen()
        assert kit.crossbar.paths == [f"/simulate/solana/mainnet/{BTC},{ETH}"]
        await kit.rest(4.5)
        assert len(kit.frames) == 1
        kit.crossbar.publish(BTC, [7])
        await kit.rest(1)
        first, second = kit.frames
        assert kit.told(first) == [("BTC", Decimal("61000.5")), ("ETH", Decimal(2500))]
        assert kit.told(second)[0] == ("BTC", Decimal(7))
        assert first.feed == f"simulate:BTC={BTC},ETH={ETH}"
        (event, _) = kit.source.read(first)
        assert isinstance(event, Oracle)
        assert event.event_ms == first.received_ms
        assert event.deviation == 2

    play(scene)


def test_that_only_the_assets_asked_for_are_followed() -> None:
    async def scene(kit: Kit) -> None:
        await kit.listen("ETH", "DOGE")
        assert kit.crossbar.paths == [f"/simulate/solana/mainnet/{ETH}"]

    play(scene)


def test_that_many_feeds_are_asked_for_in_parts_and_at_a_bounded_rate() -> None:
    alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    many = {f"A{n}": BTC[:-2] + alphabet[n // 32] + alphabet[n % 32] for n in range(AT_ONCE_MAX * 12 + 1)}  # fmt: skip # noqa: E501

    async def scene(kit: Kit) -> None:
        await kit.listen(*many)
        for _ in range(20):
            await kit.rest()
        assert len(kit.crossbar.paths) == 10
        assert max(path.count(",") + 1 for path in kit.crossbar.paths) == AT_ONCE_MAX
        await kit.rest(2)
        assert len(kit.crossbar.paths) == 13
        asked = {one for path in kit.crossbar.paths for one in path.split("/")[-1].split(",")}
        assert asked == set(many.values())

    play(scene, feeds=many)


def test_that_a_feeds_errors_are_counted_and_silence_no_other() -> None:
    async def scene(kit: Kit) -> None:
        kit.crossbar.fail(BTC)
        await kit.listen()
        await kit.rest(5.5)
        assert kit.source.counts["feed_errors"] == 2
        assert kit.told(kit.frames[0]) == [("ETH", Decimal(2500))]
        kit.crossbar.publish(BTC, [1])
        await kit.rest(5)
        assert kit.source.counts["feed_errors"] == 2

    play(scene)


def test_that_a_broken_server_is_asked_more_rarely_then_hardly_and_for_ever() -> None:
    async def scene(kit: Kit) -> None:
        kit.crossbar.status = 500
        await kit.listen()
        await kit.rest(30)
        assert len(kit.crossbar.paths) == 5, "then the breaker is open"
        await kit.rest(600)
        assert len(kit.crossbar.paths) <= 5 + 11
        kit.crossbar.status = 200
        await kit.rest(60)
        assert kit.frames
        before = len(kit.frames)
        await kit.rest(20)
        assert len(kit.frames) == before + 4, "as often as before"
        kit.crossbar.cut()
        await kit.rest(10)
        assert len(kit.frames) == before + 5, "one failure is one answer less"

    play(scene)


@pytest.mark.parametrize(("retry_after", "wait_s"), [("", 60), ("20", 20)])
def test_that_a_busy_server_is_left_alone_as_long_as_it_asks(
    retry_after: str, wait_s: float
) -> None:
    async def scene(kit: Kit) -> None:
        kit.crossbar.status, kit.crossbar.retry_after = 429, retry_after
        await kit.listen()
        kit.crossbar.status = 200
        await kit.rest(wait_s - 1)
        assert len(kit.crossbar.paths) == 1
        await kit.rest(6)
        assert kit.frames

    play(scene)


@pytest.mark.parametrize("bad", [Crossbar.freeze, Crossbar.cut])
def test_that_an_answer_that_never_comes_is_asked_for_again(
    bad: Callable[[Crossbar], None],
) -> None:
    async def scene(kit: Kit) -> None:
        bad(kit.crossbar)
        await kit.listen()
        assert kit.frames == []
        await kit.rest(16)
        assert kit.frames
        assert kit.source.counts["failures"] == 1

    play(scene)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'[{"feed":7}]'])
def test_that_garbage_is_handed_over_to_be_counted(body: bytes) -> None:
    async def scene(kit: Kit) -> None:
        kit.crossbar.body = body
        await kit.listen()
        (frame,) = kit.frames
        with pytest.raises(Corrupt):
            kit.source.read(frame)
        with pytest.raises(Unavailable):
            await kit.source.probe()

    play(scene)


def test_that_an_answer_without_end_is_none() -> None:
    async def scene(kit: Kit) -> None:
        kit.crossbar.body = b" " * (2 << 20)
        with pytest.raises(Unavailable, match="without end"):
            await kit.source.probe()

    play(scene)


def test_that_a_probe_says_whether_there_are_prices() -> None:
    async def scene(kit: Kit) -> None:
        await kit.source.probe()
        kit.crossbar.fail(BTC)
        kit.crossbar.fail(ETH)
        with pytest.raises(Unavailable, match="no price"):
            await kit.source.probe()

    play(scene)


def test_that_being_barred_ends_it() -> None:
    async def scene(kit: Kit) -> None:
        kit.crossbar.status = 403
        await kit.listen()
        assert kit.task is not None
        problem = kit.task.exception()
        assert isinstance(problem, Unavailable)
        assert problem.code == "source.barred"

    play(scene)


@pytest.mark.parametrize("symbols", [(), ("SOL",)])
def test_that_without_any_feed_it_is_refused(symbols: Sequence[str]) -> None:
    async def scene(kit: Kit) -> None:
        with pytest.raises(Refused) as caught:
            await kit.source.run(symbols, kit.frames.append)
        assert caught.value.code == "symbol.unknown"

    play(scene)


@pytest.mark.parametrize(
    ("feeds", "network"),
    [
        ({"BTC": "nonsense"}, "mainnet"),
        ({"BTC": BTC[:-1]}, "mainnet"),
        ({"B=C": BTC}, "mainnet"),
        ({"BTC": BTC, "WBTC": BTC}, "mainnet"),
        ({"BTC": BTC}, "testnet"),
    ],
)
def test_that_settings_that_cannot_be_right_are_refused(
    feeds: Mapping[str, str], network: str
) -> None:
    with pytest.raises(Refused) as caught:
        Switchboard(
            clock=ManualClock(),
            chance=lambda: 0.5,
            base_url="http://127.0.0.1",
            feeds=feeds,
            network=network,
        )
    assert caught.value.code == "source.settings"


def test_that_feeds_are_read_from_settings() -> None:
    assert feeds_named([f"BTC={BTC}", f" ETH = {ETH}"]) == FEEDS
    assert feeds_named([]) == {}


@pytest.mark.parametrize("pairs", [["BTC"], [f"BTC={BTC}", f"BTC={ETH}"], [""]])
def test_that_feeds_written_otherwise_are_refused(pairs: Sequence[str]) -> None:
    with pytest.raises(Refused) as caught:
        feeds_named(pairs)
    assert caught.value.code == "source.settings"
