"""The market data of a desk that listens to no source itself: an ingest process shares its own.

The frames go through the same flow as those of a source, so that books, candles, provenance and the
messages behind a price are what they are where the frames were heard. Nothing of it is stored here.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Final

from quantdesk.app.background import Background
from quantdesk.app.bounds import real_sources
from quantdesk.app.feeding import FIRST_S, TURN_S, Feeding, board_of, collector, names
from quantdesk.app.news import Newsroom
from quantdesk.app.sources import chance
from quantdesk.app.wide import RESYNC, Wide
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.core.ticks import Frame, Headline
from quantdesk.ingest import cached
from quantdesk.ingest.board import Board
from quantdesk.ingest.market_data import MarketData
from quantdesk.ingest.replay import Replay
from quantdesk.ops.tasks import Tasks
from quantdesk.settings import Settings
from quantdesk.sources.shared import Shared

_CACHE_S: Final = 1.0


@asynccontextmanager
async def open_shared(
    settings: Settings, newsroom: Newsroom, wide: Wide, *, clock: Clock, tasks: Tasks
) -> AsyncIterator[Feeding]:
    """Fill a board from what an ingest process shares while the block runs."""
    source = Shared(wide.window, clock=clock, chance=chance(), only=real_sources(settings.mode))
    market = _market(settings, source, wide)
    market.flow.on(Headline, newsroom.news.headline)
    past = Replay(market.flow)

    def take(frame: Frame) -> None:
        (market.flow if source.joined else past).take(frame)

    async def turn() -> None:
        await source.has_joined()
        while True:
            market.flow.advance(clock.now_ms())
            await clock.sleep(TURN_S)

    running = collector(source, market, clock, take=take)
    async with AsyncExitStack() as stack:
        background = Background(stack, tasks)
        await _remember(stack, market.board, wide)
        background.begin(f"source {source.name}", running.run)
        background.begin("market clock", turn)
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_S):
                await source.has_joined()
        yield Feeding(market=market, collectors=(running,), shared=source)


def _market(settings: Settings, source: Shared, wide: Wide) -> MarketData:
    """Return market data whose books are asked for where the sources are."""

    def resync(name: str, symbol: str) -> None:
        if source.joined:  # of the past nobody has snapshots
            wide.events.publish(RESYNC, [(name, symbol)])

    def gap(at_ms: int) -> None:
        for name in {market[0] for market in found.books.markets()}:
            found.books.reset(name, now_ms=at_ms)

    found = MarketData(
        dict.fromkeys(names(source), source.read),
        board=board_of(settings, in_dollars=False),
        resync=resync,
    )
    source.gaps.append(gap)
    return found


async def _remember(stack: AsyncExitStack, board: Board, wide: Wide) -> None:
    """Show what others agreed on, until the stack unwinds or frames say it themselves."""
    stack.callback(wide.events.listen(cached.TOPIC, partial(cached.heard, board)))
    with suppress(Unavailable, TimeoutError):
        async with asyncio.timeout(_CACHE_S):
            await cached.restore(board, wide.cache, ASSETS)
