"""A desk: settings in, a running and serving desk out.

Everything it holds open is entered on one stack and left in the opposite order, so a start that
fails half way leaves nothing behind.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from quantdesk.access.limits.routes import rates
from quantdesk.app.access import open_access
from quantdesk.app.auditing import open_auditing
from quantdesk.app.background import Background
from quantdesk.app.bounds import allowed, guard_limits
from quantdesk.app.edge import open_edge
from quantdesk.app.floors import open_floor
from quantdesk.app.foundation import Desk, Say, open_database, spare_the_collector
from quantdesk.app.front import open_front
from quantdesk.app.limiting import Limiting, open_limiting
from quantdesk.app.master import open_sealer
from quantdesk.app.opened import Hands
from quantdesk.app.parts import Parts
from quantdesk.app.prices import open_prices
from quantdesk.core.clock import Clock, SystemClock
from quantdesk.core.ids import ids
from quantdesk.engines.orders.quality.bias import Bias
from quantdesk.engines.orders.reference import Reference
from quantdesk.guard.check import Limits
from quantdesk.ops import folder
from quantdesk.ops.tasks import Tasks
from quantdesk.settings import Settings
from quantdesk.store.pool import Pools
from quantdesk.telemetry.hiding import hide
from quantdesk.telemetry.metrics import Metrics


@asynccontextmanager
async def open_desk(settings: Settings, home: Path, *, say: Say) -> AsyncIterator[Desk]:
    """Run a desk while the block runs.

    Raises `DeskError` with its cure when something it needs cannot be had.
    """
    clock, metrics = SystemClock(), Metrics()
    tasks = Tasks(clock=clock, restarted=metrics.task_restarted)
    async with AsyncExitStack() as stack:
        hide(settings)
        front = open_front(stack, settings.api)
        parts = await _parts(stack, _Given(settings, home, metrics, tasks, say, front.url))
        identity = parts.identity()
        say("orders")
        edge = await open_edge(stack, parts, identity)
        background = Background(stack, tasks)
        await front.serve(stack, background, edge, metrics=metrics, clock=clock)
        spare_the_collector()
        folder.write(home / folder.DESK, msgspec.json.encode({**identity, **front.pinned}).decode())
        stack.callback((home / folder.DESK).unlink, missing_ok=True)
        yield Desk(identity, parts.access.new_key)


@dataclass(frozen=True, slots=True)
class _Given:
    """What a start is given; `say` is told how it goes, `url` is where the desk listens."""

    settings: Settings
    home: Path
    metrics: Metrics
    tasks: Tasks
    say: Say
    url: str


async def _parts(stack: AsyncExitStack, given: _Given) -> Parts:
    settings, home, metrics = given.settings, given.home, given.metrics
    tasks, say = given.tasks, given.say
    clock = SystemClock()
    new_id, limits, bias = ids(clock.now_ms), guard_limits(settings), Bias()
    background = Background(stack, tasks)
    say("database")
    pools = await open_database(stack, tasks, settings, home, say)
    sealer = await open_sealer(settings, home, pools)
    auditing = await open_auditing(
        background, home, sealer=sealer, pools=pools, metrics=metrics, clock=clock
    )
    access = await open_access(background, settings, home, sealer=sealer, pools=pools, clock=clock)
    limiting = await _limiting(background, settings, limits, pools, clock)
    say("prices")
    prices = await open_prices(stack, settings, home, pools=pools, tasks=tasks, clock=clock)
    board = prices.feeding.board
    reference = Reference(board=board, limits=lambda: limiting.book.desk, clock=clock)
    say(f"{settings.mode} floor")
    opened = await stack.enter_async_context(
        open_floor(settings, home, reference, bias, tasks, Hands(sealer, say))
    )
    return Parts(
        settings=settings,
        home=home,
        clock=clock,
        new_id=new_id,
        metrics=metrics,
        limits=limits,
        limiting=limiting,
        auditing=auditing,
        pools=pools,
        prices=prices,
        opened=replace(opened, floor=allowed(opened.floor, settings)),
        bias=bias,
        tasks=tasks,
        access=access,
        url=given.url,
    )


async def _limiting(
    background: Background, settings: Settings, limits: Limits, pools: Pools, clock: Clock
) -> Limiting:
    return await open_limiting(
        background,
        limits,
        rates(orders_per_s=settings.access.orders_per_s),
        shared=settings.access.shared_rates,
        pools=pools,
        clock=clock,
    )
