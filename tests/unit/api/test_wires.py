"""A connection is written to without waiting, and one that does not drain is cut off."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from tests.unit.hub.wires import payloads

from quantdesk.api import wires
from quantdesk.api.edge import Receive, Scope, Send
from quantdesk.api.server import bind, serving
from quantdesk.api.wires import EXTENSION, WebSocket
from quantdesk.hub import wire as asked
from quantdesk.hub.frames import frame

pytestmark = pytest.mark.anyio

WAIT_S = 60.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Accepted:
    """The connections that came, and how each ended."""

    def __init__(self) -> None:
        self.wire: asyncio.Future[WebSocket] = asyncio.get_running_loop().create_future()
        self.gone = asyncio.Event()
        self.heard: asyncio.Queue[str] = asyncio.Queue()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        self.wire.set_result(scope["extensions"][EXTENSION])
        while (message := await receive())["type"] != "websocket.disconnect":
            self.heard.put_nowait(message["text"])
        self.gone.set()


class Peer:
    """A client that reads when it is told to."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(0)

    async def connect(self) -> None:
        """Shake hands."""
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.socket, ("127.0.0.1", self.port))
        key = base64.b64encode(bytes(16)).decode()
        await loop.sock_sendall(
            self.socket,
            b"GET / HTTP/1.1\r\nHost: desk\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key.encode() + b"\r\n\r\n",
        )
        heard = b""
        while not heard.endswith(b"\r\n\r\n"):
            heard += await loop.sock_recv(self.socket, 4096)

    async def say(self, opcode: int, payload: bytes = b"") -> None:
        """Send a short frame."""
        masked = bytes((0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0)) + payload
        await asyncio.get_running_loop().sock_sendall(self.socket, masked)

    async def rest(self) -> bytes:
        """Return what comes until the desk hangs up."""
        heard = b""
        with suppress(ConnectionError):
            while chunk := await asyncio.get_running_loop().sock_recv(self.socket, 1 << 20):
                heard += chunk
        return heard


@pytest.fixture
async def accepted() -> AsyncIterator[tuple[Accepted, Peer]]:
    app = Accepted()
    bound = bind("127.0.0.1", 0)
    async with asyncio.timeout(WAIT_S), serving(app, bound):
        peer = Peer(bound.getsockname()[1])
        with peer.socket:
            await peer.connect()
            yield app, peer


def fill(wire: WebSocket) -> int:
    """Write until the connection is congested; return how many kilobytes it took."""
    written = 0
    while not wire.congested:
        wire.write(frame(b"x" * 1021))
        written += 1
        assert written < 4096, "never congested"
    return written


async def test_the_hub_looks_where_the_edge_puts_it() -> None:
    assert asked.EXTENSION == EXTENSION


async def test_writes_frames_as_they_are_and_closes_after_them(
    accepted: tuple[Accepted, Peer],
) -> None:
    app, peer = accepted
    wire = await app.wire
    wire.write(frame(b"one") + frame(b"two"))
    wire.end(1013, "too slow")
    wire.end(1000)
    wire.write(frame(b"three"))
    await app.gone.wait()
    await peer.say(8, (1013).to_bytes(2))

    heard = await peer.rest()

    close = b"\x88\x0a" + (1013).to_bytes(2) + b"too slow"
    assert heard.endswith(close)
    assert payloads(heard.removesuffix(close)) == [b"one", b"two"]


async def test_says_when_a_full_connection_has_room_again(
    accepted: tuple[Accepted, Peer],
) -> None:
    app, peer = accepted
    wire = await app.wire
    relieved = asyncio.Event()
    wire.relieved = relieved.set
    kilobytes = fill(wire)
    assert not relieved.is_set()

    reading = asyncio.ensure_future(peer.rest())
    await relieved.wait()

    assert not wire.congested
    wire.end(1000)
    await app.gone.wait()
    await peer.say(8, (1000).to_bytes(2))
    assert len(await reading) == kilobytes * 1025 + 4
    # All that a client that does not read can hold here: the transport's 64 KiB and the kernel's.
    assert kilobytes < 1024


async def test_cuts_off_a_client_that_reads_nothing_after_its_close(
    accepted: tuple[Accepted, Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wires, "_CLOSE_S", 0.05)
    app, peer = accepted
    wire = await app.wire
    kilobytes = fill(wire)
    wire.end(1013)
    await app.gone.wait()
    await wire.queue.get()  # what uvicorn says when the connection is lost

    assert len(await peer.rest()) < kilobytes * 1025


async def test_answers_no_pings_of_a_client_that_reads_nothing(
    accepted: tuple[Accepted, Peer],
) -> None:
    app, peer = accepted
    wire = await app.wire
    await peer.say(9, b"before")
    fill(wire)
    held = wire.transport.get_write_buffer_size()
    for _ in range(100):
        await peer.say(9, b"x" * 100)
    await peer.say(1, b"heard all")
    assert await app.heard.get() == "heard all"

    assert wire.transport.get_write_buffer_size() == held
