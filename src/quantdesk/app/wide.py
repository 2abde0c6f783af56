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
from quantdesk.bus.nats.link import Link, is_sealed
from quantdesk.bus.nats.trust import trust
from quantdesk.bus.nats.window import Window
from quantdesk.bus.port import Topic
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Refused
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


def open_link(settings: Settings, *, name: str, clock: Clock) -> Link:
    """Return the connection that the settings ask for, not running yet.

    Raises `Refused` (`settings.invalid`, `key.missing`, `key.mode`).
    """
    files = {
        "ca_file": settings.nats_ca_file,
        "cert_file": settings.nats_cert_file,
        "key_file": settings.nats_key_file,
    }
    trusted = None
    if is_sealed(settings.nats_url):
        trusted = trust(**files)
    elif any(files.values()):
        told = " and ".join(f"nats_{name}" for name, value in files.items() if value)
        raise Refused(
            f"{told} would change nothing: write tls:// in nats_url", code="settings.invalid"
        )
    return Link(settings.nats_url, name=name, clock=clock, chance=chance(), trusted=trusted)


def open_wide(
    stack: AsyncExitStack, background: Background, settings: Settings, *, clock: Clock
) -> Wide:
    """Connect, now or as soon as NATS is there, until the stack unwinds.

    Raises `Refused` (`settings.invalid`, `key.missing`, `key.mode`).
    """
    life = os.urandom(LIFE_BYTES)
    link = open_link(settings, name=f"quantdesk {os.getpid()}", clock=clock)
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
