"""Markets, prices, balances, health and the OpenAPI document; and nothing of it without a key."""

import asyncio
import json
from typing import Any

import pytest
from docs.reference.openapi import document, written
from tests.flow.http.client import SELL, Client, names

from quantdesk.api.web import is_built

pytestmark = pytest.mark.anyio

PAIRS = ["SOL-USDC", "SOL-USDT", "BTC-USDC", "ETH-USDC", "USDT-USDC", "PYUSD-USDC"]
SERVICES = {
    "database", "orders", "prices", "trading", "disk", "clock", "tasks", "recorder"
}  # fmt: skip
PRICED = ["SOL", "USDC", "USDT", "BTC", "ETH", "PYUSD"]
PUBLIC = ["/healthz", "/readyz", "/metrics", "/api/docs", "/api/openapi.json"]
GUARDED = [
    ("GET", "/api/orders"),
    ("POST", "/api/orders"),
    ("POST", "/api/trading/order"),
    ("POST", "/api/orders/preview"),
    ("GET", "/api/orders/x"),
    ("DELETE", "/api/orders/x"),
    ("GET", "/api/orders/x/evidence"),
    ("GET", "/api/execution/quality"),
    ("GET", "/api/markets"),
    ("GET", "/api/prices"),
    ("GET", "/api/prices/SOL"),
    ("GET", "/api/prices/SOL/raw"),
    ("GET", "/api/raw/x"),
    ("GET", "/api/feeds"),
    ("GET", "/api/sources"),
    ("GET", "/api/sources/simulated/rejections"),
    ("GET", "/api/books/SOL"),
    ("GET", "/api/candles/SOL"),
    ("GET", "/api/news"),
    ("GET", "/api/wallets/paper/balances"),
    ("GET", "/api/system"),
    ("GET", "/api/me/settings"),
    ("GET", "/api/portfolio"),
    ("GET", "/api/portfolio/fills"),
    ("GET", "/api/operations"),
    ("GET", "/api/localnet/faults"),
    ("PUT", "/api/localnet/faults"),
    ("POST", "/api/localnet/faucet"),
    ("GET", "/api/nothing"),
    ("POST", "/nothing"),
    ("GET", "/ws/nothing"),
    ("GET", "/metrics/x"),
    ("GET", "/healthz/"),
]

