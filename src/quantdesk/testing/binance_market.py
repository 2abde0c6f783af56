"""Binance's market data on loopback, spot or USD-M, with its bad days on command.

Streams and REST at one port, over `testing.binance_walk`. Nothing happens by itself: `tick` lets
the markets move and tells those who listen; the time is that of the clock it is given.

Shapes and statuses: https://developers.binance.com/docs/binance-spot-api-docs
"""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

from aiohttp import web

from quantdesk.core.clock import Clock
from quantdesk.testing.binance_walk import Json, Message, Walk
from quantdesk.testing.serving import Serving

_SPOT: Final = ("/stream",)
_FUTURES: Final = ("/public/stream", "/market/stream")
GARBAGE: Final = (
    "", "{", "null", "[]", '{"stream":"btcusdt@bookTicker"}', "<html>502 Bad Gateway</html>",
    '{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","t":1,"p":"NaN","q":"1","T":1}}',
    '{"stream":"btcusdt@bookTicker","data":{"u":-1,"s":"BTCUSDT","b":"","B":"","a":"","A":""}}',
    '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","U":"a"}}', "\u0000" * 64,
)  # fmt: skip


@dataclass(slots=True)
class BadDay:
    """What goes wrong from now on; all that is set stays until it is set back."""

    rest_status: int = 200
    stream_status: int = 101
    """What requests and handshakes are answered with, besides `retry_after`."""
    retry_after: str = ""
    rest_body: bytes = b""
    """What REST answers instead, with its yes."""
    twice: bool = False
    """Every message comes twice."""
    reorder: bool = False
    """Each tick's messages come in the opposite order."""
    lose_depth: int = 0
    """That many diffs are not sent: a gap."""
    skew_ms: int = 0
    """How far the exchange's clock is ahead."""
    refuse: bool = False
    """Connections are taken, their streams refused."""


