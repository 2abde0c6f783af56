"""The messages of the last minutes: a JetStream stream in memory, bounded by age and bytes.

Readers pull so many messages at a time and acknowledge them together (`AckPolicy.ALL`), so that the
server gives nobody more than they have room for and holds nothing back from anyone else; their
consumers are their own, and forgotten soon after they went. The library's own subscriptions cancel
whoever waits on them when a connection ends: here a plain one hands messages to a queue.
A reader's place is on one server; when that is lost, its heartbeats stop, and another is made.
Pulling: https://docs.nats.io/reference/reference-protocols/nats_api_reference.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import datetime
from typing import Final

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    Header,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NoStreamResponseError

from quantdesk.bus.nats.kept import Kept
from quantdesk.bus.nats.link import ANSWER_S, Link, answered
from quantdesk.bus.port import Letter
from quantdesk.core.errors import Unavailable

AGE_S: Final = 120.0
BYTES_MAX: Final = 256 << 20
PULLED: Final = 64
_PULL_S: Final = 2
_BEAT_S: Final = 0.5  # of a pull that finds nothing
_LOOK_S: Final = 0.25
_LOOKS: Final = 8  # two seconds: four beats
_FORGOTTEN_S: Final = 30.0
_TWICE_S: Final = 60.0  # within which a message added again is known
_ACK: Final = b"+ACK"
_OVER: Final = frozenset({"404", "408"})
"""What ends a pull that found fewer messages than it asked for."""
_BEAT: Final = "100"
_NS: Final = 1_000_000_000
_PULL: Final = msgspec.json.encode(
    {"batch": PULLED, "expires": _PULL_S * _NS, "idle_heartbeat": round(_BEAT_S * _NS)}
)


class Window:
    """One stream, as one process sees it: a place of its own in it."""

    def __init__(
        self,
        link: Link,
        *,
        name: str,
        subject: str,
        age_s: float = AGE_S,
        bytes_max: int = BYTES_MAX,
    ) -> None:
        self._link = link
        self._subject = subject
        config = StreamConfig(
            name=name,
            subjects=[subject],
            storage=StorageType.MEMORY,
            discard=DiscardPolicy.OLD,
            max_age=age_s,
            max_bytes=bytes_max,
            duplicate_window=min(_TWICE_S, age_s),
        )
        self._kept = Kept(link, config)
        self._born: datetime | None = None
        self._last = 0

    async def add(self, body: bytes, *, name: str) -> int:
        """Keep a message, once however often it is added by this name; return its number.

        Raises `Unavailable`: it may be kept or not, so it is added again.
        """
        client = await self._link.client()
        with answered("NATS did not keep the message"):
            await self._kept.ensure(client)
            try:
                return await self._published(client, body, name)
            except NoStreamResponseError:  # a server lost its memory, or there is no leader yet
                self._kept.lost()
                await self._kept.ensure(client)
            return await self._published(client, body, name)

    async def _published(self, client: Client, body: bytes, name: str) -> int:
        stream = client.jetstream(timeout=ANSWER_S)
        kept = await stream.publish(self._subject, body, headers={Header.MSG_ID.value: name})
        return int(kept.seq)

    async def follow(self, *, skip: bool = False) -> AsyncGenerator[Letter, None]:
        """Yield what is kept and what comes, from the oldest on or where the last call was left.

        A message is acknowledged when the next is asked for; `skip` begins with what comes next.
        Raises `Unavailable`.
        """
        client = await self._link.client()
        queue: asyncio.Queue[Msg] = asyncio.Queue()

        async def hear(message: Msg) -> None:
            queue.put_nowait(message)  # no more than were pulled

        inbox = client.new_inbox()
        with answered("NATS does not give the messages kept"):
            subscription = await client.subscribe(inbox, cb=hear)
        try:
            consumer = await self._consumer(client, skip=skip)
            pull = f"$JS.API.CONSUMER.MSG.NEXT.{self._kept.name}.{consumer}"
            while True:
                with answered("NATS does not give the messages kept"):
                    await client.publish(pull, _PULL, reply=inbox)
                for _ in range(PULLED):
                    message = await _next(client, queue)
                    if message is None:
                        break
                    place = message.metadata
                    yield Letter(message.data, place.num_pending)
                    self._last = place.sequence.stream
                    if queue.empty():
                        with answered("NATS was not told what was taken"):
                            await client.publish(message.reply, _ACK)
        finally:
            with suppress(NatsError, OSError):
                await subscription.unsubscribe()

    async def _consumer(self, client: Client, *, skip: bool) -> str:
        with answered("NATS does not give the messages kept"):
            info = await self._kept.opened(client)
            if info.created != self._born or info.state.last_seq < self._last:
                # A stream of that name, but not the one we read; a cluster that lost its memory as
                # a whole makes it anew with the date of the first.
                self._born, self._last = info.created, 0
            config = ConsumerConfig(
                ack_policy=AckPolicy.ALL,
                inactive_threshold=_FORGOTTEN_S,
                mem_storage=True,
                deliver_policy=DeliverPolicy.ALL,
            )
            if skip:
                config = config.evolve(deliver_policy=DeliverPolicy.NEW)
            elif self._last:
                config = config.evolve(
                    deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=self._last + 1
                )
            made = await client.jetstream(timeout=ANSWER_S).add_consumer(self._kept.name, config)
        return str(made.name)


async def _next(client: Client, queue: asyncio.Queue[Msg]) -> Msg | None:
    """Return the next message, None where the pull has ended; raise `Unavailable`."""
    while True:
        message = await _came(client, queue)
        status = (message.headers or {}).get(Header.STATUS.value)
        if status is None:
            return message
        if status != _BEAT:
            break
    if status in _OVER:
        return None
    description = (message.headers or {}).get(Header.DESCRIPTION.value, "")
    raise Unavailable(f"NATS gives nothing: {status} {description}".strip(), code="bus.away")


async def _came(client: Client, queue: asyncio.Queue[Msg]) -> Msg:
    for _ in range(_LOOKS):
        if client.is_closed:
            raise Unavailable("the connection to NATS was lost", code="bus.away")
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                return await queue.get()
    raise Unavailable("NATS does not answer", code="bus.away")