ROUTES = {
    ("POST", "/api/orders"),
    ("GET", "/api/orders"),
    ("POST", "/api/orders/preview"),
    ("POST", "/api/trading/order"),
    ("GET", "/api/orders/{order_id}"),
    ("DELETE", "/api/orders/{order_id}"),
    ("GET", "/api/orders/{order_id}/evidence"),
    ("GET", "/api/execution/quality"),
    ("GET", "/api/markets"),
    ("GET", "/api/prices"),
    ("GET", "/api/prices/{symbol}"),
    ("GET", "/api/prices/{symbol}/raw"),
    ("GET", "/api/raw/{raw_id}"),
    ("GET", "/api/alerts"),
    ("GET", "/api/feeds"),
    ("GET", "/api/sources"),
    ("GET", "/api/sources/{name}/rejections"),
    ("GET", "/api/books/{symbol}"),
    ("GET", "/api/candles/{symbol}"),
    ("GET", "/api/news"),
    ("GET", "/api/wallets/{address}/balances"),
    ("POST", "/api/auth/refresh"),
    ("POST", "/api/auth/logout"),
    ("POST", "/api/auth/ws-ticket"),
    ("GET", "/api/sessions"),
    ("DELETE", "/api/sessions"),
    ("DELETE", "/api/sessions/{session_id}"),
    ("GET", "/api/keys"),
    ("POST", "/api/keys"),
    ("POST", "/api/keys/{key_id}/rotate"),
    ("DELETE", "/api/keys/{key_id}"),
    ("GET", "/api/me"),
    ("POST", "/api/me/kyc"),
    ("GET", "/api/me/settings"),
    ("PUT", "/api/me/settings"),
    ("GET", "/api/portfolio"),
    ("GET", "/api/portfolio/fills"),
    ("GET", "/api/operations"),
    ("GET", "/api/localnet/faults"),
    ("PUT", "/api/localnet/faults"),
    ("POST", "/api/localnet/faucet"),
    ("GET", "/api/users"),
    ("POST", "/api/users"),
    ("PATCH", "/api/users/{user_id}"),
    ("GET", "/api/limits"),
    ("PUT", "/api/limits"),
    ("GET", "/api/limits/history"),
    ("GET", "/api/trading"),
    ("POST", "/api/trading/halt"),
    ("POST", "/api/trading/resume"),
    ("GET", "/api/audit"),
    ("GET", "/api/audit/roots"),
    ("GET", "/api/orders/{order_id}/evidence/pack"),
    ("GET", "/api/security/events"),
    ("GET", "/api/security/blocks"),
    ("DELETE", "/api/security/blocks/{network}"),
    ("GET", "/api/security/report"),
    ("GET", "/api/security/notices"),
    ("POST", "/api/security/notices/test"),
    ("POST", "/api/auth/key"),
    ("POST", "/api/auth/nonce"),
    ("POST", "/api/auth/wallet"),
    ("GET", "/api/wallets"),
    ("POST", "/api/wallets"),
    ("DELETE", "/api/wallets/{chain}/{address}"),
    ("POST", "/api/auth/register"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/verify"),
    ("POST", "/api/auth/reset"),
    ("POST", "/api/auth/reset/confirm"),
    ("POST", "/api/auth/password"),
    ("POST", "/api/auth/verify/send"),
    ("POST", "/api/auth/mfa/options"),
    ("POST", "/api/auth/mfa"),
    ("POST", "/api/auth/passkey/options"),
    ("POST", "/api/auth/passkey"),
    ("POST", "/api/auth/proof/options"),
    ("POST", "/api/auth/proof"),
    ("GET", "/api/auth/factors"),
    ("POST", "/api/auth/factors/recovery-codes"),
    ("POST", "/api/auth/factors/totp"),
    ("DELETE", "/api/auth/factors/totp"),
    ("POST", "/api/auth/factors/totp/confirm"),
    ("POST", "/api/auth/factors/passkeys/options"),
    ("POST", "/api/auth/factors/passkeys"),
    ("DELETE", "/api/auth/factors/passkeys/{passkey_id}"),
    ("GET", "/api/auth/oauth"),
    ("GET", "/api/auth/oauth/{provider}"),
    ("GET", "/api/auth/oauth/{provider}/callback"),
    ("GET", "/api/identities"),
    ("DELETE", "/api/identities/{provider}/{subject}"),
    ("GET", "/api/system"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/ws"),
    ("GET", "/ws/orders"),
    ("GET", "/ws/orders/{order_id}"),
}


async def test_lists_the_pairs_that_trade(client: Client) -> None:
    markets = (await client.get("/api/markets")).body["markets"]

    assert [market["pair"] for market in markets] == PAIRS
    assert {market["baseDecimals"] for market in markets} == {6, 8, 9}
    assert all(float(market["referencePrice"]) > 0 for market in markets)


async def test_says_where_a_price_comes_from_and_how_old_it_is(client: Client) -> None:
    price = (await client.get("/api/prices/sol")).body
    every = (await client.get("/api/prices")).body["prices"]

    assert set(price) == names(
        "symbol value source confidence publishedAt receivedAt ageMs valid validity agreementBps"
        " sources rawIds"
    )
    assert (price["validity"], price["sources"]) == ("VALID", ["simulated"])
    assert (price["symbol"], price["source"], price["valid"]) == ("SOL", "simulated", True)
    assert isinstance(price["value"], str)
    assert isinstance(price["confidence"], str)
    assert 0 <= price["ageMs"] < 10_000
    assert [one["symbol"] for one in every] == PRICED


async def test_knows_no_other_assets_and_no_other_wallets(client: Client) -> None:
    price = await client.get("/api/prices/DOGE")
    long = await client.get("/api/prices/" + "x" * 3000)
    wallet = await client.get("/api/wallets/someone/balances")

    assert (price.status, price.code) == (404, "price.unknown")
    assert len(long.body["detail"]) < 200
    assert (wallet.status, wallet.code) == (404, "wallet.unknown")


async def test_reads_balances_as_decimal_strings(client: Client) -> None:
    held = (await client.get("/api/wallets/paper/balances")).body

    assert held["address"] == "paper"
    assert set(held["balances"]) == set(PRICED)
    assert all(isinstance(held["balances"][symbol], str) for symbol in held["balances"])


async def test_says_which_desk_it_is_as_desk_json_does(client: Client) -> None:
    system = (await client.get("/api/system")).body
    told = client.desk.told

    services = {service.pop("name"): service for service in system.pop("services")}
    assert system == told
    assert set(services) == SERVICES
    assert all(set(service) == {"state", "detail"} for service in services.values())


async def test_is_alive_and_ready(client: Client) -> None:
    alive, ready = await asyncio.gather(client.get("/healthz"), client.get("/readyz"))

    assert (alive.status, alive.body) == (200, {"status": "ok"})
    assert (ready.status, ready.body["ready"]) == (200, True)
    assert {part["name"]: part["state"] for part in ready.body["services"]} == dict.fromkeys(
        SERVICES, "Ready"
    )


async def test_counts_what_happens(client: Client) -> None:
    before = await client.metrics()
    await client.settled(await client.placed(SELL))
    await client.order({**SELL, "amount": 0})
    after = await client.metrics()

    def moved(name: str) -> float:
        return after[f"quantdesk_{name}"] - before.get(f"quantdesk_{name}", 0)

    for status in ("PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"):
        assert moved(f'order_events_total{{status="{status}"}}') == 1
    assert moved('order_attempts_total{attempt="1"}') == 1
    assert moved("order_latency_seconds_count") == 1
    assert moved('http_problems_total{code="request.malformed"}') == 1
    for gauge in ("open", "in_flight", "resends", "unknown", "halted"):
        assert after[f"quantdesk_orders_{gauge}"] == 0
    assert after["quantdesk_ledger_unreadable"] == 0


async def test_documents_every_route_in_a_document_that_resolves(client: Client) -> None:
    document = (await client.get("/api/openapi.json")).body

    assert document["openapi"].startswith("3.")
    routes = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    assert routes == ROUTES
    placing = document["paths"]["/api/orders"]["post"]
    assert [header["name"] for header in placing["parameters"]] == ["Idempotency-Key"]
    refs = set(_refs(document))
    assert refs
    for ref in refs:
        assert ref.startswith("#/components/schemas/")
        assert ref.rpartition("/")[2] in document["components"]["schemas"], ref
    for path in document["paths"].values():
        for route in path.values():
            assert route["summary"]
            assert route["responses"]


async def test_serves_the_document_that_is_written_without_a_desk(client: Client) -> None:
    served = (await client.get("/api/openapi.json")).body

    assert served == json.loads(written(document()))
    named = [route["operationId"] for path in served["paths"].values() for route in path.values()]
    assert len(set(named)) == len(named) == len(ROUTES)
    assert {"postOrders", "postOrdersPreview", "getOrdersByOrderId", "getWs"} < set(named)
    said = served["components"]["schemas"]["HubMessage"]
    assert len(said["anyOf"]) == len(said["discriminator"]["mapping"]) == 12
    assert said["discriminator"]["propertyName"] == "ch"


def _refs(node: Any) -> list[str]:  # noqa: ANN401 - JSON
    if isinstance(node, list):
        return [ref for item in node for ref in _refs(item)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [ref for item in node.values() for ref in _refs(item)]


async def test_documents_itself_on_a_page_without_scripts_from_elsewhere(client: Client) -> None:
    page = await client.get("/api/docs")

    assert page.headers["content-type"].startswith("text/html")
    assert "/api/openapi.json" in page.body
    assert "src=" not in page.body


@pytest.mark.parametrize("path", ["/", "/trade/SOL-USDC", "/nothing", "//api/orders"])
async def test_shows_anybody_the_page(client: Client, path: str) -> None:
    answer = await client.bare("GET", path, {})

    assert answer.status == (200 if is_built() else 503)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
    assert "orderId" not in answer.body


@pytest.mark.parametrize("path", PUBLIC)
async def test_shows_what_is_public_without_a_key(client: Client, path: str) -> None:
    assert (await client.bare("GET", path, {})).status == 200


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize(
    "key", [None, "Bearer qd_wrong", "Bearer ", "Basic {}", "{}", "Bearer {}x"]
)
async def test_answers_nothing_else_without_the_key(
    client: Client, method: str, path: str, key: str | None
) -> None:
    headers = {} if key is None else {"Authorization": key.format(client.key)}

    answer = await client.bare(method, path, headers)

    assert (answer.status, answer.code) == (401, "request.unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_takes_no_key_from_the_url_or_a_cookie(client: Client) -> None:
    query = f"/api/orders?key={client.key}&access_token={client.key}&authorization={client.key}"

    by_query = await client.bare("GET", query, {})
    by_cookie = await client.bare("GET", "/api/orders", {"Cookie": f"qd_session={client.key}"})

    assert (by_query.status, by_cookie.status) == (401, 401)
    assert client.key not in str(by_query.body)


async def test_knows_the_scheme_of_a_key_in_any_case(client: Client) -> None:
    headers = {"Authorization": f"bearer {client.key}"}

    assert (await client.bare("GET", "/api/orders", headers)).status == 200
