"""The kill switch of a running desk: seen wherever one looks, and lifted only on purpose."""

import json

import pytest
from tests.flow.http.client import RESTING, SELL, Client

pytestmark = pytest.mark.anyio


async def trading(client: Client) -> str:
    """Return what the desk's health says of trading; it stays ready."""
    answer = await client.get("/readyz")
    assert answer.status == 200
    found = {service["name"]: service for service in answer.body["services"]}["trading"]
    assert found["state"] == "Ready"
    detail: str = found["detail"]
    return detail


async def test_stops_what_comes_and_what_waits_and_shows_it_everywhere(client: Client) -> None:
    resting = await client.placed(RESTING)
    assert await trading(client) == "trading"
    halted = await client.post("/api/trading/halt", {"scope": "all", "reason": "a drill"})
    assert halted.status == 200
    assert halted.body["cancelled"] == [resting]
    assert halted.body["trading"]["trading"] is False

    refused = await client.order(SELL)
    assert (refused.status, refused.code) == (422, "trading.halted")
    assert "a drill" in refused.body["detail"]
    assert (await trading(client)).startswith("halted (all) since ")
    async with client.stream("/ws") as stream:
        await stream.next()
        await stream.socket.send_str(json.dumps({"op": "subscribe", "ch": "system"}))
        while not any("halted (all)" in json.dumps(m) for m in [await stream.next()]):
            pass

    wrong = await client.post("/api/trading/resume", {"confirm": "yes"})
    assert (wrong.status, wrong.code) == (422, "trading.unconfirmed")
    phrase = (await client.get("/api/trading")).body["deskPhrase"]
    assert (await client.post("/api/trading/resume", {"confirm": phrase})).status == 200
    assert (await client.settled(await client.placed(SELL)))["status"] == "CONFIRMED"


async def test_a_limit_holds_for_the_very_next_order(client: Client) -> None:
    for bound, status in ((1, 422), (None, 201), ("0.01", 422), (None, 201)):
        body = json.dumps({"order_notional_usd_max": bound}).encode()
        done = await client.ask(
            "PUT", "/api/limits", body=body, **{"content-type": "application/json"}
        )
        assert done.status == 200
        assert (await client.order(SELL)).status == status
    history = (await client.get("/api/limits/history?limit=4")).body["changes"]
    assert [change["after"] for change in history] == [None, "0.01", None, "1"]
