"""Discord's gateway on loopback, with its bad days on command.

Shapes: https://docs.discord.com/developers/events/gateway
"""

import asyncio
import json
from contextlib import suppress
from typing import Any, Final, Self

import aiohttp
from aiohttp import web

from quantdesk.core.clock import Clock, iso
from quantdesk.sources.words.discord import ACK, DISPATCH, HEARTBEAT, HELLO, IDENTIFY, RESUME
from quantdesk.testing.news import KEY
from quantdesk.testing.serving import Serving

CHANNEL: Final = "424242"
GUILD: Final = "777"
INTERVAL_MS: Final = 2000
SESSION: Final = "session-1"


class DiscordGateway:
    """Serves the gateway; use as `async with`. `heard` holds all that bots said, in order.

    Bad days: `refuse` other than 0 closes with that code instead of READY; `deaf` acknowledges no
    heartbeat; `frozen` connections say nothing.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self.heard: list[dict[str, Any]] = []
        self.refuse = 0
        self.deaf = False
        self._number = 0
        self._said = 0
        self._open: list[web.WebSocketResponse] = []
        self._frozen: set[web.WebSocketResponse] = set()
        self._serving = Serving()
        self._requests: list[web.Request] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/", self._serve)
        place = await self._serving.begin(app)
        self.url = f"ws://{place}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        await self._serving.end()

    def told(self, op: int) -> list[Any]:
        """Return what bots said with that code."""
        return [said["d"] for said in self.heard if said["op"] == op]

    async def tell(self, content: str = "", *, channel: str = CHANNEL) -> None:
        """Post a message in a channel."""
        self._said += 1
        message = {
            "id": str(self._said), "channel_id": channel, "guild_id": GUILD, "type": 0,
            "content": content or f"Bitcoin and $ETH rise for the {self._said}. time",
            "timestamp": iso(self._clock.now_ms()).replace("Z", "+00:00"),
            "author": {"id": "1", "username": "satoshi"}, "embeds": [],
        }  # fmt: skip
        await self.say(DISPATCH, message, event="MESSAGE_CREATE")

    async def say(self, op: int, said: object = None, *, event: str | None = None) -> None:
        """Say something to every bot."""
        for line in tuple(self._open):
            if line not in self._frozen:
                await self._send(line, op, said, event=event)

    async def raw(self, text: str) -> None:
        """Send every bot this text as it is."""
        for line in tuple(self._open):
            await line.send_str(text)

    async def close(self, code: int) -> None:
        """Close every connection with a code."""
        for line in tuple(self._open):
            await line.close(code=code)

    def freeze(self) -> None:
        """Say nothing more on the connections there are."""
        self._frozen |= set(self._open)

    def cut(self) -> None:
        """Cut every connection."""
        for request in self._requests:
            if request.transport is not None:
                request.transport.abort()
        self._requests.clear()

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        line = web.WebSocketResponse()
        await line.prepare(request)
        self._requests.append(request)
        self._open.append(line)
        try:
            await self._send(line, HELLO, {"heartbeat_interval": INTERVAL_MS})
            async for message in line:
                if message.type is aiohttp.WSMsgType.TEXT and line not in self._frozen:
                    await self._answer(line, json.loads(message.data))
        finally:
            self._open.remove(line)
        return line

    async def _answer(self, line: web.WebSocketResponse, said: dict[str, Any]) -> None:
        self.heard.append(said)
        if said["op"] == HEARTBEAT and not self.deaf:
            await self._send(line, ACK)
        elif said["op"] in {IDENTIFY, RESUME} and (self.refuse or said["d"]["token"] != KEY):
            await line.close(code=self.refuse or 4004, message=b"no")
        elif said["op"] == IDENTIFY:
            ready = {"v": 10, "session_id": SESSION, "resume_gateway_url": self.url}
            await self._send(line, DISPATCH, ready, event="READY")
        elif said["op"] == RESUME:
            await self._send(line, DISPATCH, {}, event="RESUMED")

    async def _send(
        self, line: web.WebSocketResponse, op: int, said: object = None, *, event: str | None = None
    ) -> None:
        number = None
        if event is not None:
            self._number += 1
            number = self._number
        with suppress(ConnectionError, asyncio.CancelledError):
            await line.send_str(json.dumps({"op": op, "d": said, "s": number, "t": event}))
