"""A node on loopback that says what a test tells it to, and remembers what it was asked."""

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

Json = Any


class Told(Exception):
    """The JSON-RPC error to answer with."""

    def __init__(self, code: int, message: str = "told so", data: Json = None) -> None:
        super().__init__(message)
        self.body = {"code": code, "message": message, "data": data}


class ScriptedNode:
    """Answers each method by `says`; `body` replaces the whole answer, `status` its HTTP status."""

    def __init__(self) -> None:
        self.says: dict[str, Callable[..., Json]] = {}
        self.asked: list[tuple[str, list[Json]]] = []
        self.requests: list[int] = []  # how many questions each held
        self.takes_batches = True
        self.batch_status = 200  # else that of its answer to any batch
        self.status = 200
        self.body: bytes | None = None
        app = web.Application()
        app.router.add_post("/", self._answer)
        app.router.add_get("/", self._talk)
        self.connections = 0
        self.subscribes = True  # else it listens and says nothing
        self._sockets: list[web.WebSocketResponse] = []
        self._server = TestServer(app)

    async def start(self) -> None:
        """Listen on a free port."""
        await self._server.start_server()

    @property
    def url(self) -> str:
        """Return where it listens."""
        return str(self._server.make_url("/"))

    async def say(self, message: Json) -> None:
        """Say something on the newest socket."""
        await self._sockets[-1].send_str(msgspec.json.encode(message).decode())

    async def change(self, number: int, *, slot: int, data: Json) -> None:
        """Notify of the account whose subscription was asked by that number."""
        result = {"context": {"slot": slot}, "value": data}
        params = {"subscription": 100 + number, "result": result}
        await self.say({"jsonrpc": "2.0", "method": "accountNotification", "params": params})

    async def hang_up(self) -> None:
        """End the newest socket."""
        await self._sockets[-1].close()

    async def stop(self) -> None:
        """Close every connection."""
        await self._server.close()

    def count(self, method: str) -> int:
        """Return how often a method was asked."""
        return sum(name == method for name, _ in self.asked)

    async def _answer(self, request: web.Request) -> web.Response:
        questions = msgspec.json.decode(await request.read())
        is_batch = isinstance(questions, list)
        self.requests.append(len(questions) if is_batch else 1)
        if self.body is not None or self.status != 200:
            return web.Response(status=self.status, body=self.body or b"")
        if is_batch and self.batch_status != 200:
            return web.Response(status=self.batch_status)
        if not is_batch:
            answer = self._said(questions)
        elif self.takes_batches:
            answer = [self._said(question) for question in reversed(questions)]
        else:
            answer = {"id": None, "error": {"code": -32600, "message": "no batches"}}
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        self._sockets.append(socket)
        async for message in socket:
            question = msgspec.json.decode(message.data)
            self.asked.append((question["method"], question["params"]))
            if self.subscribes:
                await self.say({"id": question["id"], "result": 100 + question["id"]})
        return socket

    def _said(self, question: dict[str, Json]) -> Json:
        method, params = question["method"], question.get("params", [])
        self.asked.append((method, params))
        head = {"jsonrpc": "2.0", "id": question["id"]}
        if method not in self.says:
            return {**head, "error": {"code": -32601, "message": "Method not found"}}
        try:
            return {**head, "result": self.says[method](*params)}
        except Told as told:
            return {**head, "error": told.body}
