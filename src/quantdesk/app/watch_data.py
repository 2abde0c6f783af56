"""The watch over market data in a desk: alerts on REST and `/ws`, numbers for Prometheus."""

from dataclasses import dataclass
from typing import Final

from quantdesk.access.model import Permission
from quantdesk.api.alerts import AlertRoutes, AlertView, alert_view
from quantdesk.app.feeding import Feeding
from quantdesk.app.market_metrics import (
    alert_metrics,
    book_metrics,
    candle_metrics,
    clock_metrics,
    feed_metrics,
    hub_metrics,
    price_metrics,
    recorder_metrics,
    shared_metrics,
    source_metrics,
    writer_metrics,
)
from quantdesk.core.clock import Clock
from quantdesk.hub.channels import Channel, rows
from quantdesk.hub.hub import Hub
from quantdesk.ingest.alerts import Alert
from quantdesk.ingest.watch import EVERY_S, Watch
from quantdesk.ingest.writer import Writer
from quantdesk.telemetry.metrics import Metrics

CHANNEL: Final = "alerts"
KEY: Final = "desk"
_ENDED_SHOWN: Final = 50
_ROWS_MAX: Final = 50  # of one message; more of them are a snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class DataWatch:
    """The watch of a desk; `channel` goes to the hub before `run`, `routes` to the pages."""

    watch: Watch
    channel: Channel
    routes: AlertRoutes
    metrics: Metrics
    clock: Clock

    async def run(self) -> None:
        """Look once a second until cancelled."""
        while True:
            self.watch.advance(self.clock.now_ms())
            await self.clock.sleep(EVERY_S)

    def join(self, hub: Hub) -> None:
        """Tell those who follow alerts of each, and export the hub's numbers; once."""
        hub_metrics(self.metrics, hub)
        self.watch.alerts.on_change(lambda alert: hub.publish(CHANNEL, KEY, [alert_view(alert)]))


def watch_data(
    feeding: Feeding, *, metrics: Metrics, clock: Clock, writer: Writer | None = None
) -> DataWatch:
    """Return the watch over a desk's market data, its numbers exported."""
    recorder = feeding.recorder
    running = {name: one for one in feeding.collectors for name in feeding.names(one)}
    watch = Watch(feeding.market, sources=running, recorder=recorder)
    source_metrics(metrics, feeding, clock)
    feed_metrics(metrics, feeding, clock)
    price_metrics(metrics, feeding, clock)
    clock_metrics(metrics, feeding)
    book_metrics(metrics, feeding, watch)
    candle_metrics(metrics, feeding)
    alert_metrics(metrics, watch)
    if recorder is not None:
        recorder_metrics(metrics, recorder)
    if feeding.shared is not None:
        shared_metrics(metrics, feeding.shared)
    if writer is not None:
        writer_metrics(metrics, writer)

    def told(_: str) -> list[AlertView]:
        alerts = watch.alerts
        shown: list[Alert] = [
            *reversed(alerts.recent()[:_ENDED_SHOWN]),
            *reversed(alerts.current()),
        ]
        return [alert_view(alert) for alert in shown]

    channel = Channel(
        name=CHANNEL,
        permission=Permission.MARKET_READ,
        keys=lambda: (KEY,),
        snapshot=told,
        merge=rows(lambda alert: alert.id, at_most=_ROWS_MAX),
    )
    return DataWatch(
        watch=watch, channel=channel, routes=AlertRoutes(watch.alerts), metrics=metrics, clock=clock
    )
