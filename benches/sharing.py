"""Frames from one process to another by a NATS of loopback: how many, at what cost, how late.

    python -m benches.sharing

Both sides run in one process here, so that its CPU is what sharing and taking cost together. Book
tickers of 180 bytes: first as fast as a desk takes them, then 1,000 a second, from the call that
shares a frame to the call that takes it. What is gathered waits for 5 ms on purpose.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.ports import reserved_port

from benches.figures import markdown
from quantdesk.bus.nats.link import Link
from quantdesk.bus.nats.window import Window
from quantdesk.core.clock import SystemClock
from quantdesk.core.ticks import Frame
from quantdesk.ingest.sharing import Sharing
from quantdesk.sources.shared import Shared

FRAMES = 300_000
AT_ONCE_BYTES = 4 << 20
PACED = 2_000
SPACING_S = 0.001
DATA = b"x" * 180
CLOCK = SystemClock()


@contextmanager
def server() -> Iterator[str]:
    """Run the wheel's nats-server while the block runs; its URL."""
    port = reserved_port()
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(sys.executable).with_name("nats-server")
        running = subprocess.Popen(
            [binary, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", folder],
            stderr=subprocess.DEVNULL,
        )
        try:
            yield f"nats://127.0.0.1:{port}"
        finally:
            running.kill()
            running.wait()


@asynccontextmanager
async def both(url: str, take: "Taken") -> AsyncIterator[Sharing]:
    """Share and take while the block runs."""
    links = [Link(url, name=name, clock=CLOCK, chance=lambda: 0.0) for name in ("shares", "takes")]
    windows = [Window(link, name="bench", subject="bench.frames") for link in links]
    sharing = Sharing(windows[0], life="bench", clock=CLOCK, chance=lambda: 0.0)
    shared = Shared(windows[1], clock=CLOCK, chance=lambda: 0.0, behind_max=1 << 30)
    work = [link.run() for link in links] + [sharing.run(), shared.run(["BTC"], take)]
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await shared.has_joined()
        yield sharing
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Taken:
    """Counts what comes and how late it is, in nanoseconds."""

    def __init__(self, count: int) -> None:
        self.late_ns: list[int] = []
        self.all_of_them = asyncio.Event()
        self._count = count

    def __call__(self, frame: Frame) -> None:
        """Take a frame."""
        self.late_ns.append(time.time_ns() - frame.received_ns)
        if len(self.late_ns) == self._count:
            self.all_of_them.set()


async def rates(url: str) -> tuple[float, float]:
    """Return frames per second, and CPU microseconds per frame of both sides."""
    taken = Taken(FRAMES)
    async with both(url, taken) as sharing:
        began, cpu = time.perf_counter(), time.process_time()
        for _ in range(FRAMES):
            sharing.tap(Frame("binance", "ws", time.time_ns(), DATA))
            while sharing.waiting_bytes > AT_ONCE_BYTES:  # noqa: ASYNC110 - it never holds up
                await asyncio.sleep(0.001)
        await taken.all_of_them.wait()
        took, spent = time.perf_counter() - began, time.process_time() - cpu
    return FRAMES / took, spent / FRAMES * 1e6


async def lateness(url: str) -> tuple[float, float]:
    """Return the median and the 99th percentile in milliseconds."""
    taken = Taken(PACED)
    async with both(url, taken) as sharing:
        for _ in range(PACED):
            sharing.tap(Frame("binance", "ws", time.time_ns(), DATA))
            await asyncio.sleep(SPACING_S)
        await taken.all_of_them.wait()
    late = sorted(taken.late_ns)
    return late[len(late) // 2] / 1e6, late[len(late) * 99 // 100] / 1e6


def main() -> None:
    """Measure and print."""
    with server() as url:
        rate, cost_us = asyncio.run(rates(url))
    with server() as url:
        middle, worst = asyncio.run(lateness(url))
    rows = [
        ("frames/s, shared and taken", f"{rate:,.0f}"),
        ("CPU per frame, both sides, us", f"{cost_us:.2f}"),
        ("shared to taken at 1,000/s, p50 ms", f"{middle:.1f}"),
        ("shared to taken at 1,000/s, p99 ms", f"{worst:.1f}"),
        ("machine load", f"{os.getloadavg()[0]:.1f}"),
    ]
    print(markdown(("frames by NATS", "measured"), rows))


if __name__ == "__main__":
    main()
