"""Metrics: every number the desk exports, named and explained in one place (Prometheus text)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Rows = Iterable[tuple[Sequence[str], float]]
"""The values of labels, in their order, and the number that goes with them."""

_COUNTED: Final = "_total"
_LATENCY_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120)


class Metrics:
    """The numbers of one desk."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.order_events = Counter(
            "quantdesk_order_events_total",
            "Order events committed, by status.",
            ["status"],
            registry=self._registry,
        )
        self.order_latency = Histogram(
            "quantdesk_order_latency_seconds",
            "From an order's creation to CONFIRMED.",
            buckets=_LATENCY_S,
            registry=self._registry,
        )
        self.order_attempts = Counter(
            "quantdesk_order_attempts_total",
            "Transactions signed, by the number of the attempt.",
            ["attempt"],
            registry=self._registry,
        )
        self.order_failures = Counter(
            "quantdesk_order_failures_total",
            "Orders that ended FAILED, by error code.",
            ["code"],
            registry=self._registry,
        )
        self.http_problems = Counter(
            "quantdesk_http_problems_total",
            "Error responses, by code.",
            ["code"],
            registry=self._registry,
        )
        self.unexpected = Counter(
            "quantdesk_unexpected_errors_total",
            "Errors nobody anticipated, caught at the outermost edge.",
            ["edge"],
            registry=self._registry,
        )
        self.sockets_dropped = Counter(
            "quantdesk_sockets_dropped_total",
            "WebSocket clients disconnected because they could not keep up.",
            registry=self._registry,
        )
        self.tasks_restarted = Counter(
            "quantdesk_tasks_restarted_total",
            "Background tasks begun again after an error, by task.",
            ["task"],
            registry=self._registry,
        )

    def task_restarted(self, name: str) -> None:
        """Count that a background task was begun again."""
        self.tasks_restarted.labels(name).inc()

    def gauge(self, name: str, explained: str, read: Callable[[], float]) -> None:
        """Export a number that is read when it is asked for."""
        Gauge(f"quantdesk_{name}", explained, registry=self._registry).set_function(read)

    def family(
        self, name: str, explained: str, labels: Sequence[str], read: Callable[[], Rows]
    ) -> None:
        """Export numbers by label that are read when they are asked for, and cost nothing else.

        A name that ends in `_total` is a counter, any other a gauge. Raises `ValueError` when there
        is such a name already.
        """
        self._registry.register(_Family(f"quantdesk_{name}", explained, tuple(labels), read))

    def read(self, *names: str) -> dict[str, dict[str, float]]:
        """Return the numbers of these names as they are now, each by the value of its one label.

        A number without labels stands under the empty word.
        """
        found: dict[str, dict[str, float]] = {name: {} for name in names}
        # Only those are collected: others may be dear to read.
        for family in self._registry.restricted_registry(
            [f"quantdesk_{n}" for n in names]
        ).collect():
            for sample in family.samples:
                label = next(iter(sample.labels.values()), "")
                found[sample.name.removeprefix("quantdesk_")][label] = sample.value
        return found

    def text(self) -> bytes:
        """Return all numbers in the Prometheus text format."""
        return generate_latest(self._registry)


class _Family(Collector):
    """Numbers somebody else keeps, under one name."""

    def __init__(
        self, name: str, explained: str, labels: Sequence[str], read: Callable[[], Rows]
    ) -> None:
        self._name = name
        self._explained = explained
        self._labels = labels
        self._read = read

    def collect(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        """Return the numbers as they are now."""
        family = self._empty()
        for values, number in self._read():
            family.add_metric(values, number)
        return [family]

    def describe(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        """Return the name alone, so that nothing is read before there is anything to read."""
        return [self._empty()]

    def _empty(self) -> CounterMetricFamily | GaugeMetricFamily:
        made = CounterMetricFamily if self._name.endswith(_COUNTED) else GaugeMetricFamily
        return made(self._name, self._explained, labels=self._labels)
