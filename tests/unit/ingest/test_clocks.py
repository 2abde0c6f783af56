"""Clocks that differ cost nothing, what comes late is late, what is of the future must insist."""

import pytest
from tests.unit.ingest.market import NOW_MS, Market, at_par

from quantdesk.core.ticks import Trade
from quantdesk.ingest.clocks import SourceClock


@pytest.mark.parametrize("skew_ms", [-10_000, -1_272, 0, 1_272, 10_000])
def test_that_a_skewed_clock_rejects_nothing_and_ages_nothing(skew_ms: int) -> None:
    market = at_par()
    for number in range(1, 200):
        market.now_ms += 50
        late_ms = (number * 37) % 90
        assert market.trade(100, number=number, event_ms=market.now_ms - skew_ms - late_ms)
    (feed,) = market.gate.feeds()
    assert market.reasons == []
    assert feed.clock.offset_ms == skew_ms
    assert 0 <= feed.lag_ms < 90
    assert feed.clock.skewed is (abs(skew_ms) > 250)
    assert market.validity() == "VALID"


def test_that_the_least_of_the_last_minute_is_the_offset() -> None:
    clock = SourceClock()
    assert clock.lag_ms(NOW_MS, NOW_MS - 40) == 0
    assert clock.lag_ms(NOW_MS + 1_000, NOW_MS + 1_000 - 100) == 60
    for second in range(2, 59):
        clock.lag_ms(NOW_MS + second * 1_000, NOW_MS + second * 1_000 - 70)
    assert clock.offset_ms == 40
    for second in range(59, 75):
        clock.lag_ms(NOW_MS + second * 1_000, NOW_MS + second * 1_000 - 70)
    assert clock.offset_ms == 70


def test_that_a_clock_set_back_ten_seconds_makes_prices_old_for_a_minute_at_most() -> None:
    clock = SourceClock()
    for second in range(30):
        clock.lag_ms(NOW_MS + second * 1_000, NOW_MS + second * 1_000)
    lags = [
        clock.lag_ms(NOW_MS + second * 1_000, NOW_MS + second * 1_000 - 10_000)
        for second in range(30, 120)
    ]
    assert lags[0] == 10_000
    assert lags[-1] == 0
    assert lags.index(0) <= 70


def test_that_an_hour_is_a_delay_and_not_a_clock() -> None:
    clock = SourceClock()
    assert clock.lag_ms(NOW_MS, NOW_MS - 15_769_000) == 15_769_000
    assert clock.lag_ms(NOW_MS + 400, NOW_MS) == 0, "others of the source are not from the future"
    market = Market()
    market.oracle(230, "AAPL", lag_ms=15_769_000)
    assert market.board.age_ms("AAPL", now_ms=market.now_ms) == 15_769_000


def test_that_one_event_of_the_far_future_is_not_believed_and_three_are() -> None:
    market = at_par()
    market.trade(100, number=1)
    assert not market.trade(100, number=2, event_ms=NOW_MS + 61_000)
    assert market.trade(100, number=2)
    taken = [market.trade(100, number=n, event_ms=NOW_MS + 3_600_000) for n in (3, 3, 3)]
    assert taken == [False, False, True]
    assert market.reasons == ["future"] * 3
    (feed,) = market.gate.feeds()
    assert (feed.clock.offset_ms, feed.lag_ms) == (-3_600_000, 0)


@pytest.mark.parametrize("event_ms", [-1, 10**18])
def test_that_a_time_that_is_none_is_refused(event_ms: int) -> None:
    market = at_par()
    assert not market.trade(100, number=1, event_ms=event_ms)
    assert market.reasons == ["not_a_number"]


def test_that_a_recording_is_of_another_day_and_counts_from_its_arrival() -> None:
    market = at_par()
    years_ms = 10**11
    for step in range(20):
        market.now_ms += 1_000  # played at half its speed
        market.take(_trade(step, market.now_ms - years_ms + step * 500), "recorded.binance")
    assert market.reasons == []
    assert market.board.age_ms("BTC", now_ms=market.now_ms + 700) == 700
    assert market.validity() == "VALID"
    price = market.board.latest("BTC")
    assert price is not None
    assert price.reading.source == "recorded.binance (USDT: assumed at par)"


def test_that_time_may_run_backwards() -> None:
    market = at_par()
    for step in range(20):
        market.now_ms = NOW_MS + (step % 3) * 100_000 - step * 7_000
        market.quote(100 + step / 100)
    assert market.reasons == []
    assert market.usd() == pytest.approx(100.19)


def _trade(number: int, event_ms: int) -> Trade:
    return Trade("BTC", "USDT", "100", "1", number, event_ms)
