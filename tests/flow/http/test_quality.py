"""What fills cost over HTTP: every fill is there, in the shape of the contract, and only yours."""

import asyncio
import re
from decimal import Decimal
from typing import Any

import pytest
from tests.flow.http.client import SELL, WAIT_S, Client, names

pytestmark = pytest.mark.anyio

PATH = "/api/execution/quality"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
DECIMAL = re.compile(r"-?\d+(\.\d+)?")
WHOLE = names(
    "orderId leg legs measured simulatedMeasured venue pool kind pair direction mode base landedAt"
    " quoted simulated landed boardAtDecision boardAtLanding markout10s markout1m markout5m costBps"
    " provenance otherFees"
)
COSTS = names(
    "quotedToSimulated simulatedToLanded quotedToLanded landedToMarkout10s landedToMarkout1m"
    " landedToMarkout5m"
)
SUMMARY = names(
    "venue pair fills split feeApart meanCostBps stderrBps quotedToSimulatedBps markout10sBps"
    " markout1mBps markout5mBps biasBps"
)


async def _rows(client: Client, order_id: str) -> list[dict[str, Any]]:
    """Return the legs of an order once the ledger knows where the board stood when it filled."""
    async with asyncio.timeout(WAIT_S):
        while True:
            answer = await client.get(f"{PATH}?limit=500")
            assert answer.status == 200, answer
            mine = [row for row in answer.body["rows"] if row["orderId"] == order_id]
            if mine and all(row["boardAtLanding"] for row in mine):
                return mine


async def _filled(client: Client, **body: object) -> str:
    order = await client.settled(await client.placed({**SELL, **body}))
    assert order["status"] == "CONFIRMED"
    order_id: str = order["orderId"]
    return order_id


@pytest.mark.parametrize("direction", ["BUY", "SELL"])
async def test_shows_every_fill_with_its_prices(client: Client, direction: str) -> None:
    order_id = await _filled(client, amount=2.5, direction=direction)

    (row,) = await _rows(client, order_id)
    order = (await client.get(f"/api/orders/{order_id}")).body

    assert set(row) == WHOLE
    assert (row["pair"], row["direction"], row["mode"]) == ("SOL-USDC", direction, "paper")
    assert (row["leg"], row["legs"], row["base"]) == (0, 1, "2.5")
    assert row["landedAt"] == order["updatedAt"]
    assert float(row["landed"]) == pytest.approx(order["executionPrice"])
    for price in ("quoted", "landed", "boardAtDecision", "boardAtLanding"):
        assert DECIMAL.fullmatch(row[price])
        assert float(row[price]) == pytest.approx(float(row["landed"]), rel=0.05)
    assert (row["markout10s"], row["markout1m"], row["markout5m"]) == (None, None, None)
    assert set(row["costBps"]) == COSTS
    assert DECIMAL.fullmatch(row["costBps"]["quotedToLanded"])
    assert row["costBps"]["landedToMarkout5m"] is None
    assert set(row["provenance"]) == {"boardAtDecision", "boardAtLanding"}
    for told in row["provenance"].values():
        assert TIME.fullmatch(told["at"])
        assert told["source"] == "simulated"
        assert 0 <= told["ageMs"] <= 10_000


async def test_sums_up_by_venue_and_pair(client: Client) -> None:
    await _rows(client, await _filled(client))
    await _rows(client, await _filled(client, pair="ETH-USDC"))

    answer = (await client.get(f"{PATH}?limit=1")).body
    narrow = (await client.get(f"{PATH}?pair=ETH-USDC")).body

    assert set(answer) == {"rows", "summary", "nextCursor"}
    assert len(answer["rows"]) == 1
    assert {venue["pair"] for venue in answer["summary"]} >= {"SOL-USDC", "ETH-USDC"}
    assert {venue["pair"] for venue in narrow["summary"]} == {"ETH-USDC"}
    assert {row["pair"] for row in narrow["rows"]} == {"ETH-USDC"}
    assert sum(venue["fills"] for venue in narrow["summary"]) == len(narrow["rows"])
    for venue in answer["summary"]:
        assert set(venue) == SUMMARY
        assert DECIMAL.fullmatch(venue["meanCostBps"])
        assert DECIMAL.fullmatch(venue["biasBps"])


async def test_the_mean_is_that_of_the_rows(client: Client) -> None:
    await _rows(client, await _filled(client, pair="USDT-USDC", amount=100))
    await _rows(client, await _filled(client, pair="USDT-USDC", amount=200, direction="BUY"))

    told = (await client.get(f"{PATH}?pair=USDT-USDC&limit=500")).body

    for venue in told["summary"]:
        costs = [
            Decimal(row["costBps"]["quotedToLanded"])
            for row in told["rows"]
            if row["venue"] == venue["venue"]
        ]
        mean = sum(costs, Decimal(0)) / len(costs)
        assert abs(Decimal(venue["meanCostBps"]) - mean) < Decimal("0.001")


