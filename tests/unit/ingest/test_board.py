"""The board says a price in dollars, where it came from and how old it is, or why it cannot."""

import asyncio
from decimal import Decimal

import pytest

from quantdesk.core.errors import Unavailable
from quantdesk.core.prices import Price, Reading
from quantdesk.core.validity import Validity
from quantdesk.ingest.board import Board

NOW = 1_700_000_000_000
PAR = Decimal(1)


def reading(
    symbol: str = "BTC", price: str = "60000", ago_ms: int = 0, currency: str = "USD",
    source: str = "pyth", confidence: str = "10",
) -> Reading:  # fmt: skip
    return Reading(source, symbol, Decimal(price), Decimal(confidence), NOW - ago_ms, currency)


def board(*readings: Reading, **settings: object) -> Board:
    made = Board(**settings)  # type: ignore[arg-type]
    for one in readings:
        made.take(one, NOW)
    return made


def test_that_the_latest_reading_is_told() -> None:
    one = board(reading(ago_ms=20), reading(price="60001"))
    assert one.latest("BTC") == Price(
        reading(price="60001"), NOW, Validity.VALID, None, ("pyth",), (), NOW + 5_000
    )
    assert one.accepted == {"pyth": 2}
    assert one.latest("ETH") is None


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (reading(ago_ms=11), "older"),
        (reading(ago_ms=10), "duplicate"),
        (reading(ago_ms=10, price="60001"), None),
        (reading(ago_ms=10, confidence="11"), None),
        (reading(ago_ms=9), None),
        (reading(ago_ms=11, source="other"), None),
        (reading(ago_ms=9, price="9"), None),
    ],
)
def test_that_only_order_and_repetition_refuse_a_reading(
    second: Reading, reason: str | None
) -> None:
    one = board(reading(ago_ms=10))
    taken = one.take(second, NOW + 5)
    assert (taken is None) == (reason is not None)
    assert one.rejected == ({("pyth", reason): 1} if reason else {})
    shown = one.latest("BTC")
    assert shown is not None
    alone = second.source == "pyth"
    assert shown.received_ms == (NOW + 5 if alone and not reason else NOW)


def test_that_a_refused_reading_does_not_make_a_price_younger() -> None:
    one = board(reading())
    one.take(reading(), NOW + 9000)
    assert one.age_ms("BTC", now_ms=NOW + 9000) == 9000


def test_that_a_stablecoin_is_converted_by_its_own_price() -> None:
    one = board(
        reading(price="60000", currency="USDT", source="binance", confidence="10"),
        reading("USDT", "0.95", ago_ms=300, confidence="0.01"),
    )
    shown = one.latest("BTC")
    assert shown is not None
    assert (shown.value, shown.reading.confidence) == (Decimal("57000.00"), Decimal("609.50"))
    assert (shown.reading.currency, shown.reading.source) == ("USD", "binance (USDT: pyth)")
    assert shown.reading.published_ms == NOW - 300


def test_that_without_a_price_of_the_stablecoin_there_is_no_price() -> None:
    one = board(reading(currency="USDT"))
    assert one.latest("BTC") is None
    with pytest.raises(Unavailable, match="pyth quotes BTC in USDT") as caught:
        one.fresh("BTC", now_ms=NOW, age_ms_max=1000)
    assert caught.value.code == "price.missing"


def test_that_an_assumption_is_named_and_a_reading_goes_before_it() -> None:
    one = board(reading(currency="USDT", source="recorded"), assume={"USDT": PAR, "USDC": PAR})
    shown = one.latest("BTC")
    assert shown is not None
    assert shown.value == Decimal(60000)
    assert shown.reading.source == "recorded (USDT: assumed at par)"
    assert one.price("BTC", "USDC") == 60000
    assert one.provenance("USDC", now_ms=NOW)["source"] == "assumed at par"
    one.take(reading("USDT", "0.5"), NOW)
    assert one.price("BTC", "USDC") == 30000


def test_that_an_assumption_alone_is_no_price_and_ages_with_the_readings() -> None:
    one = board(assume={"USDC": Decimal("0.99")})
    assert one.latest("USDC") is None
    one.take(reading(), NOW)
    assert one.age_ms("USDC", now_ms=NOW + 700) == 700
    assert one.provenance("USDC", now_ms=NOW)["source"] == "assumed at 0.99 USD"


def test_that_coins_quoted_in_each_other_have_no_price() -> None:
    one = board(reading("USDT", "1", currency="USDC"), reading("USDC", "1", currency="USDT"))
    assert one.latest("USDT") is None
    assert one.latest("USDC") is None


def test_that_a_cross_price_divides_two_dollar_prices() -> None:
    one = board(reading("SOL", "150"), reading("USDC", "0.75"))
    assert one.price("SOL", "USDC") == 200
    with pytest.raises(Unavailable, match="no source has given a price of ETH") as caught:
        one.price("ETH", "USDC")
    assert caught.value.code == "price.missing"


def test_that_age_counts_from_what_happened_first() -> None:
    late = board(reading(ago_ms=15_769_000))
    with pytest.raises(Unavailable, match=r"BTC \(pyth\) is 15769\.0 s old") as caught:
        late.fresh("BTC", now_ms=NOW, age_ms_max=10_000)
    assert caught.value.code == "price.stale"
    ahead = board(reading(ago_ms=-1272))
    assert ahead.age_ms("BTC", now_ms=NOW + 100) == 100


def test_that_a_silent_source_goes_stale_at_the_limit() -> None:
    one = board(reading())
    assert one.fresh("BTC", now_ms=NOW + 1000, age_ms_max=1000).value == 60000
    with pytest.raises(Unavailable):
        one.fresh("BTC", now_ms=NOW + 1001, age_ms_max=1000)


def test_that_a_stale_stablecoin_makes_what_it_converts_stale() -> None:
    one = board(reading(currency="USDT"), reading("USDT", "1", ago_ms=2000))
    assert one.age_ms("BTC", now_ms=NOW) == 2000


def test_that_a_replayed_source_ages_by_arrival_alone() -> None:
    old = reading(ago_ms=10**10, source="recorded")
    one = board(old, replayed=["recorded"])
    assert one.fresh("BTC", now_ms=NOW + 50, age_ms_max=100).reading == old


def test_that_provenance_says_it_all() -> None:
    assert board(reading(ago_ms=250)).provenance("BTC", now_ms=NOW + 750) == {
        "symbol": "BTC",
        "source": "pyth",
        "value": "60000",
        "confidence": "10",
        "publishedAt": "2023-11-14T22:13:19.750Z",
        "receivedAt": "2023-11-14T22:13:20.000Z",
        "agreementBps": None,
        "sources": ["pyth"],
        "rawIds": [],
        "validity": "VALID",
        "ageMs": 1000,
    }


def test_that_changes_are_told_once_with_all_that_changed() -> None:
    async def run() -> None:
        one = board(reading("SOL", "150", currency="USDT"))
        with one.changes() as changes, one.changes() as others:
            one.take(reading("BTC"), NOW)
            one.take(reading("BTC"), NOW)
            one.take(reading("USDT", "1"), NOW)
            assert await anext(changes) == {"BTC", "USDT", "SOL"}
            one.take(reading("ETH"), NOW)
            assert await anext(changes) == {"ETH"}
            waiting = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)
            assert not waiting.done()
            waiting.cancel()
            assert await anext(others) == {"BTC", "USDT", "SOL", "ETH"}
        one.take(reading("ETH", ago_ms=-1), NOW)
        assert not one.followed

    asyncio.run(run())
