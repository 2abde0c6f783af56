"""The made-up market agrees with itself, as Binance's does: books, tops, trades and candles."""

import json
from typing import Any

import pytest

from quantdesk.testing.binance_walk import Message, Walk

T0 = 1_723_161_240_000


def told(walk: Walk, steps: int) -> list[Message]:
    said: list[Message] = []
    for step in range(steps):
        now_ms = T0 + 50 * step
        said.extend(walk.step(now_ms))
        if step % 7 == 0:
            said.extend(filter(None, [walk.diff(now_ms)]))
            said.extend(walk.kline(now_ms))
    said.extend(filter(None, [walk.diff(T0 + 50 * steps)]))
    return said


def of(said: list[Message], kind: str) -> list[dict[str, Any]]:
    return [data for name, data in said if name.startswith(kind)]


@pytest.mark.parametrize("futures", [False, True])
def test_that_diffs_lead_from_one_book_to_the_other(futures: bool) -> None:  # noqa: FBT001
    walk = Walk("BTCUSDT", 5, futures)
    book = walk.snapshot(5_000)
    sides = {"b": dict(book["bids"]), "a": dict(book["asks"])}
    last = book["lastUpdateId"]
    for diff in of(told(walk, 3_000), "depth"):
        assert diff["U"] == last + 1
        assert diff.get("pu", last) == last
        last = diff["u"]
        for side, levels in sides.items():
            levels.update(diff[side])
    after = walk.snapshot(5_000)
    held = {
        side: {price: size for price, size in levels.items() if float(size)}
        for side, levels in sides.items()
    }
    assert after["lastUpdateId"] == last
    assert held == {"b": dict(after["bids"]), "a": dict(after["asks"])}


def test_that_the_ticker_is_the_top_of_the_book_and_never_crossed() -> None:
    walk, seen = Walk("BTCUSDT", 6), 0
    for step in range(2_000):
        tops = of(list(walk.step(T0 + step)), "bookTicker")
        book = walk.snapshot(1)
        for top in tops:
            assert float(top["b"]) < float(top["a"])
        if tops and tops[-1]["u"] == book["lastUpdateId"]:
            seen += 1
            assert [tops[-1]["b"], tops[-1]["B"]] == book["bids"][0]
            assert [tops[-1]["a"], tops[-1]["A"]] == book["asks"][0]
    assert seen > 500


def test_that_candles_are_made_of_the_trades() -> None:
    said = told(Walk("BTCUSDT", 7), 5_000)
    trades = of(said, "trade")
    closed = [candle["k"] for candle in of(said, "kline") if candle["k"]["x"]]
    assert [trade["t"] for trade in trades] == list(range(501, 501 + len(trades)))
    assert len(closed) == 4
    for candle in closed:
        inside = [trade for trade in trades if candle["f"] <= trade["t"] <= candle["L"]]
        assert len(inside) == candle["n"]
        assert all(candle["t"] <= trade["T"] <= candle["T"] for trade in inside)
        prices = [float(trade["p"]) for trade in inside]
        assert [float(candle[name]) for name in "ohlc"] == [
            prices[0],
            max(prices),
            min(prices),
            prices[-1],
        ]
        assert float(candle["v"]) == pytest.approx(sum(float(trade["q"]) for trade in inside))


def test_that_a_seed_says_the_same_each_time() -> None:
    first, second, other = (told(Walk("BTCUSDT", seed), 200) for seed in (1, 1, 2))

    assert json.dumps(first) == json.dumps(second)
    assert json.dumps(first) != json.dumps(other)
