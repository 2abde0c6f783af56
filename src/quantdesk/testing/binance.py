"""A Binance on loopback that keeps the real one's shapes, and has its bad days on command.

REST, market data streams and the WebSocket API at one port, over `testing.binance_exchange`. It
verifies signatures, keeps the time window of requests by its own clock, counts request weight,
answers 429 and then 418 to those who use too much, and can lose, delay or falsify any answer.

Shapes: https://developers.binance.com/docs/binance-spot-api-docs
"""

import asyncio
import base64
import hmac
import json
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, Self
from urllib.parse import parse_qsl

from aiohttp import web
from solders.pubkey import Pubkey
from solders.signature import Signature

from quantdesk.core.clock import Clock
from quantdesk.testing.binance_exchange import (
    TAKER,
    Exchange,
    Symbol,
    Told,
    info,
    query,
    result,
)
from quantdesk.testing.serving import Serving

Json = Any
API_KEY: Final = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET: Final = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"  # noqa: S105
"""The example keys of the documentation; they open nothing."""

_WEIGHTS: Final = {
    "GET /api/v3/time": 1, "GET /api/v3/exchangeInfo": 20, "GET /api/v3/depth": 50,
    "GET /api/v3/account": 20, "GET /api/v3/account/commission": 20,
    "POST /api/v3/order/test": 1, "POST /api/v3/order": 0, "GET /api/v3/order": 4,
    "GET /api/v3/allOrders": 20, "GET /api/v3/myTrades": 20,
}  # fmt: skip
_UNSIGNED: Final = frozenset({"GET /api/v3/time", "GET /api/v3/exchangeInfo", "GET /api/v3/depth"})
_MINUTE_MS: Final = 60_000
_FOREVER_MS: Final = 1 << 60


@dataclass(frozen=True, slots=True)
class Bad:
    """What becomes of one request instead of the usual.

    `takes` says whether it is done all the same, `queues` whether it is an order that passes every
    check now and is matched at `drain`. It is answered with `status` and `body`, or not at all, the
    connection cut, where `status` is 0. `until` only holds it up, before it is looked at.
    """

    takes: bool = False
    queues: bool = False
    status: int = 0
    body: Json = None
    location: str = ""
    retry_after: str = ""
    until: asyncio.Event | None = None


LOST: Final = Bad(takes=True)
"""Done, and the answer lost."""
CUT: Final = Bad()
"""Lost on the way there."""
TIMEOUT: Final = {
    "code": -1007,
    "msg": "Timeout waiting for response from backend server. Send status unknown; "
    "execution status unknown.",
}


