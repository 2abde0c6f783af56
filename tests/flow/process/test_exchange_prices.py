"""A desk on a live exchange: its prices, books and candles, also after the line was cut."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from tests.flow.process.conftest import Desks
from tests.flow.process.running import READY_S, Process

from quantdesk.core.clock import SystemClock
from quantdesk.testing.binance_market import BinanceMarket

T = TypeVar("T")
_TICK_S = 0.1


class Exchange:
    """An exchange that moves in a thread of its own while a test waits."""

    def __init__(self, market: BinanceMarket, loop: asyncio.AbstractEventLoop) -> None:
        self.market = market
        self._loop = loop

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something where it lives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(READY_S)

    async def cut(self) -> None:
        """Cut every connection, without a goodbye."""
        self.market.cut()

    @property
    def flags(self) -> tuple[str, ...]:
        """Return what makes a desk take its prices here, and news nowhere."""
        return (
            "--mode", "paper", "--source", "binance", "--set", "news.rss_feeds=",
            "--set", f"sources.binance_stream_url={self.market.stream_url}",
            "--set", f"sources.binance_rest_url={self.market.rest_url}",
        )  # fmt: skip


@contextmanager
def _open() -> Iterator[Exchange]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    clock = SystemClock()
    market = BinanceMarket(clock=clock, pairs=("BTCUSDT",))

    async def move() -> None:
        while True:
            await market.tick(3)
            await clock.sleep(_TICK_S)

    async def begin() -> asyncio.Task[None]:
        await market.__aenter__()
        return loop.create_task(move())

    async def end() -> None:
        moving.cancel()
        await market.__aexit__(None, None, None)

    moving = asyncio.run_coroutine_threadsafe(begin(), loop).result(READY_S)
    try:
        yield Exchange(market, loop)
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(READY_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(READY_S)
        loop.close()


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    """Open an exchange for one test."""
    with _open() as opened:
        yield opened


def told(desk: Process, path: str, holds: Callable[[Any], object]) -> Any:  # noqa: ANN401 - JSON
    """Return what the desk answers once that holds."""
    found: list[Any] = []

    def answered() -> bool:
        answer = desk.get(path)
        found[:] = [answer.body]
        return answer.status == 200 and bool(holds(answer.body))

    desk.until(answered, path, within_s=READY_S)
    return found[0]


def test_a_desk_on_an_exchange_goes_on_when_the_line_is_cut(
    desks: Desks, exchange: Exchange
) -> None:
    desk = desks("d", *exchange.flags)
    desk.start()
    price = told(desk, "/api/prices/BTC", lambda price: price["valid"])
    book = told(desk, "/api/books/BTC?levels=1", lambda book: book["state"] == "synced")
    candles = told(desk, "/api/candles/BTC?interval=1s", lambda told: told["candles"])
    (message,) = desk.get("/api/prices/BTC/raw").body["messages"]

    assert price["source"] == "binance (USDT: assumed at par)"
    assert (book["source"], book["currency"]) == ("binance", "USDT")
    assert float(book["bids"][0][0]) < float(book["asks"][0][0])
    assert candles["source"] == "binance"
    assert "btcusdt@" in message["text"]

    exchange.do(exchange.cut())

    (source,) = told(desk, "/api/sources", lambda told: told["sources"][0]["reconnects"] > 0)[
        "sources"
    ]
    told(desk, "/api/books/BTC?levels=1", lambda again: again["lastId"] > book["lastId"])
    assert told(desk, "/api/prices/BTC", lambda price: price["valid"])
    assert source["rejected"].keys() <= {"duplicate", "late"}
