"""Processes that tell each other events over a real NATS, for the tests of the bus."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from tests.flow.bus.server import Reached, link

from quantdesk.bus.nats.events import Events
from quantdesk.bus.nats.link import Link
from quantdesk.bus.port import Topic
from quantdesk.core.clock import SystemClock
from quantdesk.core.errors import Corrupt

TOPIC = "orders"
SUBJECT = "test.orders"


def decode(body: bytes) -> Sequence[Any]:
    """Return events; raise `Corrupt`."""
    try:
        return msgspec.msgpack.decode(body, type=list[Any])
    except msgspec.DecodeError as problem:
        raise Corrupt(str(problem), code="bus.unreadable") from problem


@dataclass
class Desk:
    """A process: its link, its bus, and all that its listeners heard."""

    link: Link
    events: Events
    heard: list[Any] = field(default_factory=list)
    batches: list[Sequence[Any]] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)

    def take(self, events: Sequence[Any]) -> None:
        """Note a batch."""
        self.heard.extend(events)
        self.batches.append(events)


def desk(server: Reached, life: int) -> Desk:
    """Return a process that is named after `life`, not running yet."""
    one = link(server)
    topics = {TOPIC: Topic(SUBJECT, msgspec.msgpack.encode, decode)}
    events = Events(one, topics=topics, life=bytes([life]) * 16, clock=SystemClock())
    made = Desk(one, events)
    events.listen(TOPIC, made.take)
    events.on_missed(TOPIC, made.missed.append)
    return made


@contextmanager
def working(*desks: Desk) -> Iterator[None]:
    """Let these speak while the block runs."""
    tasks = [asyncio.ensure_future(one.events.run()) for one in desks]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
