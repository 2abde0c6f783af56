"""A Hermes server on loopback that keeps the real one's shapes, and has its bad days on command.

Its binaries are whole: Merkle proofs hold, and the guardians of `testing/guardians.py` signed them,
whom a desk knows by `guardians.SETTING`. Format: https://docs.pyth.network/price-feeds/core/how-pyth-works/hermes
"""

import asyncio
import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Self

from aiohttp import web

from quantdesk.sources.words.accumulator import (
    HASH_BYTES,
    MAGIC,
    MESSAGE,
    PAYLOAD,
    ROOT_MAGIC,
    leaf_hash,
    node_hash,
)
from quantdesk.sources.words.keccak import keccak256
from quantdesk.testing.guardians import QUORUM, signed
from quantdesk.testing.serving import Serving

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
    says nothing; `garbage`, `cut`, `end` and `freeze` do to open streams what their names say. A
    stale feed is published with an old `publish_time`; one that is `forget`ten gives 404. `lie` has
    parsed prices differ from the binary; `signers` are who signs it, by their places.
    """

    def __init__(self, *, api_key: str | None = None) -> None:
        self._api_key = api_key
        self._latest: dict[str, dict[str, Any]] = {}
        self._streams: dict[asyncio.Queue[bytes | None], frozenset[str]] = {}
        self._frozen: set[asyncio.Queue[bytes | None]] = set()
        self._opened = asyncio.Event()
        self._closing = asyncio.Event()
        self._serving = Serving()
        self.base_url = ""
        self.status = int(HTTPStatus.OK)
        self.retry_after = ""
        self.silent = False
        self.lie = 0
        self.signers: Iterable[int] = QUORUM
        self.encoding = "base64"
        self.requests = 0
        self.streams_opened = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/v2/updates/price/latest", self._serve_latest)
        app.router.add_get("/v2/updates/price/stream", self._serve_stream)
        place = await self._serving.begin(app, cancels=True)
        self.base_url = f"http://{place}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        self.cut()
        await self._serving.end()

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
        message = self.message([feed])
        for stream, feeds in self._streams.items():
            if feed in feeds and stream not in self._frozen:
                stream.put_nowait(b"data:" + message + b"\n\n")

    def message(self, feeds: Sequence[str]) -> bytes:
        """Return what it says of these feeds, as it says it last."""
        updates = [self._latest[feed] for feed in feeds]
        messages = [message_of(update) for update in updates]
        binary = accumulator_update(messages, slot=_slot(updates), by=self.signers)
        parsed = [
            update | {"price": update["price"] | {"price": str(_price(update) + self.lie)}}
            for update in updates
        ]
        text = binary.hex() if self.encoding == "hex" else base64.b64encode(binary).decode()
        said = {"binary": {"encoding": self.encoding, "data": [text]}, "parsed": parsed}
        return json.dumps(said, separators=(",", ":")).encode()

    def forget(self, feed: str) -> None:
        """Have a feed no more."""
        del self._latest[feed]

    def freeze(self) -> None:
        """Say nothing more by the streams that are open, but keep them open."""
        self._frozen |= set(self._streams)

    @property
    def streams(self) -> int:
        """Return how many streams are open."""
        return len(self._streams)

    def cut_one(self) -> None:
        """Close the oldest stream in the middle of an event."""
        stream = next(iter(self._streams))
        stream.put_nowait(b'data:{"binary":{"encod')
        stream.put_nowait(None)

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

    def end(self, why: str = "Connection timeout reached (24h)") -> None:
        """End every stream with an error, as Hermes does after a day or for "Slow consumer"."""
        for stream in self._streams:
            stream.put_nowait(f"event:error\ndata:{why}\n\n".encode())
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
        return web.Response(body=self.message(_feeds(request)), content_type="application/json")

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
                stream.put_nowait(b"data:" + self.message([feed]) + b"\n\n")
        self.streams_opened += 1
        self._opened.set()
        try:
            while (raw := await stream.get()) is not None:
                await response.write(raw)
        finally:
            del self._streams[stream]
            self._frozen.discard(stream)
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


def _price(update: Mapping[str, Any]) -> int:
    return int(update["price"]["price"])


def _slot(updates: Sequence[Mapping[str, Any]]) -> int:
    return max(int(update["metadata"]["slot"]) for update in updates)


def message_of(update: Mapping[str, Any]) -> bytes:
    """Return the message that goes on chain for an update in Hermes' JSON."""
    said, before = update["price"], update["metadata"]["prev_publish_time"]
    price, conf, time = int(said["price"]), int(said["conf"]), said["publish_time"]
    feed = bytes.fromhex(update["id"])
    return MESSAGE.pack(0, feed, price, conf, said["expo"], time, before, price, conf)


def accumulator_update(
    messages: Sequence[bytes], *, slot: int, by: Iterable[int] = QUORUM
) -> bytes:
    """Return the binary of messages: a Merkle tree over them, its root in a VAA signed by some.

    The tree is filled up to a power of two, as Pythnet's is, and of two leaves at least.
    """
    empty = keccak256(b"\x02")[:HASH_BYTES]
    levels = [[leaf_hash(message) for message in messages]]
    width = 2
    while width < len(messages):
        width *= 2
    levels[0] += [empty] * (width - len(messages))
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node_hash(*pair) for pair in zip(below[::2], below[1::2], strict=True)])
    payload = PAYLOAD.pack(ROOT_MAGIC, 0, slot, 10_000, levels[-1][0])
    vaa = signed(payload, by=by)
    leaves = b"".join(
        _sized(message) + _proof(levels, number) for number, message in enumerate(messages)
    )
    return MAGIC + bytes([1, 0, 0, 0]) + _sized(vaa) + bytes([len(messages)]) + leaves


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _proof(levels: Sequence[Sequence[bytes]], number: int) -> bytes:
    nodes = [level[(number >> height) ^ 1] for height, level in enumerate(levels[:-1])]
    return bytes([len(nodes)]) + b"".join(nodes)
