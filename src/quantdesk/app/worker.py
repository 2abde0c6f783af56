"""A worker: the wallet and the executions of orders that other processes took; no clients.

database: orders nobody leads → claimed → executed → committed → NATS → api processes
"""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from quantdesk.api.small import Small, no_clients, told
from quantdesk.api.system import ServiceView
from quantdesk.app.background import Background
from quantdesk.app.bounds import allowed, guard_limits, pace
from quantdesk.app.channels import Services
from quantdesk.app.floors import open_floor
from quantdesk.app.foundation import (
    Desk,
    Say,
    answers,
    check_apart,
    open_database,
    orders_move,
    spare_the_collector,
)
from quantdesk.app.front import open_front
from quantdesk.app.master import open_wrapping
from quantdesk.app.opened import Hands, Opened
from quantdesk.app.prices import Prices, open_prices
from quantdesk.app.signing import Announcing
from quantdesk.bus.memory import Memory
from quantdesk.core.clock import Clock, SystemClock, iso
from quantdesk.core.ids import ids
from quantdesk.engines.orders.counts import OrderCounts
from quantdesk.engines.orders.engine import TOPIC
from quantdesk.engines.orders.quality.bias import Bias
from quantdesk.engines.orders.quality.ledger import Books, Ledger
from quantdesk.engines.orders.reference import Reference
from quantdesk.engines.orders.signing import Signing
from quantdesk.engines.orders.store import signing
from quantdesk.engines.orders.taking import Working
from quantdesk.guard.book import LimitBook
from quantdesk.ops import folder, health
from quantdesk.ops.tasks import Tasks
from quantdesk.settings import Settings
from quantdesk.store.pool import Pools
from quantdesk.telemetry.hiding import hide
from quantdesk.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    settings: Settings
    home: Path
    clock: Clock
    metrics: Metrics
    tasks: Tasks
    pools: Pools
    book: LimitBook
    prices: Prices
    opened: Opened
    bias: Bias


@asynccontextmanager
async def open_worker(settings: Settings, home: Path, *, say: Say) -> AsyncIterator[Desk]:
    """Execute the orders that others take while the block runs.

    Raises `DeskError` with its cure when something it needs cannot be had.
    """
    check_apart(settings, "worker")
    clock, metrics = SystemClock(), Metrics()
    tasks = Tasks(clock=clock, restarted=metrics.task_restarted)
    async with AsyncExitStack() as stack:
        hide(settings)
        front = open_front(stack, settings.api)
        parts = await _parts(stack, settings, home, metrics, tasks, say)
        say("orders")
        services = await _work(stack, parts)
        identity = _identity(parts, front.url)
        background = Background(stack, tasks)
        small = Small(told(services, metrics), otherwise=no_clients, metrics=metrics)
        await front.serve(stack, background, small, metrics=metrics, clock=clock)
        spare_the_collector()
        folder.write(home / folder.DESK, msgspec.json.encode({**identity, **front.pinned}).decode())
        stack.callback((home / folder.DESK).unlink, missing_ok=True)
        yield Desk(identity, None)


async def _parts(
    stack: AsyncExitStack, settings: Settings, home: Path, metrics: Metrics, tasks: Tasks, say: Say
) -> _Parts:
    clock, bias, limits = SystemClock(), Bias(), guard_limits(settings)
    background = Background(stack, tasks)
    say("database")
    pools = await open_database(stack, tasks, settings, home, say)
    wrapping = await open_wrapping(settings, home, pools)
    book = LimitBook(settings=limits, pools=pools, clock=clock)
    await book.load()
    background.begin("limits", book.run)
    say("prices")
    prices = await open_prices(stack, settings, home, pools=pools, tasks=tasks, clock=clock)
    reference = Reference(board=prices.feeding.board, limits=lambda: book.desk, clock=clock)
    say(f"{settings.mode} floor")
    opened = await stack.enter_async_context(
        open_floor(
            settings,
            home,
            reference,
            bias,
            tasks,
            Hands(wrapping, say, await _port(pools, settings)),
        )
    )
    return _Parts(
        settings=settings,
        home=home,
        clock=clock,
        metrics=metrics,
        tasks=tasks,
        pools=pools,
        book=book,
        prices=prices,
        opened=replace(opened, floor=allowed(opened.floor, settings)),
        bias=bias,
    )


