"""Every stream of every pair is asked for once, within the exchange's bounds."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.sources.binance import SPOT, USD_M, Exchange
from quantdesk.sources.binance.exchange import lines
from quantdesk.sources.binance.markets import wanted_pairs

BOTH = pytest.mark.parametrize("exchange", [SPOT, USD_M], ids=lambda one: one.name)


@BOTH
@pytest.mark.parametrize("count", [1, 49, 50, 51, 300])
def test_that_every_stream_is_asked_for_once(exchange: Exchange, count: int) -> None:
    pairs = [f"A{number}USDT" for number in range(count)]
    names: Counter[str] = Counter()
    for line in lines(exchange, pairs):
        url, _, streams = line.url.partition("?streams=")
        assert url == exchange.stream_url + line.route.path
        assert streams == streams.lower() or "@" in streams
        assert 1 <= len(streams.split("/")) <= 200
        names.update(f"{line.route.path} {stream}" for stream in streams.split("/"))
    wanted = {
        f"{route.path} {name.format(pair.lower())}"
        for route in exchange.routes
        for name in route.streams
        for pair in pairs
    }
    assert names == dict.fromkeys(wanted, 1)


def test_that_the_routes_are_those_of_2026() -> None:
    host = "wss://fstream.binance.com"
    assert [line.url for line in lines(USD_M, ["BTCUSDT"])] == [
        f"{host}/public/stream?streams=btcusdt@bookTicker/btcusdt@depth@100ms",
        f"{host}/market/stream?streams=btcusdt@aggTrade/btcusdt@markPrice@1s/btcusdt@kline_1m",
    ]


@BOTH
@given(books=st.integers(1, 120))
def test_that_all_books_fit_into_a_minute_s_share(exchange: Exchange, books: int) -> None:
    levels, weight = exchange.depth(books)

    assert weight * books <= exchange.weight_share
    deeper = [depth for depth in exchange.depths if depth[0] > levels]
    assert all(cost * books > exchange.weight_share for _, cost in deeper)


def test_that_more_books_than_fit_are_as_shallow_as_can_be() -> None:
    assert SPOT.depth(10_000) == (100, 5)


def test_that_an_asset_is_not_priced_in_itself() -> None:
    assert wanted_pairs(("BTC", "USDC", "USDT"), ("USDT", "USDC")) == (
        "BTCUSDT",
        "BTCUSDC",
        "USDCUSDT",
        "USDTUSDC",
    )


def test_that_other_addresses_keep_the_rest() -> None:
    moved = USD_M.at(stream_url="ws://here/", rest_url="http://there/")

    assert (moved.stream_url, moved.rest_url) == ("ws://here", "http://there")
    assert moved.at() == moved
    assert moved.routes == USD_M.routes
