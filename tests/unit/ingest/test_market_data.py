"""Joined market data: each event reaches the parts it concerns, and the journal tells of it."""

from collections.abc import Sequence
from typing import Any

import msgspec

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Depth, Diff, Event, Frame, Kline, Mark, Oracle, Quote, Trade
from quantdesk.ingest.board import Board
from quantdesk.ingest.journal import Journal
from quantdesk.ingest.market_data import MarketData

T0 = 1_700_000_000_000
SKEW_MS = 1_272  # how far the exchange's clock is ahead of ours
BTC = ("BTC", "USDT")


class Desk:
    """Market data fed with events themselves, their journal, and which books were asked for."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.asked: list[tuple[str, str]] = []
        self.data = MarketData(
            {"binance": self._read},
            board=Board(),
            resync=lambda source, symbol: self.asked.append((source, symbol)),
        )
        self._said: Sequence[Event] | None = None
        Journal(self.out.extend).follow(self.data)

    def hear(self, *events: Event, at_ms: int = 0) -> None:
        """Let events arrive, so many milliseconds after the start; none is an unreadable frame."""
        self._said = events or None
        self.data.flow.take(Frame("binance", "ws", (T0 + at_ms) * 1_000_000, b"raw"))

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Return the journal's lines of a kind."""
        lines = [msgspec.json.decode(line) for line in self.out.splitlines()]
        return [line for line in lines if line["kind"] == kind]

    def _read(self, _: Frame) -> Sequence[Event]:
        if self._said is None:
            raise Corrupt("no words", code="message.unreadable")
        return self._said


def trade(n: int, price: str = "100", *, at_ms: int | None = None) -> Trade:
    return Trade(*BTC, price, "1", n, T0 + SKEW_MS + (100 * n if at_ms is None else at_ms))


def test_that_every_kind_of_event_finds_its_place() -> None:
    desk = Desk()
    desk.hear(Quote(*BTC, "99", "1", "101", "1", 5), trade(1))
    desk.hear(Mark(*BTC, "100", "100.5", "0.0001", T0, T0 + SKEW_MS))
    desk.hear(Oracle("BTC", "USD", 10_001, 5, -2, T0 + SKEW_MS))
    desk.hear(Diff(*BTC, 11, 12, [("98", "1")], [], T0 + SKEW_MS))
    assert desk.asked == [("binance", "BTC")]
    desk.hear(Depth(*BTC, 11, [("99", "2")], [("101", "3")]))
    minute = T0 // 60_000 * 60_000
    desk.hear(
        Kline(
            *BTC,
            "1m",
            minute - 60_000,
            minute - 1,
            "1",
            "2",
            "1",
            "2",
            "5",
            3,
            7,
            9,
            closed=True,
            event_ms=T0,
        )
    )
    assert [line["event"] for line in desk.told("accepted")] == ["Quote", "Trade", "Mark", "Oracle"]
    assert [line["said"]["state"] for line in desk.told("book")] == ["synced"]
    assert [(line["bid"], line["ask"]) for line in desk.told("top")] == [
        (["99", "2"], ["101", "3"]),
    ]
    taken = desk.data.candles.counts
    assert (taken["binance", "counted"], taken["binance", "taken"]) == (1, 1)
    price = desk.data.board.latest("BTC")
    assert price is not None


def test_that_a_late_trade_is_no_price_but_counts_in_its_candle() -> None:
    desk = Desk()
    for n in (1, 2, 4, 3):
        desk.hear(trade(n), at_ms=100 * n)
    assert [line["reason"] for line in desk.told("rejected")] == ["late"]
    assert desk.data.candles.counts["binance", "counted"] == 4


def test_that_what_is_no_trade_counts_nowhere() -> None:
    desk = Desk()
    desk.hear(trade(1))
    for price in ("0", "-1", "NaN", "x", "Infinity"):
        desk.hear(trade(2, price))
    assert len(desk.told("rejected")) == 5
    assert desk.data.candles.counts["binance", "counted"] == 1


def test_that_a_candle_closes_by_the_exchanges_clock_when_nothing_comes() -> None:
    desk = Desk()
    # The exchange's second ends SKEW_MS before ours, and lateness is waited for.
    desk.hear(trade(1, at_ms=0))
    began = (T0 + SKEW_MS) // 1000 * 1000
    closed_ms: list[int] = []
    for step in range(60):
        desk.data.flow.advance(T0 + 100 * step)
        if not closed_ms and desk.told("candle"):
            closed_ms.append(100 * step)
    (first, *_) = desk.told("candle")
    assert first["said"]["openMs"] == began
    ends_ms = began + 1_000 - SKEW_MS - T0
    assert ends_ms < closed_ms[0] <= ends_ms + 2_200


def test_that_silence_is_told_once_with_its_time() -> None:
    desk = Desk()
    desk.hear(trade(1))
    for step in range(200):
        desk.data.flow.advance(T0 + 100 * step)
    assert desk.told("silent") == [
        {
            "kind": "silent", "source": "binance", "symbol": "BTC", "currency": "USDT",
            "atMs": T0 + 5_100,
        },
    ]  # fmt: skip


def test_that_an_unreadable_frame_is_told_with_its_id() -> None:
    desk = Desk()
    desk.hear(at_ms=7)
    assert desk.told("unreadable") == [
        {
            "kind": "unreadable", "id": f"binance:{(T0 + 7) * 1_000_000}", "reason": "no words",
            "symbol": "", "currency": "",
        },
    ]  # fmt: skip


def test_that_a_jump_is_told_when_held_back_and_when_believed() -> None:
    desk = Desk()
    for n in range(1, 4):
        desk.hear(Quote(*BTC, "99", "1", "101", "1", n), at_ms=n)
    for n in range(4, 8):
        desk.hear(Quote(*BTC, "120", "1", "121", "1", n), at_ms=n)
    assert [line["said"]["update_id"] for line in desk.told("quarantined")] == [4, 5]
    assert [line["said"]["update_id"] for line in desk.told("confirmed")] == [4, 5, 6]
    assert [line["said"]["update_id"] for line in desk.told("accepted")] == [1, 2, 3, 4, 5, 6, 7]


def test_that_a_top_is_told_only_when_it_changes() -> None:
    desk = Desk()
    desk.hear(Diff(*BTC, 1, 2, [], [], T0))
    desk.hear(Depth(*BTC, 1, [("99", "2"), ("98", "1")], [("101", "3")]))
    desk.hear(Diff(*BTC, 3, 3, [("98", "5")], [], T0))
    desk.hear(Diff(*BTC, 4, 4, [("99", "1")], [], T0))
    assert [line["bid"] for line in desk.told("top")] == [["99", "2"], ["99", "1"]]
    desk.hear(Diff(*BTC, 9, 9, [], [], T0))  # a gap: nothing of it is believed
    assert desk.told("top")[-1]["bid"] is None
