"""Promise: 50,000 messages a second from a socket to the board on half a core, p99 under 50 µs.

    python -m benches.feed

A server of its own process sends what `testing.binance_walk` says of some pairs; the client is the
Binance source with the gate, the books and the candles of ingest behind it. CPU is of the client's
process; the times are of one call of `take`: read, judged, in the board and the books. `even` comes
in turns of a millisecond, `burst` all of a quarter of a second at once.
"""

import argparse
import asyncio
import os
import random
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import uvloop

from benches.feed_server import PAIRS
from benches.figures import markdown, table
from quantdesk.core.clock import SystemClock
from quantdesk.core.ticks import Frame
from quantdesk.ingest.board import Board
from quantdesk.ingest.market_data import MarketData
from quantdesk.sources.binance import SPOT, Binance

CPU_MAX: Final = 0.5
P99_US_MAX: Final = 50.0
_BURST_S: Final = 0.25
_WARM: Final = 5_000
HEADS = (
    *("load", "msg/s asked", "msg/s", "pairs", "messages", "CPU share", "us/message"),
    *("p50 us", "p99 us", "p99.9 us", "unreadable", "rejected", "books"),
)


@dataclass(frozen=True, slots=True)
class Load:
    """What the server is asked to send."""

    name: str
    rate: int
    pairs: int
    burst_s: float = 0.0
    promised: bool = False


LOADS: Final = (
    Load("even", 50_000, 10, promised=True),
    Load("even", 50_000, 100, promised=True),
    Load("burst", 25_000, 10, burst_s=_BURST_S, promised=True),
)


class Timed:
    """Every call of what a source hands its frames to, timed."""

    def __init__(self, data: MarketData) -> None:
        self._take = data.flow.take
        self.took_ns = array("q")
        self.began = self.ended = (0, 0)

    def take(self, frame: Frame) -> None:
        """Pass a frame on, and note how long that took."""
        before = time.perf_counter_ns()
        self._take(frame)
        after = time.perf_counter_ns()
        self.took_ns.append(after - before)
        if len(self.took_ns) == _WARM:
            self.began = (after, time.process_time_ns())

    def end(self) -> None:
        """Note the end."""
        self.ended = (time.perf_counter_ns(), time.process_time_ns())


async def _measured(load: Load, port: int, total: int) -> tuple[str, ...]:
    board, clock = Board(), SystemClock()
    address = f"127.0.0.1:{port}"
    exchange = SPOT.at(stream_url=f"ws://{address}", rest_url=f"http://{address}")
    source = Binance(exchange, clock=clock, chance=random.random, quotes=("USDT",))
    data = MarketData(
        {source.name: source.read},
        board=board,
        resync=lambda _, symbol: source.resync(symbol),
    )
    timed = Timed(data)
    symbols = [pair.removesuffix("USDT") for pair in PAIRS[: load.pairs]]
    running = asyncio.ensure_future(source.run(symbols, timed.take))
    while len(timed.took_ns) < total and not running.done():
        await asyncio.sleep(0.05)
        data.flow.advance(clock.now_ms())
        if source.counts["reconnects"]:
            break
    timed.end()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return _row(load, timed, data)


def _row(load: Load, timed: Timed, data: MarketData) -> tuple[str, ...]:
    took = sorted(timed.took_ns[_WARM:])
    wall_s, cpu_s = (
        (end - begin) / 1e9 for begin, end in zip(timed.began, timed.ended, strict=True)
    )
    passage = data.flow.sources["binance"]
    rejected = data.gate.rejections.of("binance")
    books = data.books.counts
    return (
        load.name,
        f"{load.rate}",
        f"{len(took) / wall_s:.0f}",
        f"{load.pairs}",
        f"{len(took)}",
        f"{cpu_s / wall_s:.3f}",
        f"{cpu_s / len(took) * 1e6:.2f}",
        *(f"{took[min(len(took) - 1, int(len(took) * part))] / 1e3:.1f}" for part in _PARTS),
        f"{passage.unreadable}",
        " ".join(f"{name} {count}" for name, count in rejected.items()) or "0",
        " ".join(f"{outcome} {count}" for (_, outcome), count in books.items()),
    )


_PARTS: Final = (0.5, 0.99, 0.999)


@contextmanager
def _served(load: Load, seconds: float) -> Iterator[int]:
    command = [
        *(sys.executable, "-m", "benches.feed_server", "--rate", str(load.rate)),
        *("--seconds", str(seconds), "--pairs", str(load.pairs), "--burst-s", str(load.burst_s)),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None, "it is a pipe"
            yield int(server.stdout.readline())
        finally:
            server.terminate()


def main() -> int:
    """Measure and print; 0 when the promise is kept."""
    parser = argparse.ArgumentParser(prog="python -m benches.feed")
    parser.add_argument("--seconds", type=float, default=10.0, help="per load")
    asked = parser.parse_args()
    lines, kept = [], True
    for load in LOADS:
        with _served(load, asked.seconds) as port:
            total = int(load.rate * asked.seconds)
            lines.append(uvloop.run(_measured(load, port, total)))
        if load.promised:
            kept &= float(lines[-1][5]) <= CPU_MAX and float(lines[-1][8]) < P99_US_MAX
    print(table(HEADS, lines))
    print(f"\npromise: CPU at most {CPU_MAX:g} of a core, p99 under {P99_US_MAX:g} us")
    print(f"machine load before: {os.getloadavg()[0]:.2f}\n\n{markdown(HEADS, lines)}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
