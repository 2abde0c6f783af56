"""`/ws` over real sockets: snapshots, deltas, refusals as messages, clients that do not read."""

import asyncio
import base64
import json
import socket
from typing import Any

import pytest
from tests.flow.hub.serving import VIEWER, WAIT_S, Served, event, served
from tests.unit.hub.wires import payloads

from quantdesk.hub.client import Limits

pytestmark = pytest.mark.anyio


async def test_tells_the_state_first_and_then_every_change() -> None:
    async with served() as desk, desk.joined() as client:
        await client.say(op="subscribe", ch="prices", keys=["SOL"], hz=50, id=7)
        first = await client.next("prices")
        answer = await client.next("answer")
        desk.price("BTC", "3")
        desk.price("SOL", "4")
        second = await client.next("prices")

    assert answer == {"ch": "answer", "op": "subscribe", "id": 7, "channel": "prices",
                      "keys": ["SOL"], "hz": 50}  # fmt: skip
    assert {k: first[k] for k in ("key", "epoch", "seq", "snap")} == {
        "key": "SOL", "epoch": "e1", "seq": 0, "snap": "2",
    }  # fmt: skip
    assert {k: second[k] for k in ("key", "epoch", "seq", "d")} == {
        "key": "SOL", "epoch": "e1", "seq": 1, "d": "4",
    }  # fmt: skip


async def test_follows_everything_without_keys_and_what_comes_later() -> None:
    async with served() as desk, desk.joined() as client:
        await client.say(op="subscribe", ch="prices")
        told = [await client.next("prices"), await client.next("prices")]
        desk.price("NEW", "5")
        new = await client.next("prices")

    assert [(each["key"], each["snap"]) for each in told] == [("BTC", "1"), ("SOL", "2")]
    assert (new["key"], new["snap"]) == ("NEW", "5")


async def test_a_client_that_lost_a_message_asks_for_the_state_anew() -> None:
    async with served() as desk, desk.joined() as client:
        await client.say(op="subscribe", ch="prices", keys=["SOL"], hz=50)
        await client.next("prices")
        desk.price("SOL", "4")
        await client.next("prices")
        await client.say(op="resync", ch="prices", keys=["SOL"])
        again = await client.next("prices")
        desk.price("SOL", "5")
        after = await client.next("prices")

    assert (again["seq"], again["snap"]) == (1, "4")
    assert (after["seq"], after["d"]) == (2, "5")


async def test_says_by_the_epoch_that_the_desk_was_started_anew() -> None:
    async with served(epoch="first") as desk, desk.joined() as client:
        before = await client.next("hello")
        desk.streams.close()
        assert await client.code() == 1012
    async with served(epoch="second") as desk, desk.joined() as client:
        after = await client.next("hello")
        await client.say(op="subscribe", ch="prices", keys=["SOL"])
        assert (await client.next("prices"))["epoch"] == "second"

    assert (before["epoch"], after["epoch"]) == ("first", "second")
    assert after["channels"] == ["prices", "system", "orders"]


async def test_closes_a_client_without_a_key_with_4401() -> None:
    async with served() as desk, desk.joined("nobody") as client:
        assert await client.code() == 4401


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("hello", "message.malformed"),
        ("[]", "message.malformed"),
        ('{"op":"dance"}', "message.malformed"),
        ('{"op":"subscribe"}', "message.malformed"),
        ('{"op":"subscribe","ch":"prices","keys":[]}', "message.malformed"),
        ('{"op":"subscribe","ch":"prices","hz":0}', "message.malformed"),
        ('{"op":"subscribe","ch":"prices","more":1}', "message.malformed"),
        ('{"op":"subscribe","ch":"nothing"}', "channel.unknown"),
        ('{"op":"subscribe","ch":"system"}', "channel.forbidden"),
        ('{"op":"resync","ch":"system"}', "channel.forbidden"),
        ('{"op":"subscribe","ch":"prices","keys":["GONE"]}', "key.unknown"),
        ('{"op":"subscribe","ch":"orders","keys":["x"]}', "key.unknown"),
        ('{"op":"unsubscribe","ch":"prices"}', "subscription.unknown"),
        ('{"op":"resync","ch":"orders"}', "subscription.unknown"),
        (b"\x00\xff", "message.malformed"),
    ],
)
async def test_refuses_with_a_message_and_listens_on(said: str | bytes, code: str) -> None:
    async with served() as desk, desk.joined("viewer") as client:
        if isinstance(said, bytes):
            await client.socket.send_bytes(said)
        else:
            await client.socket.send_str(said)
        refusal = await client.next("error")
        await client.say(op="ping", id="still here")
        answer = await client.next("answer")

    assert refusal["code"] == code
    assert refusal["detail"]
    assert refusal["retryable"] is False
    assert (answer["op"], answer["id"]) == ("ping", "still here")


