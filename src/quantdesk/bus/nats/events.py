"""Batches of events between processes: core NATS, one message per batch, healed by its numbers.

    publish → own listeners, at once
            → waiting (bounded) → one message a batch → flush → others: decode → their listeners
    each second → how many were said so far → others: were all of them heard?

A message is who speaks, how many events they said before, how many it holds, and the events as
their topic encodes them. Nothing is kept by NATS: after a lost connection, or where numbers are
missing, listeners are told since when, and read again where the truth is stored. What was not
flushed is sent again; who heard it knows by its number. So every event reaches a listener once.

In a cluster a flush proves no more than that one server has it: with that server dies what it had
not passed on, while listeners elsewhere are connected all along. The count that each speaker
repeats tells them, and tells whoever joined before every server knew of it.
"""

import asyncio
import struct
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple, NoReturn

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from quantdesk.bus.continuity import Continuity
from quantdesk.bus.memory import Memory
from quantdesk.bus.nats.link import FOUND_OUT_S, Link, answered, flushed
from quantdesk.bus.port import Listener, Topic
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Unavailable

log = structlog.get_logger()

WAITING_MAX: Final = 100_000
"""Events that wait for NATS; the oldest batches go first."""
HEARD_BYTES_MAX: Final = 64 << 20
"""Of messages that wait for this process; more are lost, and told as missed."""
SPEAKERS_MAX: Final = 256
LIFE_BYTES: Final = 16
_SEND_MAX: Final = 256  # batches between two flushes
_AGAIN_S: Final = 0.2
BEAT_S: Final = 1.0
"""So often whoever has spoken says how much they said, if it was nothing new."""
_HEAD: Final = struct.Struct(f">{LIFE_BYTES}sQI")

Missed = Callable[[int], object]
"""Is told since when (Unix milliseconds) events may be missing; must return at once."""


class _Batch(NamedTuple):
    topic: str
    first: int
    events: Sequence[Any]


@dataclass(slots=True)
class _Speaker:
    continuity: Continuity
    heard_ms: int


