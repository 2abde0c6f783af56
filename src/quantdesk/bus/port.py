"""Port of the bus: events go out in batches, listeners never hold up the one who speaks."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

Listener = Callable[[Sequence[Any]], None]
"""Takes a batch of events; must return at once and must not raise."""


class Bus(Protocol):
    """Carries events from the process that commits them to those that show them."""

    def publish(self, topic: str, events: Sequence[Any]) -> None:
        """Hand a batch to every listener of the topic, in order."""

    def listen(self, topic: str, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every batch from now on; the result ends that."""