async def test_bounds_what_a_client_follows() -> None:
    async with served(limits=Limits(keys=1)) as desk, desk.joined() as client:
        await client.say(op="subscribe", ch="prices", keys=["SOL"])
        await client.next("prices")
        await client.say(op="subscribe", ch="prices", keys=["BTC"])

        assert (await client.next("error"))["code"] == "subscriptions.too_many"


async def test_bounds_how_many_clients_there_are() -> None:
    async with served(limits=Limits(clients=1)) as desk, desk.joined() as first:
        await first.next("hello")
        async with desk.joined() as second:
            assert await second.code() == 1013
        await first.say(op="ping")
        await first.next("answer")


async def test_closes_a_client_that_sends_nothing_but_garbage_with_1008() -> None:
    async with served(limits=Limits(burst=50.0)) as desk, desk.joined() as client:
        for _ in range(20):
            await client.socket.send_str("garbage")
        assert await client.code() == 1008


async def test_tells_orders_to_their_account_alone() -> None:
    async with served() as desk, desk.joined() as owner, desk.joined("viewer") as viewer:
        desk.log.told = [event(1), event(1, account=VIEWER)]
        for client in (owner, viewer):
            await client.say(op="subscribe", ch="orders")
            await client.next("answer")
        desk.orders.take([event(2), event(2, account=VIEWER), event(3)])
        await viewer.say(op="ping", id="end")
        heard = []
        while (told := await viewer.socket.receive_json(timeout=WAIT_S)).get("id") != "end":
            heard.append(told)
        snapshot = desk.log.asked.account_id
        mine = [await owner.next("orders") for _ in range(2)]

    assert snapshot == VIEWER
    assert [(told["seq"], told["d"]["version"]) for told in heard] == [(1, 2)]
    assert [(told["seq"], told["d"]["version"]) for told in mine] == [(1, 2), (2, 3)]


class Stuck:
    """A client that reads nothing until it is told to."""

    def __init__(self, desk: Served) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(0)
        self._desk = desk
        self._heard = b""

    async def subscribe(self) -> None:
        """Ask for all prices."""
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.socket, ("127.0.0.1", self._desk.port))
        key = base64.b64encode(bytes(16)).decode()
        upgrade = (
            "GET /ws HTTP/1.1\r\nHost: desk\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {self._desk.keys['owner']}\r\n\r\n"
        )
        await loop.sock_sendall(self.socket, upgrade.encode())
        while b"\r\n\r\n" not in self._heard:
            self._heard += await loop.sock_recv(self.socket, 1 << 12)
        ask = json.dumps({"op": "subscribe", "ch": "prices", "hz": 50}).encode()
        masked = bytes((0x81, 0x80 | len(ask), 0, 0, 0, 0)) + ask
        await loop.sock_sendall(self.socket, masked)

    async def read_until(self, key: str, value: str) -> dict[str, Any]:
        """Read on until a price is heard; return all by the rules of the channel."""
        loop, data = asyncio.get_running_loop(), self._heard
        known: dict[str, Any] = {}
        sequence: dict[str, int] = {}
        async with asyncio.timeout(WAIT_S):
            while known.get(key) != value:
                data += await loop.sock_recv(self.socket, 1 << 20)
                head, _, frames = data.partition(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 101")
                for told in map(json.loads, payloads(_whole(frames))):
                    if told["ch"] != "prices":
                        continue
                    if "d" in told and told["seq"] > sequence[told["key"]]:
                        assert told["seq"] == sequence[told["key"]] + 1, "a gap"
                    known[told["key"]] = told.get("d", told.get("snap"))
                    sequence[told["key"]] = told["seq"]
        return known


def _whole(data: bytes) -> bytes:
    """Return data without the frame that is not whole yet."""
    at = 0
    while len(data) - at >= 4:
        size, head = data[at + 1], 2
        if size == 126:
            size, head = int.from_bytes(data[at + 2 : at + 4]), 4
        if at + head + size > len(data):
            break
        at += head + size
    return data[:at]


async def test_a_client_that_does_not_read_holds_up_nobody_and_gets_the_latest() -> None:
    async with served() as desk, desk.joined() as quick:
        for number in range(20):
            desk.prices[f"A{number}"] = "0"
        stuck = Stuck(desk)
        await stuck.subscribe()
        await quick.say(op="subscribe", ch="prices", keys=["SOL"], hz=50)
        await quick.next("prices")
        rounds = 0
        while not desk.hub.conflated and rounds < 1000:
            rounds += 1
            for number in range(20):
                desk.price(f"A{number}", f"{rounds}" + "x" * 2_000)
            desk.price("SOL", str(rounds))
            assert (await quick.next("prices"))["d"] == str(rounds)
        assert desk.hub.conflated, "the stuck client was never full"
        for last in range(5):
            desk.price("A0", f"last {last}")
            desk.price("SOL", f"last {last}")
            assert (await quick.next("prices"))["d"] == f"last {last}"

        with stuck.socket:
            known = await stuck.read_until("SOL", "last 4")

    assert known["A0"] == "last 4"
    assert {key: known[key] for key in desk.prices} == desk.prices
