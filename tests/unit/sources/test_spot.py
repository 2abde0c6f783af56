"""Binance spot messages become ticks with the message's own numbers, or are refused."""

from decimal import Decimal

import pytest

from quantdesk.core.errors import Corrupt
from quantdesk.sources import spot
from quantdesk.sources.spot import Tick

TRADE = (
    b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":1,'
    b'"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}'
)
BOOK = (
    b'{"stream":"btcusdt@bookTicker","data":{"u":5,"s":"BTCUSDT","b":"61837.63000000",'
    b'"B":"3.7","a":"61837.64000000","A":"1.5"}}'
)
DEPTH = (
    b'{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT",'
    b'"U":1,"u":2,"b":[["61737.6","0.0"]],"a":[]}}'
)


def test_that_a_trade_gives_its_price_and_time() -> None:
    assert spot.tick(TRADE) == Tick("trade", 1723161255343, "BTC", "USDT", Decimal("61837.63"))


def test_that_a_book_gives_its_middle_and_no_time() -> None:
    assert spot.tick(BOOK) == Tick("bookTicker", None, "BTC", "USDT", Decimal("61837.635"))


def test_that_microseconds_are_told_by_their_size() -> None:
    assert spot.tick(TRADE.replace(b"1723161255343", b"1723161255343999")) == spot.tick(TRADE)


def test_that_depth_gives_a_time_and_a_snapshot_nothing() -> None:
    assert spot.tick(DEPTH) == Tick("depth", 1723161255208)
    assert spot.tick(b'{"lastUpdateId":1,"bids":[],"asks":[]}') == Tick("other")


def test_that_a_pair_of_no_asset_of_ours_has_no_price() -> None:
    assert spot.tick(TRADE.replace(b"BTCUSDT", b"DOGEUSDT")).price is None


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{",
        b"[1]",
        TRADE.replace(b'"61837.63000000"', b'"0"'),
        TRADE.replace(b'"61837.63000000"', b'"-1"'),
        TRADE.replace(b'"61837.63000000"', b'"NaN"'),
        TRADE.replace(b'"61837.63000000"', b'"1e999999999999999999"'),
        TRADE.replace(b'"p"', b'"price"'),
        BOOK.replace(b"61837.64", b"61837.63"),
        BOOK.replace(b"61837.64000000", b"Infinity"),
    ],
)
def test_that_what_cannot_be_a_price_is_corrupt(broken: bytes) -> None:
    with pytest.raises(Corrupt) as caught:
        spot.tick(broken)
    assert caught.value.code == "message.unreadable"
