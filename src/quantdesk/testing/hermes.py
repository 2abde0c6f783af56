"""A Hermes server on loopback that keeps the real one's shapes, and has its bad days on command.

Format: https://docs.pyth.network/price-feeds/core/how-pyth-works/hermes
"""

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Self

from aiohttp import web

_BACKLOG_MAX = 1000

SAID = {
    401: "Unauthorized: API key required",
    403: "Forbidden: invalid API key",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


class Hermes:
    """Serves what `publish` said last, and streams what it says next.

    Bad days: `status` other than 200 answers every request with that; `silent` accepts requests and
    says nothing; `garbage`, `cut` and `end` do to open streams what their names say. A stale feed
    is published with an old `publish_time`.
    """

    def __init__(self, *, api_key: str | None = None) -> None:
        self._api_key = api_key
        self._latest: dict[str, dict[str, Any]] = {}
        self._streams: dict[asyncio.Queue[bytes | None], frozenset[str]] = {}
        self._opened = asyncio.Event()
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.base_url = ""
        self.status = int(HTTPStatus.OK)
        self.retry_after = ""
        self.silent = False
        self.requests = 0
        self.streams_opened = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/v2/updates/price/latest", self._serve_latest)
        app.router.add_get("/v2/updates/price/stream", self._serve_stream)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        self.cut()
        assert self._runner is not None
        await self._runner.cleanup()

    def publish(
        self, feed: str, *, price: int, conf: int, publish_time: int, expo: int = -8, slot: int = 1
    ) -> None:
        """Update a feed: `price`, `conf` times 10^expo dollars, `publish_time` in Unix seconds."""
        quoted = {
            "price": str(price), "conf": str(conf), "expo": expo, "publish_time": publish_time,
        }  # fmt: skip
        self._latest[feed] = {
            "id": feed,
            "price": quoted,
            "ema_price": quoted,
            "metadata": {
                "slot": slot,
                "proof_available_time": publish_time + 1,
                "prev_publish_time": publish_time - 1,
            },
        }
        for stream, feeds in self._streams.items():
            if feed in feeds:
                stream.put_nowait(_event({feed: self._latest[feed]}))

    def keep_alive(self) -> None:
        """Send every stream the comment that keeps it open."""
        self.say(b":\n\n")

    def garbage(self) -> None:
        """Send every stream data that is no Hermes message."""
        self.say(b'data:{"parsed":[{"id":7}]}\n\ndata:<html>\n\n')

    def say(self, raw: bytes) -> None:
        """Send every stream these bytes as they are."""
        for stream in self._streams:
            stream.put_nowait(raw)

    def cut(self) -> None:
        """Close every stream in the middle of an event."""
        for stream in self._streams:
            stream.put_nowait(b'data:{"binary":{"encod')
            stream.put_nowait(None)

    def end(self) -> None:
        """End every stream as Hermes does after a day."""
        for stream in self._streams:
            stream.put_nowait(b"event:error\ndata:Connection timeout reached (24h)\n\n")
            stream.put_nowait(None)

    async def opened(self, count: int) -> None:
        """Return once that many streams have ever been opened."""
        while self.streams_opened < count:
            self._opened.clear()
            await self._opened.wait()

    async def _serve_latest(self, request: web.Request) -> web.Response:
        declined = self._declined(request)
        if declined is not None:
            return declined
        if self.silent:
            await self._closing.wait()
        asked = {feed: self._latest[feed] for feed in _feeds(request)}
        return web.json_response(_message(asked))

    async def _serve_stream(self, request: web.Request) -> web.StreamResponse:
        declined = self._declined(request)
        if declined is not None:
            return declined
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        stream: asyncio.Queue[bytes | None] = asyncio.Queue(_BACKLOG_MAX)
        feeds = frozenset(_feeds(request))
        self._streams[stream] = feeds
        if not self.silent:
            for feed in sorted(feeds):
                stream.put_nowait(_event({feed: self._latest[feed]}))
        self.streams_opened += 1
        self._opened.set()
        try:
            while (raw := await stream.get()) is not None:
                await response.write(raw)
        finally:
            del self._streams[stream]
        return response

    def _declined(self, request: web.Request) -> web.Response | None:
        self.requests += 1
        status = self.status
        if status == HTTPStatus.OK and self._api_key is not None:
            key = request.headers.get("Authorization", "").removeprefix("Bearer ")
            status = 200 if key == self._api_key else 403 if key else 401
        if status != HTTPStatus.OK:
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            text = SAID.get(status, HTTPStatus(status).phrase)
            return web.Response(status=status, text=text, headers=headers)
        unknown = [feed for feed in _feeds(request) if feed not in self._latest]
        if unknown:
            names = ", ".join(f"0x{feed}" for feed in unknown)
            return web.Response(status=404, text=f"Price ids not found: {names}")
        return None


def _feeds(request: web.Request) -> list[str]:
    return [feed.removeprefix("0x") for feed in request.query.getall("ids[]", [])]


def _message(updates: Mapping[str, Any]) -> dict[str, Any]:
    # The real binary is signed by Pyth and cannot be made here; its place is kept.
    return {"binary": {"encoding": "hex", "data": ["504e4155"]}, "parsed": list(updates.values())}


def _event(updates: Mapping[str, Any]) -> bytes:
    return b"data:" + json.dumps(_message(updates), separators=(",", ":")).encode() + b"\n\n"
