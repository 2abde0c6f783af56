"""The audit of a desk: acts told and noted, chained and signed, until the stack unwinds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from fastapi import APIRouter

from quantdesk.access.acts import Act, Tell
from quantdesk.access.audit.keeper import Keeper, Means, open_signer
from quantdesk.access.audit.told import Told
from quantdesk.access.audit.witness import Files
from quantdesk.access.sealing import Sealer
from quantdesk.api.audit import AuditRoutes
from quantdesk.app.background import Background
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError
from quantdesk.core.ids import ids
from quantdesk.store.pool import Pools
from quantdesk.telemetry.metrics import Metrics

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Auditing:
    """Where acts go, and the routes of whoever reads them."""

    tell: Tell
    routes: tuple[APIRouter, ...]
    _hearing: list[Callable[[Sequence[Act]], None]]

    def on_acts(self, hear: Callable[[Sequence[Act]], None]) -> None:
        """Hand every act on once it is chained, in the one process that keeps the audit."""
        self._hearing.append(hear)


async def open_auditing(
    background: Background,
    home: Path,
    *,
    sealer: Sealer,
    pools: Pools,
    metrics: Metrics,
    clock: Clock,
) -> Auditing:
    """Keep the audit until the stack unwinds; what was told by then is noted and chained.

    Raises `Unavailable` without the database, `Corrupt` when the audit's key cannot be opened.
    """
    new_id = ids(clock.now_ms)
    signer = await open_signer(pools, sealer, clock=clock, new_id=new_id)
    files = Files(home)
    await files.publish(signer.public)
    told = Told(pools=pools, clock=clock, new_id=new_id)
    hearing: list[Callable[[Sequence[Act]], None]] = []

    def hear(acts: Sequence[Act]) -> None:
        for each in hearing:
            each(acts)

    means = Means(pools=pools, clock=clock, new_id=new_id, signer=signer, witness=files, hear=hear)
    keeper = Keeper(means)

    async def finish() -> None:
        try:
            while len(told):
                await told.flush()
            await keeper.step()
        except DeskError as problem:
            log.warning("audit.unfinished", waiting=len(told), code=problem.code)

    background.at_end(finish)
    background.begin("audit told", told.run)
    background.begin("audit keeper", keeper.run)
    metrics.gauge("audit_waiting", "Acts that wait to be noted.", lambda: len(told))
    metrics.gauge("audit_dropped", "Acts that found no room.", lambda: told.dropped)
    metrics.gauge("audit_rows", "Rows this process chained.", lambda: keeper.rows)
    metrics.gauge("audit_tampered", "Whether rows were changed.", lambda: int(keeper.tampered))
    routes = AuditRoutes(pools=pools, signer=signer, clock=clock).routes()
    return Auditing(told.tell, (routes,), hearing)
