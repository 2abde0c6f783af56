"""What the simulation tells as frames: its prices, and trades and books that go with them."""

import asyncio
from contextlib import suppress
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import Corrupt, Refused
from quantdesk.core.ticks import Depth, Diff, Frame, Oracle, Trade
from quantdesk.sources.port import BookSource
from quantdesk.sources.simulated import MODELS, Simulated
from quantdesk.sources.words import simulated as words
from quantdesk.testing.clock import ManualClock

T0 = 1_700_000_000_000


def heard(
    *symbols: str, seconds: int, seed: int = 1, resync: tuple[int, str] | None = None
) -> list[Frame]:
    async def whole() -> list[Frame]:
        clock, got = ManualClock(now_ms=T0), list[Frame]()
        source = Simulated(clock=clock, seed=seed)
        assert isinstance(source, BookSource)
        task = asyncio.create_task(source.run(symbols, got.append))
        for second in range(seconds):
            if resync and second == resync[0]:
                source.resync(resync[1])
            await clock.advance(1)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert source.read(got[0]) == words.read(got[0].data, "steps")
        return got

    return asyncio.run(whole())


def test_that_prices_are_those_of_the_path_with_their_confidence() -> None:
    got = heard("SOL", "BTC", seconds=3)
    said = [[e for e in words.read(f.data, f.feed) if isinstance(e, Oracle)] for f in got]
    assert [[one.symbol for one in step] for step in said] == [["SOL", "BTC"]] * 4
    sol = said[0][0]
    assert (sol.value, sol.currency) == (MODELS["SOL"].start, "USD")
    assert sol.deviation == MODELS["SOL"].start * 3 / 10_000  # calm: 3 bps
    assert [step[0].event_ms - T0 for step in said] == [0, 1000, 2000, 3000]
    assert [f.received_ns for f in got] == [(T0 + ms) * 10**6 for ms in (0, 1000, 2000, 3000)]
    assert {f.source for f in got} == {"simulated"}


def test_that_the_path_is_the_same_whoever_watches_it() -> None:
    alone, among = (
        [
            event.value
            for frame in heard(*symbols, seconds=30, seed=4)
            for event in words.read(frame.data, frame.feed)
            if isinstance(event, Oracle) and event.symbol == "ETH"
        ]
        for symbols in (["ETH"], ["BTC", "ETH", "USDT"])
    )
    assert len(alone) == 31
    assert len(set(alone)) > 1
    assert among == alone


def test_that_a_step_and_a_start_price_can_be_given() -> None:
    async def first() -> list[Frame]:
        clock, got = ManualClock(now_ms=T0), list[Frame]()
        source = Simulated(clock=clock, seed=1, step_s=2, start={"SOL": Decimal(20)})
        task = asyncio.create_task(source.run(["SOL"], got.append))
        await clock.advance(6)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return got

    got = asyncio.run(first())
    assert [frame.received_ns // 10**6 - T0 for frame in got] == [0, 2000, 4000, 6000]
    assert [e.value for e in words.read(got[0].data, "steps") if isinstance(e, Oracle)] == [20]


def test_that_a_seed_repeats_every_byte_and_another_differs() -> None:
    first = [frame.data for frame in heard(*ASSETS, seconds=90, seed=3)]
    assert first == [frame.data for frame in heard(*ASSETS, seconds=90, seed=3)]
    assert first != [frame.data for frame in heard(*ASSETS, seconds=90, seed=4)]


def test_that_trades_are_at_the_touch_and_their_ids_rise_by_one() -> None:
    trades = {symbol: list[Trade]() for symbol in ASSETS}
    for frame in heard(*ASSETS, seconds=100):
        events = words.read(frame.data, frame.feed)
        prices = {e.symbol: e.value for e in events if isinstance(e, Oracle)}
        for event in events:
            if isinstance(event, Trade):
                tick = MODELS[event.symbol].tick
                away = -tick if event.buyer_is_maker else tick
                assert Decimal(event.price) == prices[event.symbol] + away
                assert Decimal(event.quantity) > 0
                trades[event.symbol].append(event)
    for of in trades.values():
        assert len(of) == 101
        assert all(after.trade_id == before.trade_id + 1 for before, after in pairwise(of))
        assert {one.buyer_is_maker for one in of} == {True, False}


def test_that_diffs_turn_each_book_into_the_next() -> None:
    book: dict[str, dict[str, str]] = {"bids": {}, "asks": {}}
    whole, last_id = 0, 0
    for frame in heard("ETH", seconds=130):
        for event in words.read(frame.data, frame.feed):
            if isinstance(event, Diff):
                assert event.first_id == event.last_id == last_id + 1
                for side, levels in (("bids", event.bids), ("asks", event.asks)):
                    book[side].update(levels)
                    book[side] = {price: size for price, size in book[side].items() if size != "0"}
                last_id = event.last_id
            if isinstance(event, Depth):
                whole += 1
                if last_id:
                    assert event.last_id == last_id
                    assert book == {"bids": dict(event.bids), "asks": dict(event.asks)}
                last_id = event.last_id
                book = {"bids": dict(event.bids), "asks": dict(event.asks)}
        bids, asks = ([Decimal(price) for price in book[side]] for side in ("bids", "asks"))
        assert max(bids) < min(asks)
        assert (len(bids), len(asks)) == (10, 10)
    assert whole == 3  # at the start, and once a minute


def test_that_a_book_is_told_whole_when_asked_for() -> None:
    got = heard("ETH", "BTC", seconds=10, resync=(5, "BTC"))
    depths = [
        [event.symbol for event in words.read(frame.data, frame.feed) if isinstance(event, Depth)]
        for frame in got
    ]
    assert depths == [["ETH", "BTC"], *[[]] * 5, ["BTC"], *[[]] * 4]


def test_that_an_unknown_asset_is_refused() -> None:
    source = Simulated(clock=ManualClock(), seed=1)
    with pytest.raises(Refused, match="no simulation of DOGE"):
        asyncio.run(source.run(["DOGE"], lambda _: None))


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_that_any_bytes_are_read_or_refused(junk: bytes) -> None:
    for tried in (junk, b'{"at":1,"prices":[' + junk, b'{"at":1,"prices":[]}' + junk):
        with suppress(Corrupt):
            words.read(tried, "steps")


@pytest.mark.parametrize("number", ["x", "", "-1", "1e5", "NaN", "1" * 21, "٣"])
def test_that_what_is_no_number_is_refused(number: str) -> None:
    trade = words.Traded("BTC", 1, number, "1", sold=True)
    levels = words.Levels("BTC", 1, [("1", number)], [])
    for step in (
        words.Step(1, [], trades=[trade]),
        words.Step(1, [], diffs=[levels]),
        words.Step(1, [], books=[levels]),
    ):
        with pytest.raises(Corrupt, match="no number"):
            words.read(words.write(step), "steps")
