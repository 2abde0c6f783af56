"""A connection is kept alive by the book: each end, each failure, each replacement in its time."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from quantdesk.core.breaker import Breaker
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.sources.limits import Declined
from quantdesk.sources.reconnecting import Care, Patience, Reconnecting
from quantdesk.testing.clock import ManualClock


@dataclass
class Line:
    """A connection that speaks and ends when it is told to."""

    heard: int = 0
    closed: bool = False
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def over(self, *, seconds: float, clock: Clock) -> str:
        """Return when it ended, or after so long."""
        waits = [asyncio.ensure_future(self._ended.wait()), asyncio.ensure_future(clock.sleep(seconds))]  # fmt: skip # noqa: E501
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return "ended" if self._ended.is_set() else ""

    def end(self) -> None:
        """End it from the other side."""
        self._ended.set()

    def close(self) -> None:
        """Note that it was closed from ours."""
        self.closed = True


@dataclass
class Kept:
    """What is tried: lines as they are opened, and what opening fails with next."""

    clock: ManualClock
    patience: Patience
    lines: list[Line] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)
    fails: list[Unavailable] = field(default_factory=list)
    gaps: int = 0
    meanwhile: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.connection = Reconnecting(
            name="test",
            open_one=self._open,
            opened=self._opened,
            care=Care(self.clock, lambda: 1.0, self.counts, Breaker()),
            patience=self.patience,
        )

    async def _open(self) -> Line:
        self.at_s.append(self.clock.monotonic())
        self.meanwhile()
        if self.fails:
            raise self.fails.pop(0)
        self.lines.append(Line())
        return self.lines[-1]

    def _opened(self) -> None:
        self.gaps += 1


def play(
    scene: Callable[[Kept], Awaitable[None]],
    *,
    patience: Patience | None = None,
    fails: list[Unavailable] | None = None,
) -> None:
    async def whole() -> None:
        kept = Kept(ManualClock(), patience or Patience(look_s=0.5), fails=fails or [])
        running = asyncio.ensure_future(kept.connection.run())
        await kept.clock.advance(0.1)
        try:
            await scene(kept)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert all(line.closed for line in kept.lines), "left open"

    asyncio.run(whole())


GONE = Unavailable("gone", code="source.unavailable")


def test_that_waits_between_failures_grow_and_the_breaker_spares_the_server() -> None:
    async def scene(kept: Kept) -> None:
        await kept.clock.advance(100)
        waits = [round(b - a, 3) for a, b in zip(kept.at_s, kept.at_s[1:], strict=False)]
        assert waits == [0.5, 1, 2, 4, 60]
        assert (len(kept.lines), kept.gaps, kept.counts["failures"]) == (1, 1, 5)

    play(scene, fails=[GONE] * 5)


def test_that_a_fall_after_a_healthy_life_waits_little() -> None:
    async def scene(kept: Kept) -> None:
        for fall in range(3):
            for _ in range(3):
                kept.lines[-1].heard += 1
                await kept.clock.advance(25)
            kept.lines[-1].end()
            await kept.clock.advance(1.1)
            assert len(kept.lines) == fall + 2, "half a second each time, not more and more"

    play(scene)


def test_that_falls_in_a_row_wait_ever_longer() -> None:
    async def scene(kept: Kept) -> None:
        for _ in range(5):
            kept.lines[-1].end()
            before = len(kept.lines)
            while len(kept.lines) == before:
                await kept.clock.advance(0.1)
        waits = [b - a for a, b in zip(kept.at_s, kept.at_s[1:], strict=False)]
        assert waits == pytest.approx([0.5, 1, 2, 4, 8], abs=0.7)
        assert kept.gaps == 6

    play(scene)


def test_that_a_word_in_time_keeps_it_and_silence_does_not() -> None:
    async def scene(kept: Kept) -> None:
        for _ in range(5):
            await kept.clock.advance(29)
            kept.lines[0].heard += 1
        assert len(kept.lines) == 1
        await kept.clock.advance(29)
        assert len(kept.lines) == 1
        await kept.clock.advance(3)
        assert len(kept.lines) == 2
        assert kept.lines[0].closed
        assert kept.counts["silences"] == 1

    play(scene)


def test_that_the_old_one_stays_until_the_new_one_speaks() -> None:
    async def scene(kept: Kept) -> None:
        await kept.clock.advance(10)
        kept.connection.restart()
        await kept.clock.advance(5)
        old, new = kept.lines
        assert not old.closed
        new.heard += 1
        await kept.clock.advance(1)
        assert old.closed
        assert (kept.gaps, kept.counts["renewals"]) == (1, 1)

    play(scene)


def test_that_a_replacement_that_fails_leaves_the_old_one_at_work() -> None:
    async def scene(kept: Kept) -> None:
        kept.fails[:] = [GONE] * 3
        kept.connection.restart()
        await kept.clock.advance(3)
        assert len(kept.lines) == 1
        assert not kept.lines[0].closed
        await kept.clock.advance(3)
        assert len(kept.lines) == 2
        assert kept.counts["renewals"] == 1

    play(scene)


def test_that_an_old_one_that_falls_during_replacement_is_a_gap() -> None:
    async def scene(kept: Kept) -> None:
        kept.fails[:] = [GONE] * 3
        kept.connection.restart()
        await kept.clock.advance(1)
        kept.lines[0].end()
        await kept.clock.advance(20)
        assert len(kept.lines) == 2
        assert kept.gaps == 2
        assert kept.lines[0].closed

    play(scene)


def test_that_an_old_one_that_falls_while_the_new_one_is_opened_is_a_gap() -> None:
    async def scene(kept: Kept) -> None:
        kept.meanwhile = kept.lines[0].end
        kept.connection.restart()
        await kept.clock.advance(1)
        assert len(kept.lines) == 2
        assert kept.gaps == 2
        assert kept.counts["renewals"] == 0

    play(scene)


def test_that_it_is_replaced_when_its_life_is_over() -> None:
    async def scene(kept: Kept) -> None:
        for _ in range(9):
            kept.lines[-1].heard += 1
            await kept.clock.advance(10)
        assert len(kept.lines) == 1
        await kept.clock.advance(11)
        assert len(kept.lines) == 2

    play(scene, patience=Patience(life_s=100, look_s=0.5))


def test_that_who_is_told_to_wait_waits() -> None:
    async def scene(kept: Kept) -> None:
        await kept.clock.advance(119)
        assert len(kept.at_s) == 1
        await kept.clock.advance(2)
        assert len(kept.lines) == 1

    play(scene, fails=[Declined("busy", status=429, wait_s=120)])


def test_that_a_lasting_refusal_is_raised() -> None:
    async def scene() -> None:
        kept = Kept(ManualClock(), Patience(), fails=[Declined("not here", status=451)])
        running = asyncio.ensure_future(kept.connection.run())
        await kept.clock.advance(100)
        with pytest.raises(Declined):
            await asyncio.wait_for(running, 60)
        assert len(kept.at_s) == 1, "it is not asked twice"

    asyncio.run(scene())
