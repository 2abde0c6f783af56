"""Promise: malformed, oversized and greedy clients are turned away and harm nobody; ours only."""

import asyncio
import base64
import contextlib
import json
from random import Random

import aiohttp
import pytest
from solders.keypair import Keypair
from tests.conformance.solana_rpc.chain import Chain, Json, pay, until


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", -32700),
        ("\x00", -32700),
        ("[" * 5000, -32700),
        ("[]", -32600),
        ("5", -32600),
        ('{"id": 1}', -32600),
        ('{"id": 1, "method": 5}', -32600),
        ('{"id": 1, "method": "getSlot", "params": {"a": 1}}', -32602),
        ('{"id": 1, "method": "getSlot", "params": [[]]}', -32602),
        ('{"id": 1, "method": "localnet_nothing"}', -32601),
        ('{"id": 1, "method": "slotSubscribe"}', -32601),
    ],
)
async def test_that_a_malformed_body_has_its_code(own: Chain, body: str, code: int) -> None:
    assert (await own.post(body))["error"]["code"] == code


async def test_that_unknown_fields_are_passed_over(own: Chain) -> None:
    answer = await own.post(
        {"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": [{"odd": 1}], "extra": True}
    )
    assert isinstance(answer["result"], int)


async def test_that_an_oversized_body_is_413(own: Chain) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(own.rpc, data=b" " * 60_000) as response,
    ):
        assert response.status == 413


async def test_that_a_notification_gets_no_answer(own: Chain) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(own.rpc, json={"jsonrpc": "2.0", "method": "getSlot"}) as response,
    ):
        assert await response.read() == b""


async def test_that_broken_transactions_never_break_the_node(own: Chain) -> None:
    rng = Random(3)
    wallet = Keypair()
    good = bytes(await own.signed([pay(wallet, wallet.pubkey(), 1)], wallet))
    options = {"encoding": "base64"}
    for number in range(300):
        raw = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        text = base64.b64encode(bytes(raw[: rng.randint(1, len(raw))])).decode()
        method = ("sendTransaction", "simulateTransaction")[number % 2]
        skip = {"skipPreflight": True} if number % 4 == 0 else {}
        answer = await own.call(method, text, {**options, **skip})
        assert answer.get("error", {}).get("code") != -32603, answer
    assert await own.result("getHealth") == "ok"


async def test_that_a_plain_websocket_hears_slots(own: Chain) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(own.ws) as socket:
        await socket.send_str(json.dumps({"id": 1, "method": "slotSubscribe", "jsonrpc": "2.0"}))
        ident = json.loads(await socket.receive_str())["result"]
        told: dict[str, Json] = {}
        while "params" not in told:
            told = json.loads(await asyncio.wait_for(socket.receive_str(), 60))
        assert told["params"]["subscription"] == ident


async def test_that_one_connection_cannot_subscribe_without_end(own: Chain) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(own.ws) as socket:
        call = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "rootSubscribe"})
        for _ in range(1001):
            await socket.send_str(call)
        errors = 0
        answers = 0
        while answers < 1001:
            answer = json.loads(await asyncio.wait_for(socket.receive_str(), 60))
            answers += "id" in answer
            errors += "error" in answer
        assert errors == 1


async def test_that_a_listener_that_never_reads_is_dropped(own: Chain) -> None:
    async def dropped() -> int:
        calls = (await own.result("localnet_status"))["calls"]
        return int(calls.get("slow_subscribers_dropped", 0))

    before = await dropped()
    host, port = own.ws.removeprefix("ws://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    handshake = (
        f"GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    call = b'{"jsonrpc":"2.0","id":1,"method":"slotSubscribe"}'
    frame = bytes([0x81, 0x80 | len(call), 0, 0, 0, 0]) + call  # masked with zeros
    writer.write(handshake.encode() + frame * 1000)
    await reader.readuntil(b"\r\n\r\n")

    async def more() -> bool | None:
        return True if await dropped() > before else None

    assert await until(more)
    with contextlib.suppress(ConnectionResetError):
        while await asyncio.wait_for(reader.read(65536), 60):
            pass
    writer.transport.abort()
    assert await own.result("getHealth") == "ok"


async def test_that_a_web_page_is_no_operator(own: Chain) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "localnet_status"}
    page = {"Origin": "https://example.org"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(own.rpc, json=call, headers=page) as response,
    ):
        assert (await response.json())["error"]["code"] == -32601


async def test_that_a_transaction_sent_again_costs_no_room_on_disk(own: Chain) -> None:
    wallet = Keypair()
    await own.fund(wallet.pubkey())
    transaction = await own.signed([pay(wallet, wallet.pubkey(), 1)], wallet)
    text = base64.b64encode(bytes(transaction)).decode()
    options = {"encoding": "base64", "skipPreflight": True}
    signature = await own.result("sendTransaction", text, options)
    size = (await own.result("localnet_status"))["journal"]["bytes"]
    assert await own.result("sendTransaction", text, options) == signature
    assert (await own.result("localnet_status"))["journal"]["bytes"] == size


async def test_that_a_signature_s_subscription_ends_with_its_notice(own: Chain) -> None:
    wallet = Keypair()
    signature = await own.result("requestAirdrop", str(wallet.pubkey()), 10**9)
    async with aiohttp.ClientSession() as session, session.ws_connect(own.ws) as socket:

        async def ask(method: str, *params: Json) -> Json:
            call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            await socket.send_str(json.dumps(call))
            return json.loads(await asyncio.wait_for(socket.receive_str(), 60))

        ident = (await ask("signatureSubscribe", signature, {"commitment": "processed"}))["result"]
        told = json.loads(await asyncio.wait_for(socket.receive_str(), 60))
        assert told["params"]["subscription"] == ident
        assert told["params"]["result"]["value"] == {"err": None}
        assert "error" in await ask("signatureUnsubscribe", ident)


async def test_that_preflight_at_finalized_does_not_know_a_young_blockhash(own: Chain) -> None:
    wallet = Keypair()
    await own.fund(wallet.pubkey())
    transaction = await own.signed([pay(wallet, wallet.pubkey(), 1)], wallet)
    text = base64.b64encode(bytes(transaction)).decode()
    answer = await own.call("sendTransaction", text, {"encoding": "base64"})
    assert answer["error"]["data"]["err"] == "BlockhashNotFound"
    options = {"encoding": "base64", "preflightCommitment": "processed"}
    assert await own.result("sendTransaction", text, options) == str(transaction.signatures[0])
