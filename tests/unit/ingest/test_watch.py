"""The watch sees each thing that can be the matter with market data, and says what to do."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.ticks import Depth, Diff, Event, Frame, Kline, Oracle, Quote, Trade
from quantdesk.ingest.alerts import Alert, AlertKind
from quantdesk.ingest.board import Board
from quantdesk.ingest.market_data import MarketData
from quantdesk.ingest.watch import Watch

T0 = 1_700_000_000_000


@dataclass
class Runs:
    """A source that runs, or has given up."""

    problem: DeskError | None = None
    ended: bool = False


@dataclass
class Records:
    """A recorder."""

    problem: Unavailable | None = None


class Desk:
    """Market data of two sources, fed with events themselves and watched once a second."""

    def __init__(self) -> None:
        self.now_ms = T0
        self.runs = {"binance": Runs(), "pyth": Runs()}
        self.recorder = Records()
        self._said: Sequence[Event] = ()
        self._frames = 0
        self.market = MarketData(
            dict.fromkeys(self.runs, self._read), board=Board(), resync=lambda *_: None
        )
        self.watch = Watch(
            self.market, sources=self.runs, recorder=self.recorder, symbols=("BTC", "ETH")
        )

    def hear(self, *events: Event, source: str = "binance") -> None:
        """Let events arrive now."""
        self._said = events
        self._frames += 1
        frame = Frame(source, "ws", self.now_ms * 1_000_000 + self._frames, b"raw")
        self.market.flow.take(frame)

    def quote(self, price: int, *, symbol: str = "BTC", source: str = "binance") -> None:
        """Let a quote in dollars arrive now."""
        self._frames += 1
        bid, ask = str(price), str(price + 1)
        self.hear(Quote(symbol, "USD", bid, "1", ask, "1", self._frames), source=source)

    def flow_on(self, seconds: int, *, after: int) -> None:
        """Let time pass; each second a diff of one update follows on the book's last."""
        for number in range(after + 1, after + 1 + seconds):
            self.hear(Diff("BTC", "USDT", number, number, [("99", "1")], [], T0))
            self.wait(1)

    def wait(self, seconds: int, *prices: tuple[str, str, int]) -> None:
        """Let time pass; each second these sources say these prices of these assets."""
        for _ in range(seconds):
            for source, symbol, price in prices:
                self.quote(price, symbol=symbol, source=source)
            self.now_ms += 1_000
            self.market.flow.advance(self.now_ms)
            self.watch.advance(self.now_ms)

    def alerts(self, kind: AlertKind) -> list[Alert]:
        """Return what stands of a kind."""
        return [alert for alert in self.watch.alerts.current() if alert.about.kind is kind]

    def _read(self, _: Frame) -> Sequence[Event]:
        return self._said


@pytest.fixture
def desk() -> Desk:
    return Desk()


BTC, ETH = ("binance", "BTC", 100), ("binance", "ETH", 50)


def test_that_a_desk_that_is_well_has_no_alerts(desk: Desk) -> None:
    desk.wait(120, BTC, ETH, ("pyth", "BTC", 100))
    assert desk.watch.alerts.current() == desk.watch.alerts.recent() == []


def test_that_a_silent_market_is_told_until_it_speaks_again(desk: Desk) -> None:
    desk.wait(10, BTC, ETH)
    desk.wait(20, BTC)
    (alert,) = desk.alerts(AlertKind.SILENT)
    assert (alert.about.source, alert.about.symbol, alert.about.currency) == (
        "binance", "ETH", "USD",
    )  # fmt: skip
    assert "no quote of ETH/USD from binance since 2023-11-14T22:13:29.000Z" in alert.detail
    desk.wait(11, BTC, ETH)
    assert desk.alerts(AlertKind.SILENT) == []


def test_that_a_source_that_falls_silent_whole_is_one_alert(desk: Desk) -> None:
    desk.wait(10, BTC, ETH)
    desk.wait(60)
    (alert,) = desk.alerts(AlertKind.SILENT)
    assert (alert.about.source, alert.about.symbol) == ("binance", "")
    assert "any of binance's 2 feeds" in alert.detail


def test_that_what_was_silent_before_its_source_is_not_said_to_speak(desk: Desk) -> None:
    desk.wait(10, BTC, ETH)
    desk.wait(20, BTC)
    desk.wait(60)
    silent = {alert.about.symbol for alert in desk.alerts(AlertKind.SILENT)}
    assert silent == {"ETH", ""}
    assert desk.watch.alerts.recent() == []


def test_that_a_recording_that_ended_is_no_alarm(desk: Desk) -> None:
    desk.wait(10, BTC, ETH)
    desk.runs["binance"].ended = True
    desk.wait(60)
    assert desk.watch.alerts.current() == []


def test_that_a_source_that_gave_up_is_told_with_its_cure_and_its_silence_is_not(
    desk: Desk,
) -> None:
    desk.wait(10, BTC, ETH)
    desk.runs["binance"].problem = Unavailable("no answer: wait", code="source.unreachable")
    desk.runs["pyth"].problem = Refused("set sources.pyth_key", code="source.settings")
    desk.wait(30)
    told = {alert.about.source: alert.detail for alert in desk.watch.alerts.current()}
    assert told == {
        "binance": "no answer: wait (source.unreachable); it is tried again",
        "pyth": "set sources.pyth_key (source.settings); it is not tried again",
    }
    desk.runs["binance"].problem = None
    desk.wait(11, BTC, ETH)
    assert [alert.about.source for alert in desk.watch.alerts.current()] == ["pyth"]


