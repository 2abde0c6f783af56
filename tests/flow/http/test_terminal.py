"""What the terminal's page asks for: settings of its user, the portfolio, how the desk does."""

import asyncio
import json
import re
from decimal import Decimal
from typing import Any

import pytest
from tests.flow.http.client import RESTING, SELL, Client, names
from tests.flow.http.people import Person, database, person
from tests.flow.process.running import Process

from quantdesk.access.model import Role
from quantdesk.store.pool import Connection

pytestmark = pytest.mark.anyio

SETTINGS = "/api/me/settings"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
PORTFOLIO = names("wallet mode asOf holdings holdingsProblem totalUsd unpriced pairs since pending")
HOLDING = names("symbol amount price valueUsd priceAgeMs validity valid source")
PAIR = names(
    "pair base quote bought sold position averageCost realized unrealized marketPrice unknownCost"
    " fees fills firstAt lastAt"
)
FILL = names(
    "orderId pair direction mode base quote price networkFeeLamports platformFee otherFees txHash"
    " at venues realized unknownCost"
)
OPERATIONS = names(
    "asOf mode startedAt queue latency attempts resends unknown halted failures problems unexpected"
    " restarts breakers localnet roles services audit hub"
)
STAGES = ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "WHOLE"]


@pytest.fixture(scope="module")
def viewer(running: Process) -> Person:
    return person(running, Role.VIEWER)


async def _put(
    client: Client, path: str, body: bytes, key: str | None = None, **headers: str
) -> Any:  # noqa: ANN401 - an answer
    sent = {"content-type": "application/json", **headers}
    if key is not None:
        sent["Authorization"] = f"Bearer {key}"
    return await client.ask("PUT", path, body=body, **sent)


async def _as(client: Client, key: str, path: str) -> Any:  # noqa: ANN401 - an answer
    return await client.bare("GET", path, {"Authorization": f"Bearer {key}"})


async def test_settings_come_back_as_they_were_written(client: Client, viewer: Person) -> None:
    nothing = await _as(client, viewer.token, SETTINGS)
    written = {"theme": "dark", "layout": {"book": 0.25, "on": True}, "stars": ["SOL-USDC"]}

    kept = await _put(client, SETTINGS, json.dumps(written).encode(), viewer.token)
    again = await _as(client, viewer.token, SETTINGS)
    others = await client.get(SETTINGS)

    assert (nothing.status, nothing.body) == (200, {})
    assert (kept.status, kept.body) == (200, written)
    assert (again.status, again.body) == (200, written)
    assert (others.status, others.body) == (200, {})


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "request.malformed"),
        (b"[1]", 400, "request.malformed"),
        (b"{", 400, "request.malformed"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, 400, "request.malformed"),
        (b'{"a":' * 3_000 + b"1" + b"}" * 3_000, 413, "request.too_large"),
        (b'{"a":"' + b"x" * 16_384 + b'"}', 413, "request.too_large"),
    ],
)
async def test_settings_that_are_refused_change_nothing(
    client: Client, body: bytes, status: int, code: str
) -> None:
    await _put(client, SETTINGS, b'{"kept":1}')

    answer = await _put(client, SETTINGS, body)

    assert (answer.status, answer.code) == (status, code)
    assert (await client.get(SETTINGS)).body == {"kept": 1}
    await _put(client, SETTINGS, b"{}")


async def test_settings_are_json_of_a_person(client: Client, viewer: Person) -> None:
    text = await _put(client, SETTINGS, b"{}", **{"content-type": "text/plain"})
    program = await _as(client, viewer.keys["account:read"], SETTINGS)
    other = await _put(client, SETTINGS, b"{}", viewer.keys["account:read"])
    whole = await _as(client, viewer.keys["all"], SETTINGS)

    assert (text.status, text.code) == (415, "request.not_json")
    assert (program.status, program.code) == (403, "session.needed")
    assert (other.status, other.code) == (403, "request.forbidden")
    assert whole.status == 200


async def test_saving_settings_is_counted_and_not_audited(client: Client) -> None:
    async def acts(c: Connection) -> list[str]:
        rows = await c.fetch(
            """select act ->> 'action' from acts where act::text like '%me/settings%'
               union select body ->> 'action' from audit where body::text like '%me/settings%'"""
        )
        return [row[0] for row in rows]

    before = (await client.metrics())["quantdesk_user_settings_kept"]
    await _put(client, SETTINGS, b"{}")

    assert (await client.metrics())["quantdesk_user_settings_kept"] == before + 1
    assert set(await asyncio.to_thread(database, client.desk, acts)) <= {"request.refused"}


