"""Operations of a desk in one look: what its parts count, and what its database says is open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog

from quantdesk.api.localnet import LocalnetView
from quantdesk.api.operations import (
    AuditCountsView,
    HubView,
    OperationsView,
    QueueView,
    StageView,
)
from quantdesk.api.system import ServiceView
from quantdesk.app.channels import Services
from quantdesk.app.parts import Parts
from quantdesk.app.source_health import health
from quantdesk.core.clock import iso
from quantdesk.core.errors import DeskError
from quantdesk.engines.orders.engine import Orders
from quantdesk.engines.orders.stages import StageTimes
from quantdesk.engines.orders.store import queue
from quantdesk.telemetry.redaction import redaction

log = structlog.get_logger()

_COUNTED: Final = (
    "order_attempts_total",
    "order_failures_total",
    "http_problems_total",
    "unexpected_errors_total",
    "tasks_restarted_total",
    "sockets_dropped_total",
    "orders_resends",
    "orders_unknown",
    "orders_halted",
    "sockets",
    "audit_rows",
    "audit_waiting",
    "audit_dropped",
    "audit_tampered",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """What is looked at; `identity` is that of `/api/system`."""

    parts: Parts
    orders: Orders
    stages: StageTimes
    services: Services
    identity: Mapping[str, Any]

    async def look(self) -> OperationsView:
        """Return how the desk does; raise `Unavailable` without the database."""
        parts, counted = self.parts, self.parts.metrics.read(*_COUNTED)
        now_ms = parts.clock.now_ms()
        return OperationsView(
            as_of=iso(now_ms),
            mode=parts.settings.mode,
            started_at=self.identity["startedAt"],
            queue=await self._queue(now_ms),
            latency=[StageView(**msgspec.structs.asdict(each)) for each in self.stages.told()],
            attempts=_whole(counted["order_attempts_total"]),
            resends=_one(counted["orders_resends"]),
            unknown=_one(counted["orders_unknown"]),
            halted=_one(counted["orders_halted"]),
            failures=_whole(counted["order_failures_total"]),
            problems=_whole(counted["http_problems_total"]),
            unexpected=sum(_whole(counted["unexpected_errors_total"]).values()),
            restarts=_whole(counted["tasks_restarted_total"]),
            breakers=health(parts.prices.feeding, now_ms=now_ms),
            localnet=await self._localnet(),
            roles=list(self.identity["roles"]),
            services=await self._services(),
            audit=AuditCountsView(
                rows=_one(counted["audit_rows"]),
                waiting=_one(counted["audit_waiting"]),
                dropped=_one(counted["audit_dropped"]),
                tampered=bool(_one(counted["audit_tampered"])),
            ),
            hub=HubView(_one(counted["sockets"]), _one(counted["sockets_dropped_total"])),
        )

    async def _queue(self, now_ms: int) -> QueueView:
        async with self.parts.pools.read.connection() as c:
            standing = await queue.standing(c, mode=self.orders.rules.mode)
        by_status: dict[str, int] = {}
        for each in standing:
            by_status[each.status] = by_status.get(each.status, 0) + each.count
        moving = [each for each in standing if not each.resting]
        return QueueView(
            open=sum(by_status.values()),
            in_flight=self.orders.in_flight(),
            resting=sum(each.count for each in standing if each.resting),
            oldest_ms=_age_ms(standing, now_ms),
            oldest_moving_ms=_age_ms(moving, now_ms),
            by_status=by_status,
        )

    async def _localnet(self) -> LocalnetView | None:
        operator = self.parts.opened.operator
        if operator is None:
            return None
        try:
            return await operator.status()
        except DeskError as problem:
            # Its service says so too; everything else is worth being told.
            log.info("operations.localnet", code=problem.code)
            return None

    async def _services(self) -> list[ServiceView]:
        return [
            ServiceView(each.name, each.state, redaction.text(each.detail))
            for each in await self.services()
        ]


def _age_ms(standing: list[queue.Standing], now_ms: int) -> int | None:
    oldest = min((each.oldest_ms for each in standing), default=None)
    return None if oldest is None else max(0, now_ms - oldest)


def _whole(numbers: Mapping[str, float]) -> dict[str, int]:
    return {label: int(number) for label, number in sorted(numbers.items()) if number}


def _one(numbers: Mapping[str, float]) -> int:
    return int(numbers.get("", 0))
