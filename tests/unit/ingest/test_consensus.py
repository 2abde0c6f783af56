"""The board agrees on one price in dollars, names its parts, and says what is wrong with it."""

from decimal import Decimal

import pytest
from tests.unit.ingest.market import Market, at_par

from quantdesk.core.errors import Unavailable
from quantdesk.core.prices import Reading
from quantdesk.core.ticks import Quote
from quantdesk.core.validity import Action
from quantdesk.ingest.board import Board
from quantdesk.ingest.provenance import KEPT_MAX


def three(prices: tuple[float, float, float]) -> Market:
    """Return a market that three sources speak of, in dollars."""
    market = Market()
    for source, price in zip(("pyth", "switchboard", "chainlink"), prices, strict=True):
        market.oracle(price, source=source, after_ms=1)
    return market


def code_of(market: Market, symbol: str = "BTC", action: Action = Action.OPEN) -> str | None:
    """Return why an action may not go by the price, None when it may."""
    try:
        market.board.fresh(symbol, now_ms=market.now_ms, age_ms_max=10_000, action=action)
    except Unavailable as problem:
        return problem.code
    return None


def test_that_the_middle_of_three_is_the_price_and_all_are_named() -> None:
    market = three((100, 100.1, 100.3))
    told = market.board.provenance("BTC", now_ms=market.now_ms)
    assert told["value"] == "100.1"
    assert told["source"] == "chainlink, pyth, switchboard"
    assert told["sources"] == ["chainlink", "pyth", "switchboard"]
    assert told["agreementBps"] == "29.97"
    assert (told["validity"], len(told["rawIds"])) == ("VALID", 3)
    assert [market.board.raw(one) for one in told["rawIds"]] == [b"raw 1", b"raw 2", b"raw 3"]


@pytest.mark.parametrize(
    ("apart", "validity", "code"),
    [
        (0.004, "VALID", None),
        (0.006, "STRAINED", None),
        (0.0099, "STRAINED", None),
        (0.0102, "DISAGREES", "price.disagreement"),
        (0.05, "DISAGREES", "price.disagreement"),
    ],
)
def test_that_two_sources_too_far_apart_stop_trading(
    apart: float, validity: str, code: str | None
) -> None:
    market = Market()
    market.oracle(100)
    market.oracle(100 * (1 + apart), source="switchboard")
    assert market.validity() == validity
    assert code_of(market) == code
    assert code_of(market, action=Action.DISPLAY) is None


def test_that_a_source_that_lies_by_five_percent_from_the_start_is_left_out_of_three() -> None:
    market = three((100, 105, 100.1))
    assert market.usd() == pytest.approx(100.05)
    assert market.board.latest("BTC").sources == ("chainlink", "pyth")  # type: ignore[union-attr]
    assert market.validity() == "VALID"


def test_that_a_source_that_begins_to_lie_by_five_percent_moves_nothing() -> None:
    market = three((100, 100, 100))
    for _ in range(6):
        market.oracle(105, source="switchboard")
        market.oracle(100.01)
        market.oracle(99.99, source="chainlink")
        assert market.usd() == pytest.approx(100, abs=0.02)
        assert market.validity() == "VALID"
    assert market.board.latest("BTC").sources == ("chainlink", "pyth")  # type: ignore[union-attr]


def test_that_a_lone_source_that_lies_stops_trading_until_it_insists() -> None:
    market = Market()
    market.oracle(100)
    market.oracle(105)
    assert code_of(market) == "price.unconfirmed"
    market.oracle(105)
    assert code_of(market, action=Action.MARGIN) is None, "the last confirmed price still stands"
    market.oracle(105)
    assert (code_of(market), market.usd()) == (None, 105)


def test_that_while_one_of_two_has_jumped_neither_is_believed() -> None:
    market = Market()
    market.oracle(100)
    market.oracle(100, source="switchboard")
    assert not market.oracle(95)
    assert code_of(market) == "price.unconfirmed"
    assert market.oracle(100)
    assert code_of(market) is None
    for _ in range(3):
        market.oracle(95)
    assert code_of(market) == "price.disagreement", "it insists, the other does not follow"
    assert not market.oracle(105, source="switchboard")
    assert market.oracle(95.1, source="switchboard")
    assert code_of(market) is None