class BinanceMarket:
    """Serves the markets of some pairs; use as `async with`."""

    def __init__(
        self, *, clock: Clock, pairs: Sequence[str] = ("BTCUSDT",), seed: int = 7,
        futures: bool = False,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._futures = futures
        self.walks = {pair: Walk(pair, seed, futures) for pair in pairs}
        self.bad = BadDay()
        self.asked: Counter[str] = Counter()
        """Requests by path; snapshots also by path and pair."""
        self.connected = 0
        """Streams ever opened."""
        self.sent: list[str] = []
        """Every message told to somebody, in order."""
        self.pongs: list[bytes] = []
        """What pings were answered with."""
        self._streams: list[tuple[frozenset[str], web.WebSocketResponse]] = []
        self._open: list[web.Request] = []
        self._happened = asyncio.Event()
        self._serving = Serving()
        self.stream_url = self.rest_url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        for path in _FUTURES if self._futures else _SPOT:
            app.router.add_get(path, self._serve_stream)
        root = "/fapi/v1" if self._futures else "/api/v3"
        app.router.add_get(f"{root}/depth", self._serve_depth)
        app.router.add_get(f"{root}/exchangeInfo", self._serve_info)
        place = await self._serving.begin(app)
        self.stream_url, self.rest_url = f"ws://{place}", f"http://{place}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        await self._serving.end()

    @property
    def listening(self) -> int:
        """Return how many streams are spoken to now."""
        return len(self._streams)

    async def tick(self, steps: int = 10) -> None:
        """Let every market move by that many orders, and tell of it."""
        now_ms = self._clock.now_ms() + self.bad.skew_ms
        for walk in self.walks.values():
            said = [message for _ in range(steps) for message in walk.step(now_ms)]
            diff = walk.diff(now_ms)
            if diff is not None and self.bad.lose_depth:
                self.bad.lose_depth -= 1
            elif diff is not None:
                said.append(diff)
            said.extend(walk.kline(now_ms))
            if self._futures:
                said.append(walk.mark(now_ms))
            await self._tell(walk.pair, said)

    async def garbage(self) -> None:
        """Send every stream what is no message."""
        await self.say(*GARBAGE)

    async def say(self, *texts: str) -> None:
        """Send every stream these texts as they are."""
        for _, stream in tuple(self._streams):
            await _send(stream, *texts)

    async def ping(self, payload: bytes = b"1723161255343") -> None:
        """Ping every stream as Binance does."""
        for _, stream in tuple(self._streams):
            await stream.ping(payload)

    async def shut_down(self) -> None:
        """Tell every stream that the server is about to close it."""
        notice = json.dumps({"e": "serverShutdown", "E": self._clock.now_ms()})
        await self.say(notice)

    async def end_the_day(self) -> None:
        """Close every stream as Binance does after 24 hours."""
        for _, stream in tuple(self._streams):
            await stream.close(code=1001, message=b"24h")

    def cut(self) -> None:
        """Cut every stream's connection, without a goodbye."""
        for request in tuple(self._open):
            if request.transport is not None:
                request.transport.abort()

    def freeze(self) -> None:
        """Leave every stream open and say nothing by it any more; new ones are spoken to."""
        self._streams.clear()

    async def happened(self) -> None:
        """Return after the next request, connection or end of one."""
        self._happened.clear()
        await self._happened.wait()

    async def _tell(self, pair: str, said: list[Message]) -> None:
        texts = [(f"{pair.lower()}@{name}", data) for name, data in said]
        if self.bad.reorder:
            texts.reverse()
        for name, data in texts:
            text = json.dumps({"stream": name, "data": data}, separators=(",", ":"))
            for names, stream in tuple(self._streams):
                if name in names and not stream.closed:
                    self.sent.append(text)
                    await _send(stream, *[text] * (1 + self.bad.twice))

    async def _serve_stream(self, request: web.Request) -> web.StreamResponse:
        self._note(request.path)
        if self.bad.stream_status != 101:  # noqa: PLR2004 - what a handshake ends with
            return self._refusal(self.bad.stream_status)
        stream = web.WebSocketResponse(autoping=False)
        await stream.prepare(request)
        if self.bad.refuse:
            refusal = {"error": {"code": 2, "msg": "Invalid request: unknown stream"}, "id": None}
            await stream.send_str(json.dumps(refusal))
        kept = (frozenset(request.query["streams"].split("/")), stream)
        if not self.bad.refuse:
            self._streams.append(kept)
        self._open.append(request)
        self.connected += 1
        self._happened.set()
        try:
            async for message in stream:
                if message.type is web.WSMsgType.PONG:
                    self.pongs.append(message.data)
                self._happened.set()
        finally:
            if kept in self._streams:
                self._streams.remove(kept)
            self._open.remove(request)
            self._happened.set()
        return stream

    async def _serve_depth(self, request: web.Request) -> web.Response:
        pair = request.query["symbol"]
        self._note(request.path, f"{request.path} {pair}")
        if bad := self._bad_rest():
            return bad
        if pair not in self.walks:
            return web.json_response(_INVALID, status=400)
        return web.json_response(self.walks[pair].snapshot(int(request.query["limit"])))

    async def _serve_info(self, request: web.Request) -> web.Response:
        self._note(request.path)
        if bad := self._bad_rest():
            return bad
        asked = json.loads(request.query.get("symbols", json.dumps(list(self.walks))))
        if not set(asked) <= self.walks.keys():
            return web.json_response(_INVALID, status=400)
        return web.json_response(
            {"timezone": "UTC", "symbols": [self._row(name) for name in asked]}
        )

    def _row(self, pair: str) -> Json:
        row: Json = {"symbol": pair, "status": "TRADING"}
        return row | {"contractType": "PERPETUAL"} if self._futures else row

    def _bad_rest(self) -> web.Response | None:
        if self.bad.rest_status != 200:  # noqa: PLR2004 - HTTP's yes
            return self._refusal(self.bad.rest_status)
        return web.Response(body=self.bad.rest_body) if self.bad.rest_body else None

    def _refusal(self, status: int) -> web.Response:
        headers = {"Retry-After": self.bad.retry_after} if self.bad.retry_after else {}
        return web.json_response(
            {"code": -1003, "msg": "Too much request weight used"}, status=status, headers=headers
        )

    def _note(self, *names: str) -> None:
        self.asked.update(names)
        self._happened.set()


_INVALID: Final = {"code": -1121, "msg": "Invalid symbol."}


async def _send(stream: web.WebSocketResponse, *texts: str) -> None:
    with suppress(ConnectionError):  # whoever left hears nothing more
        for text in texts:
            await stream.send_str(text)