class Events:
    """The bus of several processes; topics without a `Topic` stay within this one.

    `counts` holds sent, heard (events), dropped (no room to wait in), missed, unreadable, and again
    (heard before).
    """

    def __init__(self, link: Link, *, topics: dict[str, Topic], life: bytes, clock: Clock) -> None:
        """`life` are 16 bytes that no other process, and no other life of this one, goes by."""
        assert len(life) == LIFE_BYTES, "names of speakers have one length"
        self._link = link
        self._topics = topics
        self._life = life
        self._clock = clock
        self._own = Memory()
        self._others = Memory()
        self._missed: defaultdict[str, list[Missed]] = defaultdict(list)
        self._said: Counter[str] = Counter()
        self._waiting: deque[_Batch] = deque()
        self._waiting_events = 0
        self._heard: OrderedDict[tuple[str, bytes], _Speaker] = OrderedDict()
        self._opened_ms = clock.now_ms()
        self._came = asyncio.Event()
        self._is_beat_due = False
        self.counts: Counter[str] = Counter()
        link.on_open(self._subscribe)

    def publish(self, topic: str, events: Sequence[Any]) -> None:
        """Hand a batch to the listeners here, and soon to those elsewhere."""
        self._own.publish(topic, events)
        if topic in self._topics and events:
            self._waiting.append(_Batch(topic, self._said[topic], events))
            self._said[topic] += len(events)
            self._waiting_events += len(events)
            while self._waiting_events > WAITING_MAX and len(self._waiting) > 1:
                self.counts["dropped"] += self._leave()
            self._came.set()

    def listen(self, topic: str, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every batch from now on, whoever published it."""
        ends = (self._own.listen(topic, listener), self._others.listen(topic, listener))

        def end() -> None:
            for one in ends:
                one()

        return end

    def on_missed(self, topic: str, listener: Missed) -> None:
        """Tell when batches of others may have been missed."""
        self._missed[topic].append(listener)

    @property
    def waiting(self) -> int:
        """Return how many events wait for NATS."""
        return self._waiting_events

    async def run(self) -> NoReturn:
        """Send what is published, until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._beat())
            await self._speak()

    async def _beat(self) -> NoReturn:
        while True:
            await self._clock.sleep(BEAT_S)
            self._is_beat_due = True
            self._came.set()

    async def _speak(self) -> NoReturn:
        while True:
            await self._came.wait()
            self._came.clear()
            try:
                client = await self._link.client()
                await self._send(client)
                if self._is_beat_due:
                    self._is_beat_due = False
                    await self._repeat(client)
            except Unavailable:  # the link says why; all of it is sent again
                self._came.set()
                await self._clock.sleep(_AGAIN_S)

    async def drain(self) -> None:
        """Send what waits, if there is a connection: the last word of a process that stops."""
        if self._link.stands:
            with suppress(Unavailable):
                await self._send(await self._link.client())

    async def _send(self, client: Client) -> None:
        while self._waiting:
            batches = list(islice(self._waiting, _SEND_MAX))
            with answered("NATS did not take the events"):
                for batch in batches:
                    for body in self._bodies(batch, client.max_payload):
                        await client.publish(self._topics[batch.topic].subject, body)
                await flushed(client, clock=self._clock)
            for batch in batches:
                if self._waiting and self._waiting[0] is batch:  # it may have been dropped since
                    self.counts["sent"] += self._leave()

    async def _repeat(self, client: Client) -> None:
        """Say how many events were said of each topic; called while none waits."""
        said = [(self._topics[topic], count) for topic, count in self._said.items()]
        with answered("NATS did not take the count of events"):
            for topic, count in said:
                head = _HEAD.pack(self._life, count, 0)
                await client.publish(topic.subject, head + topic.encode([]))

    def _leave(self) -> int:
        count = len(self._waiting.popleft().events)
        self._waiting_events -= count
        return count

    def _bodies(self, batch: _Batch, bytes_max: int) -> Iterator[bytes]:
        events = batch.events
        body = self._topics[batch.topic].encode(events)
        if _HEAD.size + len(body) <= bytes_max:
            yield _HEAD.pack(self._life, batch.first, len(events)) + body
        elif len(events) == 1:
            self.counts["dropped"] += 1
        else:
            half = len(events) // 2
            yield from self._bodies(batch._replace(events=events[:half]), bytes_max)
            rest = batch._replace(first=batch.first + half, events=events[half:])
            yield from self._bodies(rest, bytes_max)

    async def _subscribe(self, client: Client) -> None:
        for name, topic in self._topics.items():
            hear = partial(self._hear, name, topic)
            await client.subscribe(topic.subject, cb=hear, pending_bytes_limit=HEARD_BYTES_MAX)
        await flushed(client, clock=self._clock)  # from here on this server passes on what it hears
        self._opened_ms = self._clock.now_ms()
        if self._link.lost_ms is not None:
            for name in self._topics:
                self._tell_missed(name, self._link.lost_ms)

    async def _hear(self, name: str, topic: Topic, message: Msg) -> None:
        try:
            life, first, events = _opened(topic, message.data)
        except Corrupt as problem:
            self.counts["unreadable"] += 1
            log.warning("bus.unreadable", topic=name, detail=problem.detail)
            self._tell_missed(name, self._clock.now_ms())
            return
        if life == self._life:  # a server elsewhere gave our own back
            return
        is_new = (name, life) not in self._heard
        speaker = self._speaker(name, life)
        step = speaker.continuity.take(first, len(events))
        last_ms, speaker.heard_ms = speaker.heard_ms, self._clock.now_ms()
        self.counts["again"] += step.known
        self.counts["heard"] += len(events) - step.known
        if step.known < len(events):
            self._others.publish(name, events[step.known :])
        self.counts["missed"] += step.missing
        if step.missing or (is_new and first):  # said before we could hear it, or lost: who knows
            self._tell_missed(name, last_ms)

    def _speaker(self, name: str, life: bytes) -> _Speaker:
        key = (name, life)
        known = self._heard.setdefault(key, _Speaker(Continuity(), self._opened_ms))
        self._heard.move_to_end(key)
        if len(self._heard) > SPEAKERS_MAX:
            self._heard.popitem(last=False)
        return known

    def _tell_missed(self, name: str, at_ms: int) -> None:
        since_ms = at_ms - round(FOUND_OUT_S * 1000)
        for tell in self._missed[name]:
            tell(since_ms)


def _opened(topic: Topic, body: bytes) -> tuple[bytes, int, Sequence[Any]]:
    """Return who speaks, how many events they said before, and the events; raise `Corrupt`."""
    if len(body) < _HEAD.size:
        raise Corrupt("a batch without a head", code="bus.unreadable")
    life, first, count = _HEAD.unpack_from(body)
    events = topic.decode(body[_HEAD.size :])
    if len(events) != count:
        raise Corrupt("a batch is cut", code="bus.unreadable")
    return life, first, events