async def test_pages_miss_and_repeat_nothing(client: Client) -> None:
    for order_id in [await _filled(client) for _ in range(5)]:
        await _rows(client, order_id)
    whole = [_place(row) for row in (await client.get(f"{PATH}?limit=500")).body["rows"]]

    seen: list[tuple[str, int]] = []
    cursor = ""
    while True:
        page = (await client.get(f"{PATH}?limit=2{cursor}")).body
        seen += [_place(row) for row in page["rows"]]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"

    assert seen == whole
    assert len(set(seen)) == len(seen)


def _place(row: dict[str, Any]) -> tuple[str, int]:
    return row["orderId"], row["leg"]


async def test_narrows_by_venue_and_time(client: Client) -> None:
    first = await _filled(client)
    (row,) = await _rows(client, first)

    async def ids(query: str) -> set[str]:
        found = (await client.get(f"{PATH}?limit=500&{query}")).body["rows"]
        return {one["orderId"] for one in found}

    second = await _filled(client)
    await _rows(client, second)

    assert await ids(f"orderId={first}") == {first}
    assert await ids(f"orderId={first}&venue=nowhere") == set()
    assert await ids("orderId=01890a5d-ac96-774b-bcce-b302099a8057") == set()
    assert first in await ids(f"venue={row['venue']}")
    assert first in await ids(f"since={row['landedAt']}")
    assert await ids("venue=nowhere") == set()
    assert await ids("venue=raydium%20%3E%20nowhere") == set()
    assert await ids("since=2199-01-01T00:00:00Z") == set()


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("pair=DOGE-USDC", 422, "pair.unknown"),
        ("pair=" + "x" * 3000, 422, "pair.unknown"),
        ("orderId=7", 400, "request.malformed"),
        ("order_id=01890a5d-ac96-774b-bcce-b302099a8057", 400, "request.malformed"),
        ("venue=", 400, "request.malformed"),
        ("venue=%00", 400, "request.malformed"),
        ("venue=" + "x" * 65, 400, "request.malformed"),
        ("since=yesterday", 400, "request.malformed"),
        ("since=2026-01-01T00:00:00", 400, "request.malformed"),
        ("since=1999-12-31T00:00:00Z", 400, "request.malformed"),
        ("since=9999-12-31T23:59:59Z", 400, "request.malformed"),
        ("since=99999999999999999999", 400, "request.malformed"),
        ("since=nan", 400, "request.malformed"),
        ("limit=0", 400, "request.malformed"),
        ("limit=501", 400, "request.malformed"),
        ("limit=many", 400, "request.malformed"),
        ("cursor=", 400, "request.malformed"),
        ("cursor=1", 400, "request.malformed"),
        (
            "cursor=9999999999999999.00000000-0000-0000-0000-000000000000.0",
            400,
            "request.malformed",
        ),
        ("cursor=1.------------------------------------.0", 400, "request.malformed"),
        ("cursor=1.00000000-0000-0000-0000-000000000000.99999", 400, "request.malformed"),
        ("page=2", 400, "request.malformed"),
    ],
)
async def test_refuses_what_makes_no_sense(
    client: Client, query: str, status: int, code: str
) -> None:
    answer = await client.get(f"{PATH}?{query}")

    assert (answer.status, answer.code) == (status, code)
    assert len(answer.body["detail"]) < 400


@pytest.mark.parametrize(
    "cursor",
    [
        "9999999999999.00000000-0000-0000-0000-000000000000.9999",
        "0.ffffffff-ffff-ffff-ffff-ffffffffffff.0",
    ],
)
async def test_a_cursor_at_the_ends_of_time_is_only_a_place(client: Client, cursor: str) -> None:
    assert (await client.get(f"{PATH}?cursor={cursor}")).status == 200


async def test_needs_a_key_and_takes_no_other_method(client: Client) -> None:
    nobody = await client.bare("GET", PATH, {})
    posted = await client.post(PATH, {})

    assert (nobody.status, nobody.code) == (401, "request.unauthenticated")
    assert (posted.status, posted.code) == (405, "request.method")


async def test_is_documented(client: Client) -> None:
    document = (await client.get("/api/openapi.json")).body

    route = document["paths"][PATH]["get"]
    assert {one["name"] for one in route["parameters"]} == names(
        "pair venue orderId since limit cursor"
    )
    view = document["components"]["schemas"]["QualityView"]
    assert set(view["properties"]) == {"rows", "summary", "nextCursor"}
    row = document["components"]["schemas"]["FillView"]
    assert set(row["properties"]) == WHOLE
