"""Uvicorn's HTTP protocol with an express lane: hot requests skip the ASGI cycle.

A cycle's scope, events and messages cost the desk more than reading an order does
(docs/numbers.md). The lane takes the ordinary case alone: a hot path, JSON, a stated length, and
nothing of the same connection still unanswered. Whatever differs goes through ASGI to the same
handler and is answered in the same words.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final, Protocol

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from quantdesk.api import problems
from quantdesk.api.corked import Corked
from quantdesk.api.edge import BODY_MAX, Hot, Reply, Ridden
from quantdesk.api.given import Headers, Peer
from quantdesk.api.protection.headers import EVERYWHERE, block, checked, fields
from quantdesk.api.protection.protection import Passage, Protection
from quantdesk.core.errors import Refused

REQUEST_S = 10.0
"""How long a client may take to send a request, or its first one after connecting."""

_TOO_SLOW = problems.body(
    Refused("the request did not arrive in time", code="request.slow"), request_id="-"
)[1]
_TIMED_OUT = (
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n"
    b"content-type: application/problem+json\r\ncontent-length: %d\r\n%b\r\n%b"
) % (len(_TOO_SLOW), block(EVERYWHERE + fields(tls=False)), _TOO_SLOW)
_STATUS_LINES: Final = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode())
    for status in HTTPStatus
}
_SECURE: Final = block(EVERYWHERE)
_JSON: Final = b"application/json"
_UNUSUAL: Final = frozenset({b"transfer-encoding", b"expect", b"upgrade"})


class HotPaths(Protocol):
    """Where hot requests are served: the edge."""

    def hot(self, method: bytes, path: bytes) -> Hot | None:
        """Return the handler of a hot path, None for all others."""

    async def reply(self, ride: Ridden, body: bytes) -> Reply:
        """Return the answer to a hot request, whatever happens behind it."""


class Http(HttpToolsProtocol):
    """One connection; a request must arrive within `REQUEST_S`."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - uvicorn's
        hot_paths: HotPaths | None = None,
        protection: Protection | None = None,
        **more: Any,  # noqa: ANN401 - uvicorn's
    ) -> None:
        super().__init__(*args, **more)
        self._protection = protection
        self._hot_paths = hot_paths
        self._late: asyncio.TimerHandle | None = None
        self._arriving = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Cork the transport of a new connection and wait for its first request."""
        super().connection_made(Corked(transport))  # type: ignore[arg-type]
        self._late = self.loop.call_later(REQUEST_S, self._too_slow)

    def data_received(self, data: bytes) -> None:
        """Read what came in; one request gets its time, however slowly its parts drip in."""
        super().data_received(data)
        if not self._arriving:
            self._in_time()
        elif self._late is None:
            self._late = self.loop.call_later(REQUEST_S, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._in_time()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Give a request its own time: what came before it is complete."""
        self._in_time()
        self._arriving = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Take a request into the lane, or start its ASGI cycle."""
        ride = self._lane()
        if ride is None:
            super().on_headers_complete()
        else:
            self.cycle = ride  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        """Let a complete request take the time it needs."""
        self._arriving = False
        super().on_message_complete()
        ride = self.cycle
        if isinstance(ride, _Ride) and not ride.response_complete:
            task = self.loop.create_task(self._serve(ride))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def _lane(self) -> "_Ride | None":
        unanswered = bool(self.cycle) and not self.cycle.response_complete
        if self._hot_paths is None or unanswered or self.parser.get_http_version() != "1.1":
            return None
        hot = self._hot_paths.hot(self.parser.get_method(), self.url)
        if hot is None:
            return None
        headers = dict(self.headers)
        length = int(headers.get(b"content-length", 0))
        if not 0 < length <= BODY_MAX or headers.get(b"content-type") != _JSON:
            return None
        passage = self._passage(headers) if _UNUSUAL.isdisjoint(headers) else None
        if passage is None:
            return None
        return _Ride(
            hot,
            headers,
            passage,
            path=self.url.decode(),
            keep_alive=self.parser.should_keep_alive(),
        )

    def _passage(self, headers: Headers) -> Passage | None:
        peer = self.client[0] if self.client else ""
        if self._protection is None:
            return Passage(peer, self.scheme or "http", b"")
        if len(headers) != len(self.headers):
            return None  # who says a thing twice is judged with more care
        return self._protection.passage(peer, headers, tls=self.scheme == "https")

    async def _serve(self, ride: "_Ride") -> None:
        assert self._hot_paths is not None, "a request was taken by its hot path"
        reply = await self._hot_paths.reply(ride, bytes(ride.body))
        if ride.disconnected:
            return
        if self.flow.write_paused:
            await self.flow.drain()
        self.transport.write(_response(reply, ride.passage, keep_alive=ride.keep_alive))
        ride.response_complete = True
        if not ride.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_TIMED_OUT)
            self.transport.close()


class _Ride:
    """A hot request on its way; the protocol handles it as it handles its own cycles."""

    __slots__ = (
        "body", "disconnected", "headers", "hot", "keep_alive", "more_body", "passage", "path",
        "peer", "response_complete",
    )  # fmt: skip

    def __init__(
        self, hot: Hot, headers: Headers, passage: Passage, *, path: str, keep_alive: bool
    ) -> None:
        self.hot = hot
        self.headers = headers
        self.peer = Peer(passage.ip, passage.scheme)
        self.passage = passage
        self.path = path
        self.keep_alive = keep_alive
        self.body = bytearray()
        self.more_body = True
        self.response_complete = False
        self.disconnected = False

    @property
    def message_event(self) -> "_Ride":
        """Return what the protocol sets when something came in."""
        return self

    def set(self) -> None:
        """Wake nobody: the handler starts when the request is whole."""


def _response(reply: Reply, passage: Passage, *, keep_alive: bool) -> bytes:
    checked(reply.headers)
    head = [
        _STATUS_LINES[reply.status],
        _SECURE,
        b"content-type: %b\r\ncontent-length: %d\r\n" % (reply.content_type, len(reply.body)),
    ]
    head += [b"%b: %b\r\n" % header for header in reply.headers]
    head.append(passage.block)
    if not keep_alive:
        head.append(b"connection: close\r\n")
    return b"%b\r\n%b" % (b"".join(head), reply.body)
