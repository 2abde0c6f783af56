"""What every source must keep, for anyone to run against theirs: one check a promise.

    @pytest.mark.parametrize("check", source_suite.CHECKS, ids=lambda check: check.__name__)
    def test_my_source(check: source_suite.Check) -> None:
        source_suite.run(check, my_stage)

`my_stage` opens a `Stage`: the source, connected to a server of tests or a file, and how to make
the other side speak or fail. A check fails with an `AssertionError` that says what was broken.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Self

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Depth, Event, Frame, Headline
from quantdesk.sources.port import BookSource, Source
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.loopback import Loopback

_ENOUGH: Final = 20
_PUSHES_MAX: Final = 400
_STEP_S: Final = 0.25
_CUTS: Final = 4
_RESYNCS: Final = 100
_PIECES: Final = 16
_UNREADABLE: Final = "message.unreadable"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A source and the other side of it.

    `push` makes that side say something new of every one of `symbols`; `cut` cuts every connection;
    `freeze` leaves them open and silent for good, so that `push` is heard by new ones alone.
    Sources without a connection have neither. `silence_s` is how long silence may go unnoticed,
    `again_s` how long coming back may take, in seconds of `clock`.
    """

    source: Source
    clock: ManualClock
    symbols: Sequence[str]
    push: Callable[[], Awaitable[object]]
    cut: Callable[[], object] | None = None
    freeze: Callable[[], object] | None = None
    garbage: Sequence[bytes] = ()
    silence_s: float = 60.0
    again_s: float = 60.0


@dataclass(slots=True)
class Listening:
    """A source that runs, and the frames it handed over."""

    stage: Stage
    frames: list[Frame] = field(default_factory=list)
    task: asyncio.Task[None] | None = None
    loopback: Loopback = field(default_factory=Loopback)

    async def __aenter__(self) -> Self:
        running = self.stage.source.run(self.stage.symbols, self.frames.append)
        self.task = asyncio.ensure_future(running)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.task is not None, "entered before left"
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    async def more(self, count: int = _ENOUGH, *, step_s: float = _STEP_S) -> None:
        """Make the other side speak until that many more frames came."""
        wanted = len(self.frames) + count
        assert self.task is not None, "entered before asked"
        for _ in range(_PUSHES_MAX):
            if len(self.frames) >= wanted or self.task.done():
                break
            await self.stage.push()
            await self.turns()
            await self.stage.clock.advance(step_s)
        if self.task.done():
            self.task.result()
        assert len(self.frames) >= wanted, f"{wanted} frames were due, {len(self.frames)} came"

    async def turns(self) -> None:
        """Let loopback and every task come to rest."""
        await self.loopback.rest()

    def events(self) -> list[Event]:
        """Return all that the frames say."""
        return [event for frame in self.frames for event in _read(self.stage.source, frame)]


Check = Callable[[Stage], Awaitable[None]]
Opened = Callable[[], AbstractAsyncContextManager[Stage]]


def run(check: Check, opened: Opened) -> None:
    """Open a stage of its own for a check, and see that nothing is left running behind it."""

    async def whole() -> None:
        async with opened() as stage:
            await check(stage)
        await Loopback().rest()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"left running: {left}"

    asyncio.run(whole())


async def hands_over_named_frames_in_order(stage: Stage) -> None:
    """Name each frame by source and a stamp later than the one before."""
    async with Listening(stage) as heard:
        await heard.more()
        stamps = [frame.received_ns for frame in heard.frames]
        assert all(before < after for before, after in pairwise(stamps)), "stamps rise"
        assert {frame.source for frame in heard.frames} == {stage.source.name}
        assert all(isinstance(frame.data, bytes) for frame in heard.frames), "bytes as they came"
        assert all(frame.feed for frame in heard.frames), "a frame says by what it came"


async def reads_without_memory_of_reading(stage: Stage) -> None:
    """Give the same events for the same frames, about what was asked and nothing else."""
    async with Listening(stage) as heard:
        await heard.more()
        first, second = heard.events(), heard.events()
        assert first, "the frames say something"
        assert first == second, "reading twice gives the same"
        about = {event.symbol for event in first if not isinstance(event, Headline)}
        assert about <= set(stage.symbols), f"nobody asked for {about - set(stage.symbols)}"


