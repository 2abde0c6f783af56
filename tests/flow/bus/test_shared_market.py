"""The market data of a desk that hears no source: the same prices, books, messages behind them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.flow.bus.server import NatsServer, until

from quantdesk.app.background import Background
from quantdesk.app.feeding import Feeding, open_feeding
from quantdesk.app.ingest import give_books
from quantdesk.app.news import Newsroom
from quantdesk.app.shared import open_shared
from quantdesk.app.wide import RESYNC, Wide, open_wide
from quantdesk.core.clock import SystemClock
from quantdesk.core.ticks import Frame
from quantdesk.ingest.books.sync import BookState
from quantdesk.ingest.cached import PriceCache
from quantdesk.ingest.news.keeper import NewsKeeper
from quantdesk.ingest.news.news import News
from quantdesk.ingest.sharing import Sharing
from quantdesk.ops.tasks import Tasks
from quantdesk.settings import Settings, SourcesSettings
from quantdesk.store.pool import Pools

pytestmark = pytest.mark.anyio
CLOCK = SystemClock()
SOL = ("simulated", "SOL", "USD")


@dataclass
class Part:
    """A process: what it shares, and its market data."""

    wide: Wide
    feeding: Feeding

    @property
    def book(self) -> BookState:
        """Return how its book of SOL is."""
        return self.feeding.market.books.top(*SOL).state

    def price(self) -> dict[str, Any]:
        """Return what it says of SOL, its age left out."""
        told = self.feeding.board.provenance("SOL", now_ms=CLOCK.now_ms())
        return {name: value for name, value in told.items() if name != "ageMs"}


def opened(stack: AsyncExitStack, server: NatsServer) -> tuple[Settings, Tasks, Wide]:
    settings = Settings(
        mode="paper", source="simulated", nats_url=server.url,
        sources=SourcesSettings(record_hours=0),
    )  # fmt: skip
    tasks = Tasks(clock=CLOCK, restarted=lambda name: pytest.fail(f"{name} failed"))
    return settings, tasks, open_wide(stack, Background(stack, tasks), settings, clock=CLOCK)


def nobody(pools: Pools) -> Newsroom:
    return Newsroom(News(), NewsKeeper(pools=pools, clock=CLOCK, chance=lambda: 0.0), ())


@asynccontextmanager
async def ingest(
    server: NatsServer, home: Path, pools: Pools, *, shares: asyncio.Event | None = None
) -> AsyncIterator[Part]:
    """Hear simulated prices and share them, from an event on."""
    async with AsyncExitStack() as stack:
        settings, tasks, wide = opened(stack, server)
        sharing = Sharing(wide.window, life=wide.life, clock=CLOCK, chance=lambda: 0.0)

        def share(frame: Frame) -> None:
            if shares is None or shares.is_set():
                sharing.tap(frame)

        feeding = await stack.enter_async_context(
            open_feeding(settings, home, nobody(pools), clock=CLOCK, tasks=tasks, share=share)
        )
        background = Background(stack, tasks)
        background.begin("sharing", sharing.run)
        prices = PriceCache(feeding.board, wide.cache, wide.events, clock=CLOCK)
        background.begin("prices", prices.run)
        stack.callback(wide.events.listen(RESYNC, partial(give_books, feeding)))
        yield Part(wide, feeding)


@asynccontextmanager
async def desk(server: NatsServer, pools: Pools) -> AsyncIterator[Part]:
    """Take what is shared."""
    async with AsyncExitStack() as stack:
        settings, tasks, wide = opened(stack, server)
        feeding = await stack.enter_async_context(
            open_shared(settings, nobody(pools), wide, clock=CLOCK, tasks=tasks)
        )
        yield Part(wide, feeding)


async def test_that_a_desk_draws_the_conclusions_of_the_process_that_hears(
    server: NatsServer, tmp_path: Path, pools: Pools
) -> None:
    async with ingest(server, tmp_path, pools) as ours, desk(server, pools) as theirs:
        await until(lambda: theirs.book is BookState.SYNCED, "in sync")
        await until(lambda: ours.price() == theirs.price(), "the same")
        raw_id = theirs.price()["rawIds"][0]
        assert theirs.feeding.board.raw(raw_id) == ours.feeding.board.raw(raw_id)
        views = [part.feeding.market.books.view(*SOL, levels=50) for part in (ours, theirs)]
        assert views[0] == views[1]
        assert await theirs.feeding.probe() == "shared"


async def test_that_a_desk_that_never_saw_a_book_asks_for_it(
    server: NatsServer, tmp_path: Path, pools: Pools
) -> None:
    shares = asyncio.Event()
    async with ingest(server, tmp_path, pools, shares=shares) as ours:
        await until(lambda: ours.book is BookState.SYNCED, "in sync before it is shared")
        shares.set()
        async with desk(server, pools) as theirs:
            await until(lambda: theirs.book is BookState.SYNCED, "in sync")
            assert theirs.feeding.market.books.counts["simulated", "asked"] >= 1
            assert ours.wide.events.counts["heard"] >= 1


async def test_that_a_gap_makes_books_doubtful_until_they_are_seen_to_go_on(
    server: NatsServer, tmp_path: Path, pools: Pools
) -> None:
    async with ingest(server, tmp_path, pools), desk(server, pools) as theirs:
        await until(lambda: theirs.book is BookState.SYNCED, "in sync")
        shared = theirs.feeding.shared
        assert shared is not None
        for tell in shared.gaps:
            tell(CLOCK.now_ms())
        assert theirs.book is BookState.DIRTY
        await until(lambda: theirs.book is BookState.SYNCED, "in sync again")


async def test_that_a_desk_shows_cached_prices_before_frames_come(
    server: NatsServer, tmp_path: Path, pools: Pools
) -> None:
    async with ingest(server, tmp_path, pools) as ours:
        await until(lambda: ours.wide.events.counts["sent"] >= 6, "cached")
        last = ours.price()
    async with AsyncExitStack() as stack:
        _, _, wide = opened(stack, server)
        client = await wide.link.client()
        await client.jetstream().delete_stream("quantdesk_frames")  # frames are gone, prices stay
        async with desk(server, pools) as theirs:
            shown = theirs.price()
            assert shown["source"] == "cached: simulated"
            assert shown["value"] == last["value"]
            assert shown["validity"] == "STALE"
            assert shown["publishedAt"] == last["publishedAt"]
            async with ingest(server, tmp_path, pools):
                await until(lambda: theirs.price()["source"] == "simulated", "replaced")
