"""The edge: every request comes in here, learns who it speaks for, and leaves with an answer.

Bare ASGI in front of FastAPI: the two hot paths, placing an order and following orders, never
enter the framework. Whatever goes wrong leaves as a problem document; an error that nobody
anticipated is caught here and nowhere else, logged and counted.
"""

import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

import msgspec
import structlog

from quantdesk.access.callers import Callers
from quantdesk.access.keys import Given
from quantdesk.access.model import Origin, Permission, Principal
from quantdesk.api import given as credentials
from quantdesk.api import problems
from quantdesk.api.border import Border
from quantdesk.api.given import SAFE, Headers, Peer, check_csrf, check_origin
from quantdesk.api.needs import allow, unauthenticated
from quantdesk.api.wires import EXTENSION, WebSocket
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


class Request(msgspec.Struct, frozen=True):
    """A request of a hot path: its body is read, its caller known."""

    principal: Principal
    headers: Headers
    body: bytes
    origin: Origin = Origin(ip="")


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


class Files(Protocol):
    """What anybody may have: the desk's page (`web.py`)."""

    def owns(self, method: str, path: str) -> bool:
        """Return whether a request is for one of them."""

    def reply(self, path: str, headers: Headers) -> Reply:
        """Return the answer; raise `Refused` (`request.not_found`)."""


Socket = Callable[[Principal, Scope, Receive, Send], Awaitable[bool]]
"""Serves an accepted socket; False when there is none at its path."""


class Ridden(Protocol):
    """A hot request that came by the express lane (`express.py`)."""

    hot: Hot
    headers: Headers
    peer: Peer
    path: str


class Edge:
    """The ASGI application."""

    def __init__(
        self,
        *,
        keys: Callers,
        hot: Mapping[tuple[str, str], Hot],
        socket: Socket,
        pages: App,
        metrics: Metrics,
        border: Border | None = None,
    ) -> None:
        self._keys = keys
        self._hot = {
            (method.encode(), path.encode()): handler for (method, path), handler in hot.items()
        }
        self._socket = socket
        self._pages = pages
        self._metrics = metrics
        self._border = border or Border()
        self._files: Files | None = None
        self._open: dict[WebSocket, Principal] = {}
        self._requests = 0
        keys.on_change(self._close_revoked)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        self._requests += 1
        scope["request_id"] = number = self._requests
        if scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send)
            return
        try:
            await self._serve(scope, receive, send)
        except DeskError as problem:
            self._tell(problem, scope)
            await _answer(send, _with(self._refusal(problem, number), scope.get("extra", ())))
        except Exception:  # the outermost edge
            self._metrics.unexpected.labels("http").inc()
            log.exception("http.unexpected", path=scope["path"], request_id=_named(number))
            if not scope.get("answered"):
                await _answer(send, self._refusal(unexpected(), number))

    def show(self, files: Files) -> None:
        """Let anybody have these files, who or whatever they are."""
        self._files = files

    def hot(self, method: bytes, path: bytes) -> Hot | None:
        """Return the handler of a hot path, None for all others."""
        return self._hot.get((method, path))

    @property
    def hot_paths(self) -> Mapping[tuple[bytes, bytes], Hot]:
        """Return what is served past the framework, by method and path."""
        return self._hot

    async def reply(self, ride: "Ridden", body: bytes) -> Reply:
        """Return the answer to a hot request, whatever happens behind it."""
        self._requests += 1
        number, headers, hot = self._requests, ride.headers, ride.hot
        peer = self._border.seen(ride.peer, headers)
        origin = _origin(peer, headers, number)
        caller: Principal | None = None
        extra: tuple[tuple[bytes, bytes], ...] = ()
        try:
            caller = await self._caller(
                credentials.given(headers, ip=peer.ip), headers, peer, b"POST"
            )
            extra = tuple(self._border.admit(caller, origin, "POST", ride.path))
            request = Request(allow(caller, hot.permission), headers, body, origin)
            return _with(await hot.serve(request), extra)
        except DeskError as problem:
            self._border.refused(problem, caller, origin, ride.path)
            return _with(self._refusal(problem, number), extra)
        except Exception:  # the outermost edge
            self._metrics.unexpected.labels("http").inc()
            log.exception("http.unexpected", request_id=_named(number))
            return self._refusal(unexpected(), number)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        peer = self._met(scope, headers)
        method, path = scope["method"], scope["path"]
        if self._files is not None and self._files.owns(method, path):
            scope["extra"] = self._border.admit(None, scope["origin"], method, path)
            await _answer(send, _with(self._files.reply(path, headers), scope["extra"]))
            return
        given = credentials.given(headers, ip=peer.ip)
        scope["principal"] = None
        try:
            scope["principal"] = await self._caller(given, headers, peer, method.encode())
        except DeskError as problem:
            if not _is_public(scope):
                raise
            scope["turned_away"] = problem
        extra = tuple(self._border.admit(scope["principal"], scope["origin"], method, path))
        scope["extra"] = extra
        if scope["principal"] is None and not _is_public(scope):
            raise unauthenticated()
        hot = self.hot(method.encode(), path.encode())
        if hot is None:
            answering = _answering(scope, send, extra)
            await self._pages(scope, _bounded(receive, headers), answering)
            if "problem" in scope:
                self._tell(scope["problem"], scope)
            return
        caller = allow(scope["principal"], hot.permission)
        request = Request(caller, headers, await _body(receive, headers), scope["origin"])
        await _answer(send, _with(await hot.serve(request), extra))

    async def _caller(
        self, given: Given, headers: Headers, peer: Peer, method: bytes
    ) -> Principal | None:
        """Return who asks; raise `Refused` for a cookie that somebody else made a browser send."""
        caller = self._keys.caller(given)
        if caller is None and (given.authorization or given.cookie or given.ticket):
            caller = await self._keys.late_caller(given)
        if caller is not None and given.cookie is not None:
            is_socket = method == b""
            check_origin(headers, peer, allowed=self._border.origins, demanded=is_socket)
            if not is_socket and method not in SAFE:
                check_csrf(headers, self._keys.csrf(given.cookie))
        return caller

    def _met(self, scope: Scope, headers: Headers) -> Peer:
        """Return who is asking from where, and note it in the scope."""
        client = scope["client"]
        scheme = "https" if scope["scheme"] in {"https", "wss"} else "http"
        peer = self._border.seen(Peer(client[0] if client else "", scheme), headers)
        scope["origin"] = _origin(peer, headers, scope["request_id"])
        scope["peer"] = peer
        return peer

    def _tell(self, problem: DeskError, scope: Scope) -> None:
        # Without an origin it was refused before anybody was asked.
        if "origin" in scope:
            self._border.refused(problem, scope.get("principal"), scope["origin"], scope["path"])

    def _refusal(self, problem: DeskError, number: int) -> Reply:
        self._metrics.http_problems.labels(problem.code).inc()
        status, body = problems.body(problem, request_id=_named(number))
        extra = problems.headers(problem)
        if status == HTTPStatus.UNAUTHORIZED:
            extra += ((b"www-authenticate", b"Bearer"),)  # RFC 9110 §11.6.1
        return Reply(status, body, extra, problems.CONTENT_TYPE.encode())

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "websocket.connect"
        headers = dict(scope["headers"])
        peer = self._met(scope, headers)
        given = credentials.socket_given(headers, ip=peer.ip, query=scope.get("query_string", b""))
        wire = scope.get("extensions", {}).get(EXTENSION)
        try:
            caller, problem = await self._caller(given, headers, peer, b""), None
            self._border.admit(caller, scope["origin"], "GET", scope["path"])
        except DeskError as turned_away:
            caller, problem = None, turned_away
        try:
            # Accepted first: a client can read the code of a close, but not that of a refusal.
            await send({"type": "websocket.accept"})
            if caller is not None and wire is not None:
                self._open[wire] = caller
            if caller is None or not self._keys.still(caller):
                problem = problem or unauthenticated()
                self._metrics.http_problems.labels(problem.code).inc()
                self._tell(problem, scope)
                await send({"type": "websocket.close", **_closing(problem)})
            elif not await self._socket(caller, scope, receive, send):
                await send({"type": "websocket.close", "code": 4404, "reason": "no such stream"})
        except Exception:  # the outermost edge
            self._metrics.unexpected.labels("websocket").inc()
            log.exception("websocket.unexpected", path=scope["path"])
            await send({"type": "websocket.close", "code": 1011})
        finally:
            self._open.pop(wire, None)

    def _close_revoked(self) -> None:
        """Close the sockets of all who may no longer do what they could when they opened them."""
        for wire, caller in tuple(self._open.items()):
            if not self._keys.still(caller):
                wire.end(4401, "signed out, or changed in what you may do")


