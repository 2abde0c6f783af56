"""What the processes of one desk share by NATS: order events, frames, the cache of prices.

Loaded only where `nats_url` is set. Subjects begin with "quantdesk.": desks that have nothing to do
with each other belong into accounts of their own (https://docs.nats.io, "Accounts").
"""

import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from quantdesk.app.background import Background
from quantdesk.app.sources import chance
from quantdesk.bus.memory import Memory
from quantdesk.bus.nats.cache import Cache
from quantdesk.bus.nats.events import LIFE_BYTES, Events
from quantdesk.bus.nats.link import Link
from quantdesk.bus.nats.window import Window
from quantdesk.bus.port import Topic
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt
from quantdesk.engines.orders.engine import TOPIC as ORDERS
from quantdesk.engines.orders.model import OrderEvent
from quantdesk.ingest import cached
from quantdesk.settings import Settings
from quantdesk.telemetry.metrics import Metrics

RESYNC: Final = "resync"
"""Its events are a source and a symbol whose book somebody needs a snapshot of."""
BUCKET: Final = "quantdesk_prices"
_STREAM: Final = "quantdesk_frames"
_FRAMES: Final = "quantdesk.market.frames"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wide:
    """One process's share of it; `life` is the name this life of it goes by."""

    link: Link
    events: Events
    window: Window
    cache: Cache
    life: str

    def follow_orders(self, bus: Memory) -> None:
        """Tell other processes what this one commits."""
        bus.listen(ORDERS, lambda events: self.events.publish(ORDERS, events))

    def export(self, metrics: Metrics) -> None:
        """Export the numbers of the bus."""
        link, events = self.link, self.events
        metrics.gauge("bus_connected", "Whether NATS is connected.", lambda: link.stands)
        metrics.gauge("bus_waiting", "Events that wait for NATS.", lambda: events.waiting)
        metrics.family(
            "bus_events_total", "Events on the bus between processes, by what became of them.",
            ["outcome"], lambda: [((name,), count) for name, count in events.counts.items()],
        )  # fmt: skip
        metrics.family(
            "bus_connections_total", "Connections to NATS, by what became of them.",
            ["outcome"], lambda: [((name,), count) for name, count in link.counts.items()],
        )  # fmt: skip


def open_wide(
    stack: AsyncExitStack, background: Background, settings: Settings, *, clock: Clock
) -> Wide:
    """Connect, now or as soon as NATS is there, until the stack unwinds.

    Raises `Refused` (`settings.invalid`).
    """
    life = os.urandom(LIFE_BYTES)
    link = Link(settings.nats_url, name=f"quantdesk {os.getpid()}", clock=clock, chance=chance())
    topics = {
        ORDERS: Topic(f"quantdesk.{settings.mode}.orders", _encode, _orders),
        RESYNC: Topic("quantdesk.market.resync", _encode, _asked),
        cached.TOPIC: Topic("quantdesk.market.prices", cached.encode, cached.decode),
    }
    events = Events(link, topics=topics, life=life, clock=clock)
    wide = Wide(
        link=link,
        events=events,
        window=Window(link, name=_STREAM, subject=_FRAMES),
        cache=Cache(link, bucket=BUCKET),
        life=life.hex(),
    )
    background.begin("bus connection", link.run)
    background.begin("bus events", events.run)
    stack.push_async_callback(events.drain)
    return wide


def _orders(body: bytes) -> Sequence[Any]:
    return _decoded(_ORDER_EVENTS, body)


def _asked(body: bytes) -> Sequence[Any]:
    return _decoded(_BOOKS, body)


def _decoded(decoder: msgspec.msgpack.Decoder[Any], body: bytes) -> Sequence[Any]:
    try:
        found: Sequence[Any] = decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise Corrupt(f"events: {problem}", code="bus.unreadable") from problem
    return found


_encode: Final = msgspec.msgpack.Encoder().encode
_ORDER_EVENTS: Final = msgspec.msgpack.Decoder(list[OrderEvent])
_BOOKS: Final = msgspec.msgpack.Decoder(list[tuple[str, str]])
