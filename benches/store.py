"""Promise: 100,000 ticks a second into Postgres by COPY, with all their columns and their index.

    python -m benches.store                a million ticks, then candles
    python -m benches.store --ticks 200000

The writer of the desk, given ticks as the gate's feeds make them and candles as markets close them,
against the embedded Postgres with its own settings (fsync on). Rows per second are by the clock, so
other programs of the machine count; CPU per row is of this process and of the server.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from benches.cpu import read_seconds
from benches.figures import markdown, table
from benches.peer.postgres import Postgres, postgres
from quantdesk.core.candles import Candle
from quantdesk.core.clock import SystemClock
from quantdesk.ingest.store.model import Tick
from quantdesk.ingest.writer import Writer
from quantdesk.store.migrate import migrate
from quantdesk.store.pool import connect

TICKS_PER_S = 100_000
HEADS = ("what", "rows", "per second", "µs CPU here", "µs CPU of Postgres")
_FEEDS = 100
_PIECE = 100_000
_NS = 1_000_000

R = TypeVar("R")


def ticks(count: int, *, from_ns: int) -> Iterator[Tick]:
    """Yield ticks of 100 feeds, each feed's prices walking."""
    for number in range(count):
        cents = 6_000_000 + number * 7_919 % 200_003  # hardly a price twice while it is remembered
        yield Tick(
            "binance", f"S{number % _FEEDS}", "USDT", "quote", (from_ns + number) // _NS,
            from_ns + number, Decimal(cents).scaleb(-2), Decimal("0.005"), 9,
        )  # fmt: skip


def candles(count: int, *, from_ms: int) -> Iterator[Candle]:
    """Yield seconds of 100 markets."""
    for number in range(count):
        open_ms = from_ms + number // _FEEDS * 1_000
        yield Candle(
            "binance", f"S{number % _FEEDS}", "USDT", "1s", open_ms, "61234.56", "61240.1",
            "61230.02", "61238.9", "1.23456", "75600.123456", "0.61728", 25, number, number + 24,
            closed=True,
        )  # fmt: skip


async def _stored(server: Postgres, asked: argparse.Namespace) -> list[list[str]]:
    url = f"postgresql://quantdesk@/quantdesk?host={server.socket_dir}"
    await migrate(url)
    clock = SystemClock()
    async with await connect(url, write_max=2, read_max=1) as pools:
        writer = Writer(pools.write, writer_id=uuid4(), clock=clock, chance=lambda: 0.5)
        day_ms = clock.now_ms() - clock.now_ms() % 86_400_000
        measure = Measure(writer, server)
        await measure.of("warm-up", ticks(_PIECE, from_ns=day_ms * _NS), writer.tick)
        rows = [
            await measure.of("ticks", ticks(asked.ticks, from_ns=day_ms * _NS), writer.tick),
            await measure.of("candles", candles(asked.candles, from_ms=day_ms), writer.candle),
            await measure.of(
                "candles again", candles(asked.candles, from_ms=day_ms), writer.candle
            ),
        ]
        async with pools.read.connection() as c:
            kept = await c.fetchval("select count(*) from ticks")
            assert kept == asked.ticks + _PIECE, "every tick is stored"
            assert await c.fetchval("select count(*) from candles") == asked.candles
    return rows


class Measure:
    """Times what a writer stores, piece by piece; making the pieces is not counted."""

    def __init__(self, writer: Writer, server: Postgres) -> None:
        self._writer = writer
        self._server = server

    async def of(self, what: str, rows: Iterator[R], take: Callable[[R], None]) -> list[str]:
        """Store rows and return what it took."""
        count, wall_s, here_s, there_s = 0, 0.0, 0.0, 0.0
        while piece := list(islice(rows, _PIECE)):
            began, cpu = time.perf_counter(), time.process_time()
            server = self._server_s()
            for row in piece:
                take(row)
            await self._writer.flush()
            wall_s += time.perf_counter() - began
            here_s += time.process_time() - cpu
            there_s += self._server_s() - server
            count += len(piece)
        each = [f"{seconds / count * 1e6:.2f}" for seconds in (here_s, there_s)]
        return [what, f"{count:,}", f"{count / wall_s:,.0f}", *each]

    def _server_s(self) -> float:
        return read_seconds({"postgres": (self._server.pid,)})["postgres"]


def main() -> int:
    """Measure and print; return 1 when ticks are stored more slowly than promised."""
    parser = argparse.ArgumentParser(prog="python -m benches.store")
    parser.add_argument("--ticks", type=int, default=1_000_000)
    parser.add_argument("--candles", type=int, default=50_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, postgres(Path(folder)) as server:
        rows: Sequence[Sequence[str]] = asyncio.run(_stored(server, asked))
    print(table(HEADS, rows))
    print(markdown(HEADS, rows))
    return 0 if float(rows[0][2].replace(",", "")) >= TICKS_PER_S else 1


if __name__ == "__main__":
    sys.exit(main())
