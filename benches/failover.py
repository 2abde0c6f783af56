"""How long frames and order events stand still when one of three servers of NATS is killed.

    python -m benches.failover

A cluster of loopback, both sides in one process, a frame and an event every 20 ms. Each round kills
the server that both are connected to or the one that leads the frames, and starts it again. What
counts is the longest time between two frames, and between two events, around the kill.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from tests.ports import reserved_port

from benches.figures import markdown
from quantdesk.bus.nats.events import Events
from quantdesk.bus.nats.link import Link
from quantdesk.bus.nats.window import Window
from quantdesk.bus.port import Topic
from quantdesk.core.clock import SystemClock
from quantdesk.core.errors import Unavailable
from quantdesk.core.ticks import Frame
from quantdesk.ingest.sharing import Sharing
from quantdesk.sources.shared import Shared

NAMES = "abc"
ROUNDS = 6
SPACING_S = 0.02
WATCHED_S = 15.0
CALM_S = 8.0
CLOCK = SystemClock()
STREAM = "bench"
TOPIC = Topic("bench.events", msgspec.msgpack.encode, msgspec.msgpack.decode)


class Three:
    """Three servers that are one cluster."""

    def __init__(self, folder: str) -> None:
        self.ports = {name: reserved_port() for name in NAMES}
        self._routes = {name: reserved_port() for name in NAMES}
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        """Return the addresses of all."""
        return ",".join(f"nats://127.0.0.1:{port}" for port in self.ports.values())

    def start(self, name: str) -> None:
        """Start one."""
        routes = ",".join(f"nats://127.0.0.1:{port}" for port in self._routes.values())
        flags = {
            "-a": "127.0.0.1", "-p": str(self.ports[name]), "-n": name,
            "-sd": f"{self._folder}/{name}", "-cluster_name": "bench", "-routes": routes,
            "-cluster": f"nats://127.0.0.1:{self._routes[name]}",
        }  # fmt: skip
        words = [word for pair in flags.items() for word in pair]
        binary = Path(sys.executable).with_name("nats-server")
        self._running[name] = subprocess.Popen([binary, "-js", *words], stderr=subprocess.DEVNULL)

    def kill(self, name: str) -> None:
        """End one as a crash does."""
        running = self._running.pop(name)
        running.kill()
        running.wait()

    def end(self) -> None:
        """End all."""
        for name in tuple(self._running):
            self.kill(name)


class Times:
    """When things came."""

    def __init__(self) -> None:
        self.came_s: list[float] = []

    def __call__(self, _: object) -> None:
        """Note that something came."""
        self.came_s.append(time.perf_counter())

    def longest_s(self, since_s: float) -> float:
        """Return the longest time between two since then."""
        came = [at for at in self.came_s if at >= since_s]
        return max(after - before for before, after in zip([since_s, *came], came, strict=False))


@contextmanager
def three() -> Iterator[Three]:
    """Run a cluster while the block runs."""
    with tempfile.TemporaryDirectory() as folder:
        servers = Three(folder)
        try:
            for name in NAMES:
                servers.start(name)
            yield servers
        finally:
            servers.end()


@asynccontextmanager
async def flowing(url: str, frames: Times, events: Times) -> AsyncIterator[Sequence[Link]]:
    """Say and share, listen and take, while the block runs."""
    links = [Link(url, name=name, clock=CLOCK, chance=lambda: 0.0) for name in ("says", "hears")]
    windows = [Window(link, name=STREAM, subject="bench.frames") for link in links]
    sharing = Sharing(windows[0], life="bench", clock=CLOCK, chance=lambda: 0.0)
    shared = Shared(windows[1], clock=CLOCK, chance=lambda: 0.0)
    says, hears = (
        Events(link, topics={"bench": TOPIC}, life=bytes([one]) * 16, clock=CLOCK)
        for one, link in enumerate(links)
    )
    hears.listen("bench", events)

    async def pace() -> None:
        while True:
            sharing.tap(Frame("binance", "ws", time.time_ns(), b"x"))
            says.publish("bench", [1])
            await asyncio.sleep(SPACING_S)

    work = [link.run() for link in links] + [says.run(), hears.run(), sharing.run(), pace()]
    tasks = [asyncio.ensure_future(one) for one in [*work, shared.run(["BTC"], frames)]]
    try:
        await shared.has_joined()
        yield links
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def connected_to(servers: Three, links: Sequence[Link]) -> str:
    """Return to whom the one that says is connected."""
    said = await links[0].probe()
    return next(name for name, port in servers.ports.items() if f"127.0.0.1:{port}," in said)


async def leading(_: Three, links: Sequence[Link]) -> str:
    """Return who leads the frames."""
    client = await links[0].client()
    found = (await client.jetstream().stream_info(STREAM)).cluster
    return str(found and found.leader)


async def rounds(who: Callable[[Three, Sequence[Link]], Any]) -> tuple[list[float], list[float]]:
    """Return the longest silences of frames and of events, one of each kill, in seconds."""
    frames, events = Times(), Times()
    silent: tuple[list[float], list[float]] = [], []
    with three() as servers:
        async with flowing(servers.url, frames, events) as links:
            for _ in range(ROUNDS):
                await asyncio.sleep(CALM_S)
                with suppress(Unavailable):
                    killed = await who(servers, links)
                    at_s = time.perf_counter()
                    servers.kill(killed)
                    await asyncio.sleep(WATCHED_S)
                    silent[0].append(frames.longest_s(at_s))
                    silent[1].append(events.longest_s(at_s))
                    servers.start(killed)
    return silent


def main() -> None:
    """Measure and print."""
    rows = []
    for told, who in (("both are connected to", connected_to), ("leads the frames", leading)):
        for what, silent in zip(("frames", "events"), asyncio.run(rounds(who)), strict=True):
            shown = ", ".join(f"{one:.2f}" for one in sorted(silent))
            rows.append((f"{what} stand still, the server that {told} is killed, s", shown))
    rows.append(("machine load", f"{os.getloadavg()[0]:.1f}"))
    print(markdown(("one of three killed", "measured, each kill"), rows))


if __name__ == "__main__":
    main()
