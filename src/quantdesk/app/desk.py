"""A desk: settings in, a running and serving desk out.

Everything it holds open is entered on one stack and left in the opposite order, so a start that
fails half way leaves nothing behind.
"""

import gc
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from quantdesk.access.model import Permission
from quantdesk.access.owner import ensure_owner, open_keys
from quantdesk.api.alerts import AlertRoutes
from quantdesk.api.edge import App, Edge, Hot
from quantdesk.api.execution import ExecutionRoutes
from quantdesk.api.markets import MarketRoutes
from quantdesk.api.orders import OrderRoutes
from quantdesk.api.pages import pages
from quantdesk.api.server import bind, serving
from quantdesk.api.system import ServiceView, SystemRoutes
from quantdesk.app.background import Background
from quantdesk.app.bounds import ELSEWHERE, allowed, check_sources, guard_limits, pace
from quantdesk.app.catching_up import catch_up
from quantdesk.app.channels import MarketChannels, Services
from quantdesk.app.feeding import Feeding, open_feeding
from quantdesk.app.localnet import open_localnet
from quantdesk.app.market_routes import market_routes
from quantdesk.app.news import Newsroom, open_newsroom
from quantdesk.app.opened import Opened
from quantdesk.app.paper import open_paper
from quantdesk.app.proving import prover
from quantdesk.app.storing import keep_market_data
from quantdesk.app.streaming import open_hub
from quantdesk.app.watch_data import watch_data
from quantdesk.bus.memory import Memory
from quantdesk.core.clock import Clock, SystemClock, iso
from quantdesk.core.errors import Unavailable
from quantdesk.core.ids import NewId, ids
from quantdesk.engines.orders.counts import OrderCounts
from quantdesk.engines.orders.engine import TOPIC, Orders
from quantdesk.engines.orders.intake import Intake
from quantdesk.engines.orders.preview import Previews
from quantdesk.engines.orders.quality.bias import Bias
from quantdesk.engines.orders.quality.ledger import Books, Ledger
from quantdesk.engines.orders.reference import Reference
from quantdesk.guard.check import Limits
from quantdesk.hub.orders import OrderStreams
from quantdesk.hub.streams import Streams
from quantdesk.ingest.retention import Keep
from quantdesk.ingest.writer import Writer
from quantdesk.ops import folder, health
from quantdesk.ops.keeper import keep
from quantdesk.ops.tasks import Tasks
from quantdesk.settings import Settings
from quantdesk.sources import tape
from quantdesk.store.embedded import Embedded
from quantdesk.store.migrate import migrate
from quantdesk.store.pool import Pools, connect
from quantdesk.telemetry.metrics import Metrics

Say = Callable[[str], None]
"""Is told what a start is doing, one short line at a time."""

_CONNECTIONS = 6
_ALLOCATIONS = 50_000  # between young collections


@dataclass(frozen=True, slots=True)
class Desk:
    """A desk that runs; `new_key` is the owner's key if this start made it."""

    identity: dict[str, Any]
    new_key: str | None

    @property
    def url(self) -> str:
        """Return where it listens."""
        api: str = self.identity["urls"]["api"]
        return api


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What the upper parts are joined from."""

    settings: Settings
    home: Path
    clock: Clock
    metrics: Metrics
    limits: Limits
    pools: Pools
    feeding: Feeding
    newsroom: Newsroom
    writer: Writer
    opened: Opened
    bias: Bias
    tasks: Tasks


@asynccontextmanager
async def open_desk(settings: Settings, home: Path, *, say: Say) -> AsyncIterator[Desk]:
    """Run a desk while the block runs.

    Raises `DeskError` with its cure when something it needs cannot be had.
    """
    clock = SystemClock()
    limits = guard_limits(settings)
    metrics = Metrics()
    tasks = Tasks(clock=clock, restarted=metrics.task_restarted)
    async with AsyncExitStack() as stack:
        bound = bind(settings.api.host, settings.api.port)
        stack.callback(bound.close)
        say("database")
        pools = await _database(stack, tasks, settings, home, say)
        new_key = await _owner(pools, home, clock)
        say("prices")
        background = Background(stack, tasks)
        newsroom = await open_newsroom(stack, background, settings.news, pools=pools, clock=clock)
        feeding = await stack.enter_async_context(
            open_feeding(settings, home, newsroom, clock=clock, tasks=tasks)
        )
        writer = keep_market_data(
            stack,
            background,
            feeding.market,
            pools=pools,
            keep=Keep(ticks_days=settings.sources.keep_ticks_days),
            clock=clock,
        )
        check_sources(settings.mode, feeding.source.split(", "))
        reference = Reference(board=feeding.board, limits=limits, clock=clock)
        bias = Bias()
        say(f"{settings.mode} floor")
        opened = await stack.enter_async_context(
            _floor(settings, home, reference, bias, tasks, say)
        )
        opened = replace(opened, floor=allowed(opened.floor, settings))
        parts = _Parts(
            settings=settings,
            home=home,
            clock=clock,
            metrics=metrics,
            limits=limits,
            pools=pools,
            feeding=feeding,
            newsroom=newsroom,
            writer=writer,
            opened=opened,
            bias=bias,
            tasks=tasks,
        )
        host, port = bound.getsockname()[:2]
        identity = _identity(parts, f"{host}:{port}")
        say("orders")
        edge = await _edge(stack, parts, identity)
        await stack.enter_async_context(serving(edge, bound, hot_paths=edge))
        _spare_the_collector()
        folder.write(home / folder.DESK, msgspec.json.encode(identity).decode())
        stack.callback((home / folder.DESK).unlink, missing_ok=True)
        yield Desk(identity, new_key)


def _spare_the_collector() -> None:
    """Keep the garbage collector from walking, again and again, what lives as long as the desk."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 20, 50)


