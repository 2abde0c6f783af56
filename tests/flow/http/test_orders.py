"""Orders over HTTP have the shapes of the contract: placed, read, listed, cancelled, replayed."""

import asyncio
import re
from uuid import UUID, uuid4

import pytest
from tests.flow.http.client import RESTING, SELL, Client, names, states

pytestmark = pytest.mark.anyio

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
PAID = ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]
WHOLE = names(
    "orderId pair amount direction status mode version attempt createdAt updatedAt executionPrice"
    " txHash route slippageBps filled logs"
)


@pytest.mark.parametrize("path", ["/api/orders", "/api/trading/order"])
async def test_places_an_order_with_the_documents_body(client: Client, path: str) -> None:
    body = {"pair": "SOL-USDC", "amount": 10.5, "direction": "BUY"}

    answer = await client.post(path, body)

    assert answer.status == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.body == {
        "orderId": str(UUID(answer.body["orderId"])),
        "status": "PENDING",
        "message": "Order created and queued for processing",
        "mode": "paper",
    }
    assert answer.headers["location"] == f"/api/orders/{answer.body['orderId']}"
    assert (await client.get(answer.headers["location"])).status == 200


@pytest.mark.parametrize("direction", ["BUY", "SELL"])
async def test_shows_a_confirmed_order_whole(client: Client, direction: str) -> None:
    placed = await client.placed({**SELL, "amount": 10.5, "direction": direction})

    order = await client.settled(placed)

    assert set(order) == WHOLE
    assert order["orderId"] == placed
    assert (order["pair"], order["amount"], order["direction"]) == ("SOL-USDC", 10.5, direction)
    assert (order["status"], order["mode"], order["attempt"]) == ("CONFIRMED", "paper", 1)
    assert order["version"] == len(order["logs"])
    assert order["slippageBps"] == 50
    assert TIME.fullmatch(order["createdAt"])
    assert TIME.fullmatch(order["updatedAt"])
    assert set(order["filled"]) == {"base", "quote", "networkFeeLamports", "platformFee"}
    assert order["filled"]["base"] == "10.5"
    assert float(order["filled"]["quote"]) / 10.5 == pytest.approx(order["executionPrice"])
    assert states(order["logs"]) == PAID
    for event in order["logs"]:
        assert TIME.fullmatch(event["timestamp"])
        assert event["orderId"] == placed
        assert event["attempt"] == 1
        assert ("executionPrice" in event) == (event["version"] >= 3)
        assert ("txHash" in event) == (event["version"] >= 4)


async def test_keeps_an_amount_exactly_as_written(client: Client) -> None:
    raw = b'{"pair":"SOL-USDC","amount":0.100000001,"direction":"SELL"}'

    order = await client.settled(await client.placed(raw))

    assert order["filled"]["base"] == "0.100000001"
    assert order["amount"] == 0.100000001


