"""Server-sent events: bytes in, events out, no I/O.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from dataclasses import dataclass

EVENT_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream; `name` is "message" unless the server said otherwise."""

    name: str
    data: bytes


class Events:
    """Cuts a stream of bytes into events, wherever the network cut it before.

    Comments (keep-alives) yield nothing. An event longer than `bytes_max` is dropped and counted
    in `oversized`, so that a peer cannot fill the memory.
    """

    def __init__(self, *, bytes_max: int = EVENT_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._rest = b""
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0
        self._dropping = False
        self.oversized = 0

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that this chunk completes, in order."""
        # A CR at the very end may be half of a CRLF: it waits for the next byte.
        text = self._rest + chunk
        held = b"\r" if text.endswith(b"\r") else b""
        lines = text.removesuffix(held).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop() + held
        events = [event for line in lines if (event := self._take(line)) is not None]
        if self._size + len(self._rest) > self._bytes_max:
            self._drop()
            self._rest = held
        return events

    def _take(self, line: bytes) -> Event | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            self._name = value.decode("utf-8", "replace")
        elif field == b"data" and not self._dropping:
            self._size += len(value) + 1
            self._data.append(value)
            if self._size > self._bytes_max:
                self._drop()
        return None

    def _dispatch(self) -> Event | None:
        data, name, dropped = b"\n".join(self._data), self._name or "message", self._dropping
        empty = not self._data
        self._data, self._name, self._size, self._dropping = [], "", 0, False
        return None if empty or dropped else Event(name, data)

    def _drop(self) -> None:
        self.oversized += 0 if self._dropping else 1
        self._data, self._size, self._dropping = [], 0, True
