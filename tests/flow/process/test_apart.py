"""Market data heard in one process, orders taken in two others: nobody can tell, until one dies."""

import asyncio
import urllib.request
from functools import partial
from typing import Any

import aiohttp
import pytest
from tests.flow.http.client import SELL, WAIT_S, Client, states
from tests.flow.process.apart import Apart, Role, apart

pytestmark = pytest.mark.anyio
STORED = "quantdesk_market_rows_stored_total"
PAID = ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]


def price(of: Role) -> dict[str, Any]:
    """Return what a process says of SOL."""
    body: dict[str, Any] = of.get("/api/prices/SOL").body
    return body


def numbers(of: Role) -> str:
    """Return /metrics."""
    with urllib.request.urlopen(f"{of.url}/metrics", timeout=WAIT_S) as answer:
        text: str = answer.read().decode()
    return text


def says(of: Role, part: str, state: str) -> bool:
    """Return whether /readyz shows a part in a state."""
    return bool(of.service(part)["state"] == state)


def traced(parts: Apart) -> bool:
    """Return whether both processes hold the message behind a price: the next may have come."""
    shown = price(parts.first)
    raw_id = shown["rawIds"][0]
    told, heard = (part.get(f"/api/raw/{raw_id}") for part in (parts.first, parts.ingest))
    assert told.status == 200
    assert shown["value"].replace(".", "") in told.body["text"].replace(".", "")
    return bool(heard.body == told.body)


async def follow_elsewhere(parts: Apart) -> None:
    """Place an order at one desk and see every state of it at the other, live."""
    timeout = aiohttp.ClientTimeout(total=WAIT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        first, second = Client(parts.first, session), Client(parts.second, session)
        async with second.stream("/ws/orders") as account:
            order_id = await first.placed(SELL)
            async with second.stream(f"/ws/orders/{order_id}") as one:
                told = await one.rest()
                assert one.socket.close_code == 1000
            live = [await account.next() for _ in PAID]
    assert states(told) == states(live) == PAID
    assert {event["orderId"] for event in live} == {order_id}


def test_orders_and_prices_are_the_same_in_every_process(database: str) -> None:
    with apart(database) as parts:
        parts.start(desks=2)
        assert parts.ingest.told["roles"] == ["ingest"]
        assert parts.first.get("/api/system").body["roles"] == ["api", "worker"]
        assert parts.ingest.post(SELL).body["code"] == "role.absent"

        asyncio.run(follow_elsewhere(parts))

        parts.first.until(lambda: price(parts.first)["validity"] == "VALID", "valid")
        shown = price(parts.first)
        assert shown["source"] == "simulated"
        parts.first.until(partial(traced, parts), "traced to the same message")

        assert STORED in numbers(parts.ingest)
        assert STORED not in numbers(parts.first)  # one process alone writes prices


def test_a_killed_ingest_process_makes_prices_stale_until_it_is_back(database: str) -> None:
    with apart(database) as parts:
        parts.start(desks=1)
        desk = parts.first
        desk.until(lambda: bool(price(desk)["valid"]), "valid")
        parts.ingest.kill()
        last = price(desk)
        desk.until(lambda: not price(desk)["valid"], "stale")
        desk.until(lambda: says(desk, "prices", "Error"), "told of")
        stale = price(desk)
        assert stale["value"] == last["value"]
        assert stale["ageMs"] >= last["ageMs"]
        refused = desk.post(SELL)
        assert refused.body["code"] == "price.stale"

        parts.ingest.start()
        desk.until(lambda: bool(price(desk)["valid"]), "valid again")
        desk.until(lambda: desk.get("/readyz").status == 200, "ready again")
        assert desk.ended([desk.post(SELL).body["orderId"]])[0]["status"] == "CONFIRMED"


def test_orders_move_while_nats_is_away(database: str) -> None:
    with apart(database) as parts:
        parts.start(desks=1)
        desk = parts.first
        parts.nats.kill()
        placed = desk.post(SELL)
        assert desk.ended([placed.body["orderId"]])[0]["status"] == "CONFIRMED"
        for part in (desk, parts.ingest):
            part.until(partial(says, part, "bus", "Error"), "told of")
        desk.until(lambda: not price(desk)["valid"], "stale")

        parts.nats.start()
        desk.until(lambda: bool(price(desk)["valid"]), "valid again")
        for part in (desk, parts.ingest):
            part.wait_ready()
