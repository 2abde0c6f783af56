"""The edge of a desk: the orders engine and everything above it, joined."""

from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Final

from fastapi import APIRouter

from quantdesk.api.edge import App, Edge, Hot
from quantdesk.api.execution import ExecutionRoutes
from quantdesk.api.markets import MarketRoutes
from quantdesk.api.needs import fresh
from quantdesk.api.orders import OrderRoutes
from quantdesk.api.pages import HOT, pages
from quantdesk.api.system import ServiceView, SystemRoutes
from quantdesk.api.web import load
from quantdesk.app.access import access_routes
from quantdesk.app.background import Background
from quantdesk.app.bounds import pace
from quantdesk.app.catching_up import catch_up
from quantdesk.app.channels import MarketChannels, Services
from quantdesk.app.foundation import answers, orders_move
from quantdesk.app.limiting import limit_routes
from quantdesk.app.market_routes import market_routes
from quantdesk.app.messages import MESSAGES
from quantdesk.app.operations import Operations
from quantdesk.app.parts import Parts
from quantdesk.app.protecting import open_protecting
from quantdesk.app.proving import prover
from quantdesk.app.rereading import Rereading
from quantdesk.app.sign_in.joined import Joined
from quantdesk.app.sign_in.ways import open_ways, sites
from quantdesk.app.streaming import open_hub
from quantdesk.app.terminal import open_portfolio, terminal_routes
from quantdesk.app.watch_data import watch_data
from quantdesk.bus.memory import Memory
from quantdesk.bus.port import Bus
from quantdesk.engines.orders.counts import OrderCounts
from quantdesk.engines.orders.engine import TOPIC, Orders
from quantdesk.engines.orders.intake import Intake
from quantdesk.engines.orders.preview import Previews
from quantdesk.engines.orders.quality.ledger import Books, Ledger
from quantdesk.engines.orders.stages import StageTimes
from quantdesk.engines.orders.taking import Taking
from quantdesk.hub.orders import OrderStreams
from quantdesk.hub.streams import Streams
from quantdesk.ops import health
from quantdesk.sources import tape
from quantdesk.sources.words import signers
from quantdesk.telemetry.metrics import Metrics

_SNAKE: Final = {"startedAt": "started_at"}
_PREVIEW: Final = "/api/orders/preview"


async def open_edge(stack: AsyncExitStack, parts: Parts, identity: dict[str, Any]) -> Edge:
    """Return the edge of a desk, its orders moving until the stack unwinds."""
    clock, metrics, sources = parts.clock, parts.metrics, parts.settings.sources
    background, bus = Background(stack, parts.tasks), Memory()
    orders, intake = _engine(parts, bus)
    followers = _followers(parts, orders, bus, background)
    heard = _heard(parts, orders, bus, background)
    stages = StageTimes(clock=clock)
    bus.listen(TOPIC, OrderCounts(metrics).take)
    heard.listen(TOPIC, stages.take)
    ledger = _ledger(parts, heard, background)
    services = _services(parts, orders)
    portfolio = open_portfolio(background, heard, parts)
    looked = Operations(
        parts=parts, orders=orders, stages=stages, services=services, identity=identity
    )
    streams, market = _streams(stack, parts, background, followers, services)
    _gauges(metrics, orders, streams, ledger)
    parts.opened.export(metrics)
    await orders.start()
    stack.push_async_callback(orders.stop)
    routes = OrderRoutes(
        orders=orders,
        intake=intake,
        previews=Previews(
            floor=parts.opened.floor, intake=intake, clock=clock, new_id=parts.new_id
        ),
        prove=prover(
            parts.board,
            parts.home / tape.FOLDER,
            signers.known(sources.wormhole_guardians, sources.pyth_routers),
        ),
    )
    protecting = open_protecting(background, parts)
    routers = (
        routes.routes(),
        ExecutionRoutes(ledger=ledger).routes(),
        *terminal_routes(parts, portfolio, looked),
        *market,
        *limit_routes(parts.limiting, orders, fresh=fresh, clock=clock, new_id=parts.new_id),
        *access_routes(parts.access, parts.settings, clock=clock),
        *parts.auditing.routes,
        *protecting.routes,
        *await _ways(stack, parts, background),
    )
    edge = Edge(
        keys=parts.access.callers,
        hot={
            ("POST", path): Hot(needed, routes.preview if path == _PREVIEW else routes.place)
            for path, needed in HOT.items()
        },
        socket=streams.serve,
        pages=_pages(parts, services, routers, identity),
        metrics=metrics,
        border=protecting.border,
    )
    edge.show(load())
    return edge


