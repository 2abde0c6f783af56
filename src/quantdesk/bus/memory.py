"""The bus inside one process: a batch is a function call per listener."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from quantdesk.bus.port import Listener


class Memory:
    """Events between the parts of one process."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, list[Listener]] = defaultdict(list)

    def publish(self, topic: str, events: Sequence[Any]) -> None:
        """Hand a batch to every listener of the topic, in order."""
        for listener in tuple(self._listeners[topic]):
            listener(events)

    def listen(self, topic: str, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every batch from now on; the result ends that."""
        listeners = self._listeners[topic]
        listeners.append(listener)
        return lambda: listeners.remove(listener)
