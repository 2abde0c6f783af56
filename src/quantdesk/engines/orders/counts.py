"""Counting orders: every published event becomes the numbers an operator watches."""

from collections.abc import Sequence

from quantdesk.engines.orders.model import OrderEvent, OrderStatus
from quantdesk.telemetry.metrics import Metrics

_MS_PER_S = 1000
_STAMP_BITS = 80  # of a version 7 UUID below its creation time in milliseconds


class OrderCounts:
    """Listens to order events."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._events = {status: metrics.order_events.labels(status) for status in OrderStatus}

    def take(self, events: Sequence[OrderEvent]) -> None:
        """Count a published batch."""
        for event in events:
            self._events[event.status].inc()
            if event.status is OrderStatus.CONFIRMED:
                created_ms = event.order_id.int >> _STAMP_BITS
                self._metrics.order_latency.observe((event.at_ms - created_ms) / _MS_PER_S)
            elif event.status is OrderStatus.SUBMITTED and event.outcome is None:
                self._metrics.order_attempts.labels(str(event.attempt)).inc()
            elif event.status is OrderStatus.FAILED and event.error is not None:
                self._metrics.order_failures.labels(event.error.code).inc()
