"""A Binance that says as much as it is asked to, for `benches/feed.py`: not a test of shapes.

    python -m benches.feed_server --rate 50000 --seconds 10 --pairs 10

Messages are made beforehand by the walk of tests and sent at an even rate, or in bursts, to whoever
opens a stream; REST answers markets and snapshots. Prints its port, then how many were sent.
"""

import argparse
import asyncio
import json
import time
from typing import Final
from urllib.parse import parse_qs, urlsplit

import picows
from picows import WSListener, WSMsgType, WSTransport, WSUpgradeRequest, WSUpgradeResponse

from quantdesk.testing.binance_walk import Walk

_TURN_S: Final = 0.001
_STEPS_PER_DIFF: Final = 40
PAIRS: Final = tuple(
    f"{asset}USDT" for asset in ("BTC", "ETH", "SOL", *(f"A{number}" for number in range(97)))
)


Said = tuple[str, bytes]
"""A message and the stream it belongs to."""


def messages(count: int, pairs: int, rate: int) -> tuple[dict[str, bytes], list[Said]]:
    """Return each pair's snapshot, and that many messages of all of them in turn."""
    walks = [Walk(pair, seed=1) for pair in PAIRS[:pairs]]
    books = {walk.pair: json.dumps(walk.snapshot(5_000)).encode() for walk in walks}
    said: list[Said] = []
    began_ms, step = time.time_ns() // 1_000_000, 0
    while len(said) < count:
        step += 1
        now_ms = began_ms + len(said) * 1000 // rate
        for walk in walks:
            told = list(walk.step(now_ms))
            if step % _STEPS_PER_DIFF == 0 and (diff := walk.diff(now_ms)):
                told.append(diff)
            for name, data in told:
                stream = f"{walk.pair.lower()}@{name}"
                text = json.dumps({"stream": stream, "data": data}, separators=(",", ":"))
                said.append((stream, text.encode()))
    return books, said[:count]


class _Stream(WSListener):
    """Sends to one client, a turn's worth at once, until all is said."""

    def __init__(self, said: list[bytes], rate: int, burst_s: float) -> None:
        self._said = said
        self._rate = rate
        self._burst_s = burst_s
        self._task: asyncio.Task[None] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._task = asyncio.ensure_future(self._send(transport))

    async def _send(self, transport: WSTransport) -> None:
        began, sent, total = time.monotonic(), 0, len(self._said)
        turn_s = self._burst_s or _TURN_S
        while sent < total:
            due = min(total, int((time.monotonic() - began + turn_s) / turn_s) * self._turn(turn_s))
            for message in self._said[sent:due]:
                transport.send(WSMsgType.TEXT, message)
            sent = max(sent, due)
            await asyncio.sleep(turn_s / 4)
        print(f"sent {sent} in {time.monotonic() - began:.2f}", flush=True)

    def _turn(self, turn_s: float) -> int:
        return max(1, round(self._rate * turn_s))


async def _serve(asked: argparse.Namespace) -> None:
    books, said = messages(int(asked.rate * asked.seconds), asked.pairs, asked.rate)
    info = json.dumps({"symbols": [{"symbol": pair, "status": "TRADING"} for pair in books]})

    def opened(request: WSUpgradeRequest) -> WSListener | picows.WSUpgradeResponseWithListener:
        url = urlsplit(request.path.decode())
        if url.path == "/stream":
            names = frozenset(parse_qs(url.query)["streams"][0].split("/"))
            his = [text for name, text in said if name in names]
            return _Stream(his, asked.rate * len(his) // len(said), asked.burst_s)
        body = info.encode()
        if url.path == "/api/v3/depth":
            body = books[parse_qs(url.query)["symbol"][0]]
        answer = WSUpgradeResponse.create_ok_response(body)
        return picows.WSUpgradeResponseWithListener(answer, None)

    server = await picows.ws_create_server(opened, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benches.feed_server")
    parser.add_argument("--rate", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--burst-s", type=float, default=0.0, help="send a burst every so often")
    asyncio.run(_serve(parser.parse_args()))