def test_that_a_gap_in_a_book_is_told_even_when_it_is_healed_at_once(desk: Desk) -> None:
    levels = [("99", "1")], [("101", "1")]
    desk.hear(Diff("BTC", "USDT", 1, 1, *levels, T0))
    desk.hear(Depth("BTC", "USDT", 1, *levels))
    desk.flow_on(20, after=1)
    assert desk.alerts(AlertKind.BOOK) == []
    desk.hear(Diff("BTC", "USDT", 25, 26, *levels, T0))
    desk.hear(Depth("BTC", "USDT", 26, *levels))
    desk.flow_on(1, after=26)
    (alert,) = desk.alerts(AlertKind.BOOK)
    assert (alert.about.source, alert.about.symbol) == ("binance", "BTC")
    assert "(gap, 3 updates lost)" in alert.detail
    desk.flow_on(29, after=27)
    assert desk.alerts(AlertKind.BOOK)
    desk.flow_on(1, after=56)
    assert desk.alerts(AlertKind.BOOK) == []


def test_that_a_book_that_stays_broken_stays_told(desk: Desk) -> None:
    levels = [("99", "1")], [("101", "1")]
    desk.hear(Diff("BTC", "USDT", 1, 1, *levels, T0))
    desk.hear(Depth("BTC", "USDT", 1, *levels))
    assert desk.watch.unsynced() == {}
    desk.hear(Diff("BTC", "USDT", 5, 6, *levels, T0))
    desk.flow_on(120, after=6)
    (alert,) = desk.alerts(AlertKind.BOOK)
    assert alert.begun_ms == T0 + 1_000
    assert desk.watch.unsynced() == {"binance": 1}
    desk.hear(Depth("BTC", "USDT", 126, *levels))
    desk.flow_on(30, after=126)
    assert desk.alerts(AlertKind.BOOK) == []


def test_that_a_book_that_falls_silent_is_told(desk: Desk) -> None:
    levels = [("99", "1")], [("101", "1")]
    desk.hear(Diff("BTC", "USDT", 1, 1, *levels, T0))
    desk.hear(Depth("BTC", "USDT", 1, *levels))
    desk.wait(20)
    assert desk.alerts(AlertKind.BOOK) == []
    desk.wait(2)
    (alert,) = desk.alerts(AlertKind.BOOK)
    assert "(silent" in alert.detail


def test_that_a_book_that_was_whole_before_the_watch_is_known_to_be(desk: Desk) -> None:
    levels = [("99", "1")], [("101", "1")]
    desk.hear(Diff("BTC", "USDT", 1, 1, *levels, T0))
    desk.hear(Depth("BTC", "USDT", 1, *levels))
    assert Watch(desk.market, sources=desk.runs).unsynced() == {}


def test_that_a_book_that_never_begins_is_told(desk: Desk) -> None:
    desk.hear(Diff("BTC", "USDT", 1, 1, [("99", "1")], [], T0))
    desk.wait(10)
    assert desk.alerts(AlertKind.BOOK) == []
    desk.wait(1)
    assert [alert.about.symbol for alert in desk.alerts(AlertKind.BOOK)] == ["BTC"]


def test_that_sources_that_disagree_are_told_until_they_agree(desk: Desk) -> None:
    desk.wait(3, BTC, ("pyth", "BTC", 104))
    assert desk.alerts(AlertKind.DISAGREES) == []
    desk.wait(2, BTC, ("pyth", "BTC", 104))
    (alert,) = desk.alerts(AlertKind.DISAGREES)
    assert (alert.about.source, alert.about.symbol) == ("", "BTC")
    assert alert.detail.startswith("binance, pyth are 390 bps apart on BTC: ")
    desk.wait(30, BTC, ("pyth", "BTC", 100))
    assert desk.alerts(AlertKind.DISAGREES) == []
    assert len(desk.watch.alerts.recent()) == 1


@pytest.mark.parametrize(("late_ms", "told"), [(400, "ahead of"), (-400, "behind"), (200, "")])
def test_that_clocks_apart_are_told(desk: Desk, late_ms: int, told: str) -> None:
    for _ in range(20):
        stamp_ms = desk.now_ms - late_ms
        desk.hear(Oracle("BTC", "USD", 10_000, 5, -2, stamp_ms), source="pyth")
        desk.wait(1)
    skewed = desk.alerts(AlertKind.SKEWED)
    assert [alert.about.source for alert in skewed] == ["pyth"] * bool(told)
    assert all(f"our clock is 400 ms {told} pyth's" in alert.detail for alert in skewed)


def test_that_a_candle_the_exchange_contradicts_is_told(desk: Desk) -> None:
    minute = T0 // 60_000 * 60_000 + 60_000
    desk.now_ms = minute
    for number in range(63):
        at_ms = minute - 1_000 + 1_000 * number
        desk.now_ms = at_ms
        desk.hear(Trade("BTC", "USDT", "100", "1", number + 1, at_ms))
    kline = Kline(
        "BTC", "USDT", "1m", minute, minute + 59_999, "100", "100", "100", "101", "60", 60, 2, 61,
        closed=True, event_ms=minute + 60_000,
    )  # fmt: skip
    desk.hear(kline)
    desk.wait(1)
    (alert,) = desk.alerts(AlertKind.CANDLE)
    assert "the 1m candle of" in alert.detail
    assert "close 100 and 101" in alert.detail


def test_that_a_recorder_that_stopped_is_told(desk: Desk) -> None:
    desk.wait(2)
    desk.recorder.problem = Unavailable("the disk is full", code="recording.stopped")
    desk.wait(1)
    assert [alert.detail for alert in desk.alerts(AlertKind.RECORDER)] == ["the disk is full"]