async def test_the_portfolio_is_what_orders_really_moved(client: Client) -> None:
    orders = [
        await client.settled(await client.placed({**SELL, "pair": "ETH-USDC", **more}))
        for more in (
            {"amount": 2, "direction": "BUY"},
            {"amount": 0.5, "direction": "SELL"},
            {"amount": 4, "direction": "SELL"},
        )
    ]
    told = (await client.get("/api/portfolio")).body
    fills = (await client.get("/api/portfolio/fills?pair=ETH-USDC&limit=3")).body["fills"]

    assert set(told) == PORTFOLIO
    [pair] = [one for one in told["pairs"] if one["pair"] == "ETH-USDC"]
    bought, *sold = [Decimal(order["filled"]["quote"]) for order in orders]
    cost = bought * Decimal("0.25")
    known = (sold[1] * Decimal("1.5") / 4).quantize(Decimal("0.000001"), rounding="ROUND_DOWN")
    assert set(pair) == PAIR
    assert (pair["base"], pair["quote"], pair["fills"]) == ("ETH", "USDC", 3)
    assert (pair["bought"]["base"], Decimal(pair["bought"]["quote"])) == ("2", bought)
    assert (pair["sold"]["base"], Decimal(pair["sold"]["quote"])) == ("4.5", sum(sold))
    assert (pair["position"], pair["averageCost"], pair["unrealized"]) == ("0", None, "0")
    assert pair["unknownCost"] == {"base": "2.5", "quote": _text(sold[1] - known)}
    gains = [sold[0] - cost, known - 3 * cost]
    assert abs(Decimal(pair["realized"]) - sum(gains)) <= Decimal("0.000002")
    assert Decimal(pair["marketPrice"]) > 0
    assert pair["fees"] == {
        "networkFeeLamports": 0,
        "network": "0",
        "platformFee": "0",
        "other": {},
    }
    assert [fill["orderId"] for fill in fills] == [order["orderId"] for order in orders[::-1]]
    for fill, order in zip(fills, orders[::-1], strict=True):
        assert set(fill) == FILL
        assert (fill["base"], fill["quote"]) == (order["filled"]["base"], order["filled"]["quote"])
        assert (fill["direction"], fill["at"]) == (order["direction"], order["updatedAt"])
        assert float(fill["price"]) == pytest.approx(order["executionPrice"])
        assert fill["txHash"] == order.get("txHash")
        assert fill["venues"] == ["paper"]
    assert [Decimal(fill["unknownCost"]) for fill in fills] == [Decimal("2.5"), 0, 0]
    assert sum(Decimal(fill["realized"]) for fill in fills) == Decimal(pair["realized"])
    assert (told["pending"], told["mode"]) == (0, "paper")
    assert told["since"] <= orders[0]["updatedAt"]


def _text(number: Decimal) -> str:
    return f"{number.normalize():f}"


async def test_holdings_are_the_chains_with_the_boards_prices(client: Client) -> None:
    told = (await client.get("/api/portfolio")).body
    held = (await client.get("/api/wallets/paper/balances")).body["balances"]

    assert {one["symbol"]: one["amount"] for one in told["holdings"]} == held
    assert (told["wallet"], told["holdingsProblem"], told["unpriced"]) == ("paper", None, [])
    assert TIME.fullmatch(told["asOf"])
    for one in told["holdings"]:
        assert set(one) == HOLDING
        assert (one["validity"], one["valid"], one["source"]) == ("VALID", True, "simulated")
        assert 0 <= one["priceAgeMs"] < 10_000
        worth = Decimal(one["amount"]) * Decimal(one["price"])
        assert abs(Decimal(one["valueUsd"]) - worth) <= Decimal("0.005")
    assert Decimal(told["totalUsd"]) == sum(Decimal(one["valueUsd"]) for one in told["holdings"])


