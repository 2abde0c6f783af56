"""An ingest process: sources, recorded, stored, watched and shared; no wallet, no orders.

sources → flow → recorder, database, board
               → NATS: frames for the minutes behind, prices in the cache → desks elsewhere
"""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec

from quantdesk.access.key_callers import KeyCallers
from quantdesk.access.known.known import Known
from quantdesk.api.edge import Edge, Hot, Reply, Request
from quantdesk.api.markets import MarketRoutes
from quantdesk.api.pages import HOT, pages
from quantdesk.api.system import ServiceView, SystemRoutes
from quantdesk.app.background import Background
from quantdesk.app.bounds import check_sources, guard_limits
from quantdesk.app.catching_up import catch_up
from quantdesk.app.channels import MarketChannels, Services
from quantdesk.app.feeding import Feeding, open_feeding
from quantdesk.app.foundation import (
    Desk,
    Say,
    answers,
    is_owned,
    open_database,
    owner,
    spare_the_collector,
)
from quantdesk.app.front import open_front
from quantdesk.app.market_routes import market_routes
from quantdesk.app.news import Newsroom, open_newsroom
from quantdesk.app.sources import SHARED, chance
from quantdesk.app.storing import keep_market_data
from quantdesk.app.streaming import open_hub
from quantdesk.app.watch_data import DataWatch, watch_data
from quantdesk.app.wide import RESYNC, Wide, open_wide
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock, SystemClock, iso
from quantdesk.core.errors import Refused
from quantdesk.core.ids import ids
from quantdesk.engines.orders.model import Order, OrderEvent
from quantdesk.engines.orders.store.read import Filter
from quantdesk.guard.check import Limits
from quantdesk.hub.orders import OrderStreams
from quantdesk.hub.streams import Streams
from quantdesk.ingest.cached import PriceCache
from quantdesk.ingest.retention import Keep
from quantdesk.ingest.sharing import Sharing
from quantdesk.ops import folder, health
from quantdesk.ops.tasks import Tasks
from quantdesk.settings import Settings
from quantdesk.sources.port import BookSource
from quantdesk.store.pool import Pools
from quantdesk.telemetry.hiding import hide
from quantdesk.telemetry.metrics import Metrics

_ELSEWHERE: Final = "this process hears market data and takes no orders: ask the desk"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    settings: Settings
    home: Path
    clock: Clock
    metrics: Metrics
    limits: Limits
    pools: Pools
    feeding: Feeding
    newsroom: Newsroom
    watch: DataWatch
    sharing: Sharing
    wide: Wide
    tasks: Tasks


@asynccontextmanager
async def open_ingest(settings: Settings, home: Path, *, say: Say) -> AsyncIterator[Desk]:
    """Hear, keep and share market data while the block runs.

    Raises `DeskError` with its cure when something it needs cannot be had.
    """
    if not settings.nats_url or settings.source == SHARED:
        raise Refused(
            "an ingest process shares what its own sources say: set nats_url, and a source other "
            "than shared",
            code="source.settings",
        )
    clock, metrics = SystemClock(), Metrics()
    tasks = Tasks(clock=clock, restarted=metrics.task_restarted)
    async with AsyncExitStack() as stack:
        hide(settings)
        front = open_front(stack, settings.api)
        say("database")
        pools = await open_database(stack, tasks, settings, home, say)
        # A key that this folder lacks is the desk's: a fresh one would lock its holder out.
        new_key = None if await is_owned(pools) else await owner(pools, home, clock)
        say("prices")
        parts = await _hear(stack, settings, home, pools, tasks, metrics)
        identity = _identity(parts, front.url)
        edge = await _edge(stack, parts, identity)
        background = Background(stack, tasks)
        await front.serve(stack, background, edge, metrics=metrics, clock=clock)
        spare_the_collector()
        folder.write(home / folder.DESK, msgspec.json.encode({**identity, **front.pinned}).decode())
        stack.callback((home / folder.DESK).unlink, missing_ok=True)
        yield Desk(identity, new_key)


async def _hear(
    stack: AsyncExitStack,
    settings: Settings,
    home: Path,
    pools: Pools,
    tasks: Tasks,
    metrics: Metrics,
) -> _Parts:
    clock, background = SystemClock(), Background(stack, tasks)
    wide = open_wide(stack, background, settings, clock=clock)
    sharing = Sharing(wide.window, life=wide.life, clock=clock, chance=chance())
    background.begin("sharing frames", sharing.run)
    newsroom = await open_newsroom(stack, background, settings.news, pools=pools, clock=clock)
    feeding = await stack.enter_async_context(
        open_feeding(settings, home, newsroom, clock=clock, tasks=tasks, share=sharing.tap)
    )
    check_sources(settings.mode, feeding.source.split(", "))
    writer = keep_market_data(
        stack,
        background,
        feeding.market,
        pools=pools,
        keep=Keep(ticks_days=settings.sources.keep_ticks_days),
        clock=clock,
    )
    catch_up(background, feeding, pools=pools, settings=settings.sources, clock=clock)
    prices = PriceCache(feeding.board, wide.cache, wide.events, clock=clock)
    background.begin("price cache", prices.run)
    stack.callback(wide.events.listen(RESYNC, partial(give_books, feeding)))
    return _Parts(
        settings=settings,
        home=home,
        clock=clock,
        metrics=metrics,
        limits=guard_limits(settings),
        pools=pools,
        feeding=feeding,
        newsroom=newsroom,
        watch=watch_data(feeding, metrics=metrics, clock=clock, writer=writer),
        sharing=sharing,
        wide=wide,
        tasks=tasks,
    )


