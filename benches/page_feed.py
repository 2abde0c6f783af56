"""A busy market in front of a real desk: the page's own files and API, with prices of our making.

    page ──▶ this ──▶ the desk          everything but what is below
    page ◀── this                       30 markets that move 100 times a second, and a live candle

A price is the millisecond it was sent at, so that whoever looks at the screen can tell its age.
`page.py` starts it, and counts what that costs the page.
"""

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from aiohttp import web

from quantdesk.core.clock import iso

ROWS: Final = 30
HZ: Final = 100
TURN_MS: Final = 10_000_000
"""Prices begin anew after so many milliseconds."""
_HZ_DEFAULT: Final = 10
_NS_PER_MS: Final = 1_000_000
_EPOCH: Final = "01a20000-0000-7000-8000-000000000000"
_DROPPED: Final = {"host", "content-length", "transfer-encoding", "content-encoding", "connection"}
_SYMBOLS: Final = [f"M{number:02d}" for number in range(ROWS)]


def now_iso() -> str:
    """Return now as the desk writes times."""
    return iso(time.time_ns() // _NS_PER_MS)


def told(symbol: str) -> dict[str, Any]:
    """Return a price of now."""
    at = now_iso()
    value = "1" if symbol == "USDC" else f"{time.time_ns() // _NS_PER_MS % TURN_MS / 100:.2f}"
    return {
        "symbol": symbol, "value": value, "source": "simulated", "confidence": "0.01",
        "publishedAt": at, "receivedAt": at, "ageMs": 0, "valid": True, "validity": "VALID",
        "agreementBps": None, "sources": ["simulated"], "rawIds": [],
    }  # fmt: skip


def candle() -> dict[str, Any]:
    """Return the open candle of now."""
    now_ms = time.time_ns() // _NS_PER_MS
    close = f"{150 + now_ms % 7_000 / 1_000:.3f}"
    return {
        "openAt": iso(now_ms - now_ms % 60_000),
        "open": "150", "high": "158", "low": "149", "close": close, "volume": "1", "trades": 1,
        "revision": 0, "closed": False, "flat": False, "gap": False, "origin": "trades",
        "reconciled": False,
    }  # fmt: skip


class Line:
    """One page's socket: what it follows, and the messages it gets."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._seqs: dict[tuple[str, str], int] = {}
        self._hz: dict[str, int] = {}
        self._turn = 0

    async def say(self, said: Mapping[str, Any]) -> None:
        """Send one message."""
        await self._socket.send_str(json.dumps(said, separators=(",", ":")))

    async def hear(self, ask: Mapping[str, Any]) -> None:
        """Answer as the desk does, as far as these pages ask."""
        op = ask["op"]
        self._hz[ask.get("ch", "")] = ask.get("hz") or _HZ_DEFAULT
        numbered = {"id": ask["id"]} if "id" in ask else {}
        await self.say({"ch": "answer", "op": op, **numbered, "t": now_iso()})
        for key in ask.get("keys") or ():
            if op == "unsubscribe":
                self._seqs.pop((ask["ch"], key), None)
            elif ask["ch"] in {"prices", "candles"}:
                self._seqs[(ask["ch"], key)] = 0
                await self._tell(ask["ch"], key, "snap")

    async def tick(self) -> None:
        """Tell what is followed, at most as often as was asked for: the desk's hub does so too."""
        self._turn += 1
        for channel, key in list(self._seqs):
            if self._turn % max(1, HZ // self._hz[channel]) == 0:
                await self._tell(channel, key, "d")

    async def _tell(self, channel: str, key: str, how: str) -> None:
        self._seqs[(channel, key)] += 1
        what = told(key) if channel == "prices" else [candle()]
        head = {"ch": channel, "key": key, "epoch": _EPOCH, "t": now_iso()}
        await self.say({**head, "seq": self._seqs[(channel, key)], how: what})


async def follow(request: web.Request) -> web.WebSocketResponse:
    """Serve `/ws`."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    line = Line(socket)
    channels = ["prices", "candles", "orders", "sources", "alerts", "system", "news", "books"]
    await line.say({"ch": "hello", "epoch": _EPOCH, "t": now_iso(), "channels": channels,
                    "heartbeatMs": 10_000, "keysMax": 2_000})  # fmt: skip

    async def flow() -> None:
        while not socket.closed:
            began = time.monotonic()
            await line.tick()
            await asyncio.sleep(max(0.0, 1 / HZ - (time.monotonic() - began)))

    flowing = asyncio.create_task(flow())
    try:
        async for message in socket:
            await line.hear(json.loads(message.data))
    finally:
        flowing.cancel()
    return socket


async def markets(_: web.Request) -> web.Response:
    """Serve the markets that are told."""
    rows = [
        {"pair": f"{symbol}-USDC", "base": symbol, "quote": "USDC", "baseDecimals": 9,
         "quoteDecimals": 6, "baseMint": symbol, "quoteMint": "USDC", "referencePrice": "150"}
        for symbol in _SYMBOLS
    ]  # fmt: skip
    return web.json_response({"markets": rows})


class Through:
    """Hands everything else to the desk."""

    def __init__(self, desk: str) -> None:
        self._desk = desk

    async def ask(self, request: web.Request) -> web.Response:
        """Return the desk's answer."""
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _DROPPED}
        if "Origin" in headers:
            headers["Origin"] = self._desk
        async with (
            aiohttp.ClientSession(auto_decompress=True) as client,
            client.request(
                request.method, self._desk + request.path_qs, headers=headers,
                data=await request.read(), allow_redirects=False,
            ) as answer,
        ):  # fmt: skip
            kept = [(k, v) for k, v in answer.headers.items() if k.lower() not in _DROPPED]
            body = await answer.read()
            response = web.Response(status=answer.status, body=body)
            response.headers.extend(kept)
            return response


def main() -> None:
    """Serve on the port of the second argument what the desk of the first one serves."""
    through = Through(sys.argv[1])
    app = web.Application()
    app.router.add_get("/ws", follow)
    app.router.add_get("/api/markets", markets)
    app.router.add_route("*", "/{rest:.*}", through.ask)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[2]), print=lambda *_: None)


if __name__ == "__main__":
    main()