class Binance:
    """Serves one account of an exchange. `public` is an Ed25519 key instead of the HMAC secret."""

    def __init__(
        self, *, clock: Clock, exchange: Exchange | None = None, public: Pubkey | None = None
    ) -> None:
        self.exchange = exchange or Exchange(clock=clock)
        self.weight_max = 6_000
        self.asked: Counter[str] = Counter()
        """Requests by method and path."""
        self.posted: list[str] = []
        """Every form that came as an order, in order."""
        self.silent = False
        """Whether every request is cut off before it is looked at."""
        self.url = self.ws_url = ""
        self._queue: list[Mapping[str, str]] = []
        self._public = public
        self._bad: defaultdict[str, deque[Bad]] = defaultdict(deque)
        self._used: Counter[int] = Counter()
        self._warned = False
        self._streams: list[tuple[frozenset[str], web.WebSocketResponse]] = []
        self._listeners: list[web.WebSocketResponse] = []
        self._queues = False
        self._opened = asyncio.Event()
        self._serving = Serving()
        self._answers: dict[str, Callable[[Mapping[str, str]], Json]] = {
            "GET /api/v3/time": lambda _: {"serverTime": self.exchange.now_ms},
            "GET /api/v3/exchangeInfo": self._info,
            "GET /api/v3/depth": self._depth,
            "GET /api/v3/account": self._account,
            "GET /api/v3/account/commission": self._commission,
            "POST /api/v3/order/test": self._test,
            "POST /api/v3/order": self._order,
            "GET /api/v3/order": self._find,
            "GET /api/v3/allOrders": self._all_orders,
            "GET /api/v3/myTrades": self._my_trades,
        }

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/stream", self._serve_stream)
        app.router.add_get("/ws-api/v3", self._serve_api)
        app.router.add_route("*", "/{path:.*}", self._serve)
        place = await self._serving.begin(app, cancels=True)
        self.url, self.ws_url = f"http://{place}", f"ws://{place}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.hang_up()
        await self._serving.end()

    def list(self, symbol: Symbol) -> None:
        """Open a pair."""
        self.exchange.symbols[symbol.name] = symbol

    def shapes(self, name: str) -> dict[str, bytes]:
        """Return a symbol's book, rules and fees as questions for them are answered."""
        said = {"symbol": name}
        shapes = {
            "book": self._depth(said),
            "rules": info(self._symbol(name)),
            "fees": self._commission(said),
        }
        return {kind: json.dumps(shape).encode() for kind, shape in shapes.items()}

    def bad(self, route: str, *days: Bad) -> None:
        """Let the next requests of a route, such as "POST /api/v3/order", go wrong."""
        self._bad[route].extend(days)

    def drain(self) -> None:
        """Match the orders that wait."""
        queue, self._queue = self._queue, []
        for said in queue:
            self.exchange.place(said)

    async def change(
        self, name: str, side: str, price: str, quantity: str, *, skip: int = 0
    ) -> None:
        """Change a level of a book and tell its streams; `skip` updates are never told."""
        symbol = self.exchange.symbols[name]
        level = symbol.bids if side == "b" else symbol.asks
        level[Decimal(price)] = Decimal(quantity)
        first = symbol.update_id + skip + 1
        symbol.update_id = first
        event = {
            "e": "depthUpdate", "E": self.exchange.now_ms, "s": name, "U": first, "u": first,
            "b": [[price, quantity]] if side == "b" else [],
            "a": [[price, quantity]] if side == "a" else [],
        }  # fmt: skip
        await self.say(f"{name.lower()}@depth@100ms", event)

    async def say(self, stream: str, event: Json) -> None:
        """Say something on a market data stream."""
        for names, socket in list(self._streams):
            if stream in names and not socket.closed:
                await socket.send_str(json.dumps({"stream": stream, "data": event}))

    async def report(self) -> None:
        """Tell the user data stream what it has not been told yet."""
        while self.exchange.reports:
            event = self.exchange.reports.pop(0)
            for number, socket in enumerate(list(self._listeners)):
                if not socket.closed:
                    await socket.send_str(json.dumps({"subscriptionId": number, "event": event}))

    async def hang_up(self) -> None:
        """Close every socket."""
        for socket in [*(socket for _, socket in self._streams), *self._listeners]:
            await socket.close()
        self._streams.clear()
        self._listeners.clear()

    async def came(self, route: str) -> None:
        """Return once a request of a route has come in."""
        while not self.asked[route]:
            self._opened.clear()
            await self._opened.wait()

    async def opened(self, *, streams: int = 0, listeners: int = 0) -> None:
        """Return once that many sockets are open."""
        while len(self._streams) < streams or len(self._listeners) < listeners:
            self._opened.clear()
            await self._opened.wait()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        route = f"{request.method} {request.path}"
        self.asked[route] += 1
        text = (await request.read()).decode() or request.query_string
        if route == "POST /api/v3/order":
            self.posted.append(text)
        bad = self._bad[route].popleft() if self._bad[route] and not self.silent else None
        bad = CUT if self.silent else bad
        self._opened.set()
        if bad and bad.until:
            await bad.until.wait()
        if bad and not (bad.takes or bad.until or bad.queues):
            return self._end(request, bad)
        self._queues = bad is not None and bad.queues
        answer = self._answered(route, text, request.headers.get("X-MBX-APIKEY"))
        return self._end(request, bad) if bad and not bad.until else answer

    def _end(self, request: web.Request, bad: Bad) -> web.StreamResponse:
        if not bad.status:
            assert request.transport is not None
            request.transport.abort()
        body = bad.body if isinstance(bad.body, bytes) else json.dumps(bad.body).encode()
        said = {"Location": bad.location, "Retry-After": bad.retry_after}
        headers = {name: value for name, value in said.items() if value}
        return web.Response(
            status=bad.status or 500, body=body, content_type="application/json", headers=headers
        )

    def _answered(self, route: str, text: str, api_key: str | None) -> web.Response:
        if route not in self._answers:
            return web.Response(status=404, text="<html>")
        if (limited := self._limited(route)) is not None:
            return limited
        headers = {"X-MBX-USED-WEIGHT-1M": str(self._used[self.exchange.now_ms // _MINUTE_MS])}
        try:
            params = dict(parse_qsl(text, keep_blank_values=True))
            if route not in _UNSIGNED:
                self._verify(text, params, api_key)
            return web.json_response(self._answers[route](params), headers=headers)
        except Told as told:
            return web.json_response(told.body, status=told.status, headers=headers)

    def _limited(self, route: str) -> web.Response | None:
        now_ms = self.exchange.now_ms
        minute = now_ms // _MINUTE_MS
        self._used[minute] += _WEIGHTS.get(route, 1)
        if self._used[minute] <= self.weight_max:
            self._warned = False
            return None
        status, self._warned = (418 if self._warned else 429), True
        wait_s = 120 if status == 418 else -(-(_MINUTE_MS - now_ms % _MINUTE_MS) // 1000)  # noqa: PLR2004
        said = {
            "code": -1003,
            "msg": f"Too much request weight used; current limit is {self.weight_max} request "
            "weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling "
            "the API.",
        }
        return web.json_response(said, status=status, headers={"Retry-After": str(wait_s)})

    def _verify(self, text: str, params: Mapping[str, str], api_key: str | None) -> None:
        if api_key is None:
            raise Told(-2014, "API-key format invalid.", 401)
        if api_key != API_KEY:
            raise Told(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        payload = text.rpartition("&signature=")[0].encode()
        if not self._is_signed(payload, params.get("signature", "")):
            raise Told(-1022, "Signature for this request is not valid.")
        sent_ms, now_ms = int(params["timestamp"]), self.exchange.now_ms
        if sent_ms >= now_ms + 1000:
            raise Told(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
        if now_ms - sent_ms > float(params.get("recvWindow", "5000")):
            raise Told(-1021, "Timestamp for this request is outside of the recvWindow.")

    def _is_signed(self, payload: bytes, signature: str) -> bool:
        if self._public is None:
            return hmac.new(SECRET.encode(), payload, sha256).hexdigest() == signature.lower()
        try:
            raw = Signature.from_bytes(base64.b64decode(signature))
        except ValueError:
            return False
        return raw.verify(self._public, payload)

    def _info(self, said: Mapping[str, str]) -> Json:
        limits = [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1,
             "limit": self.weight_max},
        ]  # fmt: skip
        names = json.loads(said["symbols"])
        return {
            "timezone": "UTC", "serverTime": self.exchange.now_ms, "rateLimits": limits,
            "exchangeFilters": [], "symbols": [info(self._symbol(name)) for name in names],
        }  # fmt: skip

    def _depth(self, said: Mapping[str, str]) -> Json:
        symbol = self._symbol(said["symbol"])
        bids, asks = sorted(symbol.bids.items(), reverse=True), sorted(symbol.asks.items())
        return {
            "lastUpdateId": symbol.update_id,
            "bids": [[f"{price:.8f}", f"{held:.8f}"] for price, held in bids if held],
            "asks": [[f"{price:.8f}", f"{held:.8f}"] for price, held in asks if held],
        }

    def _account(self, _: Mapping[str, str]) -> Json:
        held = self.exchange.held
        return {
            "makerCommission": 10, "takerCommission": 10, "buyerCommission": 0,
            "sellerCommission": 0, "canTrade": True, "canWithdraw": True, "canDeposit": True,
            "brokered": False, "requireSelfTradePrevention": False, "preventSor": False,
            "updateTime": 123_456_789, "accountType": "SPOT",
            "balances": [
                {"asset": asset, "free": f"{amount:.8f}", "locked": "0.00000000"}
                for asset, amount in held.items()
            ],
            "permissions": ["SPOT"], "uid": self.exchange.uid,
        }  # fmt: skip

    def _commission(self, said: Mapping[str, str]) -> Json:
        none = dict.fromkeys(("maker", "taker", "buyer", "seller"), "0.00000000")
        discount = {
            "enabledForAccount": self.exchange.bnb_price is not None, "enabledForSymbol": True,
            "discountAsset": "BNB", "discount": "0.75000000",
        }  # fmt: skip
        return {
            "symbol": self._symbol(said["symbol"]).name,
            "standardCommission": {**none, "taker": f"{TAKER:.8f}"},
            "specialCommission": none, "taxCommission": none, "discount": discount,
        }  # fmt: skip

    def _order(self, said: Mapping[str, str]) -> Json:
        if self._queues:
            self._queue.append(said)
            return {}
        return result(self.exchange.place(said))

    def _test(self, said: Mapping[str, str]) -> Json:
        self.exchange.check(said)
        return {}

    def _find(self, said: Mapping[str, str]) -> Json:
        name = said.get("orderId") or said["origClientOrderId"]
        return query(self.exchange.find(said["symbol"], name))

    def _all_orders(self, said: Mapping[str, str]) -> Json:
        start, end = int(said.get("startTime", 0)), int(said.get("endTime", _FOREVER_MS))
        return [query(order) for order in self.exchange.listed(said["symbol"], start, end)]

    def _my_trades(self, said: Mapping[str, str]) -> Json:
        number = int(said["orderId"]) if "orderId" in said else None
        start, end = int(said.get("startTime", 0)), int(said.get("endTime", _FOREVER_MS))
        rows = self.exchange.traded(said["symbol"], number, start, end)
        return [row for row in rows if row["id"] >= int(said.get("fromId", 0))]

    def _symbol(self, name: str) -> Symbol:
        if name not in self.exchange.symbols:
            raise Told(-1121, "Invalid symbol.")
        return self.exchange.symbols[name]

    async def _serve_stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._streams.append((frozenset(request.query["streams"].split("/")), socket))
        self._opened.set()
        async for _ in socket:
            pass
        return socket

    async def _serve_api(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            asked = json.loads(message.data)
            params = {key: str(value) for key, value in asked["params"].items()}
            text = "&".join(f"{key}={params[key]}" for key in sorted(params) if key != "signature")
            head: dict[str, Json] = {"id": asked["id"]}
            try:
                self._verify(f"{text}&signature=", params, params.get("apiKey"))
            except Told as told:
                await socket.send_str(
                    json.dumps({**head, "status": told.status, "error": told.body})
                )
                continue
            said = {**head, "status": 200, "result": {"subscriptionId": len(self._listeners)}}
            await socket.send_str(json.dumps(said))
            self._listeners.append(socket)
            self._opened.set()
        return socket
