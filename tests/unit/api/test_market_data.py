"""Candles, books, sources, raw messages and news over HTTP: every status a route can answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from quantdesk.access.keys import Keys, digest, new_key
from quantdesk.api.books import BookRoutes
from quantdesk.api.candles import CandleRoutes, Span
from quantdesk.api.edge import Edge
from quantdesk.api.news import NewsQuery, NewsRoutes, Story
from quantdesk.api.pages import pages
from quantdesk.api.server import bind, serving
from quantdesk.api.sources import SourceHealth, SourceRoutes
from quantdesk.core.candles import Candle
from quantdesk.core.errors import Refused
from quantdesk.core.ticks import Depth, Diff, Frame, Headline
from quantdesk.ingest.books.books import Books
from quantdesk.ingest.rejections import Reason, Rejected, Rejections
from quantdesk.telemetry.metrics import Metrics
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.principals import key_holder

pytestmark = pytest.mark.anyio

KEY = new_key()
MARKET = ("binance", "BTC", "USDT")
MINUTE_MS = 60_000
NOW_MS = 1_700_000_000_000


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


def candle(minute: int, *, close: str = "2", closed: bool = True, revision: int = 0) -> Candle:
    """Return the candle of a minute since the epoch."""
    return Candle(
        *MARKET, "1m", minute * MINUTE_MS, "1", "3", "1", close, "10", "20", "5", 4, 1, 4,
        revision=revision, closed=closed,
    )  # fmt: skip


async def stored(span: Span) -> list[Candle]:
    """Return what a store of the minutes 0 to 9 knows."""
    fitting = [
        candle(minute, close="old")
        for minute in range(10)
        if (span.from_ms or 0) <= minute * MINUTE_MS < span.to_ms
    ]
    return fitting[: span.limit] if span.from_ms is not None else fitting[-span.limit :]


def recent(market: object, interval: str) -> list[Candle]:
    """Return what is in memory: minutes 8 to 11, the last not closed."""
    assert market == MARKET
    return [candle(8), candle(9), candle(10), candle(11, closed=False)] if interval == "1m" else []


async def stories(asked: NewsQuery) -> list[Story]:
    """Return what a store of the stories 1 to 5 knows."""
    headline = Headline("k", "Title", "https://x.example", "X", NOW_MS, symbols=("BTC",))
    numbers = [n for n in range(5, 0, -1) if asked.cursor is None or n < int(asked.cursor)]
    return [Story(str(n), "rss", headline) for n in numbers[: asked.limit + 1]]


def behind(symbol: str) -> list[str]:
    """Return the messages behind the only price there is."""
    if symbol != "BTC":
        raise Refused(f"{symbol} is not listed", code="price.unknown")
    return ["binance:1", "binance:gone"]


def books() -> Books:
    """Return a book in sync."""
    known = Books(resync=lambda source, symbol: None)
    frame = Frame("binance", "depth", (NOW_MS - 5) * 1_000_000, b"")
    known.diff(Diff("BTC", "USDT", 1, 1, [], [], NOW_MS - 6), frame)
    bids, asks = [("10", "1"), ("9", "2"), ("8", "3")], [("11", "1")]
    known.depth(Depth("BTC", "USDT", 1, bids, asks), frame)
    known.diff(Diff("BTC", "USDT", 2, 2, [], [], NOW_MS - 6), frame)
    known.diff(Diff("ETH", "USDT", 7, 7, [], [], NOW_MS - 6), frame)
    return known


Routes = CandleRoutes | BookRoutes | SourceRoutes | NewsRoutes


class Asked:
    """A server with all routes."""

    def __init__(self, port: int, session: aiohttp.ClientSession) -> None:
        self.url = f"http://127.0.0.1:{port}/api"
        self.session = session

    async def __call__(self, path: str) -> tuple[int, Any]:
        """Return status and body of an answer."""
        headers = {"Authorization": f"Bearer {KEY}"}
        async with self.session.get(self.url + path, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)


@pytest.fixture(scope="module")
async def ask() -> AsyncIterator[Asked]:
    rejections = Rejections()
    frame = Frame("binance", "ws", NOW_MS * 1_000_000, b'{"p":"0"}')
    rejections.add(Rejected(Reason.OUTLIER, "BTC", "USDT", frame))
    rejections.add(Rejected(Reason.CROSSED, "BTC", "USDT", Frame("binance", "ws", 1, b"\xff")))
    health = SourceHealth("binance", "live", 5, 9, 0, rejections.of("binance"), -3, 1, None)
    raws = {"binance:1": b'{"p":"1"}', "binance:2": b"\xff\xfe"}
    routes: list[Routes] = [
        CandleRoutes(markets=lambda: [MARKET], recent=recent, stored=stored),
        BookRoutes(books=books(), clock=ManualClock(now_ms=NOW_MS)),
        SourceRoutes(health=lambda: [health], kept=rejections, raw=raws.get, behind=behind),
        NewsRoutes(stories=stories),
    ]
    metrics = Metrics()

    async def no_socket(*_: object) -> bool:
        return False

    edge = Edge(
        keys=Keys({digest(KEY): key_holder(UUID(int=1))}),
        hot={},
        socket=no_socket,
        pages=pages([each.routes() for each in routes], version="1", metrics=metrics),
        metrics=metrics,
    )
    bound = bind("127.0.0.1", 0)
    async with serving(edge, bound), aiohttp.ClientSession() as session:
        async with asyncio.timeout(60):
            yield Asked(bound.getsockname()[1], session)


def minutes(body: dict[str, Any]) -> list[tuple[int, str]]:
    return [(int(c["openAt"][14:16]), c["close"]) for c in body["candles"]]


async def test_joins_candles_in_memory_with_those_in_the_store(ask: Asked) -> None:
    status, body = await ask("/candles/btc?interval=1m&limit=6")

    assert status == 200
    assert {key: body[key] for key in ("source", "symbol", "currency", "interval")} == {
        "source": "binance", "symbol": "BTC", "currency": "USDT", "interval": "1m",
    }  # fmt: skip
    assert minutes(body) == [(6, "old"), (7, "old"), (8, "2"), (9, "2"), (10, "2"), (11, "2")]
    assert [c["closed"] for c in body["candles"]] == [True] * 5 + [False]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("from=60000&to=180000", [1, 2]),
        ("from=1970-01-01T00:01:00Z&to=1970-01-01T01:03:00%2B01:00", [1, 2]),
        ("from=60000&limit=3", [1, 2, 3]),
        ("to=540000&limit=2", [7, 8]),
        ("from=480000", [8, 9, 10, 11]),
        ("from=420000&limit=3", [7, 8, 9]),
        ("from=9000000000000", []),
    ],
)
async def test_answers_the_candles_of_a_span(ask: Asked, query: str, found: list[int]) -> None:
    status, body = await ask(f"/candles/BTC?{query}")

    assert status == 200
    assert [minute for minute, _ in minutes(body)] == found


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/candles/BTC?interval=7m", 400, "request.malformed"),
        ("/candles/BTC?limit=0", 400, "request.malformed"),
        ("/candles/BTC?limit=1501", 400, "request.malformed"),
        ("/candles/BTC?from=yesterday", 400, "request.malformed"),
        ("/candles/BTC?from=2026-01-31T12:00:00", 400, "request.malformed"),
        ("/candles/BTC?from=-1", 400, "request.malformed"),
        ("/candles/BTC?to=99999999999999999999", 400, "request.malformed"),
        ("/candles/BTC?what=1", 400, "request.malformed"),
        ("/candles/BTC?from=2&to=2", 422, "candles.range"),
        ("/candles/DOGE", 404, "market.unknown"),
        ("/candles/BTC?source=pyth", 404, "market.unknown"),
        ("/books/DOGE", 404, "market.unknown"),
        ("/books/BTC?levels=0", 400, "request.malformed"),
        ("/books/BTC?levels=1001", 400, "request.malformed"),
        ("/books/BTC?depth=1", 400, "request.malformed"),
        ("/sources/nobody/rejections", 404, "source.unknown"),
        ("/raw/binance:99", 404, "message.unknown"),
        ("/prices/DOGE/raw", 404, "price.unknown"),
        ("/news?limit=501", 400, "request.malformed"),
        ("/news?cursor=" + "x" * 81, 400, "request.malformed"),
        ("/news?symbol=%27%3B", 400, "request.malformed"),
    ],
)
async def test_refuses_with_a_problem(ask: Asked, path: str, status: int, code: str) -> None:
    answered, body = await ask(path)

    assert (answered, body["code"]) == (status, code)


async def test_answers_a_book_as_the_exchange_wrote_it(ask: Asked) -> None:
    _, body = await ask("/books/BTC?levels=2&source=binance&currency=usdt")

    assert body["bids"] == [["10", "1"], ["9", "2"]]
    assert body["asks"] == [["11", "1"]]
    assert (body["lastId"], body["ageMs"]) == (2, 5)


async def test_a_book_out_of_sync_shows_no_levels(ask: Asked) -> None:
    status, body = await ask("/books/ETH")

    assert (status, body["bids"], body["asks"]) == (200, [], [])
    assert body["state"] != (await ask("/books/BTC"))[1]["state"]


async def test_tells_how_sources_are_and_what_was_not_taken(ask: Asked) -> None:
    _, told = await ask("/sources")
    _, lost = await ask("/sources/binance/rejections")

    assert told["sources"] == [
        {"name": "binance", "state": "live", "ageMs": 5, "messages": 9, "unreadable": 0,
         "rejected": {"outlier": 1, "crossed": 1}, "offsetMs": -3, "reconnects": 1,
         "problem": None}
    ]  # fmt: skip
    assert lost["counts"] == {"outlier": 1, "crossed": 1}
    assert [(s["reason"], s["rawId"], s["text"], s["base64"]) for s in lost["samples"]] == [
        ("crossed", "binance:1", None, "/w=="),
        ("outlier", f"binance:{NOW_MS}000000", '{"p":"0"}', None),
    ]


async def test_traces_a_price_to_the_message_behind_it(ask: Asked) -> None:
    _, body = await ask("/prices/btc/raw")

    assert body["messages"] == [{"id": "binance:1", "text": '{"p":"1"}', "base64": None}]
    assert (await ask("/raw/binance:1"))[1] == body["messages"][0]
    assert (await ask("/raw/binance:2"))[1]["base64"] == "//4="


async def test_pages_through_the_news(ask: Asked) -> None:
    _, first = await ask("/news?limit=3&symbol=BTC")
    _, second = await ask(f"/news?limit=3&cursor={first['nextCursor']}")

    assert (len(first["news"]), first["nextCursor"]) == (3, "3")
    assert (len(second["news"]), second["nextCursor"]) == (2, None)
    assert first["news"][0]["publishedAt"] == "2023-11-14T22:13:20.000Z"