def test_that_a_source_that_freezes_is_left_out_while_others_speak() -> None:
    market = Market()
    market.oracle(100)
    market.oracle(100, source="switchboard")
    for step in range(100):
        market.oracle(100 + step / 50)
    market.gate.advance(market.now_ms)
    price = market.board.latest("BTC")
    assert price is not None
    assert price.sources == ("pyth",)
    assert float(price.value) == pytest.approx(101.98)
    assert market.validity() == "VALID"


def test_that_the_oldest_voice_still_heard_is_the_age() -> None:
    market = Market()
    market.oracle(100, lag_ms=300)
    market.oracle(100, source="switchboard", after_ms=2_000)
    assert market.board.age_ms("BTC", now_ms=market.now_ms + 10) == 2_010
    # Past five seconds the older no longer votes, though nothing new was heard.
    assert market.board.age_ms("BTC", now_ms=market.now_ms + 3_200) == 3_200


@pytest.mark.parametrize(
    ("confidence", "validity", "code"),
    [
        (0.004, "VALID", None),
        (0.006, "STRAINED", None),
        (0.021, "TOO_UNCERTAIN", "price.uncertain"),
    ],
)
def test_that_confidence_limits_new_exposure(
    confidence: float, validity: str, code: str | None
) -> None:
    market = Market()
    market.oracle(100, confidence=confidence)
    assert market.validity() == validity
    assert code_of(market) == code
    assert code_of(market, action=Action.LIQUIDATE) is None


def test_that_an_uncertain_source_gives_way_to_a_certain_one() -> None:
    market = Market()
    market.oracle(100, confidence=0.05)
    market.oracle(101.5, source="chainlink")
    assert (market.usd(), market.validity()) == (101.5, "VALID")


def test_that_a_wide_book_is_uncertain() -> None:
    market = at_par()
    market.take(Quote("BTC", "USDT", "95", "1", "105", "1", 1))
    assert market.validity() == "TOO_UNCERTAIN"


def test_that_a_price_many_times_its_mean_is_too_volatile() -> None:
    market = at_par()
    for _ in range(20):
        market.quote(100, after_ms=1_000)
    for _ in range(3):
        market.quote(600)
    assert market.usd() == pytest.approx(600)
    assert market.validity() == "TOO_VOLATILE"
    assert code_of(market, action=Action.LIQUIDATE) == "price.volatile"


def test_that_a_stablecoin_is_converted_by_its_live_price() -> None:
    market = Market()
    market.oracle(100)
    market.oracle(0.88, "USDC")
    market.quote(100 / 0.88, currency="USDC")
    price = market.board.latest("BTC")
    assert price is not None
    assert price.reading.source == "binance (USDC: pyth), pyth"
    assert market.validity() == "VALID"
    assert price.agreement_bps == pytest.approx(0, abs=0.01)
    assert len(price.raw_ids) == 3


def test_that_a_stablecoin_taken_for_a_dollar_disagrees() -> None:
    market = at_par()
    market.oracle(100)
    market.quote(100 / 0.88)
    assert market.validity() == "DISAGREES"


def test_that_a_coin_is_converted_over_another() -> None:
    market = at_par()
    market.quote(0.9, "USDC", "USDT")
    market.quote(100, "BTC", "USDC")
    price = market.board.latest("BTC")
    assert price is not None
    assert float(price.value) == pytest.approx(90)
    assert price.reading.source == "binance (USDC: binance (USDT: assumed at par))"
    market.quote(0.95, "USDC", "USDT", after_ms=0)
    for _ in range(2):
        market.quote(0.95, "USDC", "USDT", after_ms=0)
    assert market.usd() == pytest.approx(95), "the price of the coin moves what it converts"


