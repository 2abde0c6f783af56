"""The gate lets every true price through once and says why it does not let the others."""

import pytest
from tests.unit.ingest.market import NOW_MS, Market, at_par

from quantdesk.core.ticks import Kline, Mark, Oracle, Quote, Trade
from quantdesk.ingest.rejections import SAMPLES_MAX, Reason


def quote(bid: str = "99", ask: str = "101", number: int = 1, event_ms: int | None = None) -> Quote:
    return Quote("BTC", "USDT", bid, "1", ask, "1", number, event_ms)


@pytest.mark.parametrize(
    ("bid", "ask", "reason"),
    [
        ("0", "101", "not_positive"),
        ("-1", "101", "not_positive"),
        ("101", "99", "crossed"),
        ("100", "100", "crossed"),
        ("nan", "101", "not_a_number"),
        ("99", "inf", "not_a_number"),
        ("99", "", "not_a_number"),
        ("99", "a lot", "not_a_number"),
        ("1e-400", "1", "not_positive"),
        ("1e-16", "1", "not_a_number"),
        ("1", "1e16", "not_a_number"),
        ("0.00000001", "0.00000002", None),
        ("99", "1e15", None),
    ],
)
def test_that_a_book_is_sane(bid: str, ask: str, reason: str | None) -> None:
    market = Market()
    assert market.take(quote(bid, ask)) is (reason is None)
    assert market.reasons == ([reason] if reason else [])
    assert len(market.accepted) == (reason is None)


def test_that_a_book_whose_sizes_alone_change_is_still_asked_for_its_order() -> None:
    market = Market()
    assert market.take(quote(number=5))
    assert market.take(quote(number=6))
    assert not market.take(quote(number=6))
    assert not market.take(quote(number=4))
    assert market.reasons == ["duplicate", "older"]


@pytest.mark.parametrize(
    ("price", "quantity", "reason"),
    [("0", "1", "not_positive"), ("1", "0", "not_positive"), ("1", "nan", "not_a_number"),
     ("x", "1", "not_a_number"), ("1", "-2", "not_positive")],
)  # fmt: skip
def test_that_a_trade_is_sane(price: str, quantity: str, reason: str) -> None:
    market = Market()
    assert not market.take(Trade("BTC", "USDT", price, quantity, 1, NOW_MS))
    assert market.reasons == [reason]


@pytest.mark.parametrize(
    ("price", "confidence", "exponent", "reason"),
    [(0, 0, -8, "not_positive"), (-1, 0, -8, "not_positive"), (1, -1, -8, "not_a_number"),
     (1, 0, 99, "not_a_number"), (1 << 2_000, 0, 0, "not_a_number"),
     (-(1 << 2_000), 0, 0, "not_a_number"), (1, 1 << 2_000, 0, "not_a_number"),
     (10**16, 0, 0, "not_a_number")],
)  # fmt: skip
def test_that_an_oracle_is_sane(price: int, confidence: int, exponent: int, reason: str) -> None:
    market = Market()
    assert not market.take(Oracle("BTC", "USD", price, confidence, exponent, NOW_MS), "pyth")
    assert market.reasons == [reason]


@pytest.mark.parametrize(
    ("mark", "index", "rate", "reason"),
    [("1", "0", "0", "not_positive"), ("0", "1", "0", "not_positive"),
     ("1", "1", "2", "not_a_number"), ("1", "1", "x", "not_a_number"),
     ("1", "1", "", None), ("1", "1", "-0.01", None)],
)  # fmt: skip
def test_that_a_mark_is_sane(mark: str, index: str, rate: str, reason: str | None) -> None:
    market = Market()
    said = Mark("BTC", "USDT", mark, index, rate, 0, NOW_MS)
    assert market.take(said, "binance.futures") is (reason is None)
    assert market.reasons == ([reason] if reason else [])


def test_that_what_carries_no_price_passes() -> None:
    candle = Kline(
        "BTC", "USDT", "1m", 0, 59_999, "1", "1", "1", "1", "0", 0, 0, 0, closed=False, event_ms=0
    )
    assert Market().gate.take(candle, Market().frame("binance"))


def test_that_markets_are_apart() -> None:
    market = Market()
    for source in ("binance", "binance.futures", "recorded.binance"):
        for symbol in ("BTC", "ETH"):
            for currency in ("USDT", "USDC"):
                one = Quote(symbol, currency, "99", "1", "101", "1", 7)
                assert market.take(one, source)
                assert not market.take(one, source)
    assert set(market.reasons) == {"duplicate"}
    assert len(list(market.gate.feeds())) == 12


def test_that_trades_are_told_once_and_late_ones_are_known_from_duplicates() -> None:
    market = at_par()
    for number in (10, 11, 14, 15):
        assert market.trade(100, number=number)
    for number in (12, 12, 15, 9, 13):
        assert not market.trade(100, number=number)
    assert market.reasons == ["late", "duplicate", "duplicate", "duplicate", "late"]


