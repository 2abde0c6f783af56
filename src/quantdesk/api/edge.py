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

from quantdesk.access.keys import Keys
from quantdesk.access.model import Origin, Permission, Principal
from quantdesk.api import problems
from quantdesk.api.needs import allow, unauthenticated
from quantdesk.core.errors import Corrupt, DeskError, Refused
from quantdesk.telemetry.metrics import Metrics

log = structlog.get_logger()

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_MAX = 64 * 1024
_AGENT_BYTES_MAX = 200

_PUBLIC = frozenset({"/healthz", "/readyz", "/api/docs", "/api/openapi.json"})
_SIGN_IN = "/api/auth/"
"""Whoever is about to sign in is nobody yet; each route below says what it needs."""
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


Headers = Mapping[bytes, bytes]


class Request(msgspec.Struct, frozen=True):
    """A request of a hot path: its body is read, its caller known."""

    principal: Principal
    headers: Headers
    body: bytes


class Reply(msgspec.Struct, frozen=True):
    """What a hot path answers."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    content_type: bytes = b"application/json"


Serve = Callable[[Request], Awaitable[Reply]]


class Hot(msgspec.Struct, frozen=True):
    """A hot path: what a caller needs, and who serves them."""

    permission: Permission
    serve: Serve


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
        self._hot = {
            (method.encode(), path.encode()): handler for (method, path), handler in hot.items()
        }
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
        scope["request_id"] = number = self._requests
        try:
            await self._serve(scope, receive, send)
        except DeskError as problem:
            await _answer(send, self._refusal(problem, number))
        except Exception:  # the outermost edge
            self._metrics.unexpected.labels("http").inc()
            log.exception("http.unexpected", path=scope["path"], request_id=_named(number))
            if not scope.get("answered"):
                await _answer(send, self._refusal(unexpected(), number))

    def hot(self, method: bytes, path: bytes) -> Hot | None:
        """Return the handler of a hot path, None for all others."""
        return self._hot.get((method, path))

    async def reply(self, hot: Hot, headers: Headers, body: bytes) -> Reply:
        """Return the answer to a hot request, whatever happens behind it."""
        self._requests += 1
        number = self._requests
        try:
            caller = allow(self._keys.principal(_authorization(headers)), hot.permission)
            return await hot.serve(Request(caller, headers, body))
        except DeskError as problem:
            return self._refusal(problem, number)
        except Exception:  # the outermost edge
            self._metrics.unexpected.labels("http").inc()
            log.exception("http.unexpected", request_id=_named(number))
            return self._refusal(unexpected(), number)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        scope["origin"] = _origin(scope, headers)
        scope["principal"] = principal = self._keys.principal(_authorization(headers))
        if principal is None and not _is_public(scope):
            raise unauthenticated()
        hot = self.hot(scope["method"].encode(), scope["path"].encode())
        if hot is None:
            await self._pages(scope, _bounded(receive, headers), _noting(scope, send))
            return
        caller = allow(principal, hot.permission)
        request = Request(caller, headers, await _body(receive, headers))
        await _answer(send, await hot.serve(request))

    def _refusal(self, problem: DeskError, number: int) -> Reply:
        self._metrics.http_problems.labels(problem.code).inc()
        status, body = problems.body(problem, request_id=_named(number))
        extra = ((b"retry-after", b"%d" % problems.RETRY_AFTER_S),) if problem.retryable else ()
        if status == HTTPStatus.UNAUTHORIZED:
            extra = ((b"www-authenticate", b"Bearer"),)  # RFC 9110 §11.6.1
        return Reply(status, body, extra, problems.CONTENT_TYPE.encode())

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
    return _named(scope["request_id"])


def _named(number: int) -> str:
    return f"{os.getpid():x}-{number:x}"


def unexpected() -> Corrupt:
    """Return what a client is told of an error that nobody anticipated."""
    return Corrupt("the desk failed; the log knows more", code="desk.unexpected")


def _noting(scope: Scope, send: Send) -> Send:
    """Return `send` that notes in the scope when an answer has begun: there is only one."""

    async def noting(message: Message) -> None:
        scope["answered"] = True
        await send(message)

    return noting


def _authorization(headers: Headers) -> str | None:
    value = headers.get(b"authorization")
    return None if value is None else value.decode("latin-1")


def _is_public(scope: Scope) -> bool:
    path = scope["path"]
    if path == "/metrics":
        return bool(scope["client"]) and scope["client"][0] in _LOOPBACK
    return path in _PUBLIC or path.startswith(_SIGN_IN)


def _origin(scope: Scope, headers: Headers) -> Origin:
    client = scope["client"]
    return Origin(
        ip=client[0] if client else "",
        agent=headers.get(b"user-agent", b"")[:_AGENT_BYTES_MAX].decode("latin-1"),
        request_id=request_id(scope),
    )


async def _body(receive: Receive, headers: Headers) -> bytes:
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


def _bounded(receive: Receive, headers: Headers) -> Receive:
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


async def _answer(send: Send, reply: Reply) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [
                (b"content-type", reply.content_type),
                (b"content-length", b"%d" % len(reply.body)),
                *reply.headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": reply.body})
