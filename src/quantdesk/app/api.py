"""An api process: everything clients talk to, and no key of any wallet.

client → intake → row without a lease → NATS → worker … NATS → streams → client

Until a worker has said whose wallet it signs for, every request is answered `worker.absent`. What
keys are kept in is out of reach: nothing here loads it (`.importlinter`, contract of the wall).
"""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import msgspec

from quantdesk.access.limits.routes import rates
from quantdesk.access.master.opening import open_master
from quantdesk.api.small import Small, alive
from quantdesk.app.access import open_access
from quantdesk.app.auditing import open_auditing
from quantdesk.app.background import Background
from quantdesk.app.bounds import guard_limits
from quantdesk.app.edge import open_edge
from quantdesk.app.foundation import (
    Desk,
    Say,
    check_apart,
    master_key,
    open_database,
    spare_the_collector,
)
from quantdesk.app.front import Front, open_front
from quantdesk.app.limiting import open_limiting
from quantdesk.app.opened import Opened
from quantdesk.app.parts import Parts
from quantdesk.app.prices import open_prices
from quantdesk.app.signing import Announcements, absent
from quantdesk.app.watching import open_watching
from quantdesk.core.clock import Clock, SystemClock
from quantdesk.core.errors import DeskError, Unavailable
from quantdesk.core.ids import ids
from quantdesk.engines.orders.quality.bias import Bias
from quantdesk.engines.orders.reference import Reference
from quantdesk.ops import folder
from quantdesk.ops.tasks import Tasks
from quantdesk.settings import Settings
from quantdesk.telemetry.hiding import hide
from quantdesk.telemetry.metrics import Metrics

_AGAIN_S: Final = 0.5


@asynccontextmanager
async def open_api(settings: Settings, home: Path, *, say: Say) -> AsyncIterator[Desk]:
    """Serve clients while the block runs; their orders are executed by workers.

    Raises `DeskError` with its cure when something it needs cannot be had.
    """
    check_apart(settings, "api")
    clock, metrics = SystemClock(), Metrics()
    tasks = Tasks(clock=clock, restarted=metrics.task_restarted)
    async with AsyncExitStack() as stack:
        hide(settings)
        start = _Start(settings, home, metrics, tasks, say, open_front(stack, settings.api))
        parts, announcements = await _parts(stack, start, clock)
        identity = parts.identity()
        say("clients")
        edge = await open_edge(stack, parts, identity)
        background = Background(stack, tasks)
        await start.front.serve(stack, background, edge, metrics=metrics, clock=clock)
        spare_the_collector()
        _write(stack, start, identity)
        yield Desk(identity, parts.access.new_key, announcements.moved)


@dataclass(frozen=True, slots=True)
class _Start:
    settings: Settings
    home: Path
    metrics: Metrics
    tasks: Tasks
    say: Say
    front: Front


async def _parts(stack: AsyncExitStack, start: _Start, clock: Clock) -> tuple[Parts, Announcements]:
    settings, home, tasks, metrics = start.settings, start.home, start.tasks, start.metrics
    limits, bias = guard_limits(settings), Bias()
    background = Background(stack, tasks)
    start.say("database")
    pools = await open_database(stack, tasks, settings, home, start.say)
    sealer = await open_master(master_key(settings, home), pools=pools, files=())
    auditing = await open_auditing(
        background, home, sealer=sealer, pools=pools, metrics=metrics, clock=clock
    )
    access = await open_access(background, settings, home, sealer=sealer, pools=pools, clock=clock)
    limiting = await open_limiting(
        background,
        limits,
        rates(orders_per_s=settings.access.orders_per_s),
        shared=settings.access.shared_rates,
        pools=pools,
        clock=clock,
    )
    start.say("prices")
    prices = await open_prices(stack, settings, home, pools=pools, tasks=tasks, clock=clock)
    reference = Reference(
        board=prices.feeding.board, limits=lambda: limiting.book.desk, clock=clock
    )
    announcements = Announcements(pools=pools, mode=settings.mode, clock=clock)
    opened = await _floor(stack, start, announcements, reference, bias)
    background.begin("announcements", announcements.run)
    parts = Parts(
        settings=settings,
        home=home,
        clock=clock,
        new_id=ids(clock.now_ms),
        metrics=metrics,
        limits=limits,
        limiting=limiting,
        auditing=auditing,
        pools=pools,
        prices=prices,
        opened=opened,
        bias=bias,
        tasks=tasks,
        access=access,
        url=start.front.url,
        executes=False,
    )
    return parts, announcements


async def _floor(
    stack: AsyncExitStack,
    start: _Start,
    announcements: Announcements,
    reference: Reference,
    bias: Bias,
) -> Opened:
    """Watch the worker's floor until the stack unwinds, once there is one to watch.

    Raises `Refused` as `open_watching`.
    """
    settings, clock = start.settings, reference.clock
    why: DeskError = absent(settings.mode)
    small = Small({"/healthz": alive}, otherwise=lambda: why, metrics=start.metrics)
    async with AsyncExitStack() as waiting:
        serves = False
        while True:
            watching = open_watching(
                settings, announcements, reference=reference, bias=bias, tasks=start.tasks
            )
            try:
                return await stack.enter_async_context(watching)
            except Unavailable as problem:
                if not serves or why.code != problem.code:
                    start.say(problem.detail)
                why = problem
            if not serves:
                serves = True
                # On a handle of its own: the edge will listen on the same socket afterwards.
                front = replace(start.front, bound=start.front.bound.dup())
                await front.serve(
                    waiting, Background(waiting, start.tasks), small, metrics=start.metrics,
                    clock=clock,
                )  # fmt: skip
                _write(stack, start, _waiting(start))
            await clock.sleep(_AGAIN_S)


def _waiting(start: _Start) -> dict[str, Any]:
    """Return who this is while nobody signs."""
    return {
        "version": version("quantdesk"),
        "mode": start.settings.mode,
        "pid": os.getpid(),
        "urls": {"api": start.front.url},
        "wallet": "",
        "source": start.settings.source,
        "roles": ["api"],
    }


def _write(stack: AsyncExitStack, start: _Start, identity: dict[str, Any]) -> None:
    told = {**identity, **start.front.pinned}
    folder.write(start.home / folder.DESK, msgspec.json.encode(told).decode())
    stack.callback((start.home / folder.DESK).unlink, missing_ok=True)
