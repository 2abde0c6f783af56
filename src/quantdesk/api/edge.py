"""The edge: every request comes in here, learns who it speaks for, and leaves with an answer.

Bare ASGI in front of FastAPI: the two hot paths, placing an order and following orders, never
enter the framework. Whatever goes wrong leaves as a problem document; an error that nobody
anticipated is caught here and nowhere else, logged and counted.
"""

import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any

import msgspec
import structlog

from quantdesk.access.keys import Keys, Principal
from quantdesk.api import problems
from quantdesk.core.errors import Corrupt, DeskError, Refused
from quantdesk.telemetry.metrics import Metrics

log = structlog.get_logger()

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_MAX = 64 * 1024

_PUBLIC = frozenset({"/healthz", "/readyz", "/api/docs", "/api/openapi.json"})
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


class Request(msgspec.Struct, frozen=True):
    """A request of a hot path: its body is read, its caller known."""

    principal: Principal
    headers: Mapping[bytes, bytes]
    body: bytes


class Reply(msgspec.Struct, frozen=True):
    """What a hot path answers."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


Hot = Callable[[Request], Awaitable[Reply]]
Socket = Callable[[Principal, Scope, Receive, Send], Awaitable[bool]]
"""Serves an accepted socket; False when there is none at its path."""


class Edge:
    """The ASGI application."""

    def __init__(
        self,
        *,
        keys: Keys,
        hot: Mapping[tuple[str, str], Hot],
        socket: Socket,
        pages: App,
        metrics: Metrics,
    ) -> None:
        self._keys = keys
        self._hot = hot
        self._socket = socket
        self._pages = pages
        self._metrics = metrics
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send)
            return
        self._requests += 1
        scope["request_id"] = self._requests
        try:
            await self._serve(scope, receive, send)
        except DeskError as problem:
            await self._refuse(problem, scope, send)
        except Exception:  # the outermost edge
            self._metrics.unexpected.labels("http").inc()
            log.exception("http.unexpected", path=scope["path"], request_id=request_id(scope))
            if not scope.get("answered"):
                await self._refuse(unexpected(), scope, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        principal = self._keys.principal(_authorization(headers))
        if principal is None and not _is_public(scope):
            raise Refused(
                "send Authorization: Bearer <API key>; the owner's is in owner.key",
                code="request.unauthenticated",
            )
        hot = self._hot.get((scope["method"], scope["path"]))
        if hot is None or principal is None:
            scope["principal"] = principal
            await self._pages(scope, _bounded(receive, headers), _noting(scope, send))
            return
        reply = await hot(Request(principal, headers, await _body(receive, headers)))
        await _answer(send, reply.status, reply.body, b"application/json", reply.headers)

    async def _refuse(self, problem: DeskError, scope: Scope, send: Send) -> None:
        self._metrics.http_problems.labels(problem.code).inc()
        status, body = problems.body(problem, request_id=request_id(scope))
        extra = ((b"retry-after", b"%d" % problems.RETRY_AFTER_S),) if problem.retryable else ()
        if status == HTTPStatus.UNAUTHORIZED:
            extra = ((b"www-authenticate", b"Bearer"),)  # RFC 9110 §11.6.1
        await _answer(send, status, body, problems.CONTENT_TYPE.encode(), extra)

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "websocket.connect"
        headers = dict(scope["headers"])
        principal = self._keys.principal(_authorization(headers))
        # Accepted first: a client can read the code of a close, but not that of a refusal.
        await send({"type": "websocket.accept"})
        try:
            if principal is None:
                await send({"type": "websocket.close", "code": 4401, "reason": "not signed in"})
            elif not await self._socket(principal, scope, receive, send):
                await send({"type": "websocket.close", "code": 4404, "reason": "no such stream"})
        except Exception:  # the outermost edge
            self._metrics.unexpected.labels("websocket").inc()
            log.exception("websocket.unexpected", path=scope["path"])
            await send({"type": "websocket.close", "code": 1011})


def request_id(scope: Scope) -> str:
    """Return what names a request in answers and logs: unique while this desk runs."""
    return f"{os.getpid():x}-{scope['request_id']:x}"


def unexpected() -> Corrupt:
    """Return what a client is told of an error that nobody anticipated."""
    return Corrupt("the desk failed; the log knows more", code="desk.unexpected")


def _noting(scope: Scope, send: Send) -> Send:
    """Return `send` that notes in the scope when an answer has begun: there is only one."""

    async def noting(message: Message) -> None:
        scope["answered"] = True
        await send(message)

    return noting


def _authorization(headers: Mapping[bytes, bytes]) -> str | None:
    value = headers.get(b"authorization")
    return None if value is None else value.decode("latin-1")


def _is_public(scope: Scope) -> bool:
    path = scope["path"]
    if path == "/metrics":
        return bool(scope["client"]) and scope["client"][0] in _LOOPBACK
    return path in _PUBLIC


async def _body(receive: Receive, headers: Mapping[bytes, bytes]) -> bytes:
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
        raise Refused("send Content-Type: application/json", code="request.not_json")
    bounded = _bounded(receive, headers)
    body: bytes = b""
    while (message := await bounded())["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body
    # What came may read like a whole order all the same: nobody stands behind it any more.
    raise Refused("the request broke off before its end", code="request.malformed")


def _bounded(receive: Receive, headers: Mapping[bytes, bytes]) -> Receive:
    """Return `receive` with a bound on the body's size."""
    if int(headers.get(b"content-length", b"0")) > BODY_MAX:
        raise _too_large()
    left = BODY_MAX

    async def bounded() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _too_large()
        return message

    return bounded


def _too_large() -> Refused:
    return Refused(f"a body holds at most {BODY_MAX} bytes", code="request.too_large")


async def _answer(
    send: Send,
    status: int,
    body: bytes,
    content_type: bytes,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", content_type),
                (b"content-length", b"%d" % len(body)),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
