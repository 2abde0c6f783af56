"""Binance's bad days end in true books: source, gate and books together, over loopback."""

from collections.abc import Awaitable, Callable

import pytest
from tests.unit.sources.binance.stage import Desk, play

from quantdesk.ingest.board import Board
from quantdesk.ingest.books.books import BookView
from quantdesk.ingest.market_data import MarketData
from quantdesk.testing.binance_market import BinanceMarket

LEVELS = 10
LOSING = {"cut", "gap", "day over", "freeze"}
"""What loses messages; in all else not one update is missing."""

Bad = Callable[[BinanceMarket], Awaitable[object] | None]


def lose(market: BinanceMarket) -> None:
    market.bad.lose_depth = 2


def reorder(market: BinanceMarket) -> None:
    market.bad.reorder = not market.bad.reorder


def double(market: BinanceMarket) -> None:
    market.bad.twice = True


BAD: dict[str, Bad] = {
    "nothing": lambda _: None,
    "cut": lambda market: market.cut(),
    "gap": lose,
    "shutdown": lambda market: market.shut_down(),
    "day over": lambda market: market.end_the_day(),
    "doubles": double,
    "disorder": reorder,
    "garbage": lambda market: market.garbage(),
    "freeze": lambda market: market.freeze(),
}


def levels(view: BookView) -> list[list[tuple[float, float]]]:
    return [[(float(p), float(q)) for p, q in side] for side in (view.bids, view.asks)]


@pytest.mark.parametrize("futures", [False, True])
@pytest.mark.parametrize("bad", BAD)
def test_that_the_book_is_the_exchange_s_in_the_end(bad: str, futures: bool) -> None:  # noqa: FBT001
    async def scene(desk: Desk) -> None:
        source = desk.source
        data = MarketData(
            {source.name: source.read},
            board=Board(),
            resync=lambda _, symbol: source.resync(symbol),
        )

        async def go_on(times: int) -> None:
            for _ in range(times):
                await desk.market.tick()
                await desk.turns()
                await desk.clock.advance(0.5)
                data.flow.advance(desk.clock.now_ms())

        desk.start(data.flow.take)
        await go_on(8)
        done = BAD[bad](desk.market)
        if done is not None:
            await done
        await go_on(80)
        desk.market.bad.reorder = False
        await go_on(20)
        for symbol in ("BTC", "ETH"):
            assert (bad in LOSING) or not data.books.counts[source.name, "gap"]
            truth = desk.market.walks[f"{symbol}USDT"].snapshot(LEVELS)
            view = data.books.view(source.name, symbol, "USDT", levels=LEVELS)
            assert levels(view) == [
                [(float(p), float(q)) for p, q in truth[side]] for side in ("bids", "asks")
            ]

    play(scene, futures=futures)