async def test_pages_of_fills_miss_and_repeat_nothing(client: Client) -> None:
    for _ in range(3):
        await client.settled(await client.placed(SELL))
    whole = [
        f["orderId"] for f in (await client.get("/api/portfolio/fills?limit=500")).body["fills"]
    ]

    seen: list[str] = []
    cursor = ""
    while True:
        page = (await client.get(f"/api/portfolio/fills?limit=2{cursor}")).body
        seen += [fill["orderId"] for fill in page["fills"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"

    assert len(whole) >= 3
    assert seen == whole
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("pair=DOGE-USDC", 422, "pair.unknown"),
        ("pair=" + "x" * 33, 400, "request.malformed"),
        ("limit=0", 400, "request.malformed"),
        ("limit=501", 400, "request.malformed"),
        ("cursor=", 400, "request.malformed"),
        ("cursor=1", 400, "request.malformed"),
        ("cursor=1.------------------------------------", 400, "request.malformed"),
        ("page=2", 400, "request.malformed"),
    ],
)
async def test_refuses_what_is_no_page_of_fills(
    client: Client, query: str, status: int, code: str
) -> None:
    answer = await client.get(f"/api/portfolio/fills?{query}")

    assert (answer.status, answer.code) == (status, code)


async def test_a_portfolio_is_ones_own(client: Client, viewer: Person) -> None:
    await client.settled(await client.placed(SELL))

    theirs = (await _as(client, viewer.token, "/api/portfolio")).body
    fills = (await _as(client, viewer.token, "/api/portfolio/fills")).body

    assert (theirs["pairs"], theirs["since"]) == ([], None)
    assert fills == {"fills": [], "nextCursor": None}


async def test_a_key_without_the_account_sees_gains_and_no_balances(
    client: Client, viewer: Person
) -> None:
    narrow = (await _as(client, viewer.keys["orders:read"], "/api/portfolio")).body
    none = await _as(client, viewer.keys["account:read"], "/api/portfolio")

    assert (narrow["holdings"], narrow["totalUsd"]) == (None, None)
    assert narrow["holdingsProblem"]["code"] == "request.forbidden"
    assert (none.status, none.code) == (403, "request.forbidden")


async def test_operations_tell_how_the_desk_does(client: Client, viewer: Person) -> None:
    await client.settled(await client.placed(SELL))
    before = (await client.get("/api/operations")).body
    resting = await client.placed(RESTING)
    await client.settled(await client.placed(SELL))
    await client.order({**SELL, "amount": 0})
    told = (await client.get("/api/operations")).body
    await client.ask("DELETE", f"/api/orders/{resting}")
    after = (await client.get("/api/operations")).body
    seen = await _as(client, viewer.token, "/api/operations")

    assert set(told) == OPERATIONS
    assert [stage["stage"] for stage in told["latency"]] == STAGES
    for stage, was in zip(told["latency"], before["latency"], strict=True):
        assert set(stage) == names("stage count p50Ms p95Ms maxMs")
        assert stage["count"] == was["count"] + 1
        assert 0 <= stage["p50Ms"] <= stage["p95Ms"] <= stage["maxMs"]
    # A paper order takes 20 ms to land.
    assert told["latency"][-1]["p50Ms"] >= 20
    assert told["attempts"]["1"] == before["attempts"]["1"] + 1
    assert (
        told["problems"]["request.malformed"] == before["problems"].get("request.malformed", 0) + 1
    )
    assert told["queue"] == {
        "open": 1,
        "inFlight": 0,
        "resting": 1,
        "oldestMs": told["queue"]["oldestMs"],
        "oldestMovingMs": None,
        "byStatus": {"PENDING": 1},
    }
    assert 0 <= told["queue"]["oldestMs"] < 60_000
    assert (after["queue"]["open"], after["queue"]["oldestMs"]) == (0, None)
    assert (told["mode"], told["localnet"], told["halted"]) == ("paper", None, 0)
    assert set(told["audit"]) == names("rows waiting dropped tampered")
    assert (told["audit"]["tampered"], told["audit"]["dropped"]) == (False, 0)
    assert [one["name"] for one in told["breakers"]][:1] == ["simulated"]
    assert {one["name"] for one in told["services"]} >= {"database", "orders", "prices"}
    assert "worker" in told["roles"]
    assert seen.status == 200


async def test_operations_count_those_who_follow(client: Client) -> None:
    async with client.stream("/ws/orders"):
        told = (await client.get("/api/operations")).body

    assert told["hub"]["clients"] == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/localnet/faults", None),
        ("PUT", "/api/localnet/faults", b'{"dropSend":1}'),
        ("POST", "/api/localnet/faucet", b'{"address":"11111111111111111111111111111111"}'),
    ],
)
async def test_there_is_no_localnet_on_paper(
    client: Client, method: str, path: str, body: bytes | None
) -> None:
    answer = await client.ask(method, path, body=body, **{"content-type": "application/json"})

    assert (answer.status, answer.code) == (404, "localnet.absent")
    assert "paper" in answer.body["detail"]
