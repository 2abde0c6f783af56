"""Promise: no client takes more of the desk than its share, however it goes about it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Self

import pytest

from quantdesk.api import server
from quantdesk.api.connections import Bounds, Connections
from quantdesk.api.edge import Receive, Scope, Send
from quantdesk.api.server import bind, serving

pytestmark = pytest.mark.anyio

GET = b"GET / HTTP/1.1\r\nHost: desk\r\n"
LONG = b"x" * 3_000_000


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a little, or with a lot."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        return
    body = LONG if scope["path"] == "/long" else b"ok"
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def served(bounds: Bounds) -> AsyncIterator[int]:
    """Serve within bounds; the port."""
    bound = bind("127.0.0.1", 0)
    async with serving(app, bound, bounds=bounds):
        yield bound.getsockname()[1]


class Client:
    """A client that says and reads what it likes."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.transport.abort()

    async def say(self, data: bytes) -> None:
        """Send that."""
        self._writer.write(data)
        await self._writer.drain()

    async def head(self) -> bytes:
        """Return the head of an answer."""
        async with asyncio.timeout(60):
            return await self._reader.readuntil(b"\r\n\r\n")

    async def rest(self) -> bytes:
        """Return all that comes until the desk hangs up."""
        async with asyncio.timeout(60):
            return await self._reader.read()


def problem(answer: bytes) -> tuple[int, str]:
    """Return status and code of a problem document, checked for its shape."""
    head, _, body = answer.partition(b"\r\n\r\n")
    told = json.loads(body)
    assert head.startswith(b"HTTP/1.1 %d " % told["status"])
    assert b"connection: close" in head
    assert b"content-type: application/problem+json" in head
    return told["status"], told["code"]


@pytest.mark.parametrize(
    ("bounds", "told"),
    [
        (Bounds(total=2), (503, "desk.full")),
        (Bounds(per_address=2, trusted=frozenset()), (429, "connections.too_many")),
    ],
    ids=["total", "per address"],
)
async def test_that_there_is_room_for_so_many_connections_and_again_when_one_left(
    bounds: Bounds, told: tuple[int, str]
) -> None:
    async with served(bounds) as port, Client(port) as first:
        await first.say(GET + b"\r\n")
        assert b" 200 " in await first.head()
        async with Client(port) as second:
            await second.say(GET + b"\r\n")
            assert b" 200 " in await second.head()
            async with Client(port) as third:
                assert problem(await third.rest()) == told
            await second.say(GET + b"Connection: close\r\n\r\n")
            await second.rest()
        async with Client(port) as fourth:
            await fourth.say(GET + b"\r\n")
            assert b" 200 " in await fourth.head()


async def test_that_an_upgraded_socket_is_still_a_connection() -> None:
    upgrade = (
        GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    async with served(Bounds(total=1)) as port:
        async with Client(port) as first:
            await first.say(upgrade)
            assert b" 101 " in await first.head()
            async with Client(port) as second:
                assert problem(await second.rest()) == (503, "desk.full")
        async with asyncio.timeout(60):
            while True:  # the desk hears of the first one's end when it does
                async with Client(port) as third:
                    await third.say(GET + b"Connection: close\r\n\r\n")
                    if b" 200 " in await third.rest():
                        break


@pytest.mark.parametrize(
    "said",
    [
        lambda bounds: GET + b"X: " + b"y" * bounds.head_bytes,
        lambda bounds: GET + b"X: " + b"y" * bounds.head_bytes + b"\r\n\r\n",
        lambda bounds: b"GET /" + b"y" * bounds.head_bytes,
        lambda bounds: GET + b"X: y\r\n" * bounds.fields + b"\r\n",
        lambda bounds: b"POST / HTTP/1.1\r\nContent-Length: 5\r\n"
        + b"X: y\r\n" * bounds.fields + b"\r\nhello",
    ],
    ids=["a field without end", "a long field", "a long path", "many fields", "with a body"],
)  # fmt: skip
async def test_that_a_head_has_an_end(said: Callable[[Bounds], bytes]) -> None:
    bounds = Bounds(head_bytes=4_096, fields=20)
    async with served(bounds) as port, Client(port) as client:
        await client.say(said(bounds))
        assert problem(await client.rest()) == (431, "request.head_too_large")


async def test_that_a_head_of_many_requests_is_counted_by_itself() -> None:
    async with served(Bounds(head_bytes=200)) as port, Client(port) as client:
        for _ in range(20):
            await client.say(GET + b"\r\n")
            assert b" 200 " in await client.head()
            await client._reader.readexactly(2)


async def test_that_no_http_is_answered_with_a_problem() -> None:
    async with served(Bounds()) as port, Client(port) as client:
        await client.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 what is this\r\n\r\n")
        assert problem(await client.rest()) == (400, "request.malformed")


async def test_that_a_client_that_does_not_read_its_answer_is_let_go() -> None:
    async with served(Bounds(read_s=0.05, total=1)) as port:
        with socket.create_connection(("127.0.0.1", port)) as silent:
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            silent.sendall(GET.replace(b"GET /", b"GET /long") + b"\r\n")
            async with asyncio.timeout(60):
                while True:  # there is room again, though the silent one never went away
                    async with Client(port) as client:
                        await client.say(GET + b"Connection: close\r\n\r\n")
                        if b" 200 " in await client.rest():
                            break


async def test_that_an_idle_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_IDLE_S", 0.05)
    async with served(Bounds()) as port, Client(port) as client:
        await client.say(GET + b"\r\n")
        assert b" 200 " in await client.head()
        assert await client.rest() == b"ok"


def test_that_an_address_is_a_network_in_version_6_and_none_is_left_behind() -> None:
    connections = Connections(Bounds(per_address=1))
    assert connections.enter("2001:db8::1") is None
    second = connections.enter("2001:db8::ffff")
    assert second is not None
    assert second.code == "connections.too_many"
    assert connections.enter("2001:db8:0:1::1") is None
    assert connections.enter("::ffff:203.0.113.9") is None
    clothed = connections.enter("203.0.113.9")
    assert clothed is not None
    for ip in ("2001:db8::1", "2001:db8:0:1::1", "203.0.113.9"):
        connections.leave(ip)
    assert (connections.open, connections.refused) == (0, 2)
    assert not connections._by_address
