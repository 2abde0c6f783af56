"""The little that a process serves which takes no clients: whether it lives, is ready, its numbers.

Also what stands in an api process's place until it knows whose wallet it trades for.
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final

import msgspec

from quantdesk.api import problems
from quantdesk.api.edge import Hot, Message, Receive, Reply, Ridden, Scope, Send
from quantdesk.api.system import HealthView, ReadyView, ServiceView
from quantdesk.core.errors import DeskError, Refused
from quantdesk.telemetry.metrics import CONTENT_TYPE, Metrics
from quantdesk.telemetry.redaction import redaction

Ask = Callable[[], Awaitable[Reply]]

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_NUMBERS: Final = "/metrics"


class Small:
    """An ASGI application of some GET paths; for all others it says why it does not serve them."""

    def __init__(
        self, paths: Mapping[str, Ask], *, otherwise: Callable[[], DeskError], metrics: Metrics
    ) -> None:
        self._paths = paths
        self._otherwise = otherwise
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or turn one socket away."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": 1013, "reason": self._words()})
            return
        await _send(send, await self._reply(scope))

    def hot(self, method: bytes, path: bytes) -> Hot | None:  # noqa: ARG002 - none is hot
        """Return None: nothing here is in a hurry."""
        return None

    async def reply(self, ride: Ridden, body: bytes) -> Reply:  # noqa: ARG002 - as above
        """Never called: nothing is hot."""
        raise AssertionError("nothing is hot")

    async def _reply(self, scope: Scope) -> Reply:
        ask = self._paths.get(scope["path"])
        if scope["path"] == _NUMBERS and not _is_near(scope):
            ask = None  # as at the edge: numbers are told to this machine alone
        if ask is None or scope["method"] != "GET":
            return self._problem(self._otherwise())
        try:
            return await ask()
        except DeskError as problem:
            return self._problem(problem)

    def _problem(self, problem: DeskError) -> Reply:
        self._metrics.http_problems.labels(problem.code).inc()
        status, body = problems.body(problem, request_id="-")
        return Reply(status, body, problems.headers(problem), problems.CONTENT_TYPE.encode())

    def _words(self) -> str:
        return self._otherwise().detail[:100]


def told(services: Callable[[], Awaitable[list[ServiceView]]], metrics: Metrics) -> dict[str, Ask]:
    """Return the paths of a process that takes no clients: health, readiness, numbers."""

    async def ready() -> Reply:
        shown = [
            ServiceView(each.name, each.state, redaction.text(each.detail))
            for each in await services()
        ]
        are_ready = all(each.state in {"Ready", "Processing"} for each in shown)
        status = HTTPStatus.OK if are_ready else HTTPStatus.SERVICE_UNAVAILABLE
        return Reply(status.value, msgspec.json.encode(ReadyView(are_ready, shown)))

    async def numbers() -> Reply:
        return Reply(200, metrics.text(), content_type=CONTENT_TYPE.encode())

    return {"/healthz": alive, "/readyz": ready, _NUMBERS: numbers}


async def alive() -> Reply:
    """Answer that the process does."""
    return Reply(200, msgspec.json.encode(HealthView("ok")))


def no_clients() -> DeskError:
    """Return what a worker says to whoever takes it for a desk."""
    return Refused("this process executes orders: ask the api process", code="request.not_found")


def _is_near(scope: Scope) -> bool:
    return bool(scope["client"]) and scope["client"][0] in _LOOPBACK


async def _send(send: Send, reply: Reply) -> None:
    length = (b"content-length", b"%d" % len(reply.body))
    headers = [(b"content-type", reply.content_type), length, *reply.headers]
    start: Message = {"type": "http.response.start", "status": reply.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": reply.body})
