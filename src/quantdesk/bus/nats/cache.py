"""The latest value of each key: a JetStream key-value bucket in memory.

What is put is there for all before `put` returns, so whoever is told of it afterwards reads it or
something newer. A server that lost its memory has an empty bucket until somebody puts again.
"""

from typing import Final

from nats.aio.client import Client
from nats.js.api import KeyValueConfig, StorageType
from nats.js.errors import KeyNotFoundError, NoStreamResponseError, NotFoundError
from nats.js.kv import KeyValue

from quantdesk.bus.nats.link import ANSWER_S, Link, answered

VALUE_BYTES_MAX: Final = 64 << 10
BYTES_MAX: Final = 16 << 20


class Cache:
    """One bucket."""

    def __init__(self, link: Link, *, bucket: str) -> None:
        self._link = link
        self._config = KeyValueConfig(
            bucket=bucket,
            history=1,
            storage=StorageType.MEMORY,
            max_value_size=VALUE_BYTES_MAX,
            max_bytes=BYTES_MAX,
        )
        self._bucket: KeyValue | None = None
        self._bucket_of: Client | None = None

    async def put(self, key: str, value: bytes) -> None:
        """Return once the value can be read. Raises `Unavailable`."""
        with answered(f"NATS did not take {key}"):
            bucket = await self._opened()
            try:
                await bucket.put(key, value)
            except NoStreamResponseError:
                self._bucket = None  # made anew at the next try
                raise

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
            await (await self._opened()).purge(key)

    async def _opened(self) -> KeyValue:
        client = await self._link.client()
        if self._bucket is None or self._bucket_of is not client:
            streams = client.jetstream(timeout=ANSWER_S)
            self._bucket = await streams.create_key_value(self._config)
            self._bucket_of = client
        return self._bucket
