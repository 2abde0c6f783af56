"""Sockets that write once per turn of the event loop.

A response is a head and a body, and an order's stages come in bursts: each would be a system call
of its own, and that call is most of what they cost (docs/numbers.md). Here whatever one turn wrote
to a connection leaves together. Server text frames are also built right here, without the general
machinery: no mask, no fragments (RFC 6455 §5.2).
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from quantdesk.api import problems
from quantdesk.core.errors import Refused

REQUEST_S = 10.0
"""How long a client may take to send a request, or its first one after connecting."""

_TOO_SLOW = problems.body(
    Refused("the request did not arrive in time", code="request.slow"), request_id="-"
)[1]
_TIMED_OUT = (
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n"
    b"content-type: application/problem+json\r\ncontent-length: %d\r\n\r\n%b"
) % (len(_TOO_SLOW), _TOO_SLOW)
_TEXT = 0x81  # a final text frame
_SHORT_MAX = 125
_MEDIUM_MAX = 0xFFFF


class _Corked:
    """A transport whose writes wait for the end of the turn; everything else passes through."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._written: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._written:
            self._loop.call_soon(self._flush)
        self._written.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        written, self._written = self._written, []
        if written and not self._transport.is_closing():
            self._transport.write(b"".join(written))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a transport has
        return getattr(self._transport, name)


class Http(HttpToolsProtocol):
    """Uvicorn's HTTP protocol on a corked transport; a request must arrive within `REQUEST_S`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Cork the transport of a new connection and wait for its first request."""
        super().connection_made(_Corked(transport))  # type: ignore[arg-type]
        self._late = self.loop.call_later(REQUEST_S, self._too_slow)

    def on_message_begin(self) -> None:
        """Give a request its time, however slowly its parts drip in."""
        self._late.cancel()
        self._late = self.loop.call_later(REQUEST_S, self._too_slow)
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Let a complete request take the time it needs."""
        self._late.cancel()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._late.cancel()
        super().connection_lost(exc)

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_TIMED_OUT)
            self.transport.close()


class WebSocket(WebSocketsSansIOProtocol):
    """Uvicorn's WebSocket protocol with text frames built in one go."""

    async def send(self, message: Any) -> None:  # noqa: ANN401 - an ASGI message
        """Send an ASGI message."""
        text = message.get("text") if message["type"] == "websocket.send" else None
        if text is None or not self.handshake_complete or self.close_sent:
            await super().send(message)
            return
        if not self.writable.is_set():
            await self.writable.wait()
        if self.disconnected:
            raise ClientDisconnected
        self.transport.write(frame(text.encode()))


def frame(payload: bytes) -> bytes:
    """Return a server's text frame of a payload."""
    size = len(payload)
    if size <= _SHORT_MAX:
        return bytes((_TEXT, size)) + payload
    if size <= _MEDIUM_MAX:
        return bytes((_TEXT, 126)) + size.to_bytes(2) + payload
    return bytes((_TEXT, 127)) + size.to_bytes(8) + payload
