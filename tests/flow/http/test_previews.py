"""A preview shows what an order would get, can be held on to while fresh; evidence proves it."""

import base64
from uuid import uuid4

import pytest
from tests.flow.http.client import RESTING, SELL, Client, names

pytestmark = pytest.mark.anyio

ALWAYS = names(
    "quoteId expiresAt pair direction amount quotes route executionPrice priceImpactBps fees usage"
)
QUOTE = {"venue", "pool", "kind", "price", "feeBps", "priceImpactBps", "slot", "ageMs"}


@pytest.mark.parametrize(
    ("direction", "bound", "other"),
    [("BUY", "maximumPaid", "amountIn"), ("SELL", "minimumReceived", "amountOut")],
)
async def test_shows_every_field_of_a_preview(
    client: Client, direction: str, bound: str, other: str
) -> None:
    before = await client.count()

    answer = await client.post("/api/orders/preview", {**SELL, "direction": direction})

    assert answer.status == 200
    preview = answer.body
    assert set(preview) == ALWAYS | {bound}
    assert (preview["pair"], preview["direction"], preview["amount"]) == (
        "SOL-USDC",
        direction,
        "1",
    )
    assert [set(quote) for quote in preview["quotes"]] == [QUOTE | {other}]
    names_of_route = "legs reason gapBps roomBps callCost runnerUp alternatives"
    assert set(preview["route"]) == names(names_of_route)
    (leg,) = preview["route"]["legs"]
    assert set(leg) == names("name venue pool kind share base quote feeBps")
    assert leg["share"] == 1
    assert set(preview["fees"]) == {"pool", "network", "priority", "platform"}
    assert float(preview["usage"]["orderUsd"]) > 0
    assert (preview["usage"]["dayUsd"], preview["usage"]["openOrders"]) == ("0", 0)
    assert float(preview["quotes"][0][other]) == pytest.approx(float(preview["executionPrice"]))
    assert (float(preview[bound]) > float(preview["executionPrice"])) == (direction == "BUY")
    assert await client.count() == before


@pytest.mark.parametrize(
    ("direction", "limit", "bound", "held_to"),
    [
        ("SELL", 1_000_000, "minimumReceived", "1000000"),
        ("BUY", 1, "maximumPaid", "1"),
        ("BUY", 1_000_000, "maximumPaid", None),
    ],
)
async def test_holds_a_limit_order_to_its_limit_where_slippage_allows_more(
    client: Client, direction: str, limit: int, bound: str, held_to: str | None
) -> None:
    order = {**SELL, "direction": direction}
    market = (await client.post("/api/orders/preview", order)).body

    preview = (await client.post("/api/orders/preview", {**order, "limitPrice": limit})).body

    assert preview[bound] == (held_to or market[bound])
    assert preview["executionPrice"] == market["executionPrice"], "quotes are the market's"


async def test_places_an_order_on_a_fresh_quote(client: Client) -> None:
    quote = (await client.post("/api/orders/preview", SELL)).body["quoteId"]

    answer = await client.order({**SELL, "quoteId": quote})

    assert answer.status == 201


async def test_answers_a_stale_quote_with_a_new_one(client: Client) -> None:
    before = await client.count()

    answer = await client.order({**SELL, "quoteId": str(uuid4())})

    assert (answer.status, answer.code) == (409, "quote.expired")
    assert await client.count() == before
    fresh = answer.body["preview"]
    assert set(fresh) == ALWAYS | {"minimumReceived"}
    assert (await client.order({**SELL, "quoteId": fresh["quoteId"]})).status == 201


async def test_refuses_a_quote_of_another_order(client: Client) -> None:
    quote = (await client.post("/api/orders/preview", SELL)).body["quoteId"]

    answer = await client.order({**SELL, "amount": 2, "quoteId": quote})

    assert (answer.status, answer.code) == (422, "quote.mismatch")


@pytest.mark.parametrize("path", ["/api/orders", "/api/orders/preview"])
async def test_refuses_a_priority_where_nothing_is_paid_for_speed(
    client: Client, path: str
) -> None:
    before = await client.count()

    answer = await client.post(path, {**SELL, "priority": "urgent"})

    assert (answer.status, answer.code) == (422, "priority.unsupported")
    assert "leave priority out" in answer.body["detail"]
    assert (await client.post("/api/orders/preview", {**SELL, "priority": None})).status == 200
    assert await client.count() == before


async def test_refuses_a_preview_as_it_would_the_order(client: Client) -> None:
    answer = await client.post("/api/orders/preview", {**SELL, "pair": "SOL-DOGE"})

    assert (answer.status, answer.code) == (422, "pair.unknown")


async def test_proves_an_order_with_every_field(client: Client) -> None:
    order = await client.settled(await client.placed(SELL))

    evidence = (await client.get(f"/api/orders/{order['orderId']}/evidence")).body

    assert set(evidence) == names("intent riskDecision quotes attempts receipt realised prices")
    assert evidence["intent"]["orderId"] == order["orderId"]
    assert evidence["riskDecision"]["verdict"] == "APPROVED"
    assert evidence["realised"] == {"base": "1", "quote": order["filled"]["quote"],
                                    "networkFeeLamports": 0}  # fmt: skip
    [attempt] = evidence["attempts"]
    assert set(attempt) == names(
        "attempt route simulation transaction signature lastValidBlockHeight sentAt outcome"
    )
    assert (attempt["signature"], attempt["outcome"]) == (order["txHash"], "LANDED")
    assert f"qd:{order['orderId']}:1".encode() in base64.b64decode(attempt["transaction"])
    assert [price["symbol"] for price in evidence["prices"]] == ["SOL", "USDC"]
    assert {"value", "source", "ageMs", "publishedAt"} <= set(evidence["prices"][0])


async def test_shows_the_evidence_of_an_order_that_signed_nothing(client: Client) -> None:
    resting = await client.placed(RESTING)

    evidence = (await client.get(f"/api/orders/{resting}/evidence")).body

    assert evidence["intent"]["limitPrice"] == "1000000"
    assert (evidence["attempts"], evidence["receipt"], evidence["realised"]) == ([], None, None)
    await client.ask("DELETE", f"/api/orders/{resting}")