async def _port(pools: Pools, settings: Settings) -> int:
    """Return where api processes look for the localnet, 0 where none does."""
    async with pools.read.connection() as c:
        last = await signing.announced(c, mode=settings.mode)
    return 0 if last is None else urlsplit(last.told.rpc).port or 0


async def _work(stack: AsyncExitStack, parts: _Parts) -> Services:
    """Execute orders until the stack unwinds; return how everything is."""
    clock, background, bus = parts.clock, Background(stack, parts.tasks), Memory()
    orders = Working(
        rules=replace(pace(parts.settings), halts=parts.book.halts),
        pools=parts.pools,
        floor=parts.opened.floor,
        bus=bus,
        clock=clock,
        new_id=ids(clock.now_ms),
    )
    announcing = Announcing(
        pools=parts.pools,
        mode=parts.settings.mode,
        worker=orders.owner,
        told=lambda: _signing(parts.opened),
        clock=clock,
    )
    await announcing.say()  # before the first order: another wallet's are not to be touched
    stack.push_async_callback(announcing.leave)
    background.begin("announcement", announcing.run)
    _tell(parts, orders, bus)
    bus.listen(TOPIC, OrderCounts(parts.metrics).take)
    ledger = _ledger(parts)
    bus.listen(TOPIC, ledger.take)
    background.begin("quality ledger", ledger.run)
    parts.metrics.gauge("orders_open", "Open orders.", lambda: len(orders.usage))
    parts.metrics.gauge("orders_in_flight", "Transactions sent, fate unknown.", orders.in_flight)
    parts.metrics.gauge("orders_halted", "Executions ended by a bug.", lambda: orders.halted)
    parts.opened.export(parts.metrics)
    await orders.start()
    stack.push_async_callback(orders.stop)
    return _services(parts, orders, announcing)


def _tell(parts: _Parts, orders: Working, bus: Memory) -> None:
    """Let other processes hear what is committed here, and this one what they take."""
    wide = parts.prices.wide
    assert wide is not None, "it was asked for at the start"
    wide.events.listen(TOPIC, orders.heard)
    wide.events.on_missed(TOPIC, orders.missed)
    wide.follow_orders(bus)
    wide.export(parts.metrics)


def _ledger(parts: _Parts) -> Ledger:
    return Ledger(
        books=Books(
            mode=parts.settings.mode,
            price_age_ms_max=parts.book.desk.price_age_ms_max,
        ),
        pools=parts.pools,
        board=parts.prices.feeding.board,
        clock=parts.clock,
        bias=parts.bias,
    )


def _signing(opened: Opened) -> Signing:
    # The node of a cluster is in everybody's settings; its address may hold a key.
    urls = opened.urls if opened.operator is not None else {}
    return Signing(
        wallet=opened.floor.wallet.address,
        rpc=urls.get("rpc", ""),
        ws=urls.get("ws", ""),
        tables=opened.tables,
        balances=opened.known_balances(),
    )


def _services(parts: _Parts, orders: Working, announcing: Announcing) -> Services:
    feeding, wide = parts.prices.feeding, parts.prices.wide
    assert wide is not None, "it was asked for at the start"
    asked = health.Health(
        {
            "database": answers(parts.pools),
            "orders": orders_move(orders),
            "prices": feeding.probe,
            "trading": parts.book.probe,
            "worker": announcing.probe,
            "bus": wide.link.probe,
            "disk": health.disk(parts.home),
            "clock": health.steady_clock(parts.clock),
            "tasks": parts.tasks.probe,
            **parts.opened.probes,
        }
    )

    async def services() -> list[ServiceView]:
        return [ServiceView(s.name, s.state, s.detail) for s in await asked.states()]

    return services


def _identity(parts: _Parts, url: str) -> dict[str, Any]:
    return {
        "version": version("quantdesk"),
        "mode": parts.settings.mode,
        "pid": os.getpid(),
        "urls": {"api": url, **parts.opened.urls},
        "wallet": parts.opened.floor.wallet.address,
        "source": parts.prices.feeding.source,
        "roles": ["worker"],
        "startedAt": iso(parts.clock.now_ms()),
    }
