"""One WebSocket of a source: bytes of each message to a plain function, until it ends.

picows reads the wire (https://picows.readthedocs.io): it answers pings with their own payload. This
file knows no exchange. Limits of the handshake come back as `Declined`, with the wait it asked for.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import picows
from picows import WSFrame, WSListener, WSMsgType, WSTransport

from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.sources.limits import Declined, retry_after_s
from quantdesk.sources.patience import within

Hear = Callable[[bytes], None]

CONNECT_S: Final = 10.0
MESSAGE_BYTES_MAX: Final = 4 << 20
_WHOLE: Final = frozenset({WSMsgType.TEXT, WSMsgType.BINARY})


class Socket:
    """A connected WebSocket; `heard` counts the messages that came by it."""

    def __init__(self, transport: WSTransport, listener: "_Listener") -> None:
        self._transport = transport
        self._listener = listener
        self._over = asyncio.ensure_future(transport.wait_disconnected())

    @property
    def heard(self) -> int:
        """Return how many messages came."""
        return self._listener.heard

    async def over(self, *, seconds: float, clock: Clock) -> str:
        """Return why the connection is over, "" when it still stands after that many seconds.

        An error of ours in the function that hears is raised here.
        """
        alarm = asyncio.ensure_future(clock.sleep(seconds))
        try:
            await asyncio.wait({self._over, alarm}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
        if not self._over.done():
            return ""
        try:
            self._over.result()
        except (picows.WSProtocolError, OSError) as problem:
            return _words(problem)
        return _said(self._transport)

    def send(self, message: bytes) -> None:
        """Send a text message."""
        self._transport.send(WSMsgType.TEXT, message)

    def close(self) -> None:
        """Say goodbye and cut the connection; nothing more is heard."""
        self._listener.deaf = True
        if not self._transport.is_disconnected:
            self._transport.send_close(picows.WSCloseCode.OK)
            self._transport.disconnect(graceful=False)
        self._over.cancel()


async def connect(
    url: str, hear: Hear, *, clock: Clock, message_bytes_max: int = MESSAGE_BYTES_MAX
) -> Socket:
    """Return a connection whose messages `hear` is called with.

    Raises `Declined` when the server answers with something else, `Unavailable`
    (`source.unavailable`) when it does not answer within `CONNECT_S`.
    """
    listener = _Listener(hear, message_bytes_max)
    opening = picows.ws_connect(
        lambda: listener,
        url,
        websocket_handshake_timeout=None,  # deadlines are ours, on the clock that was passed in
        max_frame_size=message_bytes_max,
        max_redirects=0,
    )
    try:
        transport, _ = await within(CONNECT_S, opening, clock=clock)
    except picows.WSHandshakeError as problem:
        raise _declined(url, problem) from problem
    except (picows.WSError, OSError, ValueError) as problem:
        raise Unavailable(
            f"{url.partition('?')[0]} does not answer: {_words(problem)}",
            code="source.unavailable",
        ) from problem
    return Socket(transport, listener)


class _Listener(WSListener):
    """Puts fragments together, up to a bound; hears nothing once its owner let go."""

    def __init__(self, hear: Hear, bytes_max: int) -> None:
        self._hear = hear
        self._bytes_max = bytes_max
        self._parts: list[bytes] = []
        self.heard = 0
        self.deaf = False

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if self.deaf:
            return
        kind = frame.msg_type
        if kind in _WHOLE and frame.fin:
            self._whole(frame.get_payload_as_bytes())
        elif kind in _WHOLE or kind is WSMsgType.CONTINUATION:
            self._part(frame)
        elif kind is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()

    def _part(self, frame: WSFrame) -> None:
        self._parts.append(frame.get_payload_as_bytes())
        self._bounded(sum(map(len, self._parts)))
        if frame.fin:
            whole = b"".join(self._parts)
            self._parts.clear()
            self._whole(whole)

    def _whole(self, message: bytes) -> None:
        # picows ends the connection over a frame too large, and hands it over if its rest arrives.
        self._bounded(len(message))
        self.heard += 1
        self._hear(message)

    def _bounded(self, size: int) -> None:
        if size > self._bytes_max:
            self.deaf = True
            raise picows.WSProtocolError(picows.WSCloseCode.MESSAGE_TOO_BIG, "message too big")


def _words(problem: Exception) -> str:
    return str(problem) or type(problem).__name__


def _said(transport: WSTransport) -> str:
    closed = transport.close_handshake
    told = getattr(closed, "recv", None)  # either is None where no goodbye was said
    if told is None:
        return "the connection was cut"
    return f"closed by the server: {told.code} {told.reason or ''}".rstrip()


def _declined(url: str, problem: picows.WSHandshakeError) -> Unavailable:
    host = url.partition("?")[0]
    if problem.response is None:
        return Unavailable(f"{host} does not speak WebSocket: {problem}", code="source.unavailable")
    status = int(problem.response.status)
    return Declined(
        f"{host} answered HTTP {status}",
        status=status,
        wait_s=retry_after_s(status, problem.response.headers.get("Retry-After")),
    )
