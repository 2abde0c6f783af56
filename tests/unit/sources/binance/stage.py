"""A Binance source that runs against an exchange on loopback, its time moved by hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from quantdesk.core.errors import DeskError
from quantdesk.core.ticks import Depth, Frame
from quantdesk.sources.binance import SPOT, USD_M, Binance
from quantdesk.sources.port import Take
from quantdesk.sources.reconnecting import PATIENCE, Patience
from quantdesk.testing.binance_market import BinanceMarket
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.loopback import Loopback

PAIRS = ("BTCUSDT", "ETHUSDT")


@dataclass
class Desk:
    """A source that runs against an exchange; `frames` are what it handed over."""

    clock: ManualClock
    market: BinanceMarket
    source: Binance
    symbols: tuple[str, ...] = ("BTC", "ETH")
    frames: list[Frame] = field(default_factory=list)
    running: asyncio.Task[None] | None = None
    loopback: Loopback = field(default_factory=Loopback)

    def start(self, take: Take | None = None) -> None:
        """Run the source; its frames go to `take`, or are kept."""
        running = self.source.run(self.symbols, take or self.frames.append)
        self.running = asyncio.ensure_future(running)

    @property
    def counts(self) -> dict[str, int]:
        """Return what the source counted."""
        return dict(self.source.counts)

    async def turns(self) -> None:
        """Let loopback and every task run."""
        await self.loopback.rest(40)

    async def until(self, met: Callable[[], object], *, within_s: float = 5.0) -> float:
        """Move time on in small steps until it is met; return how long that took."""
        began_s = self.clock.monotonic()
        while True:
            await self.turns()
            if met() or (self.running is not None and self.running.done()):
                break
            left_s = began_s + within_s - self.clock.monotonic()
            assert left_s > 0, f"not within {within_s} s"
            await self.clock.advance(min(self.clock.step_s(0.05), left_s))
        assert met() or self.running is not None
        return self.clock.monotonic() - began_s

    async def connected(self, count: int = 1) -> None:
        """Return once that many streams are open."""
        await self.until(lambda: self.market.listening >= count)

    async def ended(self) -> BaseException | None:
        """Return what the run raised."""
        assert self.running is not None, "started first"
        await self.until(self.running.done, within_s=200)
        return self.running.exception()

    def books(self) -> list[Depth]:
        """Return the books that came."""
        events = [event for frame in self.frames for event in self.source.read(frame)]
        return [event for event in events if isinstance(event, Depth)]

    def heard(self) -> set[str]:
        """Return the messages that came by sockets."""
        return {frame.data.decode() for frame in self.frames if frame.feed == "ws"}


@asynccontextmanager
async def desk(*, futures: bool = False, patience: Patience = PATIENCE) -> AsyncIterator[Desk]:
    """Open an exchange and a source at it that does not run yet."""
    clock = ManualClock()
    async with BinanceMarket(clock=clock, pairs=PAIRS, futures=futures) as market:
        exchange = USD_M if futures else SPOT
        exchange = exchange.at(stream_url=market.stream_url, rest_url=market.rest_url)
        source = Binance(
            exchange, clock=clock, chance=lambda: 0.5, quotes=("USDT",), patience=patience
        )
        opened = Desk(clock, market, source)
        try:
            yield opened
        finally:
            if opened.running is not None:
                opened.running.cancel()
                with suppress(asyncio.CancelledError, DeskError, ZeroDivisionError):
                    await opened.running


def play(
    scene: Callable[[Desk], Awaitable[None]],
    *,
    futures: bool = False,
    patience: Patience = PATIENCE,
) -> None:
    """Play a scene on a stage of its own, within a minute of real time."""

    async def whole() -> None:
        async with desk(futures=futures, patience=patience) as opened:
            await asyncio.wait_for(scene(opened), 60)

    asyncio.run(whole())
