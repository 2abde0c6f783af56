"""Sockets that write once per turn of the event loop.

A response is a head and a body, and an order's stages come in bursts: each would be a system call
of its own, and that call is most of what they cost (docs/numbers.md). Here whatever one turn wrote
to a connection leaves together. Server text frames are also built right here, without the general
machinery: no mask, no fragments (RFC 6455 §5.2).
"""

import asyncio
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_TEXT = 0x81  # a final text frame
_SHORT_MAX = 125
_MEDIUM_MAX = 0xFFFF


class Corked:
    """A transport whose writes wait for the end of the turn; everything else passes through."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._written: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Keep data for the end of this turn of the loop."""
        if not self._written:
            self._loop.call_soon(self._flush)
        self._written.append(data)

    def close(self) -> None:
        """Write what is kept, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        written, self._written = self._written, []
        if written and not self._transport.is_closing():
            self._transport.write(b"".join(written))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a transport has
        return getattr(self._transport, name)


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
