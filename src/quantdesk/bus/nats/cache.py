"""The latest value of each key: a JetStream key-value bucket in memory.

What is put is there for all before `put` returns, so whoever is told of it afterwards reads it or
something newer: the leader of the bucket answers, never a copy that may lag. A server that lost its
memory has an empty bucket until somebody puts again; in a cluster of three it has it from the rest.
Layout: https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-8.md.
"""

from typing import Final

from nats.js.api import DiscardPolicy, StorageType, StreamConfig
from nats.js.errors import KeyNotFoundError, NoStreamResponseError, NotFoundError
from nats.js.kv import KeyValue

from quantdesk.bus.nats.kept import Kept
from quantdesk.bus.nats.link import ANSWER_S, Link, answered

VALUE_BYTES_MAX: Final = 64 << 10
BYTES_MAX: Final = 16 << 20
_TWICE_S: Final = 120.0


class Cache:
    """One bucket."""

    def __init__(self, link: Link, *, bucket: str) -> None:
        self._link = link
        self._bucket = bucket
        self._kept = Kept(link, _stream(bucket))

    async def put(self, key: str, value: bytes) -> None:
        """Return once the value can be read. Raises `Unavailable`."""
        with answered(f"NATS did not take {key}"):
            try:
                await (await self._opened()).put(key, value)
            except NoStreamResponseError:  # a server lost its memory, or there is no leader yet
                self._kept.lost()
                await (await self._opened()).put(key, value)

    async def get(self, key: str) -> bytes | None:
        """Return the value, None where there is none. Raises `Unavailable`."""
        with answered(f"NATS did not give {key}"):
            try:
                return (await (await self._opened()).get(key)).value
            except (KeyNotFoundError, NotFoundError):
                return None

    async def purge(self, key: str) -> None:
        """Forget a key. Raises `Unavailable`."""
        with answered(f"NATS did not forget {key}"):
            try:
                await (await self._opened()).purge(key)
            except NoStreamResponseError:
                self._kept.lost()
                await (await self._opened()).purge(key)

    async def _opened(self) -> KeyValue:
        client = await self._link.client()
        await self._kept.ensure(client)
        return KeyValue(
            name=self._bucket,
            stream=self._kept.name,
            pre=f"$KV.{self._bucket}.",
            js=client.jetstream(timeout=ANSWER_S),
            direct=False,
        )


def _stream(bucket: str) -> StreamConfig:
    return StreamConfig(
        name=f"KV_{bucket}",
        subjects=[f"$KV.{bucket}.>"],
        storage=StorageType.MEMORY,
        discard=DiscardPolicy.NEW,
        max_msgs_per_subject=1,
        max_msg_size=VALUE_BYTES_MAX,
        max_bytes=BYTES_MAX,
        max_consumers=-1,
        max_msgs=-1,
        duplicate_window=_TWICE_S,
        allow_rollup_hdrs=True,
        allow_msg_ttl=True,
        deny_delete=True,
    )
