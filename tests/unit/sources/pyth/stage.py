"""Pyth and a server of tests, with what a scene needs to make them meet."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from quantdesk.core.ticks import Frame, Oracle
from quantdesk.sources.pyth import Pyth
from quantdesk.sources.pyth.source import PATIENCE
from quantdesk.sources.reconnecting import Patience
from quantdesk.sources.words.hermes import FEEDS
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.hermes import Hermes
from quantdesk.testing.loopback import Loopback

TIME = 1_735_645_930


@dataclass
class Kit:
    """A server, the source that listens to it, and what came."""

    hermes: Hermes
    pyth: Pyth
    clock: ManualClock
    frames: list[Frame] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    slot: int = 1
    loopback: Loopback = field(default_factory=Loopback)

    def listen(self, symbols: Sequence[str] = ("BTC",)) -> None:
        """Let the source run."""
        self.task = asyncio.ensure_future(self.pyth.run(symbols, self.frames.append))

    def publish(self, symbol: str = "BTC", *, price: int = 6_100_000_000_000, at: int = 0) -> None:
        """Have the server say a new price, `at` seconds after the first."""
        self.slot += 1
        self.hermes.publish(
            FEEDS[symbol], price=price, conf=2_000_000_000, publish_time=TIME + at, slot=self.slot
        )

    async def rest(self, seconds: float = 0.0) -> None:
        """Let loopback come to rest, then time pass in steps, then loopback again."""
        await self.loopback.rest()
        while seconds > 0:
            step = min(seconds, self.clock.step_s(0.25))
            seconds -= step
            await self.clock.advance(step)
            await self.loopback.rest()

    async def connected(self, count: int = 2) -> None:
        """Return once that many streams have ever been opened."""
        await self.hermes.opened(count)
        await self.rest()

    @property
    def prices(self) -> list[Decimal]:
        """Return all prices that were told."""
        return [
            event.value
            for frame in self.frames
            for event in self.pyth.read(frame)
            if isinstance(event, Oracle)
        ]


Scene = Callable[[Kit], Awaitable[None]]


def play(
    scene: Scene,
    *,
    server_key: str | None = None,
    key: str | None = None,
    patience: Patience = PATIENCE,
) -> None:
    async def run() -> None:
        clock = ManualClock()
        async with Hermes(api_key=server_key) as hermes, asyncio.timeout(60):
            pyth = Pyth(
                clock=clock,
                chance=lambda: 0.5,
                base_url=hermes.base_url,
                api_key=key,
                patience=patience,
            )
            kit = Kit(hermes, pyth, clock)
            kit.publish()
            try:
                await scene(kit)
            finally:
                if kit.task is not None:
                    kit.task.cancel()
                    await asyncio.gather(kit.task, return_exceptions=True)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}, "something was left running"

    asyncio.run(run())
