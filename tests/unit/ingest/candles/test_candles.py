"""Candles by event time: order does not matter, lateness is bounded, and roll-ups are exact."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.candles import INTERVALS, Candle
from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Frame, Kline, Trade
from quantdesk.ingest.candles.candles import Candles, Mismatch
from quantdesk.ingest.candles.exact import scaled, unscaled

T0 = 1_700_006_400_000
"""A midnight."""

MARKET = ("binance", "BTC", "USDT")


class Desk:
    """Candles with everything they tell written down."""

    def __init__(self, *, kept: int = 1_500) -> None:
        self.candles = Candles(kept=kept)
        self.told: list[Candle] = []
        self.candles.on_candle(self.told.append)

    def take(self, *trades: Trade) -> "Desk":
        """Feed trades, each heard 20 ms after it happened."""
        for one in trades:
            self.candles.trade(one, frame(one.event_ms + 20))
        return self

    def last(self, interval: str = "1s") -> dict[int, Candle]:
        """Return the last word on every window, by its second of the day."""
        return {(one.open_ms - T0) // 1000: one for one in self.told if one.interval == interval}

    def count(self, outcome: str) -> int:
        """Return how often something happened."""
        return self.candles.counts["binance", outcome]


def frame(ms: int) -> Frame:
    return Frame("binance", "ws", ms * 1_000_000, b"")


def trade(
    number: int, ms: int, price: str = "100", quantity: str = "1", *, sold: bool = False
) -> Trade:
    return Trade("BTC", "USDT", price, quantity, number, T0 + ms, sold)


def row(open_ms: int, *, interval: str = "1m", closed: bool = True, **changed: object) -> Kline:
    kline = Kline("BTC", "USDT", interval, T0 + open_ms, T0 + open_ms + 59_999, "100", "100", "100",
                  "100", "2", 2, 1, 2, closed, T0 + open_ms + 60_000)  # fmt: skip
    return msgspec.structs.replace(kline, **changed)


def test_that_a_window_closes_when_the_watermark_has_passed_it() -> None:
    desk = Desk().take(trade(0, 100, "100", "2"), trade(1, 900, "101.5", "0.5", sold=True))
    desk.take(trade(2, 2_999))
    assert not desk.told
    desk.take(trade(3, 3_000))
    (candle,) = desk.told
    assert candle == Candle(
        *MARKET, "1s", T0, "100", "101.5", "100", "101.5", "2.5", "250.75", "2", 2, 0, 1,
        closed=True,
    )  # fmt: skip
    assert candle.close_ms == T0 + 999


def test_that_the_timer_closes_what_no_trade_does_and_marks_flat_windows() -> None:
    desk = Desk().take(trade(0, 100, "7"))
    desk.candles.advance(T0 + 2_999, {})
    assert not desk.told
    desk.candles.advance(T0 + 5_000 - 1_272, {"binance": -1_272})
    assert [(one.flat, one.trades, one.open, one.close) for one in desk.told] == [
        (False, 1, "7", "7"), (True, 0, "7", "7"), (True, 0, "7", "7"),
    ]  # fmt: skip


def test_that_a_clock_of_another_day_closes_nothing() -> None:
    desk = Desk().take(trade(0, 100))
    desk.candles.advance(T0 + 86_400_000 * 2, {})
    assert not desk.told


def test_that_a_late_trade_revises_every_window_it_is_in_and_the_flat_ones_after_it() -> None:
    desk = Desk().take(trade(0, 0), trade(1, 10_000, "110"), trade(3, 15_100, "111"))
    assert max(desk.last()) == 9  # what is missing may still come in order
    desk.take(trade(4, 17_200, "112"))
    assert {at for at, one in desk.last().items() if one.gap} == set(range(10, 15))
    desk.take(trade(2, 11_500, "90", "3"))
    after = desk.last()
    assert [(after[at].close, after[at].revision, after[at].flat) for at in range(9, 13)] == [
        ("100", 0, True), ("110", 1, False), ("90", 1, False), ("90", 1, True),
    ]  # fmt: skip
    assert not any(one.gap for one in after.values())
    five = desk.last("5s")[10]
    assert (five.low, five.close, five.volume, five.revision, five.gap) == (
        "90",
        "90",
        "4",
        1,
        False,
    )
    assert (desk.count("late"), desk.count("missing")) == (1, 0)


def test_that_trades_too_late_are_only_counted() -> None:
    desk = Desk().take(trade(0, 0), trade(2, 60_500), trade(3, 62_500))
    told = len(desk.told)
    desk.take(trade(1, 2_499))
    assert (desk.count("untimely"), len(desk.told)) == (1, told)
    desk.take(trade(1, 2_500))
    assert (desk.count("late"), desk.last()[2].revision, desk.last()[2].trades) == (1, 1, 1)


def test_that_events_from_the_future_do_not_close_windows() -> None:
    desk = Desk().take(trade(1, 0))
    desk.candles.trade(trade(2, 3_600_000), frame(T0))
    assert (desk.count("untimely"), desk.told) == (1, [])


@pytest.mark.parametrize(
    ("price", "quantity"), [("0", "1"), ("1", "0.0"), ("x", "1"), ("1", "nan")]
)
def test_that_trades_of_nothing_are_counted_and_left_out(price: str, quantity: str) -> None:
    desk = Desk().take(trade(1, 0, price, quantity))
    assert desk.count("unreadable") == 1
    assert desk.candles.latest(MARKET, "1m") is None


def test_that_repeated_trades_are_dropped_and_lost_ones_mark_their_windows() -> None:
    desk = Desk().take(trade(0, 0), trade(0, 0), trade(1, 500), trade(5, 2_500), trade(5, 2_500))
    desk.take(trade(6, 6_600), trade(7, 9_900))
    assert (desk.count("duplicate"), desk.count("missing")) == (2, 3)
    assert [desk.last()[at].gap for at in range(4)] == [True, True, True, False]
    assert desk.last()[0].trades == 2
    assert desk.last("5s")[0].gap


def test_that_ids_that_begin_anew_are_no_repetitions() -> None:
    desk = Desk().take(trade(100, 0), trade(101, 500), trade(1, 2_500), trade(2, 8_000))
    assert (desk.count("restarted"), desk.count("duplicate"), desk.count("counted")) == (1, 0, 4)
    assert [desk.last()[at].gap for at in range(4)] == [True, True, True, False]


def test_that_an_outage_unmakes_the_flat_windows_the_timer_made() -> None:
    desk = Desk().take(trade(0, 0), trade(1, 100))
    desk.candles.advance(T0 + 70_000, {})
    assert desk.last("1m")[0].gap is False
    desk.take(trade(9, 80_000))
    minute = desk.last("1m")[0]
    assert (minute.gap, minute.revision) == (True, 1)
    assert all(one.gap for one in desk.last().values())


def test_that_a_silence_is_filled_up_to_a_bound() -> None:
    desk = Desk(kept=20).take(trade(0, 0), trade(1, 3_600_000), trade(2, 3_605_000))
    opens = sorted(desk.last())
    assert opens == [*range(21), *range(3_600, 3_603)]
    assert sorted(desk.last("5m")) == [300 * step for step in range(12)]
    assert all(one.flat for at, one in desk.last("5m").items() if at)
    assert desk.count("unfilled") > 0
    assert len(desk.candles.history(MARKET, "1s", count=99)) == 3


def test_that_the_live_candle_holds_every_trade() -> None:
    desk = Desk()
    for number in range(200):
        desk.take(trade(number, number * 450, str(100 + number % 7)))
        at = (number * 450) // 60_000 * 60_000
        live = desk.candles.latest(MARKET, "1m")
        assert live is not None
        assert (live.open_ms, live.closed) == (T0 + at, False)
        assert live.trades == number - (at + 449) // 450 + 1
        assert live.close == str(100 + number % 7)


def test_that_only_closed_rows_of_known_intervals_count() -> None:
    desk = Desk()
    for one in (row(0, closed=False), row(0, interval="3m"), row(1), row(0, high="no")):
        desk.candles.kline(one, frame(T0))
    assert not desk.told
    assert [desk.count(what) for what in ("open", "unknown", "unreadable")] == [1, 2, 1]


def test_that_rows_of_a_backfill_stand_where_nothing_was_heard_and_roll_up() -> None:
    desk = Desk().take(trade(3, 290_000), trade(4, 303_500))
    assert desk.last("5m")[0].gap
    desk.candles.kline(row(240_000, trades=1, first_id=3, last_id=3, volume="1"), frame(T0))
    assert (desk.last("1m")[240].gap, desk.last("5m")[0].gap) == (False, True)
    for minute in range(4):
        # As a REST history gives them: no ids, no count of trades.
        bare = row(minute * 60_000, trades=0, first_id=-1, last_id=-1, high="120")
        desk.candles.kline(bare, frame(T0))
    five = desk.last("5m")[0]
    assert (five.gap, five.high, five.volume, five.quote_volume) == (False, "120", "9", None)
    assert (five.trades, desk.count("taken"), desk.count("reconciled")) == (0, 4, 1)


@pytest.mark.parametrize(
    "lie",
    [
        {"open": "99"},
        {"close": "99"},
        {"low": "99"},
        {"volume": "3.1"},
        {"trades": 4},
        {"last_id": 1},
    ],
)
def test_that_every_difference_is_a_dispute_and_told_once(lie: dict[str, object]) -> None:
    desk = Desk()
    mismatches: list[Mismatch] = []
    desk.candles.on_mismatch(mismatches.append)
    desk.take(trade(0, 0), trade(1, 59_000), trade(2, 59_500), trade(3, 70_000))
    true = {"volume": "3", "trades": 3, "first_id": 0, "last_id": 2}
    theirs = msgspec.structs.replace(row(0), **(true | lie))
    for _ in range(2):
        desk.candles.kline(theirs, frame(T0))
    (told,) = mismatches
    assert told.ours == desk.last("1m")[0]
    assert (told.ours.origin, told.theirs.origin) == ("trades", "exchange")
    desk.candles.kline(
        msgspec.structs.replace(theirs, open="100", close="100", low="100", **true), frame(T0)
    )
    assert desk.last("1m")[0].reconciled
    assert desk.count("mismatch") == 1


def test_that_an_outage_found_later_settles_a_dispute() -> None:
    desk = Desk().take(trade(0, 0), trade(1, 100))
    desk.candles.advance(T0 + 70_000, {})
    desk.candles.kline(row(0, trades=0, first_id=-1, last_id=-1, volume="5"), frame(T0))
    assert (desk.count("mismatch"), desk.last("1m")[0].origin) == (1, "trades")
    desk.take(trade(9, 80_000))
    minute = desk.last("1m")[0]
    assert (minute.origin, minute.volume, minute.gap, minute.revision) == (
        "exchange",
        "5",
        False,
        2,
    )


def test_that_a_late_trade_is_not_counted_twice_in_a_candle_of_the_exchange() -> None:
    desk = Desk().take(trade(0, 0), trade(2, 1_500), trade(3, 5_000))
    assert desk.last()[1].gap
    desk.candles.kline(row(1_000, interval="1s"), frame(T0))
    assert (desk.last()[1].origin, desk.last()[1].volume) == ("exchange", "2")
    desk.take(trade(1, 1_200))
    assert (desk.last()[1].volume, desk.last()[1].trades) == ("2", 2)


def _true(trades: Sequence[Trade], interval: str) -> dict[int, tuple[object, ...]]:
    length, found = INTERVALS[interval], dict[int, list[Trade]]()
    for one in sorted(trades, key=lambda one: one.trade_id):
        found.setdefault((one.event_ms - one.event_ms % length - T0) // 1000, []).append(one)
    return {at: _summed(group) for at, group in found.items()}


def _summed(group: list[Trade]) -> tuple[object, ...]:
    prices = [Decimal(one.price) for one in group]
    sizes = [Decimal(one.quantity) for one in group]
    taken = sum(size for size, one in zip(sizes, group, strict=True) if not one.buyer_is_maker)
    worth = sum(price * size for price, size in zip(prices, sizes, strict=True))
    return (prices[0], max(prices), min(prices), prices[-1], sum(sizes), worth, taken,
            len(group), group[0].trade_id, group[-1].trade_id)  # fmt: skip


def _said(candle: Candle) -> tuple[object, ...]:
    assert candle.quote_volume is not None
    assert candle.taker_buy_volume is not None
    numbers = (candle.open, candle.high, candle.low, candle.close, candle.volume,
               candle.quote_volume, candle.taker_buy_volume)  # fmt: skip
    return (*map(Decimal, numbers), candle.trades, candle.first_id, candle.last_id)


def market_of(seed: int, count: int, longest_ms: int) -> list[Trade]:
    chance, ms, trades = Random(seed), 0, []
    for number in range(50, 50 + count):
        ms += chance.randrange(longest_ms)
        price = (
            f"{chance.randrange(1, 10**12)}e-8" if number % 9 == 0 else f"{chance.random() + 1:.8f}"
        )
        trades.append(
            trade(number, ms, price, f"{chance.random() + 0.1:.5f}", sold=chance.random() < 0.5)
        )
    return trades


@given(st.integers(0, 10**6), st.sampled_from([50, 700, 9_000]))
def test_that_every_interval_is_exactly_the_sum_of_its_trades(seed: int, longest_ms: int) -> None:
    trades = market_of(seed, 120, longest_ms)
    desk = Desk(kept=40).take(*trades, trade(170, trades[-1].event_ms - T0 + 90_000_000))
    for interval in INTERVALS:
        candles, true = desk.last(interval), _true(trades, interval)
        told = {at: _said(one) for at, one in candles.items() if not one.flat}
        assert told == {at: said for at, said in true.items() if at in told}
        assert interval == "1d" or set(told) == set(true)
        assert not any(one.revision for one in candles.values())


def jumbled(trades: Sequence[Trade], chance: Random) -> list[Trade]:
    """Delay each by less than the lateness: sorted by when they come, not by when they were."""
    return sorted(trades, key=lambda one: one.event_ms + chance.randrange(2_000))


@given(st.integers(0, 10**6), st.sampled_from([20, 300, 1_500]))
def test_that_order_within_the_lateness_does_not_matter(seed: int, longest_ms: int) -> None:
    trades = market_of(seed, 150, longest_ms)
    end = trade(200, trades[-1].event_ms - T0 + 70_000)
    one = Desk().take(*trades, end)
    other = Desk().take(*jumbled(trades, Random(seed)), end)
    assert one.told == other.told
    assert other.count("late") == other.count("missing") == 0


@given(st.decimals("0", "1e20", places=18))
def test_that_numbers_go_in_and_out_exactly(number: Decimal) -> None:
    assert Decimal(unscaled(scaled(f"{number:f}"))) == number


@pytest.mark.parametrize(("text", "number"), [("0.1", 10**17), ("7", 7 * 10**18), ("1e-7", 10**11)])
def test_that_every_spelling_of_a_number_is_read(text: str, number: int) -> None:
    assert scaled(text) == number


@pytest.mark.parametrize(
    "text", ["", "-1", "-0.5", "nan", "inf", "1e999", "0." + "1" * 19, "1.2.3"]
)
def test_that_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(Corrupt) as caught:
        scaled(text)
    assert caught.value.code == "number.unreadable"


def test_that_a_candle_of_the_exchange_has_the_volumes_it_tells() -> None:
    desk = Desk()
    desk.candles.kline(row(0, quote_volume="200.5", taker_buy_volume="1.25"), frame(T0))
    desk.candles.kline(row(60_000), frame(T0))
    told, untold = desk.last("1m").values()
    assert (told.quote_volume, told.taker_buy_volume) == ("200.5", "1.25")
    assert (untold.quote_volume, untold.taker_buy_volume) == (None, None)
