"""A client of the desk as anybody would write one: HTTP and WebSocket, every wait bounded."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from tests.flow.process.running import Process

WAIT_S = 60.0
"""More than any answer takes, however busy the machine."""
OPEN = {"PENDING", "ROUTING", "BUILDING", "SUBMITTED"}
SELL = {"pair": "SOL-USDC", "amount": 1, "direction": "SELL"}
RESTING = {**SELL, "limitPrice": 1_000_000}
PROBLEM = ("type", "title", "status", "detail", "code", "retryable", "requestId")


@dataclass(frozen=True)
class Answer:
    """What the desk answered; `body` is decoded where it is JSON."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        """Return the code of a problem; fail when this is no whole problem document."""
        assert self.headers["content-type"] == "application/problem+json", self
        assert set(PROBLEM) <= set(self.body), self
        assert self.body["status"] == self.status, self
        assert self.body["type"] == f"urn:quantdesk:{self.body['code']}", self
        assert self.body["detail"], self
        assert self.body["requestId"], self
        code: str = self.body["code"]
        return code


class Client:
    """Talks to one desk with the owner's key."""

    def __init__(self, desk: Process, session: aiohttp.ClientSession) -> None:
        self.desk = desk
        self.url = desk.url
        self.key = desk.key
        self._session = session

    @property
    def headers(self) -> dict[str, str]:
        """Return what names the caller."""
        return {"Authorization": f"Bearer {self.key}"}

    async def ask(
        self, method: str, path: str, *, body: bytes | None = None, **headers: str
    ) -> Answer:
        """Return the answer to a request with the owner's key."""
        sent = {**self.headers, **headers}
        async with self._session.request(
            method, self.url + path, data=body, headers=sent, skip_auto_headers=["content-type"]
        ) as answer:
            text = await answer.text()
            is_json = "json" in answer.headers.get("content-type", "")
            found = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, found, json.loads(text) if is_json and text else text)

    async def bare(self, method: str, path: str, headers: dict[str, str]) -> Answer:
        """Return the answer to a request with exactly these headers and no body."""
        async with self._session.request(method, self.url + path, headers=headers) as answer:
            found = {name.lower(): value for name, value in answer.headers.items()}
            is_json = "json" in answer.headers.get("content-type", "")
            return Answer(
                answer.status,
                found,
                await (answer.json(content_type=None) if is_json else answer.text()),
            )

    async def get(self, path: str) -> Answer:
        """Return the answer to a GET."""
        return await self.ask("GET", path)

    async def post(self, path: str, body: object, **headers: str) -> Answer:
        """Return the answer to JSON; bytes are sent as they are."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.ask(
            "POST", path, body=raw, **{"content-type": "application/json", **headers}
        )

    async def order(self, body: object, **headers: str) -> Answer:
        """Return the answer to an order."""
        return await self.post("/api/orders", body, **headers)

    async def placed(self, body: object, **headers: str) -> str:
        """Return the id of an order that must be accepted."""
        answer = await self.order(body, **headers)
        assert answer.status == 201, answer
        order_id: str = answer.body["orderId"]
        return order_id

    async def settled(self, order_id: str) -> dict[str, Any]:
        """Return an order once its stream has said its last state."""
        async with self.stream(f"/ws/orders/{order_id}") as stream:
            await stream.rest()
        answer = await self.get(f"/api/orders/{order_id}")
        order: dict[str, Any] = answer.body
        return order

    async def count(self) -> int:
        """Return how many orders are stored, up to the size of a page."""
        return len((await self.get("/api/orders?limit=500")).body["orders"])

    async def metrics(self) -> dict[str, float]:
        """Return every number of /metrics by its name and labels."""
        text: str = (await self.get("/metrics")).body
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}

    @asynccontextmanager
    async def stream(
        self, path: str, headers: dict[str, str] | None = None
    ) -> "AsyncIterator[Stream]":
        """Follow a stream while the block runs."""
        sent = self.headers if headers is None else headers
        async with self._session.ws_connect(self.url + path, headers=sent) as socket:
            yield Stream(socket)


class Stream:
    """What one WebSocket says."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self) -> dict[str, Any]:
        """Return the next message."""
        told: dict[str, Any] = await self.socket.receive_json(timeout=WAIT_S)
        return told

    async def rest(self) -> list[dict[str, Any]]:
        """Return all messages until the desk closes the stream."""
        told: list[dict[str, Any]] = []
        while True:
            message = await self.socket.receive(timeout=WAIT_S)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return told
            told.append(json.loads(message.data))

    async def code(self) -> int | None:
        """Return the code that the desk closes with, whatever it says before."""
        await self.rest()
        return self.socket.close_code


def names(words: str) -> set[str]:
    """Return the names in a list that people can read."""
    return set(words.split())


def states(events: list[dict[str, Any]]) -> list[str]:
    """Return the states of events whose versions must be whole."""
    assert [event["version"] for event in events] == list(range(1, len(events) + 1)), events
    return [event["status"] for event in events]
