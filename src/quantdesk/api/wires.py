"""Uvicorn's WebSocket protocol with a sending half that waits for nobody.

Whoever tells many clients the same builds a frame once and writes its bytes to each connection, as
`express.py` does for HTTP: no ASGI message, no task, no copy per client. Reading, the handshake,
pings and their time limits stay uvicorn's. A connection that does not drain is cut off in the end:
uvicorn's own close waits for it for good.
"""

from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

EXTENSION = "quantdesk.wire"
"""Where an ASGI scope holds its connection; `quantdesk/hub/wire.py` looks there."""

_CLOSE_S = 5.0


class WebSocket(WebSocketsSansIOProtocol):
    """One connection; `congested` while more is unsent than the transport wants to hold."""

    def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **more)
        self.congested = False
        self.relieved: Callable[[], None] = _nobody
        self.gone: Callable[[], None] = _nobody

    def write(self, frames: bytes) -> None:
        """Send whole frames; they are dropped when the connection is closing or gone."""
        if not self.close_sent and not self.disconnected:
            self.transport.write(frames)

    def end(self, code: int, reason: str = "") -> None:
        """Close with a code, after what was written; a second call does nothing."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(_CLOSE_S, self.transport.abort)

    async def drained(self) -> None:
        """Return once the connection takes more, or is gone."""
        await self.writable.wait()

    def handle_connect(self, event: Any) -> None:  # noqa: ANN401 - a request of websockets
        """Start the ASGI cycle of a connection that can be written to directly."""
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]

    def handle_ping(self) -> None:
        """Answer a ping, unless its sender reads nothing: answers would gather without bound."""
        if self.congested:
            self.conn.data_to_send()
        else:
            super().handle_ping()

    def keepalive_timeout(self) -> None:
        """Cut off a client that does not answer pings."""
        super().keepalive_timeout()
        self.close_timer = self.loop.call_later(_CLOSE_S, self.transport.abort)

    def pause_writing(self) -> None:
        """Note that the transport holds enough."""
        super().pause_writing()
        self.congested = True

    def resume_writing(self) -> None:
        """Note that there is room, and say so."""
        super().resume_writing()
        self.congested = False
        self.relieved()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.relieved = _nobody
        self.gone()
        super().connection_lost(exc)


def _nobody() -> None:
    """Tell nobody."""