def test_that_missing_trades_are_remembered_within_bounds() -> None:
    market = at_par()
    assert market.trade(100, number=1)
    assert market.trade(100, number=10**12)
    (feed,) = market.gate.feeds()
    assert len(feed.missing) == 1_000
    assert not market.trade(100, number=10**12 - 1)
    assert not market.trade(100, number=2)
    assert market.reasons == ["late", "duplicate"]


def test_that_an_oracle_may_speak_twice_in_a_second_if_its_slot_rises() -> None:
    market = Market()

    def said(price: int, order: int, event_ms: int = NOW_MS) -> bool:
        return market.take(Oracle("BTC", "USD", price, 0, 0, event_ms, order), "pyth")

    assert said(60_000, 7)
    assert said(60_001, 8)
    assert not said(60_001, 8)
    assert not said(60_002, 8)
    assert not said(60_002, 7)
    assert not said(60_002, 9, NOW_MS - 1)
    assert said(60_002, 1, NOW_MS + 1)
    assert market.reasons == ["duplicate", "older", "older", "older"]


def test_that_an_oracle_without_slots_may_change_its_word_within_a_second() -> None:
    market = Market()
    for price, taken in ((60_000, True), (60_000, False), (60_001, True), (60_000, True)):
        said = Oracle("BTC", "USD", price, 0, 0, NOW_MS)
        assert market.take(said, "switchboard") is taken
    assert market.reasons == ["duplicate"]


def test_that_an_oracle_without_slots_does_not_go_back() -> None:
    market = Market()
    assert market.take(Oracle("BTC", "USD", 60_000, 0, 0, NOW_MS), "switchboard")
    assert not market.take(Oracle("BTC", "USD", 60_000, 0, 0, NOW_MS - 1), "switchboard")
    assert market.reasons == ["older"]


def test_that_rejections_are_counted_and_a_few_kept_as_they_came() -> None:
    market = Market()
    market.take(quote(number=50))
    for number in range(40):
        market.take(quote(number=number))
    rejections = market.gate.rejections
    assert rejections.counts == {("binance", "older"): 40}
    assert rejections.of("binance") == {"older": 40}
    assert rejections.of("pyth") == {}
    kept = rejections.samples("binance", Reason.OLDER)
    assert [one.frame.data for one in kept] == [b"raw %d" % n for n in range(34, 42)]
    assert len(kept) == SAMPLES_MAX
    assert (kept[0].symbol, kept[0].currency) == ("BTC", "USDT")
    assert rejections.samples("binance", Reason.CROSSED) == ()


@pytest.mark.parametrize("factor", [1.05, 0.95, 3.0, 0.01])
def test_that_one_wild_price_is_held_and_refuted_by_the_next(factor: float) -> None:
    market = at_par()
    market.quote(100)
    assert market.validity() == "VALID"
    assert not market.quote(100 * factor)
    assert market.usd() == pytest.approx(100)
    assert market.validity() == "QUARANTINED", "nobody trades while it is open who is right"
    assert market.quote(100.01)
    assert market.validity() == "VALID"
    assert market.reasons == ["outlier"]
    assert (len(market.quarantined), len(market.confirmed)) == (1, 0)


def test_that_three_in_a_row_are_believed_and_none_of_them_is_lost() -> None:
    market = at_par()
    market.quote(100)
    assert [market.quote(price) for price in (92, 88, 74)] == [False, False, True]
    assert market.usd() == pytest.approx(74)
    assert market.validity() == "VALID"
    assert market.reasons == []
    bids = [float(event.bid) for event in market.accepted if isinstance(event, Quote)]
    assert bids == pytest.approx([99.99, 91.9908, 87.9912, 73.9926])
    assert market.confirmed == market.accepted[1:]
    assert market.quote(73.9)


def test_that_a_second_source_confirms_at_once() -> None:
    market = at_par()
    market.quote(100)
    market.oracle(100)
    market.oracle(92)
    market.oracle(92)
    assert market.oracle(92)
    assert market.quote(92.1), "within half a percent of what the oracle says"
    assert market.reasons == []


def test_that_two_sources_that_jump_to_the_same_price_confirm_each_other() -> None:
    market = at_par()
    market.quote(100)
    market.oracle(100)
    assert not market.quote(92)
    assert market.oracle(92.1)
    assert market.quote(92.05)
    assert market.reasons == []
    assert market.validity() == "VALID"


def test_that_two_sources_that_jump_apart_do_not() -> None:
    market = at_par()
    market.quote(100)
    market.oracle(100)
    assert not market.quote(92)
    assert not market.oracle(108)


def test_that_a_jump_of_some_time_ago_confirms_nothing() -> None:
    market = at_par()
    market.quote(100)
    market.oracle(100)
    assert not market.quote(92)
    assert not market.oracle(92, after_ms=5_001)


def test_that_the_same_source_is_no_second_source() -> None:
    market = at_par()
    market.quote(100)
    for number in range(1, 5):
        market.trade(92, number=number)
    assert not market.quote(92)


