"""How long orders stay in each of their states, as of the last minutes: what an operator watches.

Listens to what the engine publishes. Times are kept in buckets a sixteenth apart, so that a
quantile costs nothing until it is asked for and is at most 6 % too high; two windows take turns, so
that what is told is of now and not of last week.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from quantdesk.core.clock import Clock
from quantdesk.engines.orders.model import OrderEvent, OrderStatus

WINDOW_MS: Final = 5 * 60_000
WHOLE: Final = "WHOLE"
"""The stage from an order's creation to CONFIRMED, but for orders that waited for their price."""

_KNOWN_MAX: Final = 200_000  # orders followed at once
_BITS: Final = 4  # sixteen buckets for each doubling
_ENDED: Final = frozenset({OrderStatus.CONFIRMED, OrderStatus.FAILED, OrderStatus.CANCELLED})
_STAMP_BITS: Final = 80  # of a version 7 UUID below its creation time in milliseconds
_STAGES: Final = (
    OrderStatus.PENDING.value,
    OrderStatus.ROUTING.value,
    OrderStatus.BUILDING.value,
    OrderStatus.SUBMITTED.value,
    WHOLE,
)


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """How long orders stayed in a stage, in milliseconds; None where none has left it lately."""

    stage: str
    count: int
    p50_ms: int | None
    p95_ms: int | None
    max_ms: int | None


class StageTimes:
    """Follows the orders of this process from state to state."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._entered: dict[UUID, tuple[OrderStatus, int]] = {}
        self._rested: set[UUID] = set()
        self._now: dict[str, dict[int, int]] = {stage: {} for stage in _STAGES}
        self._before: dict[str, dict[int, int]] = {stage: {} for stage in _STAGES}
        self._since_ms = clock.now_ms()

    def take(self, events: Sequence[OrderEvent]) -> None:
        """Follow a published batch; a listener of the bus."""
        self._turn()
        for event in events:
            self._follow(event)

    def told(self) -> list[Times]:
        """Return each stage's times of the last five to ten minutes."""
        self._turn()
        return [_times(stage, self._now[stage], self._before[stage]) for stage in _STAGES]

    def _follow(self, event: OrderEvent) -> None:
        order_id = event.order_id
        entered = self._entered.pop(order_id, None)
        if event.waiting is not None:
            self._rest(order_id)  # it waits for the market, and not for the desk
        elif entered is not None and entered[0] is not event.status:
            self._note(entered[0].value, event.at_ms - entered[1])
        elif entered is not None:
            self._entered[order_id] = entered  # told again of the same state: it is still in it
            return
        if event.status not in _ENDED:
            if event.waiting is None and len(self._entered) < _KNOWN_MAX:
                self._entered[order_id] = (event.status, event.at_ms)
            return
        if event.status is OrderStatus.CONFIRMED and order_id not in self._rested:
            self._note(WHOLE, event.at_ms - (order_id.int >> _STAMP_BITS))
        self._rested.discard(order_id)

    def _rest(self, order_id: UUID) -> None:
        if len(self._rested) < _KNOWN_MAX:
            self._rested.add(order_id)

    def _note(self, stage: str, ms: int) -> None:
        bucket, counts = _bucket(max(0, ms)), self._now[stage]
        counts[bucket] = counts.get(bucket, 0) + 1

    def _turn(self) -> None:
        now_ms = self._clock.now_ms()
        age_ms = now_ms - self._since_ms
        if 0 <= age_ms < WINDOW_MS:
            return
        empty: dict[str, dict[int, int]] = {stage: {} for stage in _STAGES}
        # Of a window that ended long ago nothing is worth telling.
        self._before = self._now if 0 <= age_ms < 2 * WINDOW_MS else empty
        self._now = {stage: {} for stage in _STAGES}
        self._since_ms = now_ms


def _bucket(ms: int) -> int:
    """Return the bucket of a time: exact below sixteen, then sixteen for each doubling."""
    shift = max(0, ms.bit_length() - _BITS - 1)
    return (shift << _BITS) + (ms >> shift)


def _most_ms(bucket: int) -> int:
    """Return the longest time of a bucket."""
    shift = max(0, (bucket >> _BITS) - 1)
    return ((bucket - (shift << _BITS) + 1) << shift) - 1


def _times(stage: str, *windows: dict[int, int]) -> Times:
    counts: dict[int, int] = {}
    for window in windows:
        for bucket, count in window.items():
            counts[bucket] = counts.get(bucket, 0) + count
    total = sum(counts.values())
    return Times(
        stage=stage,
        count=total,
        p50_ms=_quantile(counts, total, 50),
        p95_ms=_quantile(counts, total, 95),
        max_ms=_quantile(counts, total, 100),
    )


def _quantile(counts: dict[int, int], total: int, percent: int) -> int | None:
    due = -(-total * percent // 100)
    for bucket in sorted(counts):
        due -= counts[bucket]
        if due <= 0:
            return _most_ms(bucket)
    return None
