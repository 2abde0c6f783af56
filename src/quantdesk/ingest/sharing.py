"""Sharing: every frame of every source with the desks of other processes, as it came.

    tap → waiting (bounded) → gathered for a few ms → a parcel → kept for minutes → other desks

`tap` is called by `flow` for each frame before it is read, and never waits. A parcel is added until
it is kept, once by its name; what comes meanwhile waits, and beyond a bound the oldest goes: desks
see by the numbers that something is missing. What is too large for NATS leaves an empty frame.
"""

import asyncio
from collections import Counter, deque
from typing import Final, NoReturn

import structlog

from quantdesk.bus.port import Window
from quantdesk.core.backoff import Backoff, Chance
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.core.ticks import Frame
from quantdesk.sources.parcels import (
    BYTES_MAX,
    FRAME_BYTES_MAX,
    FRAME_COST,
    Parcel,
    pack,
    rows,
)

log = structlog.get_logger()

GATHER_S: Final = 0.005
BEAT_S: Final = 1.0
"""Whoever has nothing to share says so often that it lives."""
WAITING_BYTES_MAX: Final = 32 << 20
_LONGEST_S: Final = 2.0


class Sharing:
    """The frames of one process, on their way to others.

    `counts` holds frames and parcels (kept), dropped (frames: no room to wait in, or too large) and
    failures; `problem` is why nothing is kept now, None while all is.
    """

    def __init__(self, window: Window, *, life: str, clock: Clock, chance: Chance) -> None:
        """`life` is a name that no other process, and no other life of this one, goes by."""
        self._window = window
        self._life = life
        self._began_ns = clock.now_ns()
        self._clock = clock
        self._backoff = Backoff(chance, longest_s=_LONGEST_S)
        self._waiting: deque[Frame] = deque()
        self._waiting_bytes = 0
        self._first = 0
        self._kept = 0
        self._came = asyncio.Event()
        self.problem: Unavailable | None = None
        self.counts: Counter[str] = Counter()

    def tap(self, frame: Frame) -> None:
        """Take a frame to be shared; never blocks and never raises."""
        if len(frame.data) > FRAME_BYTES_MAX:
            self.counts["dropped"] += 1
            frame = Frame(frame.source, frame.feed, frame.received_ns, b"")  # its place is kept
        self._waiting.append(frame)
        self._waiting_bytes += len(frame.data) + FRAME_COST
        while self._waiting_bytes > WAITING_BYTES_MAX:
            self._leave()
            self.counts["dropped"] += 1
        if not self._came.is_set():
            self._came.set()

    @property
    def waiting_bytes(self) -> int:
        """Return how many bytes wait for NATS."""
        return self._waiting_bytes

    async def probe(self) -> str:
        """Return what is shared; raise the problem that holds it up."""
        if self.problem is not None:
            raise self.problem
        return f"{self.counts['frames']} messages shared"

    async def run(self) -> NoReturn:
        """Share what comes until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._beat())
            while True:
                await self._came.wait()
                if self._waiting_bytes < BYTES_MAX:
                    await self._clock.sleep(GATHER_S)
                self._came.clear()
                await self._share(self._parcel())
                if self._waiting:
                    self._came.set()

    async def _beat(self) -> NoReturn:
        while True:
            self._came.set()
            await self._clock.sleep(BEAT_S)

    async def _share(self, parcel: Parcel) -> None:
        """Return once a parcel is kept."""
        body, kept = pack(parcel), None
        while kept is None:
            kept = await self._try(body, parcel.name)
        self.problem = self._alone(kept)
        self._kept = kept
        self.counts["parcels"] += 1
        self.counts["frames"] += len(parcel.rows)

    async def _try(self, body: bytes, name: str) -> int | None:
        try:
            kept = await self._window.add(body, name=name)
        except Unavailable as problem:
            self.counts["failures"] += 1
            self.problem = problem
            await self._clock.sleep(self._backoff.failed())
            return None
        self._backoff.healthy()
        return kept

    def _alone(self, kept: int) -> Unavailable | None:
        """Return a problem where somebody else shares as well; numbers that begin anew are none."""
        if not self._kept or kept <= self._kept + 1:
            return None
        return Unavailable(
            "another ingest process shares market data through the same NATS: desks follow the one "
            "that was started last; stop one of them",
            code="sharing.twice",
        )

    def _parcel(self) -> Parcel:
        """Return the next parcel; what is in it waits no more."""
        first, frames, size = self._first, [], 0
        while self._waiting and size < BYTES_MAX:
            frame = self._leave()
            frames.append(frame)
            size += len(frame.data) + FRAME_COST
        if size > BYTES_MAX and len(frames) > 1:
            self._back(frames.pop())
        return Parcel(self._life, self._began_ns, first, self._clock.now_ns(), rows(frames))

    def _leave(self) -> Frame:
        frame = self._waiting.popleft()
        self._waiting_bytes -= len(frame.data) + FRAME_COST
        self._first += 1
        return frame

    def _back(self, frame: Frame) -> None:
        self._waiting.appendleft(frame)
        self._waiting_bytes += len(frame.data) + FRAME_COST
        self._first -= 1