async def survives_every_broken_frame(stage: Stage) -> None:
    """Read a frame or raise `Corrupt` with its code, whatever is in it."""
    async with Listening(stage) as heard:
        await heard.more()
        for frame in heard.frames[: 4 * _ENOUGH]:
            for data in (*_broken(frame.data), *stage.garbage):
                _read(stage.source, Frame(frame.source, frame.feed, frame.received_ns, data))
        for data in stage.garbage:
            assert not _read(stage.source, Frame(stage.source.name, "ws", 1, data)), data


async def ends_when_cancelled_and_runs_again(stage: Stage) -> None:
    """Stop at once when cancelled, hand over nothing more, and run as often as wanted."""
    for _ in range(3):
        async with Listening(stage) as heard:
            await heard.more(3)
        told = len(heard.frames)
        await stage.push()
        await heard.turns()
        assert len(heard.frames) == told, "frames after the end"


async def comes_back_after_a_cut(stage: Stage) -> None:
    """Connect again and go on, after every cut, with no more tasks than before."""
    if stage.cut is None:
        return
    async with Listening(stage) as heard:
        await heard.more(3)
        before = len(asyncio.all_tasks())
        for _ in range(_CUTS):
            stage.cut()
            await heard.turns()
            await _come_back(heard, stage.again_s)
        assert len(asyncio.all_tasks()) <= before, "tasks pile up"
        stamps = [frame.received_ns for frame in heard.frames]
        assert stamps == sorted(set(stamps)), "stamps rise over connections too"


async def notices_silence(stage: Stage) -> None:
    """Drop what is connected and says nothing, and connect again."""
    if stage.freeze is None:
        return
    async with Listening(stage) as heard:
        await heard.more(3)
        stage.freeze()
        await _come_back(heard, stage.silence_s + stage.again_s)


async def fetches_books_when_asked(stage: Stage) -> None:
    """Answer asking for a book with a book of that asset; asking often costs little."""
    if not isinstance(stage.source, BookSource):
        return
    symbol = stage.symbols[0]
    async with Listening(stage) as heard:
        await heard.more()
        before = len(_books(heard, symbol))
        for _ in range(_RESYNCS):
            stage.source.resync(symbol)
        await heard.more(step_s=1.0)
        told = len(_books(heard, symbol)) - before
        assert told >= 1, "a book comes when asked for"
        assert told <= _RESYNCS / 10, f"{_RESYNCS} times asked at once, {told} books"
    stage.source.resync(symbol)  # nothing runs: nothing happens


CHECKS: Final[tuple[Check, ...]] = (
    hands_over_named_frames_in_order,
    reads_without_memory_of_reading,
    survives_every_broken_frame,
    ends_when_cancelled_and_runs_again,
    comes_back_after_a_cut,
    notices_silence,
    fetches_books_when_asked,
)


async def _come_back(heard: Listening, again_s: float) -> None:
    told = len(heard.frames)
    for _ in range(int(again_s / _STEP_S)):
        await heard.stage.clock.advance(_STEP_S)
        await heard.stage.push()
        await heard.turns()
        if len(heard.frames) > told:
            return
    assert heard.task is not None, "it runs"
    raise AssertionError(f"nothing came within {again_s:g} s: {heard.task}")


def _books(heard: Listening, symbol: str) -> list[Depth]:
    return [
        event for event in heard.events() if isinstance(event, Depth) and event.symbol == symbol
    ]


def _read(source: Source, frame: Frame) -> Sequence[Event]:
    try:
        return source.read(frame)
    except Corrupt as problem:
        if problem.code != _UNREADABLE:
            raise
        return ()


def _broken(data: bytes) -> Iterator[bytes]:
    """Yield what is left of a message cut at some places, and changed at some."""
    for piece in range(_PIECES):
        at = len(data) * piece // _PIECES
        yield data[:at]
        yield data[at:]
        yield data[:at] + b"\xff" + data[at + 1 :]
        yield data[:at] + b"9" * 40 + data[at:]
