"""Ports of the bus: what happens, told at once; what was told lately, kept; what holds now, cached.

`Bus` is the desk's own. The other two are there only where several processes share market data.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, NamedTuple, Protocol

Listener = Callable[[Sequence[Any]], None]
"""Takes a batch of events; must return at once and must not raise."""


class Bus(Protocol):
    """Carries events from the process that commits them to those that show them."""

    def publish(self, topic: str, events: Sequence[Any]) -> None:
        """Hand a batch to every listener of the topic, in order."""

    def listen(self, topic: str, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every batch from now on; the result ends that."""


class Topic(NamedTuple):
    """How a topic travels between processes; `decode` raises `Corrupt` for what is none of it."""

    subject: str
    encode: Callable[[Sequence[Any]], bytes]
    decode: Callable[[bytes], Sequence[Any]]


class Letter(NamedTuple):
    """A message that was kept, and how many wait behind it."""

    body: bytes
    waiting: int


class Window(Protocol):
    """The messages of the last minutes, in one order for all who read them."""

    async def add(self, body: bytes, *, name: str) -> int:
        """Keep a message, once however often it is added by this name; return its number.

        Raises `Unavailable`: it may be kept or not, so it is added again.
        """

    def follow(self, *, skip: bool = False) -> AsyncGenerator[Letter, None]:
        """Yield what is kept and what comes, from the oldest on or where the last call was left.

        A message is acknowledged when the next is asked for; `skip` begins with what comes next.
        Raises `Unavailable`.
        """


class Cache(Protocol):
    """The latest value of each key; all of it raises `Unavailable`."""

    async def put(self, key: str, value: bytes) -> None:
        """Return once the value can be read."""

    async def get(self, key: str) -> bytes | None:
        """Return the value, None where there is none."""

    async def purge(self, key: str) -> None:
        """Forget a key."""
