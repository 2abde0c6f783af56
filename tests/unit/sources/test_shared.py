"""Frames that others heard: told apart by life and number, silent when nobody shares."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Self

import pytest

from quantdesk.bus.port import Letter
from quantdesk.core.errors import Unavailable
from quantdesk.core.ticks import Frame
from quantdesk.sources.parcels import Parcel, pack, rows
from quantdesk.sources.shared import SILENT_S, Shared
from quantdesk.sources.simulated import Simulated
from quantdesk.testing.clock import ManualClock


@dataclass
class Post:
    """A window by hand: what is put in comes out, `None` is a lost connection."""

    letters: "asyncio.Queue[Letter | None]" = field(default_factory=asyncio.Queue)
    follows: int = 0

    async def add(self, body: bytes, *, name: str) -> int:
        """Take a message as kept."""
        self.letters.put_nowait(Letter(body, 0))
        return 1

    async def follow(self, *, skip: bool = False) -> AsyncGenerator[Letter, None]:
        """Yield what is put in."""
        self.follows += 1
        while (letter := await self.letters.get()) is not None:
            yield letter
        raise Unavailable("NATS went away", code="bus.away")


@dataclass
class Scene:
    """A source on a window by hand, and what it took."""

    clock: ManualClock = field(default_factory=ManualClock)
    post: Post = field(default_factory=Post)
    taken: list[str] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)

    def problem(self) -> str:
        """Return why nothing comes."""
        return self.shared.problem or ""

    def __post_init__(self) -> None:
        self.shared = Shared(self.post, clock=self.clock, chance=lambda: 0.0)
        self.shared.gaps.append(self.gaps.append)

    async def __aenter__(self) -> Self:
        self.task = asyncio.ensure_future(
            self.shared.run(["SOL"], lambda frame: self.taken.append(frame.data.decode()))
        )
        await self.clock.advance(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def say(
        self, text: str, *, life: str = "a", began: int = 1, first: int = 0, waiting: int = 0,
        sent_ns: int = 5_000_000,
    ) -> None:  # fmt: skip
        """Let a parcel come whose frames hold a letter each."""
        frames = [Frame("pyth", "sse", number, one.encode()) for number, one in enumerate(text)]
        parcel = Parcel(life, began, first, sent_ns, rows(frames))
        self.post.letters.put_nowait(Letter(pack(parcel), waiting))
        await self.clock.advance(0)


def play(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scene())


def test_that_what_comes_again_is_taken_once() -> None:
    async def scene() -> None:
        async with Scene() as at:
            await at.say("abc", first=0)
            await at.say("bcd", first=1)
            await at.say("", first=4)
            await at.say("e", first=4)
            assert "".join(at.taken) == "abcde"
            assert at.gaps == []

    play(scene)


def test_that_missing_frames_are_a_gap_told_with_its_time() -> None:
    async def scene() -> None:
        async with Scene() as at:
            await at.say("ab", first=0)
            await at.say("e", first=4)
            assert (at.taken, at.gaps) == (["a", "b", "e"], [5])
            assert at.shared.counts["missing"] == 2

    play(scene)


def test_that_it_has_joined_once_nothing_waits() -> None:
    async def scene() -> None:
        async with Scene() as at:
            await at.say("a", first=0, waiting=7)
            assert not at.shared.joined
            await at.say("b", first=1)
            assert at.shared.joined

    play(scene)


def test_that_it_is_silent_after_some_seconds_without_a_word() -> None:
    async def scene() -> None:
        async with Scene() as at:
            assert "has been heard" in at.problem()
            await at.say("a")
            assert at.problem() == ""
            await at.clock.advance(SILENT_S)
            assert at.problem() == ""
            await at.clock.advance(0.1)
            assert "silent for 5 s" in at.problem()
            await at.say("", first=1)  # a process with nothing to share still lives
            assert at.problem() == ""

    play(scene)


def test_that_a_life_that_began_later_is_believed_and_an_earlier_one_is_not() -> None:
    async def scene() -> None:
        async with Scene() as at:
            await at.say("a", life="old", began=1)
            await at.say("b", life="new", began=2)
            await at.say("x", life="old", began=1, first=1)
            await at.say("c", life="new", began=2, first=1)
            assert "".join(at.taken) == "abc"
            assert at.shared.counts["outdated"] == 1
            assert len(at.gaps) == 1

    play(scene)


def test_that_a_clock_set_back_holds_a_new_life_up_for_seconds_alone() -> None:
    async def scene() -> None:
        async with Scene() as at:
            await at.say("a", life="fast clock", began=100)
            await at.say("x", life="true clock", began=50)
            assert at.taken == ["a"]
            await at.clock.advance(SILENT_S + 0.1)
            await at.say("b", life="true clock", began=50, first=1)
            assert at.taken == ["a", "b"]

    play(scene)


def test_that_a_clock_ahead_of_ours_is_told_as_it_makes_prices_look_young() -> None:
    async def scene() -> None:
        async with Scene() as at:
            await at.say("a", sent_ns=at.clock.now_ns() + 250_000_000)
            assert at.problem() == ""
            await at.say("b", first=1, sent_ns=at.clock.now_ns() + 251_000_000)
            assert "251 ms ahead" in at.problem()

    play(scene)


def test_that_a_lost_connection_is_followed_by_another() -> None:
    async def scene() -> None:
        async with Scene() as at:
            await at.say("a")
            at.post.letters.put_nowait(None)
            await at.clock.advance(0)
            assert at.post.follows == 1
            await at.clock.advance(SILENT_S + 1)
            assert "NATS went away" in at.problem()
            await at.say("b", first=1)
            assert (at.taken, at.post.follows, at.problem()) == (["a", "b"], 2, "")

    play(scene)


def test_that_garbage_is_counted_and_passed_over() -> None:
    async def scene() -> None:
        async with Scene() as at:
            at.post.letters.put_nowait(Letter(b"\xc1", 0))
            await at.say("a")
            assert at.taken == ["a"]
            assert at.shared.counts["unreadable"] == 1

    play(scene)


@pytest.mark.parametrize("name", ["simulated", "recorded.simulated"])
def test_that_frames_are_read_as_their_senders_are(name: str) -> None:
    async def scene() -> None:
        sent: list[Frame] = []
        clock = ManualClock()
        simulated = Simulated(clock=clock, seed=7)
        task = asyncio.ensure_future(simulated.run(["SOL", "BTC"], sent.append))
        await clock.advance(2)
        task.cancel()
        async with Scene() as at:
            frame = sent[-1]
            named = Frame(name, frame.feed, frame.received_ns, frame.data)
            said = simulated.read(frame)
            expected = [one for one in said if getattr(one, "symbol", "") == "SOL"]
            assert list(at.shared.read(named)) == expected != list(said)

    play(scene)
