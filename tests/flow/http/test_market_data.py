"""Market data over HTTP: books, candles, sources, and the way from a price to its raw message."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.flow.http.client import Answer, Client

pytestmark = pytest.mark.anyio
_SOON_S = 20.0


async def soon(ask: Callable[[], Awaitable[Answer]], holds: Callable[[Any], object]) -> Any:  # noqa: ANN401
    """Ask until the answer holds; simulated sources speak once a second."""
    async with asyncio.timeout(_SOON_S):
        while True:
            answer = await ask()
            if answer.status == 200 and holds(answer.body):
                return answer.body
            await asyncio.sleep(0.05)


async def test_shows_the_book_of_an_asset(client: Client) -> None:
    book = await soon(
        lambda: client.get("/api/books/sol?levels=3"), lambda book: book["state"] == "synced"
    )

    assert (book["source"], book["symbol"], book["currency"]) == ("simulated", "SOL", "USD")
    assert [len(book[side]) for side in ("bids", "asks")] == [3, 3]
    assert float(book["bids"][0][0]) < float(book["asks"][0][0])


async def test_shows_candles_of_an_asset(client: Client) -> None:
    told = await soon(
        lambda: client.get("/api/candles/SOL?interval=1s"), lambda told: len(told["candles"]) > 1
    )

    first = told["candles"][0]
    assert float(first["low"]) <= float(first["open"]) <= float(first["high"])
    assert [c["openAt"] for c in told["candles"]] == sorted(c["openAt"] for c in told["candles"])


async def test_says_how_sources_are(client: Client) -> None:
    told = await soon(
        lambda: client.get("/api/sources"), lambda told: told["sources"][0]["messages"]
    )

    (source,) = told["sources"]
    assert (source["name"], source["state"], source["problem"]) == ("simulated", "live", None)
    assert (source["unreadable"], source["rejected"]) == (0, {})


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/books/DOGE", 404, "market.unknown"),
        ("/api/books/SOL?levels=0", 400, "request.malformed"),
        ("/api/candles/SOL?interval=2m", 400, "request.malformed"),
        (
            "/api/candles/SOL?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
            422,
            "candles.range",
        ),
        ("/api/sources/nobody/rejections", 404, "source.unknown"),
        ("/api/raw/simulated:1", 404, "message.unknown"),
        ("/api/prices/DOGE/raw", 404, "price.unknown"),
        ("/api/news?cursor=x", 400, "news.cursor"),
    ],
)
async def test_says_what_is_wrong_with_a_question(
    client: Client, path: str, status: int, code: str
) -> None:
    answer = await client.get(path)

    assert (answer.status, answer.code) == (status, code)


async def test_that_the_price_in_an_order_leads_to_the_message_behind_it(client: Client) -> None:
    order = (
        await client.post("/api/orders", {"pair": "SOL-USDC", "amount": 1, "direction": "BUY"})
    ).body
    evidence = (await client.get(f"/api/orders/{order['orderId']}/evidence")).body
    price = next(p for p in evidence["prices"] if p["symbol"] == "SOL")
    (raw_id,) = price["rawIds"]
    message = (await client.get(f"/api/raw/{raw_id}")).body

    whole, _, part = price["value"].partition(".")
    assert message["id"] == raw_id
    assert f'"symbol":"SOL","price":{whole}{part.ljust(8, "0")},' in message["text"]