def _engine(parts: Parts, bus: Memory) -> tuple[Orders, Intake]:
    kind = Orders if parts.executes else Taking
    orders = kind(
        rules=replace(pace(parts.settings), halts=parts.limiting.book.halts),
        pools=parts.pools,
        floor=parts.opened.floor,
        bus=bus,
        clock=parts.clock,
        new_id=parts.new_id,
    )
    intake = Intake(
        orders=orders,
        board=parts.board,
        limits=parts.limiting.book.of,
        balances=parts.opened.known_balances,
        clock=parts.clock,
        new_id=parts.new_id,
    )
    return orders, intake


def _followers(parts: Parts, orders: Orders, bus: Memory, background: Background) -> OrderStreams:
    """Return who hears of orders: of this process's, and of those of others that share a bus."""
    wide, mode = parts.wide, parts.settings.mode
    if wide is None:
        followers = OrderStreams(orders=orders, mode=mode)
        bus.listen(TOPIC, followers.take)
        return followers
    rereading = Rereading(orders=orders, mode=mode, clock=parts.clock)
    wide.events.listen(TOPIC, rereading.take)
    wide.events.on_missed(TOPIC, rereading.missed)
    wide.follow_orders(bus)
    wide.export(parts.metrics)
    background.begin("orders of others", rereading.run)
    return rereading


def _heard(parts: Parts, orders: Orders, bus: Memory, background: Background) -> Bus:
    """Return where to hear of orders: of one's own, or of all where others execute them."""
    if not isinstance(orders, Taking):
        return bus
    assert parts.wide is not None, "what others execute is heard from them"
    events = parts.wide.events
    events.listen(TOPIC, orders.heard)
    events.on_missed(TOPIC, orders.missed)
    background.begin("orders counted", orders.run)
    return events


def _ledger(parts: Parts, bus: Bus, background: Background) -> Ledger:
    ledger = Ledger(
        books=Books(mode=parts.settings.mode, price_age_ms_max=parts.limits.price_age_ms_max),
        pools=parts.pools,
        board=parts.board,
        clock=parts.clock,
        bias=parts.bias,
    )
    bus.listen(TOPIC, ledger.take)
    background.begin("quality ledger", ledger.run)
    return ledger


def _streams(
    stack: AsyncExitStack,
    parts: Parts,
    background: Background,
    followers: OrderStreams,
    services: Services,
) -> tuple[Streams, tuple[APIRouter, ...]]:
    """Return the sockets of a desk, and the routes of what the same data is over HTTP."""
    clock, feeding = parts.clock, parts.prices.feeding
    catch_up(background, feeding, pools=parts.pools, settings=parts.settings.sources, clock=clock)
    newsroom = parts.prices.newsroom
    channels = MarketChannels(
        feeding=feeding, news=newsroom.news, limits=parts.limits, services=services, clock=clock
    )
    watch = watch_data(feeding, metrics=parts.metrics, clock=clock, writer=parts.prices.writer)
    hub = open_hub(background, channels, watch, clock=clock, epoch=str(parts.new_id()))
    streams = Streams(hub=hub, orders=followers, clock=clock, metrics=parts.metrics)
    stack.callback(streams.close)
    data = market_routes(feeding, newsroom, pools=parts.pools, limits=parts.limits, clock=clock)
    return streams, tuple(each.routes() for each in (watch.routes, *data))


def _services(parts: Parts, orders: Orders) -> Services:
    feeding = parts.prices.feeding
    probes: dict[str, health.Probe] = {
        "database": answers(parts.pools),
        "orders": orders_move(orders),
        "prices": feeding.probe,
        "trading": parts.limiting.book.probe,
        "disk": health.disk(parts.home),
        "clock": health.steady_clock(parts.clock),
        "tasks": parts.tasks.probe,
        **parts.opened.probes,
    }
    if parts.wide is not None:
        probes["bus"] = parts.wide.link.probe
    if feeding.recorder is not None:
        probes["recorder"] = feeding.recording
    asked = health.Health(probes)

    async def services() -> list[ServiceView]:
        return [ServiceView(s.name, s.state, s.detail) for s in await asked.states()]

    return services


async def _ways(
    stack: AsyncExitStack, parts: Parts, background: Background
) -> tuple[APIRouter, ...]:
    joined = Joined(
        settings=parts.settings,
        access=parts.access,
        pools=parts.pools,
        tell=parts.auditing.tell,
        throttle=parts.limiting.throttle,
        sites=sites(parts.settings.access.sites, parts.url),
        clock=parts.clock,
        new_id=parts.new_id,
    )
    return await open_ways(
        stack, background, joined, home=parts.home, board=parts.board, read=parts.opened.read
    )


def _pages(
    parts: Parts,
    services: Services,
    routers: tuple[APIRouter, ...],
    identity: dict[str, Any],
) -> App:
    markets = MarketRoutes(
        board=parts.board,
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
    return pages(
        [*routers, markets.routes(), system.routes()],
        version=identity["version"],
        metrics=parts.metrics,
        messages=MESSAGES,
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
