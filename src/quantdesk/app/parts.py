"""What the upper parts of a desk are joined from."""

import os
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantdesk.app.access import Access
from quantdesk.app.auditing import Auditing
from quantdesk.app.limiting import Limiting
from quantdesk.app.opened import Opened
from quantdesk.app.prices import Prices
from quantdesk.core.clock import Clock, iso
from quantdesk.core.ids import NewId
from quantdesk.engines.orders.quality.bias import Bias
from quantdesk.guard.check import Limits
from quantdesk.ingest.board import Board
from quantdesk.ops.tasks import Tasks
from quantdesk.settings import Settings
from quantdesk.store.pool import Pools
from quantdesk.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from quantdesk.app.wide import Wide


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The lower parts of a desk that runs; `url` is where it listens."""

    settings: Settings
    home: Path
    clock: Clock
    new_id: NewId
    metrics: Metrics
    limits: Limits
    limiting: Limiting
    auditing: Auditing
    pools: Pools
    prices: Prices
    opened: Opened
    bias: Bias
    tasks: Tasks
    access: Access
    url: str
    executes: bool = True
    """Whether orders are executed here; else by workers, over the same bus."""

    @property
    def board(self) -> Board:
        """Return the agreed prices."""
        return self.prices.feeding.board

    @property
    def wide(self) -> "Wide | None":
        """Return what is shared with other processes."""
        return self.prices.wide

    def identity(self) -> dict[str, Any]:
        """Return what this process says it is."""
        feeding = self.prices.feeding
        roles = {"api": True, "worker": self.executes, "ingest": not feeding.shared}
        return {
            "version": version("quantdesk"),
            "mode": self.settings.mode,
            "pid": os.getpid(),
            "urls": {"api": self.url, **self.opened.urls},
            "wallet": self.opened.floor.wallet.address,
            "source": feeding.source,
            "roles": [role for role, has_it in roles.items() if has_it],
            "startedAt": iso(self.clock.now_ms()),
        }
