"""Connections: how many, from where, how much of a head, and how slowly they may read.

Below everything else: no request is read of a connection there is no room for. What a request may
take to arrive stands in `express.py`, how long its body may be in `edge.py`; the bounds of sockets
that were upgraded are the hub's, but here they count as the connections they still are.

A head has no bound of its own in the parser: a field without end would gather for as long as a
request may take to arrive.
"""

import asyncio
from collections import Counter
from http import HTTPStatus
from typing import Any, Final

import msgspec

from quantdesk.access.networks import whole
from quantdesk.api import problems
from quantdesk.api.express import Http
from quantdesk.api.protection.headers import EVERYWHERE, block
from quantdesk.api.wires import WebSocket
from quantdesk.core.errors import DeskError, Refused, Unavailable

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What is held open for clients; `trusted` addresses (proxies) are bounded by the total."""

    total: int = 5_000
    per_address: int = 256
    """Of one IPv4 address or IPv6 /64; this machine's own are bounded by the total."""
    head_bytes: int = 32 * 1024
    """Of a request line and its fields together."""
    fields: int = 100
    read_s: float = 30.0
    """How long a client may leave an answer unread."""
    trusted: frozenset[str] = _LOOPBACK


class Connections:
    """Counts what is open; one for a server."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.open = 0
        self.refused = 0
        self._by_address: Counter[str] = Counter()

    def enter(self, ip: str) -> DeskError | None:
        """Count a connection, or return why there is no room for it."""
        bounds, place = self.bounds, whole(ip)
        if self.open >= bounds.total:
            self.refused += 1
            return Unavailable("the desk has no room for more connections", code="desk.full")
        if ip not in bounds.trusted and self._by_address[place] >= bounds.per_address:
            self.refused += 1
            return Unavailable(
                f"{bounds.per_address} connections are open from your address",
                code="connections.too_many",
            )
        self.open += 1
        self._by_address[place] += 1
        return None

    def leave(self, ip: str) -> None:
        """Forget a connection that was counted."""
        place = whole(ip)
        self.open -= 1
        self._by_address[place] -= 1
        if not self._by_address[place]:
            del self._by_address[place]


class Bounded(Http):
    """A connection within bounds."""

    def __init__(self, *args: Any, connections: Connections, **more: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **more)
        self._connections = connections
        self._ip: str | None = None
        self._head_bytes = 0
        self._in_head = True
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection in, or say why not and close it."""
        super().connection_made(transport)
        ip = self.client[0] if self.client else ""
        problem = self._connections.enter(ip)
        if problem is None:
            self._ip = ip
        else:
            self._refuse(problem)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._leave()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came in, unless its head is too large or it was refused already."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._connections.bounds.head_bytes:
                self._refuse(_head_too_large(self._connections.bounds))

    def on_message_begin(self) -> None:
        """Begin to count a head."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hold a whole head against its bounds before anybody acts on it."""
        self._in_head = False
        bounds = self._connections.bounds
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > bounds.head_bytes or len(self.headers) > bounds.fields:
            self._refuse(_head_too_large(bounds))
            self.cycle = _Nobody()  # type: ignore[assignment]
        else:
            super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP in the words of all other answers."""
        self._refuse(Refused(msg, code="request.malformed"))

    def handle_websocket_upgrade(self) -> None:
        """Let the socket's own protocol say when the connection ends."""
        transport = self.transport
        super().handle_websocket_upgrade()
        protocol = transport.get_protocol()
        if isinstance(protocol, WebSocket):
            protocol.gone = self._leave
        else:
            self._leave()

    def pause_writing(self) -> None:
        """Give a client that reads too little a last while to do so."""
        super().pause_writing()
        if self._unread is None:
            bounds = self._connections.bounds
            self._unread = self.loop.call_later(bounds.read_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that it reads."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _leave(self) -> None:
        if self._ip is not None:
            self._connections.leave(self._ip)
            self._ip = None

    def _refuse(self, problem: DeskError) -> None:
        if not self.transport.is_closing():
            self.transport.write(_answer(problem))
            self.transport.close()


class _Nobody:
    """The cycle of a refused request: answered already, whatever else of it still comes."""

    response_complete = True
    disconnected = False
    more_body = False
    keep_alive = False

    @property
    def message_event(self) -> "_Nobody":
        """Return what the protocol sets when something came in."""
        return self

    def set(self) -> None:
        """Wake nobody."""


def _head_too_large(bounds: Bounds) -> Refused:
    return Refused(
        f"a request's head holds at most {bounds.fields} fields and {bounds.head_bytes} bytes",
        code="request.head_too_large",
    )


def _answer(problem: DeskError) -> bytes:
    status, body = problems.body(problem, request_id="-")
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nconnection: close\r\n"
        f"content-type: {problems.CONTENT_TYPE}\r\ncontent-length: {len(body)}\r\n"
    ).encode()
    told = block((*EVERYWHERE, *problems.headers(problem)))
    return b"%b%b\r\n%b" % (head, told, body)