def test_that_what_a_doubtful_coin_converts_is_doubtful() -> None:
    market = Market()
    market.oracle(1.0, "USDT", confidence=0.03)
    market.quote(100)
    assert market.validity() == "TOO_UNCERTAIN"


def test_that_an_index_stands_for_the_asset_and_a_perpetual_does_not() -> None:
    market = at_par()
    futures = Quote("BTC", "USDT", "102.9", "1", "103.1", "1", 1, market.now_ms)
    market.take(futures, "binance.futures")
    assert (market.usd(), market.validity()) == (103.0, "STRAINED"), "better than nothing"
    market.mark(100, 103)
    assert (market.usd(), market.validity()) == (100, "VALID")
    market.quote(100.1)
    price = market.board.latest("BTC")
    assert price is not None
    assert price.sources == ("binance", "binance.futures")
    assert float(price.value) == pytest.approx(100.05)


def test_that_a_perpetual_is_not_asked_where_the_asset_itself_is_known() -> None:
    market = at_par()
    market.quote(100)
    futures = Quote("BTC", "USDT", "100.3", "1", "100.4", "1", 1, market.now_ms)
    market.take(futures, "binance.futures")
    assert market.usd() == pytest.approx(100)
    assert market.board.latest("BTC").sources == ("binance",)  # type: ignore[union-attr]


def test_that_a_book_goes_before_the_trades_of_its_market() -> None:
    market = at_par()
    market.trade(99.8, number=1)
    assert market.usd() == 99.8
    market.quote(100)
    assert market.usd() == pytest.approx(100)
    market.trade(99.9, number=2)
    assert market.usd() == pytest.approx(100)


def test_that_plain_readings_vote_beside_frames() -> None:
    market = Market()
    market.oracle(100)
    market.board.take(
        Reading("simulated", "BTC", Decimal("100.2"), Decimal(0), market.now_ms), market.now_ms
    )
    assert market.usd() == pytest.approx(100.1)
    assert market.board.accepted == {"pyth": 1, "simulated": 1}


def test_that_the_messages_behind_a_price_that_was_told_can_be_asked_for_later() -> None:
    market = Market()
    market.oracle(100)
    (first,) = market.board.provenance("BTC", now_ms=market.now_ms)["rawIds"]
    market.oracle(100.1)
    price = market.board.latest("BTC")
    assert price is not None
    assert market.board.raw(first) == b"raw 1", "somebody may have traded on it"
    assert market.board.raw(price.raw_ids[0]) == b"raw 2", "it stands"
    market.oracle(100.2)
    assert market.board.raw(price.raw_ids[0]) is None, "nobody was told of it"
    for _ in range(KEPT_MAX):
        market.oracle(100.2, after_ms=1)
        market.board.provenance("BTC", now_ms=market.now_ms)
    assert market.board.raw(first) is None


def test_that_a_word_is_worked_out_once_until_something_is_heard() -> None:
    market = three((100, 100.1, 100.3))
    market.oracle(20, "SOL")
    first = market.board.latest("BTC")
    market.oracle(21, "SOL")
    assert market.board.latest("BTC") is first
    market.oracle(100.01)
    assert market.board.latest("BTC") is not first


def test_that_a_price_says_until_when_it_stands() -> None:
    market = Market()
    market.oracle(100, lag_ms=0)
    began_ms = market.now_ms
    market.oracle(101, source="chainlink", after_ms=1_000)
    price = market.board.latest("BTC")
    assert price is not None
    assert price.until_ms == began_ms + 5_000
    later = market.board.fresh("BTC", now_ms=began_ms + 5_001, age_ms_max=10_000)
    assert later.sources == ("chainlink",)


def test_that_the_board_holds_no_price_before_the_first() -> None:
    assert Board().latest("BTC") is None
    assert Board().raw("pyth:1") is None


def test_that_a_source_without_times_is_never_traded_on_alone() -> None:
    market = Market()
    market.oracle(100, source="switchboard")
    assert (market.validity(), code_of(market)) == ("STALE", "price.stale")
    market.oracle(100.1)
    assert market.validity() == "VALID"
