"""Order streams tell every version once and in order, to whoever asks, however late."""

import asyncio
import socket
from uuid import uuid4

import pytest
from tests.flow.http.client import RESTING, SELL, Client, states

pytestmark = pytest.mark.anyio

PAID = ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]


async def test_tells_every_state_to_all_who_follow_an_order(client: Client) -> None:
    placed = await client.placed(SELL)

    async def follow() -> tuple[list[str], int | None]:
        async with client.stream(f"/ws/orders/{placed}") as stream:
            return states(await stream.rest()), stream.socket.close_code

    assert await asyncio.gather(*(follow() for _ in range(5))) == [(PAID, 1000)] * 5


async def test_tells_a_latecomer_everything(client: Client) -> None:
    order = await client.settled(await client.placed(SELL))

    async with client.stream(f"/ws/orders/{order['orderId']}") as stream:
        told = await stream.rest()

    terms = {name: order[name] for name in ("pair", "amount", "direction", "slippageBps")}
    assert told == [order["logs"][0] | {"terms": terms}, *order["logs"][1:]]
    assert stream.socket.close_code == 1000


async def test_goes_on_live_after_the_states_so_far(client: Client) -> None:
    resting = await client.placed(RESTING)
    async with client.stream(f"/ws/orders/{resting}") as stream:
        before = [await stream.next(), await stream.next()]
        await client.ask("DELETE", f"/api/orders/{resting}")
        told = before + await stream.rest()

    assert states(told) == ["PENDING", "PENDING", "CANCELLED"]
    order = (await client.get(f"/api/orders/{resting}")).body
    kept = ("pair", "amount", "direction", "slippageBps", "limitPrice", "expiresAt")
    assert [one.get("terms") for one in told] == [{name: order[name] for name in kept}, None, None]
    assert stream.socket.close_code == 1000


@pytest.mark.parametrize("path", [f"/ws/orders/{uuid4()}", "/ws/orders/nobody", "/ws/nothing"])
async def test_closes_a_stream_that_nobody_has_with_4404(client: Client, path: str) -> None:
    async with client.stream(path) as stream:
        assert await stream.code() == 4404


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer qd_wrong"}])
@pytest.mark.parametrize("path", ["/ws/orders", f"/ws/orders/{uuid4()}", "/ws/nothing"])
async def test_closes_a_stream_without_a_key_with_4401(
    client: Client, path: str, headers: dict[str, str]
) -> None:
    async with client.stream(path, headers) as stream:
        assert await stream.code() == 4401


async def test_takes_no_key_from_the_url(client: Client) -> None:
    path = f"/ws/orders?ticket={client.key}&token={client.key}&access_token={client.key}"
    async with client.stream(path, {}) as stream:
        assert await stream.code() == 4401


async def test_tells_all_orders_of_an_account_beginning_with_the_open_ones(client: Client) -> None:
    resting = await client.placed(RESTING)
    async with client.stream("/ws/orders") as stream:
        told = [await stream.next()]
        placed = [await client.placed(SELL) for _ in range(3)]
        ended: set[str] = set()
        while ended != set(placed):
            told.append(await stream.next())
            if told[-1]["status"] == "CONFIRMED":
                ended.add(told[-1]["orderId"])

    assert told[0]["orderId"] == resting
    for order_id in placed:
        assert states([event for event in told if event["orderId"] == order_id]) == PAID
    await client.ask("DELETE", f"/api/orders/{resting}")


async def test_survives_clients_that_vanish_or_talk(client: Client) -> None:
    resting = await client.placed(RESTING)
    for _ in range(10):
        async with client.stream(f"/ws/orders/{resting}") as stream:
            await stream.next()
            await stream.socket.send_str("hello" * 100)
            transport = stream.socket.get_extra_info("socket")
            assert transport is not None
            transport.shutdown(socket.SHUT_RDWR)

    cancelled = await client.ask("DELETE", f"/api/orders/{resting}")

    assert cancelled.status == 200
    assert not any("unexpected" in name and n for name, n in (await client.metrics()).items()
                   if not name.startswith("quantdesk_unexpected_errors_created"))  # fmt: skip
