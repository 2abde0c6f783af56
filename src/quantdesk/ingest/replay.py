"""Replay: the flow under a clock that the frames themselves drive.

Timers move at whole ticks of the frames' time, each before the first frame of that tick, so what
comes out depends on the frames alone: not on how fast they are fed, nor in what pieces.
"""

from quantdesk.core.ticks import Frame
from quantdesk.ingest.flow import Flow

TICK_MS = 100
HOLE_MS_MAX = 120_000
"""Of a longer silence the first minutes are gone through; then time jumps to its end."""
SETTLE_MS = 5_000
"""Time moves on by so much after the last frame, so that what has ended then is closed."""


class Replay:
    """Feeds a flow; `now_ms` is the time it has reached, zero before the first frame."""

    def __init__(self, flow: Flow, *, tick_ms: int = TICK_MS) -> None:
        assert tick_ms > 0, "time moves on"
        self._flow = flow
        self._tick_ms = tick_ms
        self.now_ms = 0

    def take(self, frame: Frame) -> None:
        """Move time on to a frame and pass it on; one from before does not turn time back."""
        at_ms = frame.received_ms
        if at_ms >= self.now_ms + self._tick_ms:
            self._reach(at_ms)
        self._flow.take(frame)

    def end(self) -> None:
        """Move time on past the last frame."""
        if self.now_ms:
            self._reach(self.now_ms + SETTLE_MS)

    def _reach(self, at_ms: int) -> None:
        last_ms = at_ms - at_ms % self._tick_ms
        if not self.now_ms:
            self.now_ms = last_ms - self._tick_ms
        until_ms = min(last_ms, self.now_ms + HOLE_MS_MAX)
        for now_ms in range(self.now_ms + self._tick_ms, until_ms + 1, self._tick_ms):
            self._flow.advance(now_ms)
        if until_ms < last_ms:
            self._flow.advance(last_ms)
        self.now_ms = last_ms
