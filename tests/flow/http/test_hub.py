"""`/ws` of a desk as its user runs it: his orders, numbered, and every channel there is."""

from typing import Any

import msgspec
import pytest
from tests.flow.http.client import RESTING, SELL, WAIT_S, Client, Stream

from quantdesk.app.messages import HubMessage

pytestmark = pytest.mark.anyio


async def following(stream: Stream) -> dict[str, Any]:
    """Follow orders; return the snapshot."""
    await stream.socket.send_json({"op": "subscribe", "ch": "orders"})
    while (told := await stream.next())["ch"] != "orders":
        pass
    return told


async def test_tells_the_open_orders_and_then_every_event_without_a_gap(client: Client) -> None:
    resting = await client.placed(RESTING)
    async with client.stream("/ws") as stream:
        snapshot = await following(stream)
        placed = await client.placed(SELL)
        told: list[dict[str, Any]] = []
        while not told or told[-1]["d"]["status"] != "CONFIRMED":
            message = await stream.next()
            if message["ch"] == "orders":
                told.append(message)
    logs = (await client.get(f"/api/orders/{placed}")).body["logs"]
    await client.ask("DELETE", f"/api/orders/{resting}")

    assert resting in {event["orderId"] for event in snapshot["snap"]}
    events = [message["d"] for message in told]
    assert events[0].pop("terms")["amount"] == SELL["amount"]
    assert events == logs
    assert [message["seq"] for message in told] == [1, 2, 3, 4, 5]
    assert {message["epoch"] for message in told} == {snapshot["epoch"]}


async def test_greets_with_what_there_is(client: Client) -> None:
    async with client.stream("/ws") as stream:
        hello = await stream.next()

    assert (hello["ch"], hello["channels"][-1]) == ("hello", "orders")


async def test_closes_without_a_key_with_4401(client: Client) -> None:
    async with client.stream("/ws", {}) as stream:
        assert await stream.code() == 4401


@pytest.mark.parametrize(
    ("channel", "key"),
    [
        ("prices", "SOL"),
        ("books", "simulated:SOL:USD"),
        ("candles", "simulated:SOL:USD:1s"),
        ("sources", "simulated"),
        ("system", "desk"),
    ],
)
async def test_tells_the_state_of_a_key_and_then_what_changes(
    client: Client, channel: str, key: str
) -> None:
    async with client.stream("/ws") as stream:
        await stream.socket.send_json({"op": "subscribe", "ch": channel, "keys": [key]})
        told: list[dict[str, Any]] = []
        while len(told) < 2:
            message = await stream.next()
            assert message["ch"] != "error", message
            if message["ch"] == channel:
                told.append(message)

    snapshot, change = told
    assert (snapshot["key"], change["key"]) == (key, key)
    assert snapshot["snap"]
    assert change["seq"] == snapshot["seq"] + 1
    assert change["d"]


async def test_says_what_the_document_says_it_does_and_nothing_else(client: Client) -> None:
    read = msgspec.json.Decoder(HubMessage)
    followed = ["prices", "books", "candles", "sources", "alerts", "system", "news", "orders"]
    said: set[tuple[str, bool]] = set()
    wanted = {
        *((channel, True) for channel in followed),
        *((channel, False) for channel in ("prices", "books", "candles", "system", "orders")),
        ("hello", False), ("answer", False), ("error", False),
    }  # fmt: skip
    async with client.stream("/ws") as stream:
        for ask in ({"op": "ping", "id": "a"}, {"op": "subscribe", "ch": "nothing", "id": 7}):
            await stream.socket.send_json(ask)
        for channel in followed:
            await stream.socket.send_json({"op": "subscribe", "ch": channel})
        await client.placed(SELL)
        while not wanted <= said:
            text = await stream.socket.receive_str(timeout=WAIT_S)
            message = read.decode(text)
            told = msgspec.json.decode(text)
            assert len({"snap", "d"} & told.keys()) == (told["ch"] in followed)
            said.add((type(message).__struct_config__.tag, "snap" in told))
