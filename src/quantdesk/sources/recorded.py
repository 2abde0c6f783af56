"""Recorded market data: the frames of a file or a folder, played at any speed.

Read are our own tapes (`tape`, one or a folder of them) and text (`lines`), bare or packed with
gzip or zstd. What a file is, is told by its first bytes: its name promises nothing. A frame carries
the name of who sent it behind "recorded.", and the bytes as they were sent.
"""

import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from io import BufferedReader
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Literal

import structlog
import zstandard

from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Refused
from quantdesk.core.ticks import Event, Frame, Headline
from quantdesk.sources import lines, tape
from quantdesk.sources.port import Take
from quantdesk.sources.readers import READERS

log = structlog.get_logger()

Speed = Decimal | Literal["max"]

PREFIX = "recorded."
LINE_BYTES_MAX = 4 << 20
GAP_MS_MAX = 60_000
"""A hole in a recording is played as a minute; nobody waits for months between two samples."""
_NAP_LINES = 256
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_WINDOW_MAX = 128 << 20  # bytes of memory a packed file may ask for


def frames(
    path: Path, *, counts: Counter[str], prefix: str = PREFIX
) -> Generator[Frame, None, None]:
    """Yield the frames of a recording in order, with the times at which they were received.

    Without the `prefix` they go by the names of their senders, as they did when they came. Nothing
    readable is lost to what is not: counted in `counts` are frames, unreadable (lines), damaged
    (blocks of a tape) and cut (ends of files). Times of a source rise from frame to frame. Raises
    `Refused` (`recording.unreadable`) when a file cannot be opened.
    """
    last_ns: dict[str, int] = {}
    with closing(_sent(path, counts)) as sent:
        for frame in sent:
            source = frame.source if frame.source.startswith(PREFIX) else prefix + frame.source
            # Two lines of one nanosecond are two messages still, and a name is given once.
            received_ns = max(frame.received_ns, last_ns.get(source, -1) + 1)
            last_ns[source] = received_ns
            counts["frames"] += 1
            yield Frame(source, frame.feed, received_ns, frame.data)


def read(frame: Frame) -> Sequence[Event]:
    """Return what a frame of a recording says, read as its sender's are.

    Raises `Corrupt` (`message.unreadable`), also for a sender whose words are not known.
    """
    reader = READERS.get(frame.source.removeprefix(PREFIX))
    if reader is None:
        raise Corrupt(f"nobody reads messages of {frame.source}", code="message.unreadable")
    return reader(frame)


READS: Mapping[str, Callable[[Frame], Sequence[Event]]] = MappingProxyType(
    {prefix + sender: read for sender in READERS for prefix in ("", PREFIX)}
)
"""How frames of recordings are read, by their source's name with and without the prefix."""


def _sent(path: Path, counts: Counter[str]) -> Generator[Frame, None, None]:
    files = tape.tapes(path) if path.is_dir() else [path]
    for file in files:
        try:
            with file.open("rb") as opened:
                is_tape = tape.is_tape(opened.read(tape.HEAD_BYTES))
        except OSError as problem:
            raise _shut(problem) from problem
        if is_tape:
            yield from tape.messages(file, counts=counts)
        else:
            yield from _told(file, counts)


def _told(path: Path, counts: Counter[str]) -> Generator[Frame, None, None]:
    with closing(_text(path, counts)) as text:
        peeked = list(islice(text, lines.PEEK_LINES))
        script = lines.Lines(peeked)
        for line in chain(peeked, text):
            counts["lines"] += 1
            try:
                frame = script.frame(line)
            except Corrupt as problem:
                counts["unreadable"] += 1
                log.debug("recorded.unreadable", detail=problem.detail)
                continue
            yield frame


def _text(path: Path, counts: Counter[str]) -> Generator[bytes, None, None]:
    try:
        file = _open(path)
    except OSError as problem:
        raise _shut(problem) from problem
    with file:
        try:
            while line := file.readline(LINE_BYTES_MAX):
                if line.strip():
                    yield line
        except (OSError, EOFError, zlib.error, zstandard.ZstdError) as problem:
            counts["cut"] += 1  # a file whose end is missing
            log.warning("recorded.cut", path=str(path), detail=str(problem))


def _shut(problem: OSError) -> Refused:
    return Refused(f"the recording cannot be read: {problem}", code="recording.unreadable")


class Recorded:
    """The frames of a recording; ends where the recording ends.

    `counts` holds what `frames` counts.
    """

    name = "recorded"

    def __init__(self, *, path: Path, clock: Clock, speed: Speed = Decimal(1)) -> None:
        """Raise `Refused` (`recording.missing`, `source.settings`)."""
        if not (path.is_file() or (path.is_dir() and tape.tapes(path))):
            raise Refused(f"there is no recording at {path}", code="recording.missing")
        if speed != "max" and not (speed.is_finite() and speed > 0):
            raise Refused(
                f"speed {speed}: give a number above zero, or max", code="source.settings"
            )
        self._path = path
        self._clock = clock
        self._speed = speed
        self._wanted: frozenset[str] = frozenset()
        self.counts: Counter[str] = Counter()

    async def run(self, symbols: Sequence[str], take: Take) -> None:
        """Hand over the recording, spaced as recorded over `speed`, as if it came now.

        Frames are whole messages; what they say of assets not asked for is passed over by `read`.
        Raises `Refused` (`recording.unreadable`) when the file cannot be opened.
        """
        self._wanted = frozenset(symbols)
        pace, last_ns = _Pace(clock=self._clock, speed=self._speed), 0
        with closing(frames(self._path, counts=self.counts)) as played:
            for number, frame in enumerate(played, start=1):
                pace.reach(frame.received_ms)
                await pace.wait()
                last_ns = max(self._clock.now_ns(), last_ns + 1)
                take(Frame(frame.source, frame.feed, last_ns, frame.data))
                if number % _NAP_LINES == 0:
                    await self._clock.sleep(0)  # others run too while a file is read at full speed

    def read(self, frame: Frame) -> Sequence[Event]:
        """Return what a frame says of the assets asked for, and all news; raise `Corrupt`."""
        wanted, events = self._wanted, read(frame)
        return [event for event in events if isinstance(event, Headline) or event.symbol in wanted]


class _Pace:
    def __init__(self, *, clock: Clock, speed: Speed) -> None:
        self._clock = clock
        self._speed = speed
        self._began = clock.monotonic()
        self._at_ms: int | None = None
        self._played_ms = 0

    def reach(self, at_ms: int) -> None:
        if self._at_ms is not None:
            self._played_ms += min(max(0, at_ms - self._at_ms), GAP_MS_MAX)
        self._at_ms = at_ms if self._at_ms is None else max(self._at_ms, at_ms)

    async def wait(self) -> None:
        if self._speed == "max":
            return
        due = self._began + float(self._played_ms / self._speed) / 1000
        ahead_s = due - self._clock.monotonic()
        if ahead_s > 0:
            await self._clock.sleep(ahead_s)


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        head = file.read(len(_ZSTD_MAGIC))
    if head.startswith(_GZIP_MAGIC):
        return BufferedReader(gzip.open(path, "rb"))
    if head == _ZSTD_MAGIC:
        unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW_MAX)
        packed = unpacker.stream_reader(path.open("rb"), read_across_frames=True, closefd=True)
        return BufferedReader(packed)
    return path.open("rb")
