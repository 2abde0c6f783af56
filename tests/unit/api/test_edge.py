"""The edge answers every request once and with a problem document, whatever happens behind it."""

from collections.abc import MutableMapping
from typing import Any
from uuid import UUID

import msgspec
import pytest
from fastapi import APIRouter

from quantdesk.access.keys import Keys, digest, new_key
from quantdesk.access.model import Permission
from quantdesk.api import edge
from quantdesk.api.edge import Edge, Hot, Reply, Request
from quantdesk.api.pages import pages
from quantdesk.core.errors import Unavailable
from quantdesk.telemetry.metrics import Metrics
from quantdesk.testing.principals import key_holder

pytestmark = pytest.mark.anyio

Message = MutableMapping[str, Any]
KEY = new_key()
OWNER = key_holder(UUID(int=1))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Wire:
    """One connection: what the client sends, and what it got."""

    def __init__(self, *messages: Message) -> None:
        self._coming = list(messages)
        self.got: list[Message] = []

    async def receive(self) -> Message:
        """Return what the client sends next, and that it is gone at last."""
        if self._coming:
            return self._coming.pop(0)
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take what the client gets."""
        self.got.append(message)

    @property
    def answer(self) -> tuple[int, dict[str, Any]]:
        """Return status and body; fail unless there is exactly one answer."""
        start, body = self.got
        assert dict(start["headers"])[b"content-type"] == b"application/problem+json"
        return start["status"], msgspec.json.decode(body["body"])


async def echo(request: Request) -> Reply:
    return Reply(200, request.body)


async def broken(_: Request) -> Reply:
    raise ZeroDivisionError


def desk(metrics: Metrics) -> Edge:
    """Return an edge with a good and a broken hot path, and a broken page."""
    router = APIRouter()

    @router.get("/broken")
    async def page() -> None:
        raise ZeroDivisionError

    @router.get("/busy")
    async def busy() -> None:
        raise Unavailable("come back", code="desk.busy")

    async def socket(*_: object) -> bool:
        raise ZeroDivisionError

    return Edge(
        keys=Keys({digest(KEY): OWNER}),
        hot={
            ("POST", "/echo"): Hot(Permission.ORDERS_WRITE, echo),
            ("POST", "/broken"): Hot(Permission.ORDERS_WRITE, broken),
        },
        socket=socket,
        pages=pages([router], version="1", metrics=metrics),
        metrics=metrics,
    )


def scope(method: str, path: str, **more: object) -> Message:
    headers = [
        (b"authorization", f"Bearer {KEY}".encode()),
        (b"content-type", b"application/json"),
    ]
    return {"type": "http", "method": method, "path": path, "headers": headers,
            "query_string": b"", "raw_path": path.encode(), "client": ("127.0.0.1", 1),
            "scheme": "http", "http_version": "1.1", "root_path": "", **more}  # fmt: skip


async def test_takes_nothing_from_a_request_that_breaks_off() -> None:
    wire = Wire({"type": "http.request", "body": b"{}", "more_body": True})

    await desk(Metrics())(scope("POST", "/echo"), wire.receive, wire.send)

    status, problem = wire.answer
    assert (status, problem["code"]) == (400, "request.malformed")


async def test_bounds_a_body_that_comes_in_pieces() -> None:
    piece = {"type": "http.request", "body": b" " * edge.BODY_MAX, "more_body": True}
    wire = Wire(piece, {"type": "http.request", "body": b" ", "more_body": False})

    await desk(Metrics())(scope("POST", "/echo"), wire.receive, wire.send)

    status, problem = wire.answer
    assert (status, problem["code"]) == (413, "request.too_large")


@pytest.mark.parametrize(("method", "path"), [("POST", "/broken"), ("GET", "/broken")])
async def test_answers_once_and_counts_what_nobody_anticipated(method: str, path: str) -> None:
    metrics = Metrics()
    wire = Wire({"type": "http.request", "body": b"{}"})

    await desk(metrics)(scope(method, path), wire.receive, wire.send)

    status, problem = wire.answer
    assert (status, problem["code"], problem["retryable"]) == (500, "desk.unexpected", False)
    assert "ZeroDivisionError" not in problem["detail"]
    assert b'quantdesk_unexpected_errors_total{edge="http"} 1.0' in metrics.text()
    assert b'http_problems_total{code="desk.unexpected"} 1.0' in metrics.text()


async def test_says_when_to_come_back() -> None:
    wire = Wire()

    await desk(Metrics())(scope("GET", "/busy"), wire.receive, wire.send)

    status, problem = wire.answer
    assert (status, problem["code"], problem["retryable"]) == (503, "desk.busy", True)
    assert dict(wire.got[0]["headers"])[b"retry-after"] == b"2"


async def test_closes_a_socket_whose_stream_breaks() -> None:
    metrics = Metrics()
    wire = Wire({"type": "websocket.connect"})

    await desk(metrics)(scope("GET", "/ws", type="websocket"), wire.receive, wire.send)

    assert [message["type"] for message in wire.got] == ["websocket.accept", "websocket.close"]
    assert wire.got[-1]["code"] == 1011
    assert b'quantdesk_unexpected_errors_total{edge="websocket"} 1.0' in metrics.text()
