"""The recorder: every frame of every source onto tapes (`sources.tape`), as it came.

`tap` is called by `flow` for each frame before it is read; a thread of its own packs and writes, so
that a slow disk never holds up a price. What the disk cannot keep up with is dropped and counted;
when it refuses (full, gone) recording stops with a problem to show, and trading goes on.

Every block is handed to the system at once: a killed process loses what came in the last
`FLUSH_S`. A tape is synced to disk when it is closed, once an hour; after a power cut what the
system had not written yet is gone too (half a minute, as Linux is set up).
"""

import os
import threading
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import structlog

from quantdesk.core.errors import Unavailable
from quantdesk.core.ticks import Frame
from quantdesk.sources import tape

log = structlog.get_logger()

FLUSH_S = 0.5
WAITING_BYTES_MAX = 64 << 20
"""Of frames that wait for the disk; more are dropped."""
FRAME_BYTES_MAX = tape.BLOCK_BYTES_MAX // 2
_BLOCK_BYTES = 256 << 10
_FRAME_COST = 200  # bytes of memory and of a block that a frame takes beside its data
_TAPE_BYTES_MAX = 256 << 20
_TAPES_AT_LEAST = 8  # of which the oldest goes when the space is used up
_MEGABYTE = 1_000_000
_HOUR_NS = 3600 * 1_000_000_000
_TRIES_MAX = 1000


@dataclass(frozen=True, slots=True)
class Keep:
    """What is kept: tapes of the last `hours`, and `megabytes` of all; None keeps everything.

    The tape that is being written always stays: at most an eighth of `megabytes`, or 256.
    """

    hours: float | None = None
    megabytes: int | None = None


class Tapes:
    """Writes blocks into the tapes of a folder, a new tape each hour. For one thread."""

    def __init__(self, folder: Path, keep: Keep) -> None:
        self._folder = folder
        self._keep = keep
        self._file: BinaryIO | None = None
        self._hour = ""
        self._whole = 0
        self._bytes_max = _TAPE_BYTES_MAX
        if keep.megabytes is not None:
            share = keep.megabytes * _MEGABYTE // _TAPES_AT_LEAST
            self._bytes_max = min(_TAPE_BYTES_MAX, share)

    def write(self, frames: list[Frame]) -> int:
        """Write frames and return the bytes they took; raise `OSError` as the disk does.

        After an error the tape ends with its last whole block.
        """
        written = 0
        for block in _blocks(frames):
            packed = tape.pack(block)
            file = self._open_for(block[-1].received_ns)
            rest = memoryview(packed)
            while rest:  # a disk that fills up takes a part before it refuses
                rest = rest[file.write(rest) :]
            self._whole += len(packed)
            written += len(packed)
        return written

    def close(self) -> None:
        """Sync and close the tape; raise `OSError` as the disk does."""
        file, self._file = self._file, None
        if file is None:
            return
        with file:
            file.truncate(self._whole)  # a block that did not fit is no block
            os.fsync(file.fileno())

    def _open_for(self, received_ns: int) -> BinaryIO:
        hour = max(self._hour, tape.hour(received_ns))  # a clock put back opens no older tape
        if self._file is None or hour != self._hour or self._whole > self._bytes_max:
            self.close()
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._forget(received_ns)
            self._file = _new(self._folder, hour)
            self._hour, self._whole = hour, 0
        return self._file

    def _forget(self, now_ns: int) -> None:
        hours, megabytes = self._keep.hours, self._keep.megabytes
        oldest = "" if hours is None else tape.hour(max(0, now_ns - int(hours * _HOUR_NS)))
        kept = tape.tapes(self._folder)
        room = 0
        if megabytes is not None:
            room = megabytes * _MEGABYTE - sum(path.stat().st_size for path in kept)
        for path in kept:
            if path.name >= oldest and room >= 0:
                return
            room += path.stat().st_size
            path.unlink()
            log.info("recording.forgotten", tape=path.name)


class Recorder:
    """Takes frames on any thread and writes them on its own, between `start` and `close`.

    `problem` says why recording stopped; `counts` holds frames, bytes (as written) and dropped.
    """

    def __init__(self, folder: Path, *, keep: Keep = Keep()) -> None:
        self.folder = folder
        self.problem: Unavailable | None = None
        self.counts: Counter[str] = Counter(frames=0, bytes=0, dropped=0)
        self._tapes = Tapes(folder, keep)
        self._waiting: deque[Frame] = deque()
        # Each of the two is changed by one thread only, so their difference needs no lock.
        self._taken_bytes = 0
        self._done_bytes = 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> Self:
        """Begin to write."""
        self._thread.start()
        return self

    def tap(self, frame: Frame) -> None:
        """Take a frame to be written; never blocks and never raises."""
        size = len(frame.data) + _FRAME_COST
        if (
            self.problem is not None
            or self._taken_bytes - self._done_bytes + size > WAITING_BYTES_MAX
            or size > FRAME_BYTES_MAX
        ):
            self.counts["dropped"] += 1
            return
        self._taken_bytes += size
        self._waiting.append(frame)

    @property
    def waiting_bytes(self) -> int:
        """Return how many bytes wait for the disk."""
        return self._taken_bytes - self._done_bytes

    def close(self) -> None:
        """Write what waits, close the tape, and return when both are done."""
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()

    def probe(self) -> str:
        """Return what is recorded where; raise the problem that stopped it."""
        if self.problem is not None:
            raise self.problem
        return f"{self.counts['frames']} messages in {self.folder}"

    def _run(self) -> None:
        try:
            while not self._ending.wait(FLUSH_S):
                self._drain()
            self._drain()
            self._tapes.close()
        except OSError as problem:
            self._stop(problem.strerror or str(problem))
        finally:
            if not self._ending.is_set() and self.problem is None:
                self._stop("an error of ours, see the log")

    def _drain(self) -> None:
        while self._waiting:
            frames = [self._waiting.popleft() for _ in range(len(self._waiting))]
            self.counts["bytes"] += self._tapes.write(frames)
            self.counts["frames"] += len(frames)
            self._done_bytes += sum(len(frame.data) + _FRAME_COST for frame in frames)

    def _stop(self, detail: str) -> None:
        self.problem = Unavailable(
            f"recording into {self.folder} stopped: {detail}; make room or choose another folder, "
            "and start the desk again. Trading goes on",
            code="recording.stopped",
        )
        log.error("recording.stopped", folder=str(self.folder), detail=detail)
        self._waiting.clear()
        try:
            self._tapes.close()
        except OSError as again:
            log.warning("recording.not_closed", detail=str(again))


def _blocks(frames: list[Frame]) -> Iterator[list[Frame]]:
    """Split frames into blocks of one hour each and of a size a reader can take."""
    block: list[Frame] = []
    size, hour_ns = 0, 0
    for frame in frames:
        if block and (size > _BLOCK_BYTES or frame.received_ns // _HOUR_NS != hour_ns):
            yield block
            block, size = [], 0
        block.append(frame)
        size += len(frame.data) + _FRAME_COST
        hour_ns = frame.received_ns // _HOUR_NS
    if block:
        yield block


def _new(folder: Path, hour: str) -> BinaryIO:
    numbers = [path.name.split(".")[1] for path in tape.tapes(folder) if path.name.startswith(hour)]
    first = 1 + max((int(number) for number in numbers), default=0)
    for number in range(first, first + _TRIES_MAX):
        path = folder / tape.name(hour, number)
        try:
            return path.open("xb", buffering=0)
        except FileExistsError:  # another process writes into the same folder
            continue
    raise FileExistsError(f"no free name for a tape of {hour} in {folder}")
