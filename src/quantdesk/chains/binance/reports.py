"""The user data stream: the exchange tells of orders by itself, and `chain` is woken.

Nothing it says is believed: what became of an order is asked for. What it does not say, because it
ended or was never there, costs no more than the pause until the next look.

Subscription: https://developers.binance.com/docs/binance-spot-api-docs/websocket-api/user-data-stream-requests
(by signature, with any kind of key). Events: https://developers.binance.com/docs/binance-spot-api-docs/user-data-stream
"""

import asyncio
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

import aiohttp
import msgspec
import structlog

from quantdesk.chains.binance.answers import UNREADABLE, unreadable
from quantdesk.chains.binance.client import Client
from quantdesk.chains.binance.failures import BAD_TIME, failure
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Unavailable

log = structlog.get_logger()

_OK: Final = 200
_PAUSE_S: Final = 1.0
_PAUSE_S_MAX: Final = 60.0
_MESSAGE_BYTES_MAX: Final = 1 << 20


class _Event(msgspec.Struct, frozen=True):
    e: str = ""
    c: str = ""
    X: str = ""


class _Message(msgspec.Struct, frozen=True):
    """An event, or the answer to the subscription."""

    id: int | str | None = None
    status: int | None = None
    error: msgspec.Raw = msgspec.Raw(b"{}")
    event: _Event | None = None


_MESSAGE: Final = msgspec.json.Decoder(_Message)


class Reports:
    """Wakes `wake` with the id of every order the exchange tells of.

    `url` is that of the WebSocket API (`wss://.../ws-api/v3`); `heartbeat_s` how often the socket
    is asked whether it lives.
    """

    def __init__(
        self,
        *,
        url: str,
        client: Client,
        clock: Clock,
        wake: Callable[[str], None],
        heartbeat_s: float = 20.0,
    ) -> None:
        self._url = url
        self._client = client
        self._clock = clock
        self._wake = wake
        self._heartbeat_s = heartbeat_s
        self.connections = 0
        """Subscriptions that are live now."""
        self.reports = 0

    async def run(self) -> None:
        """Listen until cancelled, subscribing anew after every failure."""
        failures = 0
        async with aiohttp.ClientSession() as session:
            while True:
                before = self.reports
                try:
                    await self._listen(session)
                except (DeskError, aiohttp.ClientError, TimeoutError, OSError) as problem:
                    words = problem.detail if isinstance(problem, DeskError) else ""
                    log.warning("reports.dropped", why=words or type(problem).__name__)
                failures = 0 if self.reports > before else failures + 1
                pause_s = min(_PAUSE_S * 2.0 ** min(failures, 10), _PAUSE_S_MAX)
                await self._clock.sleep(pause_s)

    async def _listen(self, session: aiohttp.ClientSession) -> None:
        async with asyncio.timeout(self._heartbeat_s):
            socket = await session.ws_connect(
                self._url, heartbeat=self._heartbeat_s, max_msg_size=_MESSAGE_BYTES_MAX
            )
        async with socket:
            await socket.send_str(await self._subscription())
            try:
                async for frame in socket:
                    self._hear(frame)
            finally:
                self.connections = 0

    async def _subscription(self) -> str:
        key, at_ms = self._client.key, await self._client.server_ms()
        params = {"apiKey": key.api_key, "timestamp": at_ms}  # in the order of the alphabet
        signature = key.sign(urlencode(params).encode("ascii"))
        question = {
            "id": 1,
            "method": "userDataStream.subscribe.signature",
            "params": {**params, "signature": signature},
        }
        return msgspec.json.encode(question).decode()

    def _hear(self, frame: aiohttp.WSMessage) -> None:
        if frame.type is not aiohttp.WSMsgType.TEXT:
            raise Unavailable(f"the stream ended ({frame.type.name})", code="exchange.unavailable")
        try:
            message = _MESSAGE.decode(frame.data)
        except UNREADABLE as problem:
            raise unreadable(str(problem)) from None
        event = message.event
        if event is None:
            if message.status != _OK:
                raise self._refusal(message)
            self.connections = 1
        elif event.e == "executionReport":
            self.reports += 1
            if event.X != "REJECTED":
                self._wake(event.c)
        elif event.e in {"eventStreamTerminated", "serverShutdown"}:
            raise Unavailable("the exchange ends the stream", code="exchange.unavailable")

    def _refusal(self, message: _Message) -> DeskError:
        """Return what kept the subscription from being made, as any other question's error."""
        refused = failure(message.status or 0, bytes(message.error))
        if refused.number == BAD_TIME:
            self._client.forget_time()
        return refused.error()