def test_that_a_second_source_is_asked_in_dollars() -> None:
    market = Market()
    market.oracle(0.9, "USDC")
    market.oracle(90)
    market.quote(100, currency="USDC")
    for _ in range(3):
        market.oracle(81)
    assert market.quote(90, currency="USDC"), "90 USDC are 81 dollars"
    market.oracle(90, after_ms=1)
    market.oracle(90, after_ms=1)
    market.oracle(90, after_ms=1)
    assert not market.quote(81, currency="USDC"), "81 USDC are 72.9 dollars, not 81"


def test_that_jumps_to_and_fro_are_believed_after_a_while() -> None:
    market = at_par()
    market.quote(100)
    taken = [market.quote(price, after_ms=3_000) for price in (92, 108, 91, 109, 92)]
    assert taken == [False, False, False, False, True]
    assert market.reasons == []
    assert len(market.accepted) == 6


def test_that_what_is_held_is_bounded() -> None:
    market = at_par()
    market.quote(100)
    for number in range(40):
        market.quote(92 if number % 2 else 108, after_ms=1)
    (feed,) = market.gate.feeds()
    assert len(feed.quarantine.held) == 16
    assert market.reasons == ["outlier"] * 24
    assert feed.quarantined == 40


def test_that_trades_are_facts_even_when_they_jump() -> None:
    market = at_par()
    market.trade(100, number=1)
    assert market.trade(50, number=2)
    assert market.usd() == 100
    assert market.trade(100, number=3)
    assert market.reasons == []
    assert [event.trade_id for event in market.accepted if isinstance(event, Trade)] == [1, 2, 3]
    assert len(market.quarantined) == 1


def test_that_a_market_that_moves_much_may_move_more() -> None:
    market = at_par()
    for step in range(40):
        assert market.quote(100 * 1.003 ** (step % 2), after_ms=1_000)
    assert market.quote(103), "thirty basis points a second are usual here"
    calm = at_par()
    for step in range(40):
        assert calm.quote(100 + 0.001 * (step % 2), after_ms=1_000)
    assert not calm.quote(103)
    assert not calm.quote(99.3), "0.6 % at once is much for a market that stands still"


def test_that_no_market_moves_so_much_that_five_percent_pass_at_once() -> None:
    market = at_par()
    for step in range(40):
        assert market.quote(100 * 1.009 ** (step % 2), after_ms=1_000)
    assert not market.quote(105.1)


def test_that_the_next_price_is_looked_at_closely_only_while_something_is_the_matter() -> None:
    market = at_par()
    market.quote(100)
    (feed,) = market.gate.feeds()
    assert feed.low < feed.price < feed.high
    market.quote(92)
    assert not feed.low <= feed.price <= feed.high
    market.quote(100)
    assert feed.low < feed.price < feed.high
    market.quote(100.8)
    assert feed.low < feed.price < feed.high
    for _ in range(3):
        market.quote(92)
    assert feed.low < feed.price < feed.high


def test_that_a_feed_frozen_while_connected_falls_silent() -> None:
    market = at_par()
    for _ in range(30):
        market.quote(100)
    assert market.gate.advance(market.now_ms + 5_000) == []
    (silent,) = market.gate.advance(market.now_ms + 5_001)
    assert (silent.source, silent.silent) == ("binance", True)
    assert market.gate.advance(market.now_ms + 9_000) == [], "told once"
    assert market.validity() == "STRAINED"
    market.now_ms += 10_001
    assert market.validity() == "STALE"
    market.now_ms += 50_000
    assert market.validity() == "STALE_FOR_MARGIN"
    assert market.quote(100)
    assert not silent.silent
    assert market.validity() == "VALID"


def test_that_a_slow_feed_is_given_more_patience() -> None:
    market = at_par()
    for _ in range(10):
        market.quote(100, after_ms=2_000)
    assert market.gate.advance(market.now_ms + 20_000) == []
    assert len(market.gate.advance(market.now_ms + 20_001)) == 1


def test_that_a_source_may_number_its_messages_anew() -> None:
    market = at_par()
    market.take(quote(number=10**9))
    for number in range(1, 31):
        market.now_ms += 1_000
        market.gate.advance(market.now_ms)
        if market.take(quote(number=number)):
            break
    assert number == 21, "silent first, and twenty in a row that rise"
    market.gate.advance(market.now_ms)
    assert market.take(quote(number=22))
    assert not market.take(quote("49", "51", number=23)), "its history counts all the same"


def test_that_a_late_connection_beside_a_good_one_is_no_new_numbering() -> None:
    market = at_par()
    for number in range(1_000, 1_100):
        market.now_ms += 1_000
        market.gate.advance(market.now_ms)
        assert market.take(quote(number=number))
        assert not market.take(quote(number=number - 500))


def test_that_the_same_words_over_and_over_are_no_new_numbering() -> None:
    market = at_par()
    market.take(quote(number=10**9))
    for number in range(100):
        market.now_ms += 1_000
        market.gate.advance(market.now_ms)
        assert not market.take(quote(number=number % 10))