async def test_lists_newest_first_in_pages_that_miss_and_repeat_nothing(client: Client) -> None:
    placed = [await client.placed(SELL) for _ in range(5)]

    seen: list[str] = []
    cursor = ""
    while True:
        page = (await client.get(f"/api/orders?limit=2{cursor}")).body
        assert set(page) == {"orders", "nextCursor"}
        assert len(page["orders"]) <= 2
        seen += [order["orderId"] for order in page["orders"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"

    assert seen[:5] == placed[::-1]
    assert len(seen) == len(set(seen))


async def test_filters_by_state_pair_and_mode(client: Client) -> None:
    resting = await client.placed({**RESTING, "pair": "ETH-USDC"})

    async def found(query: str) -> list[str]:
        page = (await client.get(f"/api/orders?{query}")).body
        return [order["orderId"] for order in page["orders"]]

    assert await found("status=PENDING&pair=ETH-USDC&mode=paper") == [resting]
    assert await found("status=FAILED&pair=ETH-USDC") == []
    assert await found("mode=localnet") == []
    assert resting not in await found("pair=SOL-USDC&limit=500")
    await client.ask("DELETE", f"/api/orders/{resting}")


async def test_cancels_an_order_that_rests_once_however_often_it_is_asked_to(
    client: Client,
) -> None:
    resting = await client.placed(RESTING)

    cancelled = await client.ask("DELETE", f"/api/orders/{resting}")
    again = await client.ask("DELETE", f"/api/orders/{resting}")

    assert cancelled.status == 200
    assert cancelled.body["status"] == "CANCELLED"
    assert states(cancelled.body["logs"])[-1] == "CANCELLED"
    assert (again.status, again.body) == (200, cancelled.body)


async def test_says_that_a_resting_order_waits_for_its_price(client: Client) -> None:
    resting = await client.placed(RESTING)
    async with client.stream(f"/ws/orders/{resting}") as stream:
        waiting = [await stream.next(), await stream.next()][1]

    order = (await client.get(f"/api/orders/{resting}")).body

    assert (waiting["status"], waiting["waiting"]) == ("PENDING", "price")
    assert (order["waiting"], order["limitPrice"]) == ("price", 1_000_000)
    assert TIME.fullmatch(order["expiresAt"])
    await client.ask("DELETE", f"/api/orders/{resting}")


async def test_ends_an_order_whose_price_did_not_come_in_time(client: Client) -> None:
    placed = await client.placed({**RESTING, "expiresAt": "2020-01-01T00:00:00Z"})

    order = await client.settled(placed)

    assert order["status"] == "FAILED"
    assert order["error"]["code"] == "order.expired"
    assert set(order["error"]) == {"code", "detail", "retryable"}


async def test_refuses_to_cancel_what_is_filled(client: Client) -> None:
    order = await client.settled(await client.placed(SELL))

    answer = await client.ask("DELETE", f"/api/orders/{order['orderId']}")

    assert (answer.status, answer.code) == (409, "order.too_late")
    assert answer.body["retryable"] is False


@pytest.mark.parametrize("path", ["/api/orders/{}", "/api/orders/{}/evidence"])
@pytest.mark.parametrize("name", [str(uuid4()), "nobody", "%00"])
async def test_knows_no_orders_of_others(client: Client, path: str, name: str) -> None:
    answer = await client.get(path.format(name))

    assert (answer.status, answer.code) == (404, "order.unknown")


async def test_replays_a_key_by_header_or_by_body(client: Client) -> None:
    key = f"key-{uuid4()}"
    first = await client.order({**SELL, "idempotencyKey": key})

    by_header = await client.order(SELL, **{"Idempotency-Key": key})
    by_both = await client.order({**SELL, "idempotencyKey": key}, **{"Idempotency-Key": key})
    spelled = b'{"direction":"SELL", "amount":1, "pair":"SOL-USDC"}'
    other_spelling = await client.order(spelled, **{"Idempotency-Key": key})
    nulled = await client.order({**SELL, "priority": None}, **{"Idempotency-Key": key})

    assert first.status == 201
    assert "idempotency-replayed" not in first.headers
    for replay in (by_header, by_both, other_spelling, nulled):
        assert replay.status == 200
        assert replay.headers["idempotency-replayed"] == "true"
        assert replay.headers["location"] == first.headers["location"]
        assert replay.body["orderId"] == first.body["orderId"]
        assert set(replay.body) == {"orderId", "status", "message", "mode"}


async def test_refuses_a_key_that_stands_for_another_order(client: Client) -> None:
    key = {"Idempotency-Key": f"key-{uuid4()}"}
    await client.placed(SELL, **key)
    before = await client.count()

    answer = await client.order({**SELL, "amount": 2}, **key)

    assert (answer.status, answer.code) == (409, "idempotency.conflict")
    assert await client.count() == before


async def test_makes_one_order_of_eight_at_once(client: Client) -> None:
    key = {"Idempotency-Key": f"key-{uuid4()}"}

    answers = await asyncio.gather(*(client.order(SELL, **key) for _ in range(8)))

    assert sorted(answer.status for answer in answers) == [200] * 7 + [201]
    assert len({answer.body["orderId"] for answer in answers}) == 1
