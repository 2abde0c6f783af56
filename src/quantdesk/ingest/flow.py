"""The flow: one plain call per message, from the bytes off the wire to all who keep what they say.

    frame → tap (recorder) → read (its source) → routes of that kind of event → gate, books, candles

Nothing here waits, reads a clock or remembers prices, so the same frames with the same `advance`
calls between them give the same results: live, in a test, and in a replay (`replay`).
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Event, Frame
from quantdesk.sources.port import Take

log = structlog.get_logger()

Read = Callable[[Frame], Sequence[Event]]
"""A source's `read`: raises `Corrupt` for what is not of its format."""

Route = Callable[[Any, Frame], object]
"""Is given an event and the frame it came in; quick. What it raises `Corrupt` for is unreadable."""

Timer = Callable[[int], object]
"""Is given Unix milliseconds, in the frames' time."""

SAMPLES_MAX = 8
"""Unreadable messages kept of each source, the latest."""
_WORTH_A_LINE = frozenset(10**power for power in range(12))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that could not be read, and why."""

    frame: Frame
    detail: str


class Passage:
    """What came from one source: counts of frames, events and unreadable frames, and samples."""

    __slots__ = ("events", "frames", "read", "received_ns", "samples", "unreadable")

    def __init__(self, read: Read) -> None:
        self.read = read
        self.frames = 0
        self.events = 0
        self.unreadable = 0
        self.received_ns = 0
        self.samples: deque[Unreadable] = deque(maxlen=SAMPLES_MAX)


class Flow:
    """Takes the frames of all sources and moves timers.

    `sources` holds what came from each; frames of a source that has no reader are `strangers`.
    """

    def __init__(
        self,
        readers: Mapping[str, Read],
        routes: Mapping[type[Event], Sequence[Route]],
        *,
        timers: Sequence[Timer] = (),
        tap: Take | None = None,
    ) -> None:
        """Give events to the routes of their kind in the order named, timers likewise."""
        self.sources = {name: Passage(read) for name, read in readers.items()}
        self.strangers = 0
        self.tap = tap
        """Is handed every frame first; may be set and taken away at any time."""
        self._routes: dict[type[Event], tuple[Route, ...]] = {
            kind: tuple(to) for kind, to in routes.items()
        }
        self._timers = list(timers)
        self._unread: list[Callable[[Unreadable], object]] = []

    def on(self, kind: type[Event], route: Route) -> None:
        """Give events of this kind to one more, after the others."""
        self._routes[kind] = (*self._routes.get(kind, ()), route)

    def on_unreadable(self, listener: Callable[[Unreadable], object]) -> None:
        """Tell of every frame that cannot be read."""
        self._unread.append(listener)

    def take(self, frame: Frame) -> None:
        """Pass a frame on to all whom it concerns before returning; raise nothing."""
        if self.tap is not None:
            self.tap(frame)
        passage = self.sources.get(frame.source)
        if passage is None:
            self.strangers += 1
            return
        passage.frames += 1
        passage.received_ns = frame.received_ns
        routes = self._routes
        try:
            events = passage.read(frame)
            passage.events += len(events)
            for event in events:
                for route in routes.get(type(event), ()):
                    route(event, frame)
        except Corrupt as problem:
            self._note(passage, Unreadable(frame, problem.detail))

    def advance(self, now_ms: int) -> None:
        """Move every timer to a time, in Unix milliseconds of the frames' own clock."""
        for timer in self._timers:
            timer(now_ms)

    def _note(self, passage: Passage, unreadable: Unreadable) -> None:
        passage.unreadable += 1
        passage.samples.append(unreadable)
        if passage.unreadable in _WORTH_A_LINE:
            log.warning(
                "messages.unreadable", count=passage.unreadable, latest=unreadable.frame.id,
                detail=unreadable.detail,
            )  # fmt: skip
        for listener in self._unread:
            listener(unreadable)
