"""What the parts of market data count is exported, by source and reason."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.unit.hub.wires import HandWire, client

from quantdesk.app.feeding import Feeding
from quantdesk.app.watch_data import CHANNEL, KEY, watch_data
from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Diff, Event, Frame, Quote
from quantdesk.hub.client import Limits
from quantdesk.hub.hub import Hub
from quantdesk.ingest.board import Board
from quantdesk.ingest.collect import Collector
from quantdesk.ingest.market_data import MarketData
from quantdesk.ingest.recorder import Recorder
from quantdesk.sources.simulated import Simulated
from quantdesk.telemetry.metrics import Metrics
from quantdesk.testing.clock import ManualClock

NOW_MS = 1_700_000_000_000
SAID: dict[bytes, Sequence[Event]] = {
    b"quote": [Quote("BTC", "USD", "100", "1", "101", "1", 1)],
    b"again": [Quote("BTC", "USD", "100", "1", "101", "1", 1)],
    b"jump": [Quote("BTC", "USD", "200", "1", "201", "1", 2)],
    b"diff": [Diff("BTC", "USD", 1, 1, [("99", "1")], [], NOW_MS)],
}


def read(frame: Frame) -> Sequence[Event]:
    """Return what a frame stands for."""
    if frame.data not in SAID:
        raise Corrupt("no words", code="message.unreadable")
    return SAID[frame.data]


class Desk:
    """The watch over market data of one source that a test speaks for."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(now_ms=NOW_MS)
        self.metrics = Metrics()
        self.market = MarketData({"simulated": read}, board=Board(), resync=lambda *_: None)
        source = Simulated(clock=self.clock, seed=1)
        collector = Collector(
            source=source, symbols=("BTC",), take=self.market.flow.take,
            heard=lambda: self.market.flow.sources["simulated"].frames, clock=self.clock,
            chance=lambda: 0.5,
        )  # fmt: skip
        feeding = Feeding(
            market=self.market, collectors=(collector,), recorder=Recorder(folder / "tapes")
        )
        self.data = watch_data(feeding, metrics=self.metrics, clock=self.clock)
        channels = (self.data.channel,)
        self.hub = Hub(channels, epoch="e", clock=self.clock, limits=Limits())
        self.data.join(self.hub)

    def hear(self, *said: bytes) -> None:
        """Let messages arrive, a second apart."""
        for data in said:
            frame = Frame("simulated", "ws", self.clock.now_ns(), data)
            self.market.flow.take(frame)

    def numbers(self) -> dict[str, float]:
        """Return every number by name and labels."""
        text = self.metrics.text().decode().splitlines()
        told = (line.rpartition(" ") for line in text if not line.startswith("#"))
        return {name.removeprefix("quantdesk_"): float(value) for name, _, value in told}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_that_messages_are_counted_by_what_became_of_them(desk: Desk) -> None:
    desk.hear(b"quote", b"again", b"jump", b"noise", b"diff")
    numbers = desk.numbers()
    assert numbers['source_messages_total{source="simulated"}'] == 5
    assert numbers['source_unreadable_total{source="simulated"}'] == 1
    assert numbers['source_rejected_total{reason="duplicate",source="simulated"}'] == 1
    assert numbers['price_jumps_total{fate="held",source="simulated"}'] == 1
    assert numbers['price_jumps_total{fate="believed",source="simulated"}'] == 0
    assert numbers['book_updates_total{outcome="asked",source="simulated"}'] == 1
    assert numbers['books_unsynced{source="simulated"}'] == 1
    assert numbers['recorder_frames_total{fate="dropped"}'] == 0


@pytest.mark.anyio
async def test_that_states_and_ages_are_as_of_now(desk: Desk) -> None:
    desk.hear(b"quote")
    age = 'feed_age_seconds{kind="quote",source="simulated"}'
    assert desk.numbers()[age] == 0
    assert desk.numbers()['source_state{source="simulated",state="live"}'] == 1
    await desk.clock.advance(12.5)
    desk.market.flow.advance(desk.clock.now_ms())
    numbers = desk.numbers()
    assert numbers[age] == numbers['price_age_seconds{symbol="BTC"}'] == 12.5
    assert numbers['feeds_silent{source="simulated"}'] == 1
    assert numbers['source_state{source="simulated",state="live"}'] == 0
    assert numbers['source_state{source="simulated",state="silent"}'] == 1


@pytest.mark.anyio
async def test_that_an_alert_is_told_to_those_who_follow_and_counted(desk: Desk) -> None:
    wire = HandWire()
    follower = client(wire)
    desk.hub.enter(follower)
    desk.hub.subscribe(follower, CHANNEL, None, 10)
    desk.hear(b"diff")
    for _ in range(12):
        desk.data.watch.advance(desk.clock.now_ms())
        await desk.clock.advance(1)
    desk.hub.flush()
    snapshot, change = wire.messages()
    assert (snapshot["key"], snapshot["snap"]) == (KEY, [])
    (alert,) = change["d"]
    assert (alert["kind"], alert["symbol"], alert["endedAt"]) == ("book.unsynced", "BTC", None)
    assert desk.numbers()['alerts{kind="book.unsynced"}'] == 1
    assert desk.numbers()['hub_messages_total{fate="delivered"}'] == 2
    desk.hub.resync(follower, CHANNEL, None)
    (again,) = wire.messages()
    assert again["snap"] == change["d"]