async def _database(
    stack: AsyncExitStack, tasks: Tasks, settings: Settings, home: Path, say: Say
) -> Pools:
    url = settings.database_url
    if not url:
        embedded = Embedded(home, say=say)
        stack.push_async_callback(embedded.stop)
        url = await embedded.start()
        kept = partial(
            keep, "database", lives=embedded.runs, start=embedded.start, clock=SystemClock()
        )
        Background(stack, tasks).begin("database keeper", kept)
    for name in await migrate(url):
        say(f"database: {name}")
    return await stack.enter_async_context(
        await connect(url, write_max=_CONNECTIONS, read_max=_CONNECTIONS)
    )


def _floor(
    settings: Settings, home: Path, reference: Reference, bias: Bias, tasks: Tasks, say: Say
) -> AbstractAsyncContextManager[Opened]:
    """Return the floor of the mode. Modes are walls: the paper floor cannot reach a key."""
    if settings.mode == "paper":
        return open_paper(settings, reference=reference, clock=reference.clock)
    if settings.mode in ELSEWHERE:
        # Keys of money, ciphers and exchanges: nothing of it is even loaded in other modes.
        from quantdesk.app.cluster import open_cluster  # noqa: PLC0415

        return open_cluster(settings, home, reference=reference, bias=bias, tasks=tasks, say=say)
    return open_localnet(settings, home, reference=reference, bias=bias, tasks=tasks, say=say)


async def _owner(pools: Pools, home: Path, clock: Clock) -> str | None:
    path = home / folder.OWNER_KEY
    known = path.read_text().strip() if path.exists() else None
    made = await ensure_owner(pools, known_key=known, clock=clock, new_id=ids(clock.now_ms))
    if made is not None:
        folder.write(path, made + "\n")
    return made


def _identity(parts: _Parts, address: str) -> dict[str, Any]:
    return {
        "version": version("quantdesk"),
        "mode": parts.settings.mode,
        "pid": os.getpid(),
        "urls": {"api": f"http://{address}", **parts.opened.urls},
        "wallet": parts.opened.floor.wallet.address,
        "source": parts.feeding.source,
        "roles": ["api", "worker", "ingest"],
        "startedAt": iso(parts.clock.now_ms()),
    }


async def _edge(stack: AsyncExitStack, parts: _Parts, identity: dict[str, Any]) -> Edge:
    """Join the orders engine and everything above it."""
    clock, floor, metrics = parts.clock, parts.opened.floor, parts.metrics
    new_id = ids(clock.now_ms)
    bus = Memory()
    orders, intake = _engine(parts, bus, new_id)
    followers = OrderStreams(orders=orders, mode=parts.settings.mode)
    bus.listen(TOPIC, followers.take)
    bus.listen(TOPIC, OrderCounts(metrics).take)
    ledger = Ledger(
        books=Books(mode=parts.settings.mode, price_age_ms_max=parts.limits.price_age_ms_max),
        pools=parts.pools,
        board=parts.feeding.board,
        clock=clock,
        bias=parts.bias,
    )
    bus.listen(TOPIC, ledger.take)
    background = Background(stack, parts.tasks)
    background.begin("quality ledger", ledger.run)
    sources = parts.settings.sources
    catch_up(background, parts.feeding, pools=parts.pools, settings=sources, clock=clock)
    services = _services(parts, orders)
    channels = MarketChannels(
        feeding=parts.feeding,
        news=parts.newsroom.news,
        limits=parts.limits,
        services=services,
        clock=clock,
    )
    watch = watch_data(parts.feeding, metrics=metrics, clock=clock, writer=parts.writer)
    hub = open_hub(background, channels, watch, clock=clock, epoch=str(new_id()))
    streams = Streams(hub=hub, orders=followers, clock=clock, metrics=metrics)
    stack.callback(streams.close)
    _gauges(metrics, orders, streams, ledger)
    await orders.start()
    stack.push_async_callback(orders.stop)

    routes = OrderRoutes(
        orders=orders,
        intake=intake,
        previews=Previews(floor=floor, intake=intake, clock=clock, new_id=new_id),
        prove=prover(parts.feeding.board, parts.home / tape.FOLDER),
    )
    return Edge(
        keys=await open_keys(parts.pools),
        hot={
            ("POST", "/api/orders"): Hot(Permission.ORDERS_WRITE, routes.place),
            ("POST", "/api/trading/order"): Hot(Permission.ORDERS_WRITE, routes.place),
            ("POST", "/api/orders/preview"): Hot(Permission.MARKET_READ, routes.preview),
        },
        socket=streams.serve,
        pages=_pages(
            parts, services, (routes, ExecutionRoutes(ledger=ledger), watch.routes), identity
        ),
        metrics=metrics,
    )


