"""Feeds over HTTP: every source's word beside the desk's, in its own currency and in dollars."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import aiohttp

from quantdesk.access.keys import Keys, digest, new_key
from quantdesk.api.edge import Edge
from quantdesk.api.feeds import FeedRoutes
from quantdesk.api.pages import pages
from quantdesk.api.server import bind, serving
from quantdesk.core.prices import Reading
from quantdesk.guard.check import Limits
from quantdesk.ingest.board import Board
from quantdesk.telemetry.metrics import Metrics
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.principals import key_holder

NOW = 1_700_000_000_000


def reading(
    source: str, price: str, *, symbol: str = "BTC", currency: str = "USD", ago_ms: int = 0
) -> Reading:
    return Reading(source, symbol, Decimal(price), Decimal("0.01"), NOW - ago_ms, currency)


def feeds(*readings: Reading, age_ms_max: int = 10_000) -> list[dict[str, Any]]:
    """Return what the route answers of a board that heard these."""
    board = Board()
    for one in readings:
        board.take(one, one.published_ms)
    limits = Limits(price_age_ms_max=age_ms_max)
    routes = FeedRoutes(board=board, limits=limits, clock=ManualClock(now_ms=NOW))
    told = asyncio.run(_asked(routes))
    found: list[dict[str, Any]] = told["feeds"]
    return found


async def _asked(routes: FeedRoutes) -> dict[str, Any]:
    key, metrics = new_key(), Metrics()

    async def no_socket(*_: object) -> bool:
        return False

    edge = Edge(
        keys=Keys({digest(key): key_holder(UUID(int=1))}),
        hot={},
        socket=no_socket,
        pages=pages([routes.routes()], version="1", metrics=metrics),
        metrics=metrics,
    )
    bound = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/api/feeds"
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        asyncio.timeout(60),
        serving(edge, bound),
        aiohttp.ClientSession() as session,
        session.get(url, headers=headers) as answer,
    ):
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
        return found


def of(rows: Sequence[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


def test_that_nothing_heard_is_no_feeds() -> None:
    assert feeds() == []


def test_that_each_source_stands_with_its_distance_from_the_agreed_price() -> None:
    rows = feeds(reading("one", "99.9"), reading("two", "100"), reading("three", "100.2"))
    assert of(rows, "source") == ["one", "two", "three"]
    assert set(of(rows, "agreedUsd")) == {"100"}
    assert of(rows, "deviationBps") == ["-10.00", "0.00", "20.00"]
    assert set(of(rows, "counted")) == {True}


def test_that_a_price_in_a_stablecoin_is_told_in_both() -> None:
    rows = feeds(reading("pyth", "0.5", symbol="USDT"), reading("binance", "200", currency="USDT"))
    bitcoin = next(row for row in rows if row["symbol"] == "BTC")
    assert (bitcoin["currency"], bitcoin["value"], bitcoin["valueUsd"]) == ("USDT", "200", "100")
    assert bitcoin["deviationBps"] == "0.00"


def test_that_an_old_feed_is_told_with_its_age_and_is_not_counted() -> None:
    rows = feeds(reading("old", "90", ago_ms=8_000), reading("new", "100"), age_ms_max=7_000)
    assert of(rows, "ageMs") == [8_000, 0]
    assert of(rows, "validity") == ["STALE", "VALID"]
    assert of(rows, "counted") == [False, True]
    assert of(rows, "deviationBps") == ["-1000.00", "0.00"]
