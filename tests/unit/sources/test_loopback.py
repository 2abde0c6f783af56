"""A rest on loopback waits for what is under way, and for nothing that never ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from quantdesk.testing.loopback import Loopback

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class _Line(asyncio.Protocol):
    """One end of a connection: what it heard, and whether the other end said goodbye."""

    def __init__(self) -> None:
        self.heard = 0
        self.over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what is written by."""
        assert isinstance(transport, asyncio.Transport)
        self.wire = transport

    def data_received(self, data: bytes) -> None:
        """Count bytes."""
        self.heard += len(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        self.over = True


@asynccontextmanager
async def _connected() -> AsyncIterator[tuple[_Line, _Line, Loopback]]:
    loop, ours, theirs = asyncio.get_running_loop(), _Line(), _Line()
    server = await loop.create_server(lambda: theirs, "127.0.0.1", 0)
    await loop.create_connection(lambda: ours, *server.sockets[0].getsockname())
    loopback = Loopback()
    await loopback.rest()
    try:
        yield ours, theirs, loopback
    finally:
        ours.wire.abort()
        theirs.wire.abort()
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("count", [1, 20_000_000])
async def test_that_all_that_was_said_is_heard(count: int) -> None:
    async with _connected() as (ours, theirs, loopback):
        ours.wire.write(bytes(count))
        await loopback.rest()
        assert theirs.heard == count


async def test_that_a_goodbye_is_heard() -> None:
    async with _connected() as (ours, theirs, loopback):
        ours.wire.close()
        await loopback.rest()
        assert theirs.over


async def test_that_nobody_is_waited_for_who_reads_nothing() -> None:
    async with _connected() as (ours, theirs, loopback):
        theirs.wire.pause_reading()
        ours.wire.write(bytes(20_000_000))
        await loopback.rest()
        assert theirs.heard == 0