def _engine(parts: _Parts, bus: Memory, new_id: NewId) -> tuple[Orders, Intake]:
    orders = Orders(
        rules=pace(parts.settings),
        pools=parts.pools,
        floor=parts.opened.floor,
        bus=bus,
        clock=parts.clock,
        new_id=new_id,
    )
    intake = Intake(
        orders=orders,
        board=parts.feeding.board,
        limits=parts.limits,
        balances=parts.opened.known_balances,
        clock=parts.clock,
        new_id=new_id,
    )
    return orders, intake


def _services(parts: _Parts, orders: Orders) -> Services:
    probes: dict[str, health.Probe] = {
        "database": _answers(parts.pools),
        "orders": _orders_move(orders),
        "prices": parts.feeding.probe,
        "disk": health.disk(parts.home),
        "clock": health.steady_clock(parts.clock),
        "tasks": parts.tasks.probe,
        **parts.opened.probes,
    }
    if parts.feeding.recorder is not None:
        probes["recorder"] = parts.feeding.recording
    asked = health.Health(probes)

    async def services() -> list[ServiceView]:
        return [ServiceView(s.name, s.state, s.detail) for s in await asked.states()]

    return services


def _pages(
    parts: _Parts,
    services: Services,
    routes: tuple[OrderRoutes, ExecutionRoutes, AlertRoutes],
    identity: dict[str, Any],
) -> App:
    markets = MarketRoutes(
        board=parts.feeding.board,
        limits=parts.limits,
        wallet=parts.opened.floor.wallet.address,
        balances=parts.opened.balances,
        clock=parts.clock,
    )
    system = SystemRoutes(
        identity={_SNAKE.get(name, name): value for name, value in identity.items()},
        services=services,
        metrics=parts.metrics,
    )
    data = market_routes(parts.feeding, parts.newsroom, pools=parts.pools, clock=parts.clock)
    return pages(
        [each.routes() for each in (*routes, markets, *data, system)],
        version=identity["version"],
        metrics=parts.metrics,
    )


def _gauges(metrics: Metrics, orders: Orders, streams: Streams, ledger: Ledger) -> None:
    watches = tuple(orders.watches.values())
    metrics.gauge("orders_open", "Open orders.", lambda: len(orders.usage))
    metrics.gauge("orders_in_flight", "Transactions sent, fate unknown.", orders.in_flight)
    metrics.gauge(
        "orders_resends", "Times the same bytes were sent again.",
        lambda: sum(watch.resends for watch in watches),
    )  # fmt: skip
    metrics.gauge(
        "orders_unknown", "Times the chain fell silent.",
        lambda: sum(watch.silences for watch in watches),
    )  # fmt: skip
    metrics.gauge("orders_halted", "Executions ended by a bug.", lambda: orders.halted)
    metrics.gauge("sockets", "WebSocket clients.", lambda: len(streams))
    metrics.gauge("ledger_unreadable", "Fills the ledger cannot read.", lambda: ledger.unreadable)


def _answers(pools: Pools) -> health.Probe:
    async def probe() -> str:
        await pools.ping()
        return "answers"

    return probe


def _orders_move(orders: Orders) -> health.Probe:
    async def probe() -> str:
        if orders.journal.waiting_for_database:
            raise Unavailable("moves wait for the database", code="database.unavailable")
        return f"{len(orders.usage)} open, {orders.in_flight()} in flight"

    return probe


_SNAKE = {"startedAt": "started_at"}
