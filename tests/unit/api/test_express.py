"""The express lane answers what ASGI answers, byte for byte, and takes no request half."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

import pytest

from quantdesk.access.keys import Keys, digest, new_key
from quantdesk.access.model import Permission
from quantdesk.api.edge import BODY_MAX, Edge, Hot, Reply, Request
from quantdesk.api.pages import pages
from quantdesk.api.server import bind, serving
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.telemetry.metrics import Metrics
from quantdesk.testing.principals import key_holder

pytestmark = pytest.mark.anyio
KEY = new_key()
HOST = "Host: desk\r\n"
KNOWN = f"{HOST}Authorization: Bearer {KEY}\r\n"
TYPED = f"{KNOWN}Content-Type: application/json\r\n"
NAMED = re.compile(rb'"requestId":"[^"]*"')


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Served:
    """Two servers with the same hot paths: one with the lane, one without."""

    def __init__(self, lane: int, plain: int, handled: list[bytes]) -> None:
        self.ports = (lane, plain)
        self.handled = handled

    async def both(self, said: str) -> bytes:
        """Say the same to both, until they hang up; return their one answer."""
        lane, plain = [await _said(port, said.encode()) for port in self.ports]
        assert NAMED.sub(b"", lane) == NAMED.sub(b"", plain)
        return lane


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    handled: list[bytes] = []

    async def echo(request: Request) -> Reply:
        handled.append(request.body)
        if len(handled) % 2:
            await asyncio.sleep(0.01)  # the later of two must not overtake
        return Reply(201, request.body, ((b"location", b"/echo"),))

    async def busy(_: Request) -> Reply:
        raise Unavailable("come back", code="desk.busy")

    async def refusing(_: Request) -> Reply:
        raise Refused("no", code="request.malformed")

    async def broken(_: Request) -> Reply:
        raise ZeroDivisionError

    async def socketless(*_: object) -> bool:
        return False

    metrics = Metrics()
    edge = Edge(
        keys=Keys({digest(KEY): key_holder(UUID(int=1))}),
        hot={
            ("POST", "/echo"): Hot(Permission.ORDERS_WRITE, echo),
            ("POST", "/busy"): Hot(Permission.ORDERS_WRITE, busy),
            ("POST", "/refusing"): Hot(Permission.ORDERS_WRITE, refusing),
            ("POST", "/broken"): Hot(Permission.ORDERS_WRITE, broken),
        },
        socket=socketless,
        pages=pages([], version="1", metrics=metrics),
        metrics=metrics,
    )
    async with AsyncExitStack() as stack:
        ports = []
        for hot_paths in (edge, None):
            bound = bind("127.0.0.1", 0)
            await stack.enter_async_context(serving(edge, bound, hot_paths=hot_paths))
            ports.append(bound.getsockname()[1])
        yield Served(ports[0], ports[1], handled)


async def _said(port: int, said: bytes, *, hang_up: bool = False) -> bytes:
    loop = asyncio.get_running_loop()
    heard = b""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(0)
        async with asyncio.timeout(60):
            await loop.sock_sendall(client, said)
            if hang_up:
                return b""
            while chunk := await loop.sock_recv(client, 1 << 20):
                heard += chunk
    return heard


def post(path: str, body: str, headers: str = TYPED, *, last: bool = True) -> str:
    close = "Connection: close\r\n" if last else ""
    return f"POST {path} HTTP/1.1\r\n{headers}{close}Content-Length: {len(body)}\r\n\r\n{body}"


CHUNKED = post("/echo", "1\r\n7\r\n0\r\n\r\n").replace(
    "Content-Length: 11", "Transfer-Encoding: chunked"
)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (post("/echo", "{}"), 201),
        (post("/echo?x=1", "{}"), 201),
        (post("/echo", ""), 201),
        (post("/echo", "{}", KNOWN + "Content-Type: application/json; charset=utf-8\r\n"), 201),
        (post("/echo", "{}", KNOWN + "Content-Type: text/plain\r\n"), 415),
        (post("/echo", "{}", HOST + "Content-Type: application/json\r\n"), 401),
        (post("/echo", "{}", TYPED.replace(KEY, "qd_other")), 401),
        (post("/busy", "{}"), 503),
        (post("/refusing", "{}"), 400),
        (post("/broken", "{}"), 500),
        (post("/nowhere", "{}"), 404),
        (post("/echo", "x" * BODY_MAX), 201),
        (post("/echo", "{}").replace("HTTP/1.1", "HTTP/1.0"), 201),
        (post("/echo", "{}").replace("POST", "PUT"), 404),
        (CHUNKED, 201),
    ],
)  # fmt: skip
async def test_answers_as_asgi_does(served: Served, said: str, status: int) -> None:
    head = await served.both(said)

    assert head.startswith(b"HTTP/1.1 %d " % status)


async def test_answers_a_client_that_asks_whether_to_go_on(served: Served) -> None:
    said = post("/echo", "{}", TYPED + "Expect: 100-continue\r\n")

    answer = await served.both(said)

    assert answer.startswith((b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201", b"HTTP/1.1 201"))


async def test_answers_requests_in_a_row_in_their_order(served: Served) -> None:
    bodies = [f'"{number}"' for number in range(6)]
    said = "".join(post("/echo", body, last=body == bodies[-1]) for body in bodies)

    answer = await served.both(said)

    assert re.findall(rb'"\d"', answer) == [body.encode() for body in bodies]


async def test_takes_a_request_that_comes_in_pieces_once_it_is_whole(served: Served) -> None:
    loop = asyncio.get_running_loop()
    whole = post("/echo", '{"a":1}').encode()
    with socket.create_connection(("127.0.0.1", served.ports[0])) as client:
        client.settimeout(0)
        async with asyncio.timeout(60):
            for position in range(len(whole)):
                assert served.handled == []
                await loop.sock_sendall(client, whole[position : position + 1])
                await asyncio.sleep(0)
            answer = await loop.sock_recv(client, 65_536)

    assert answer.startswith(b"HTTP/1.1 201 ")
    assert served.handled == [b'{"a":1}']


async def test_takes_nothing_from_a_request_that_breaks_off(served: Served) -> None:
    whole = post("/echo", '{"a":1}').encode()
    await _said(served.ports[0], whole[:-1], hang_up=True)
    await _said(served.ports[0], post("/echo", "{}").encode())

    assert served.handled == [b"{}"]


async def test_refuses_a_body_that_is_too_large(served: Served) -> None:
    answer = await served.both(post("/echo", " " * (BODY_MAX + 1)))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert served.handled == []