def give_books(feeding: Feeding, asked: Sequence[tuple[str, str]]) -> None:
    """Ask a source for a book that another desk lost; the snapshot is a frame for all."""
    having_books = {
        one.source.name: one.source
        for one in feeding.collectors
        if isinstance(one.source, BookSource)
    }
    for name, symbol in asked:
        if name in having_books and symbol in ASSETS:
            having_books[name].resync(symbol)


def _identity(parts: _Parts, url: str) -> dict[str, Any]:
    return {
        "version": version("quantdesk"),
        "mode": parts.settings.mode,
        "pid": os.getpid(),
        "urls": {"api": url},
        "wallet": "",
        "source": parts.feeding.source,
        "roles": ["ingest"],
        "startedAt": iso(parts.clock.now_ms()),
    }


async def _edge(stack: AsyncExitStack, parts: _Parts, identity: dict[str, Any]) -> Edge:
    clock, metrics = parts.clock, parts.metrics
    services = _services(parts)
    channels = MarketChannels(
        feeding=parts.feeding,
        news=parts.newsroom.news,
        limits=parts.limits,
        services=services,
        clock=clock,
    )
    background = Background(stack, parts.tasks)
    hub = open_hub(background, channels, parts.watch, clock=clock, epoch=str(ids(clock.now_ms)()))
    nobody = OrderStreams(orders=_NoOrders(), mode=parts.settings.mode)
    streams = Streams(hub=hub, orders=nobody, clock=clock, metrics=metrics)
    stack.callback(streams.close)
    _numbers(parts, streams)
    markets = MarketRoutes(
        board=parts.feeding.board, limits=parts.limits, wallet="", balances=_no_wallet, clock=clock
    )
    facts = {**identity, "started_at": identity["startedAt"]}
    del facts["startedAt"]
    system = SystemRoutes(identity=facts, services=services, metrics=metrics)
    data = market_routes(
        parts.feeding, parts.newsroom, pools=parts.pools, limits=parts.limits, clock=clock
    )
    routers = [each.routes() for each in (parts.watch.routes, markets, *data, system)]
    known = Known(pools=parts.pools, clock=clock)
    await known.load()
    background.begin("access directory", known.run)
    return Edge(
        keys=KeyCallers(known, clock=clock),
        hot={("POST", path): Hot(needed, _no_orders) for path, needed in HOT.items()},
        socket=streams.serve,
        pages=pages(routers, version=identity["version"], metrics=metrics),
        metrics=metrics,
    )


def _services(parts: _Parts) -> Services:
    probes: dict[str, health.Probe] = {
        "database": answers(parts.pools),
        "prices": parts.feeding.probe,
        "bus": parts.wide.link.probe,
        "sharing": parts.sharing.probe,
        "disk": health.disk(parts.home),
        "clock": health.steady_clock(parts.clock),
        "tasks": parts.tasks.probe,
    }
    if parts.feeding.recorder is not None:
        probes["recorder"] = parts.feeding.recording
    asked = health.Health(probes)

    async def services() -> list[ServiceView]:
        return [ServiceView(s.name, s.state, s.detail) for s in await asked.states()]

    return services


def _numbers(parts: _Parts, streams: Streams) -> None:
    metrics, sharing = parts.metrics, parts.sharing
    parts.wide.export(metrics)
    metrics.gauge("sockets", "WebSocket clients.", lambda: len(streams))
    metrics.gauge(
        "sharing_waiting_bytes", "Of frames that wait for NATS.", lambda: sharing.waiting_bytes
    )
    metrics.family(
        "sharing_total", "Frames and parcels shared, frames dropped, failures.",
        ["what"], lambda: [((name,), count) for name, count in sharing.counts.items()],
    )  # fmt: skip


class _NoOrders:
    """What is known of orders where none are taken: nothing."""

    async def get(self, account_id: UUID, order_id: UUID) -> Order:  # noqa: ARG002
        raise Refused(_ELSEWHERE, code="order.unknown")

    async def page(self, wanted: Filter) -> list[Order]:  # noqa: ARG002
        return []

    async def events(self, order_ids: Sequence[UUID]) -> list[OrderEvent]:  # noqa: ARG002
        return []


async def _no_orders(_: Request) -> Reply:
    raise Refused(_ELSEWHERE, code="role.absent")


async def _no_wallet() -> dict[str, int]:
    raise Refused("this process has no wallet: ask the desk", code="wallet.unknown")
