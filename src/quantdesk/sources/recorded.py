"""Recorded prices: real messages from a file, played at any speed.

A line is a Binance combined-stream message behind the nanosecond it arrived, or a Hermes message,
as it was sent or wrapped in an object under `message`. Each line is told by its first byte, gzip by
its magic number, so that a file's name promises nothing.
"""

import gzip
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Literal

import structlog

from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Refused
from quantdesk.core.prices import Reading
from quantdesk.sources import hermes, spot

log = structlog.get_logger()

Speed = Decimal | Literal["max"]

LINE_BYTES_MAX = 4 << 20
GAP_MS_MAX = 60_000
"""A hole in a recording is played as a minute; nobody waits for months between two samples."""
_SAME_MS = 1000
_NAP_LINES = 256
_GZIP_MAGIC = b"\x1f\x8b"
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: when it came, as the recording tells time, and the readings in it."""

    kind: str
    at_ms: int
    readings: tuple[Reading, ...] = ()


class Recorded:
    """Readings of a recording; ends where the file ends.

    `counts` holds lines, unreadable, cut, what `hermes.Feeds` passed over, and one number per kind
    of message.
    """

    name = "recorded"

    def __init__(self, *, path: Path, clock: Clock, speed: Speed = Decimal(1)) -> None:
        """Raise `Refused` (`recording.missing`, `source.settings`)."""
        if not path.is_file():
            raise Refused(f"there is no recording at {path}", code="recording.missing")
        if speed != "max" and not (speed.is_finite() and speed > 0):
            raise Refused(
                f"speed {speed}: give a number above zero, or max", code="source.settings"
            )
        self._path = path
        self._clock = clock
        self._speed = speed
        self.counts: Counter[str] = Counter()

    async def stream(self, symbols: Sequence[str]) -> AsyncIterator[Reading]:
        """Yield the recording's readings of these assets, spaced as recorded over `speed`.

        A price that did not change is repeated once a second at most. Raises `Refused`
        (`recording.unreadable`) when the file cannot be opened.
        """
        wanted = frozenset(symbols)
        pace = _Pace(clock=self._clock, speed=self._speed)
        news = _News(same_ms=_SAME_MS if self._speed == "max" else int(_SAME_MS * self._speed))
        with closing(self._entries()) as entries:
            for number, entry in enumerate(entries, start=1):
                pace.reach(entry.at_ms)
                for reading in entry.readings:
                    if reading.symbol in wanted and news.is_news(reading):
                        await pace.wait()
                        yield reading
                if number % _NAP_LINES == 0:
                    await self._clock.sleep(0)  # others run too while a file is read at full speed

    def _entries(self) -> Generator[Entry, None, None]:
        script = Script(counts=self.counts)
        with closing(self._lines()) as lines:
            for line in lines:
                self.counts["lines"] += 1
                try:
                    entry = script.entry(line)
                except Corrupt as problem:
                    self.counts["unreadable"] += 1
                    log.debug("recorded.unreadable", detail=problem.detail)
                    continue
                self.counts[entry.kind] += 1
                yield entry

    def _lines(self) -> Generator[bytes, None, None]:
        try:
            file = _open(self._path)
        except OSError as problem:
            raise Refused(
                f"the recording cannot be read: {problem}", code="recording.unreadable"
            ) from problem
        with file:
            try:
                while line := file.readline(LINE_BYTES_MAX):
                    if line.strip():
                        yield line
            except (OSError, EOFError, zlib.error) as problem:  # a file whose end is missing
                self.counts["cut"] += 1
                log.warning("recorded.cut", path=str(self._path), detail=str(problem))


class Script:
    """Reads the lines of one recording in order, knowing what came before.

    Binance's book ticker carries no time, so its own is told from when it arrived and by how far
    Binance's clock, less the way, was ahead of the recorder's: the least distance seen so far.
    Times of an asset never run backwards: what a message names yields to an estimate before it.
    """

    def __init__(self, *, counts: Counter[str]) -> None:
        self._feeds = hermes.Feeds(source=Recorded.name, counts=counts)
        self._ahead_ms: int | None = None
        self._latest_ms: dict[str, int] = {}

    def entry(self, line: bytes) -> Entry:
        """Return what a line says; raise `Corrupt` when it says nothing readable."""
        return self._hermes(line) if line.lstrip()[:1] == b"{" else self._binance(line)

    def _binance(self, line: bytes) -> Entry:
        stamp, _, message = line.strip().partition(b" ")
        if not stamp.isdigit():
            raise Corrupt("a line begins with neither a time nor {", code="message.unreadable")
        came_ms = int(stamp) // _NS_PER_MS
        tick = spot.tick(message)
        if tick.event_ms is not None:
            ahead_ms = tick.event_ms - came_ms
            self._ahead_ms = ahead_ms if self._ahead_ms is None else min(self._ahead_ms, ahead_ms)
        if tick.price is None:
            return Entry(tick.kind, came_ms)
        said_ms = came_ms + (self._ahead_ms or 0) if tick.event_ms is None else tick.event_ms
        published_ms = max(said_ms, self._latest_ms.get(tick.symbol, 0))
        self._latest_ms[tick.symbol] = published_ms
        reading = Reading(
            Recorded.name, tick.symbol, tick.price, Decimal(0), published_ms, tick.currency
        )
        return Entry(tick.kind, came_ms, (reading,))

    def _hermes(self, line: bytes) -> Entry:
        updates = hermes.recorded_updates(line)
        at_ms = max((update.price.publish_time * 1000 for update in updates), default=0)
        return Entry("hermes", at_ms, tuple(self._feeds.readings(updates)))


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


@dataclass(slots=True)
class _News:
    same_ms: int
    _told: dict[str, Reading] = field(default_factory=dict)

    def is_news(self, reading: Reading) -> bool:
        told = self._told.get(reading.symbol)
        if (
            told is not None
            and told.price == reading.price
            and told.confidence == reading.confidence
            and reading.published_ms - told.published_ms < self.same_ms
        ):
            return False
        self._told[reading.symbol] = reading
        return True


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        zipped = file.read(2) == _GZIP_MAGIC
    return BufferedReader(gzip.open(path, "rb")) if zipped else path.open("rb")