def request_id(scope: Scope) -> str:
    """Return what names a request in answers and logs: unique while this desk runs."""
    return _named(scope["request_id"])


def _named(number: int) -> str:
    return f"{os.getpid():x}-{number:x}"


def unexpected() -> Corrupt:
    """Return what a client is told of an error that nobody anticipated."""
    return Corrupt("the desk failed; the log knows more", code="desk.unexpected")


def _answering(scope: Scope, send: Send, extra: Sequence[tuple[bytes, bytes]]) -> Send:
    """Return `send` that notes in the scope when an answer has begun: there is only one.

    It adds headers, and sees to it that a cookie set over TLS never goes out without.
    """
    secure = scope["peer"].scheme == "https"

    async def answering(message: Message) -> None:
        scope["answered"] = True
        if message["type"] == "http.response.start" and (extra or secure):
            told = [_secured(header) if secure else header for header in message["headers"]]
            message = {**message, "headers": [*told, *extra]}
        await send(message)

    return answering


def _secured(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    name, value = header
    return (name, value + b"; Secure") if name.lower() == b"set-cookie" else header


def _with(reply: Reply, extra: Sequence[tuple[bytes, bytes]]) -> Reply:
    if not extra:
        return reply
    return msgspec.structs.replace(reply, headers=(*reply.headers, *extra))


def _closing(problem: DeskError) -> dict[str, Any]:
    """Return the code of a close, and words short enough for one (RFC 6455 §5.5)."""
    status = problems.status_of(problem)
    if status == HTTPStatus.UNAUTHORIZED:
        return {"code": 4401, "reason": "not signed in"}
    if status == HTTPStatus.FORBIDDEN:
        return {"code": 4403, "reason": problem.detail[:100]}
    return {"code": 1013, "reason": problem.detail[:100]}


def _is_public(scope: Scope) -> bool:
    path = scope["path"]
    if path == "/metrics":
        return bool(scope["client"]) and scope["client"][0] in _LOOPBACK
    return path in _PUBLIC or path.startswith(_SIGN_IN)


def _origin(peer: Peer, headers: Headers, number: int) -> Origin:
    agent = headers.get(b"user-agent", b"")[:_AGENT_BYTES_MAX].decode("latin-1")
    return Origin(ip=peer.ip, agent=agent, request_id=_named(number))


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
    told = list(reply.headers)
    if reply.status != HTTPStatus.NOT_MODIFIED:  # it tells of nothing that it does not hold
        length = (b"content-length", b"%d" % len(reply.body))
        told = [(b"content-type", reply.content_type), length, *told]
    await send({"type": "http.response.start", "status": reply.status, "headers": told})
    await send({"type": "http.response.body", "body": reply.body})
