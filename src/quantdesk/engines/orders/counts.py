"""Counting orders: every published event becomes the numbers an operator watches."""

from collections import Counter
from collections.abc import Sequence

from prometheus_client import Counter as Count

from quantdesk.engines.orders.model import OrderEvent, OrderStatus
from quantdesk.telemetry.metrics import Metrics

_MS_PER_S = 1000
_STAMP_BITS = 80  # of a version 7 UUID below its creation time in milliseconds


class OrderCounts:
    """Listens to order events."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._attempts: dict[int, Count] = {}
        self._events = {status: metrics.order_events.labels(status) for status in OrderStatus}

    def take(self, events: Sequence[OrderEvent]) -> None:
        """Count a published batch."""
        for status, count in Counter(event.status for event in events).items():
            self._events[status].inc(count)
        for event in events:
            if event.status is OrderStatus.CONFIRMED:
                created_ms = event.order_id.int >> _STAMP_BITS
                self._metrics.order_latency.observe((event.at_ms - created_ms) / _MS_PER_S)
            elif event.status is OrderStatus.SUBMITTED and event.outcome is None:
                self._attempt(event.attempt).inc()
            elif event.status is OrderStatus.FAILED and event.error is not None:
                self._metrics.order_failures.labels(event.error.code).inc()

    def _attempt(self, number: int) -> Count:
        counter = self._attempts.get(number)
        if counter is None:
            counter = self._attempts[number] = self._metrics.order_attempts.labels(str(number))
        return counter
