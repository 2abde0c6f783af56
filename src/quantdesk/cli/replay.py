"""`quantdesk replay`: a recording through the desk's own path, under the recording's own clock."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from quantdesk.cli.running import run
from quantdesk.cli.terminal import say
from quantdesk.core.clock import Clock, SystemClock
from quantdesk.core.errors import Refused, Unavailable

_NAP_FRAMES = 256
_NS_PER_S = 1_000_000_000
_HOLE_NS_MAX = 60 * _NS_PER_S
_STDOUT = Path("-")


def replay(
    recording: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="What to play.")],
    speed: Annotated[str, typer.Option(help="Times as fast as it happened, or max.")] = "max",
    out: Annotated[Path, typer.Option(help="Where the lines go; - is standard output.")] = _STDOUT,
) -> None:
    """Play a recording through validation, books and candles; tell all as JSON lines.

    The same recording gives the same bytes, at any speed: accepted and rejected events, tops of
    books, candles. A count is told at the end.
    """
    path = existing(recording)
    pace = factor(speed)
    counts: Counter[str] = Counter()
    told: Counter[str] = Counter()
    with _output(out) as file:
        told = run(_play(path, pace, counts, file))
    say(counted(counts, told), style="")


async def _play(
    path: Path, speed: Decimal | None, counts: Counter[str], file: BinaryIO
) -> Counter[str]:
    # The desk's path takes a while to import; other commands do not pay for it.
    from quantdesk.ingest.board import Board  # noqa: PLC0415
    from quantdesk.ingest.journal import Journal  # noqa: PLC0415
    from quantdesk.ingest.market_data import MarketData  # noqa: PLC0415
    from quantdesk.ingest.replay import Replay  # noqa: PLC0415
    from quantdesk.sources import recorded  # noqa: PLC0415

    market = MarketData(recorded.READS, board=Board(), resync=lambda _source, _symbol: None)
    journal = Journal(file.write)
    journal.follow(market)
    driven = Replay(market.flow)
    pace = _Pace(speed, SystemClock())
    with closing(recorded.frames(path, counts=counts, prefix="")) as frames:
        for number, frame in enumerate(frames, start=1):
            if await pace.reach(frame.received_ns) or number % _NAP_FRAMES == 0:
                file.flush()
                await asyncio.sleep(0)  # a signal must get through
            driven.take(frame)
    driven.end()
    counts["strangers"] = market.flow.strangers
    return journal.counts


class _Pace:
    """Holds frames back until it is their time; only the wall is slowed, never what comes out."""

    def __init__(self, speed: Decimal | None, clock: Clock) -> None:
        self._speed = speed
        self._clock = clock
        self._began_s = clock.monotonic()
        self._at_ns: int | None = None
        self._played_ns = 0

    async def reach(self, received_ns: int) -> bool:
        """Return once it is time; say whether there was a wait."""
        if self._speed is None:
            return False
        at_ns = received_ns if self._at_ns is None else self._at_ns
        self._played_ns += min(max(0, received_ns - at_ns), _HOLE_NS_MAX)
        self._at_ns = max(at_ns, received_ns)
        due_s = self._began_s + float(self._played_ns / self._speed) / _NS_PER_S
        ahead_s = due_s - self._clock.monotonic()
        if ahead_s <= 0:
            return False
        await self._clock.sleep(ahead_s)
        return True


def existing(path: Path) -> Path:
    """Return a path that exists; raise `Refused` (`recording.missing`)."""
    path = path.expanduser()
    if not path.exists():
        raise Refused(f"there is no recording at {path}", code="recording.missing")
    return path


def factor(text: str) -> Decimal | None:
    """Return a speed, None for `max`; raise `Refused` (`speed.unreadable`)."""
    if text == "max":
        return None
    try:
        speed = Decimal(text)
    except InvalidOperation:
        speed = Decimal(0)
    if not (speed.is_finite() and speed > 0):
        raise Refused(f"--speed {text}: write a number above zero, or max", code="speed.unreadable")
    return speed


def counted(counts: Counter[str], told: Counter[str]) -> str:
    """Return what was played and what came of it, in a line."""
    lost = [
        f"{counts[name]} {name}"
        for name in ("unreadable", "damaged", "cut", "strangers")
        if counts[name]
    ]
    came = [f"{count} {kind}" for kind, count in sorted(told.items())]
    return f"{counts['frames']} messages played: {', '.join([*came, *lost]) or 'nothing in them'}"


@contextmanager
def _output(path: Path) -> Iterator[BinaryIO]:
    try:
        if path == _STDOUT:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
            return
        with path.expanduser().open("wb") as file:
            yield file
    except BrokenPipeError:  # `| head` has seen enough; what is left has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except OSError as problem:
        detail = f"{path}: {problem.strerror or problem}"
        raise Unavailable(detail, code="output.refused") from problem
