"""The ordinary way to the edge: every request is judged first, every answer leaves protected.

ASGI around the edge. Behind it `scope["client"]`, `scope["scheme"]` and the header `Host` are the
client's own, as trusted proxies tell them: whoever reads them needs to know nothing of proxies.
"""

from quantdesk.api import problems
from quantdesk.api.edge import App, Message, Receive, Scope, Send
from quantdesk.api.protection import headers as secure
from quantdesk.api.protection.protection import Protection
from quantdesk.api.protection.proxies import Seen, joined
from quantdesk.core.errors import Refused
from quantdesk.telemetry.metrics import Metrics

_FORBIDDEN = 4403
_SECURE = {"https": "https", "wss": "https"}
_OF_SOCKETS = {"http": "ws", "https": "wss"}


class Guarded:
    """An ASGI application that judges what comes in and protects what goes out."""

    def __init__(self, app: App, protection: Protection, *, metrics: Metrics) -> None:
        self._app = app
        self._protection = protection
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        headers = joined(scope["headers"])
        peer = scope["client"][0] if scope["client"] else ""
        scheme = _SECURE.get(scope["scheme"], "http")
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send, headers, self._seen(peer, headers, scheme))
        else:
            await self._page(scope, receive, send, headers, self._seen(peer, headers, scheme))

    def _seen(self, peer: str, headers: dict[bytes, bytes], scheme: str) -> Seen | Refused:
        try:
            return self._protection.judge(peer, headers, scheme=scheme)
        except Refused as problem:
            return problem

    async def _page(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: dict[bytes, bytes],
        seen: Seen | Refused,
    ) -> None:
        origin = headers.get(b"origin")
        tls = scope["scheme"] == "https" if isinstance(seen, Refused) else seen.scheme == "https"
        protected = self._protected(scope["path"], send, origin=origin, tls=tls)
        try:
            if isinstance(seen, Refused):
                raise seen
            preflight = self._protection.preflight(scope["method"], headers)
            self._protection.check_page(scope["method"], origin, seen)
        except Refused as problem:
            await self._refuse(problem, protected)
            return
        if preflight is not None:
            await _answer(protected, 204, preflight, b"")
            return
        _tell(scope, seen, seen.scheme)
        await self._app(scope, receive, protected)

    async def _socket(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: dict[bytes, bytes],
        seen: Seen | Refused,
    ) -> None:
        try:
            if isinstance(seen, Refused):
                raise seen
            self._protection.check_socket(headers.get(b"origin"), seen)
        except Refused as problem:
            self._metrics.http_problems.labels(problem.code).inc()
            await receive()
            # Accepted first: a client can read the code of a close, but not that of a refusal.
            await send({"type": "websocket.accept"})
            close = {"type": "websocket.close", "code": _FORBIDDEN, "reason": problem.code}
            await send(close)
            return
        _tell(scope, seen, _OF_SOCKETS[seen.scheme])
        await self._app(scope, receive, send)

    def _protected(self, path: str, send: Send, *, origin: bytes | None, tls: bool) -> Send:
        told = secure.fields(tls=tls)
        cors = self._protection.cors(origin)

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [*message.get("headers", ()), *secure.PAGES.get(path, ())]
                given += [*secure.missing(told, given), *secure.missing(cors, given)]
                secure.checked(given)
                message = {**message, "headers": given}
            await send(message)

        return protected

    async def _refuse(self, problem: Refused, send: Send) -> None:
        self._metrics.http_problems.labels(problem.code).inc()
        status, body = problems.body(problem, request_id="-")
        await _answer(send, status, ((b"content-type", problems.CONTENT_TYPE.encode()),), body)


def _tell(scope: Scope, seen: Seen, scheme: str) -> None:
    if scope["client"] is None or scope["client"][0] != seen.ip:
        scope["client"] = (seen.ip, 0)
    scope["scheme"] = scheme
    # One Host, the one that was judged, whoever reads it behind.
    others = (field for field in scope["headers"] if field[0] != b"host")
    scope["headers"] = [(b"host", seen.host), *others]


async def _answer(send: Send, status: int, fields: secure.Fields, body: bytes) -> None:
    length = () if status == 204 else ((b"content-length", b"%d" % len(body)),)  # noqa: PLR2004
    await send({"type": "http.response.start", "status": status, "headers": [*fields, *length]})
    await send({"type": "http.response.body", "body": body})
