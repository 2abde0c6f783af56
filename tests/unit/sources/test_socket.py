"""One WebSocket: whole messages out of pieces, an end with its reason, every refusal told."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import picows
import pytest
from picows import WSCloseCode, WSListener, WSMsgType, WSTransport, WSUpgradeRequest

from quantdesk.core.errors import Unavailable
from quantdesk.sources.limits import Declined
from quantdesk.sources.socket import CONNECT_S, Socket, connect
from quantdesk.testing.clock import ManualClock

LOOPBACK = "127.0.0.1"


@dataclass
class Other:
    """The other side: its connections, and what came from ours."""

    url: str = ""
    lines: list[WSTransport] = field(default_factory=list)
    status: int = 101

    def opened(self, _: WSUpgradeRequest) -> WSListener | picows.WSUpgradeResponseWithListener:
        """Take a connection, or answer with a status."""
        if self.status != 101:
            headers = {"Retry-After": "9"}
            answer = picows.WSUpgradeResponse.create_error_response(self.status, b"", headers)
            return picows.WSUpgradeResponseWithListener(answer, None)
        return _Line(self.lines)


class _Line(WSListener):
    def __init__(self, lines: list[WSTransport]) -> None:
        self._lines = lines

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._lines.append(transport)


@asynccontextmanager
async def other() -> AsyncIterator[Other]:
    side = Other()
    server = await picows.ws_create_server(side.opened, LOOPBACK, 0)
    side.url = f"ws://{LOOPBACK}:{server.sockets[0].getsockname()[1]}/stream"
    try:
        yield side
    finally:
        for line in side.lines:
            line.disconnect(graceful=False)
        server.close()
        await server.wait_closed()


async def until(met: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not met():  # noqa: ASYNC110 - real sockets tell of nothing else
            await asyncio.sleep(0)


Scene = Callable[[Other, Socket, list[bytes]], Awaitable[None]]


def play(scene: Scene, *, message_bytes_max: int = 1 << 20) -> None:
    async def whole() -> None:
        async with other() as side:
            heard: list[bytes] = []
            ours = await connect(
                side.url, heard.append, clock=ManualClock(), message_bytes_max=message_bytes_max
            )
            await until(lambda: side.lines)
            try:
                await scene(side, ours, heard)
            finally:
                ours.close()

    asyncio.run(whole())


def test_that_messages_come_whole_and_in_order() -> None:
    async def scene(side: Other, ours: Socket, heard: list[bytes]) -> None:
        (line,) = side.lines
        line.send(WSMsgType.TEXT, b"one")
        line.send(WSMsgType.TEXT, b"tw", fin=False)
        line.send_ping(b"between")
        line.send(WSMsgType.CONTINUATION, b"", fin=False)
        line.send(WSMsgType.CONTINUATION, b"o")
        line.send(WSMsgType.BINARY, b"three")
        await until(lambda: len(heard) == 3)
        assert heard == [b"one", b"two", b"three"]
        assert ours.heard == 3

    play(scene)


@pytest.mark.parametrize("pieces", [1, 5])
def test_that_a_message_past_the_bound_ends_the_connection(pieces: int) -> None:
    async def scene(side: Other, ours: Socket, heard: list[bytes]) -> None:
        (line,) = side.lines
        line.send(WSMsgType.TEXT, b"x" * (2000 // pieces), fin=pieces == 1)
        for piece in range(1, pieces):
            line.send(WSMsgType.CONTINUATION, b"x" * (2000 // pieces), fin=piece == pieces - 1)
        why = await asyncio.wait_for(ours.over(seconds=60, clock=ManualClock()), 60)
        assert "big" in why or "size" in why
        assert heard == []

    play(scene, message_bytes_max=1000)


def test_that_a_message_past_the_bound_is_not_heard_when_its_rest_arrives_later() -> None:
    async def scene(side: Other, ours: Socket, heard: list[bytes]) -> None:
        (line,) = side.lines
        message = b"\x82\x7e" + (2000).to_bytes(2) + b"x" * 2000
        line.underlying_transport.write(message[:500])
        await until(lambda: side.lines[0].close_handshake)  # it was told off
        line.underlying_transport.write(message[500:])
        assert await asyncio.wait_for(ours.over(seconds=60, clock=ManualClock()), 60)
        assert heard == []

    play(scene, message_bytes_max=1000)


def test_that_a_goodbye_is_told() -> None:
    async def scene(side: Other, ours: Socket, heard: list[bytes]) -> None:
        side.lines[0].send_close(WSCloseCode.GOING_AWAY, b"24h")
        why = await asyncio.wait_for(ours.over(seconds=60, clock=ManualClock()), 60)
        assert "1001" in why or "GOING_AWAY" in why
        assert "24h" in why

    play(scene)


def test_that_a_cut_is_told() -> None:
    async def scene(side: Other, ours: Socket, heard: list[bytes]) -> None:
        side.lines[0].disconnect(graceful=False)
        assert await asyncio.wait_for(ours.over(seconds=60, clock=ManualClock()), 60)

    play(scene)


def test_that_nothing_is_heard_after_closing() -> None:
    async def scene() -> None:
        async with other() as side:
            heard: list[bytes] = []

            def hear(data: bytes) -> None:
                heard.append(data)
                ours.close()

            ours = await connect(side.url, hear, clock=ManualClock())
            await until(lambda: side.lines)
            for _ in range(3):  # they arrive at once
                side.lines[0].send(WSMsgType.TEXT, b"word")
            await until(lambda: side.lines[0].is_disconnected)
            assert heard == [b"word"]

    asyncio.run(scene())


@pytest.mark.parametrize(("status", "wait_s"), [(429, 9), (418, 9), (451, 0), (500, 0)])
def test_that_a_refused_handshake_tells_its_status(status: int, wait_s: float) -> None:
    async def scene() -> None:
        async with other() as side:
            side.status = status
            with pytest.raises(Declined) as refused:
                await connect(side.url, lambda _: None, clock=ManualClock())
        assert (refused.value.status, refused.value.wait_s) == (status, wait_s)

    asyncio.run(scene())


def test_that_nobody_there_is_unavailable() -> None:
    async def scene() -> None:
        with socket.create_server((LOOPBACK, 0)) as free:
            port = free.getsockname()[1]
        with pytest.raises(Unavailable) as refused:
            await connect(f"ws://{LOOPBACK}:{port}/", lambda _: None, clock=ManualClock())
        assert refused.value.code == "source.unavailable"

    asyncio.run(scene())


def test_that_a_server_that_does_not_answer_is_given_up() -> None:
    async def scene() -> None:
        clock = ManualClock()
        with socket.create_server((LOOPBACK, 0)) as silent:
            port = silent.getsockname()[1]
            asked = asyncio.ensure_future(
                connect(f"ws://{LOOPBACK}:{port}/", lambda _: None, clock=clock)
            )
            await clock.asleep(1)
            await clock.advance(CONNECT_S + 1)
            with pytest.raises(Unavailable):
                await asyncio.wait_for(asked, 60)

    asyncio.run(scene())
