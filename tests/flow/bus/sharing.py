"""Processes that share frames over a real NATS, for the tests of the bus."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from tests.flow.bus.server import Reached, link, running

from quantdesk.bus.nats.link import Link
from quantdesk.bus.nats.window import Window
from quantdesk.bus.port import Letter
from quantdesk.core.clock import SystemClock
from quantdesk.core.ticks import Frame
from quantdesk.ingest.sharing import Sharing
from quantdesk.sources.shared import BEHIND_MAX, Shared

CLOCK = SystemClock()


def window(one: Link) -> Window:
    """Return the frames of the last minutes."""
    return Window(one, name="test_frames", subject="test.frames")


def frame(number: int, *, source: str = "binance", size: int = 10) -> Frame:
    """Return a frame that says a number."""
    return Frame(source, "ws", 1_700_000_000_000_000_000 + number, b"%0*d" % (size, number))


@dataclass
class Ingest:
    """A process that shares."""

    sharing: Sharing

    def tap(self, *numbers: int, source: str = "binance", size: int = 10) -> None:
        """Hear these frames."""
        for number in numbers:
            self.sharing.tap(frame(number, source=source, size=size))


class Held:
    """A window that a process reads only while it is open: a process that is slow."""

    def __init__(self, kept: Window) -> None:
        self._kept = kept
        self.open = asyncio.Event()
        self.open.set()
        self.follows = 0

    async def add(self, body: bytes, *, name: str) -> int:
        """Keep a message."""
        return await self._kept.add(body, name=name)

    async def follow(self, *, skip: bool = False) -> AsyncGenerator[Letter, None]:
        """Yield messages while it is open."""
        self.follows += 1
        async with aclosing(self._kept.follow(skip=skip)) as letters:
            async for letter in letters:
                await self.open.wait()
                yield letter


@dataclass
class Desk:
    """A process that takes, and what it took."""

    shared: Shared
    kept: Held
    frames: list[Frame] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)

    def take(self, one: Frame) -> None:
        """Note a frame."""
        self.frames.append(one)

    @property
    def numbers(self) -> list[int]:
        """Return what the frames say."""
        return [int(one.data) for one in self.frames]


@asynccontextmanager
async def ingest(server: Reached, life: str = "a") -> AsyncIterator[Ingest]:
    """Share while the block runs."""
    one = link(server)
    sharing = Sharing(window(one), life=life, clock=CLOCK, chance=lambda: 0.0)
    async with running(one):
        task = asyncio.ensure_future(sharing.run())
        try:
            yield Ingest(sharing)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def desk(
    server: Reached, *, only: frozenset[str] | None = None, behind_max: int = BEHIND_MAX
) -> AsyncIterator[Desk]:
    """Take what is shared while the block runs."""
    one = link(server)
    kept = Held(window(one))
    shared = Shared(kept, clock=CLOCK, chance=lambda: 0.0, only=only, behind_max=behind_max)
    made = Desk(shared, kept)
    shared.gaps.append(made.gaps.append)
    async with running(one):
        task = asyncio.ensure_future(shared.run(["SOL"], made.take))
        try:
            yield made
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
