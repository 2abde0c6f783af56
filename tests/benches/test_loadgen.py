"""The load generator counts an order once, from its POST to the frame that says CONFIRMED."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from benches.loadgen.drive import (
    BACKLOG,
    CLOSED_LOOP,
    PER_ORDER,
    Load,
    Outcome,
    compile_loadgen,
    place,
)
from benches.target import Running

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler (cc) here")

HEADER = "Authorization: Bearer secret"
ORDERS = 200
Frames = Callable[[str], bytes]
"""What the desk sends over WebSocket for one order."""


@pytest.fixture(scope="module")
def loadgen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_loadgen(tmp_path_factory.mktemp("build"))


def frame(text: str, opcode: int = 1) -> bytes:
    body = text.encode()
    size = bytes((len(body),)) if len(body) < 126 else b"\x7e" + len(body).to_bytes(2, "big")
    return bytes((0x80 | opcode,)) + size + body


def two_updates(order_id: str) -> bytes:
    routing = frame(f'{{"orderId":"{order_id}","status":"ROUTING"}}')
    return routing + frame(f'{{"orderId":"{order_id}","status":"CONFIRMED"}}')


class Desk:
    """A desk on a loopback port that confirms at once, in the frames it is told to send."""

    def __init__(self, frames: Frames, refuse_every: int = 0) -> None:
        self.frames, self.refuse_every = frames, refuse_every
        self.placed = self.pongs = 0
        self.paths: set[str] = set()
        self.watchers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until it ends."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                assert HEADER in head
                if head.startswith("GET"):
                    await self._watch(head.split()[1], reader, writer)
                else:
                    await reader.readexactly(
                        int(head.lower().split("content-length:")[1].split()[0])
                    )
                    self._order(writer)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            writer.close()

    def _order(self, writer: asyncio.StreamWriter) -> None:
        self.placed += 1
        if self.refuse_every and self.placed % self.refuse_every == 0:
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}")
            return
        order_id = str(UUID(int=self.placed))
        for watcher in self.watchers:
            watcher.write(self.frames(order_id))  # may arrive before the answer to the POST
        body = f'{{"status":"PENDING", "orderId": "{order_id}"}}'.encode()
        writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))

    async def _watch(
        self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.paths.add(path)
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + frame("beat", opcode=9))
        if path == "/all":
            self.watchers.append(writer)
        else:
            writer.write(self.frames(path.rpartition("/")[2]))
        while True:
            opcode, size = await reader.readexactly(2)
            await reader.readexactly(4 + (size & 127))
            self.pongs += opcode == 0x8A


def measure(desk: Desk, loadgen: Path, load: Load) -> Outcome:
    async def run() -> Outcome:
        server = await asyncio.start_server(desk.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        running = Running(port, "/all", "/each", HEADER, {}, {})
        async with server:
            outcome = await asyncio.to_thread(place, loadgen, running, load, ORDERS)
            server.close()
        return outcome

    return asyncio.run(run())


SHAPES: dict[str, Frames] = {
    "several frames at once": two_updates,
    "fields in any order": lambda i: frame(
        f'{{"status" : "CONFIRMED","version":5,"orderId": "{i}"}}'
    ),
    "an array of objects": lambda i: frame(
        f'[{{"orderId":"{i}","status":"SUBMITTED"}},{{"orderId":"{i}","status":"CONFIRMED"}}]'
    ),
    "nested objects and escapes": lambda i: frame(
        f'{{"orderId":"{i}","status":"CONFIRMED",'
        f'"error":{{"status":"FAILED","detail":"a \\"}} quote"}}}}'
    ),
    "the last state twice": lambda i: two_updates(i) + two_updates(i),
}


@pytest.mark.parametrize("frames", SHAPES.values(), ids=SHAPES.keys())
def test_confirms_every_order_whatever_the_shape(loadgen: Path, frames: Frames) -> None:
    desk = Desk(frames)

    outcome = measure(desk, loadgen, CLOSED_LOOP)

    assert (outcome.accepted, outcome.confirmed, desk.placed) == (ORDERS, ORDERS, ORDERS)
    assert (outcome.errors, outcome.failed, outcome.unfinished) == (0, 0, 0)
    assert 0 <= outcome.p50_ms <= outcome.p99_ms <= outcome.max_ms
    assert desk.pongs == 1


def test_places_a_backlog_without_waiting_for_updates(loadgen: Path) -> None:
    outcome = measure(Desk(two_updates), loadgen, BACKLOG)

    assert (outcome.confirmed, outcome.updates, outcome.errors) == (ORDERS, 2 * ORDERS, 0)


def test_watches_each_order_on_a_websocket_of_its_own(loadgen: Path) -> None:
    desk = Desk(two_updates)

    outcome = measure(desk, loadgen, PER_ORDER)

    assert (outcome.confirmed, outcome.errors) == (ORDERS, 0)
    assert desk.paths == {f"/each/{UUID(int=number)}" for number in range(1, ORDERS + 1)}


def test_counts_a_failed_order_as_failed(loadgen: Path) -> None:
    desk = Desk(lambda i: frame(f'{{"orderId":"{i}","status":"FAILED"}}'))

    outcome = measure(desk, loadgen, CLOSED_LOOP)

    assert (outcome.confirmed, outcome.failed, outcome.errors) == (0, ORDERS, 0)


def test_counts_a_refused_order_as_an_error_and_goes_on(loadgen: Path) -> None:
    outcome = measure(Desk(two_updates, refuse_every=4), loadgen, CLOSED_LOOP)

    assert (outcome.accepted, outcome.confirmed) == (ORDERS * 3 // 4, ORDERS * 3 // 4)
    assert (outcome.errors, outcome.unfinished) == (ORDERS // 4, ORDERS // 4)
