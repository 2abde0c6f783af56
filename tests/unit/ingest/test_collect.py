"""Collectors keep their source running, and the live sources that answer are chosen."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.ticks import Event, Frame
from quantdesk.ingest.collect import Candidate, Collector, answering
from quantdesk.sources.port import Take
from quantdesk.testing.clock import ManualClock


class _Script:
    """A source that sends and does what it is told, one list per time it is run."""

    def __init__(self, name: str, *runs: list[Frame | Exception]) -> None:
        self.name = name
        self.asked: list[tuple[str, ...]] = []
        self._runs = list(runs)

    async def run(self, symbols: Sequence[str], take: Take) -> None:
        self.asked.append(tuple(symbols))
        for word in self._runs.pop(0):
            if isinstance(word, Exception):
                raise word
            take(word)

    def read(self, frame: Frame) -> Sequence[Event]:
        return ()


def sent(ns: int) -> Frame:
    return Frame("script", "ws", ns, b"")


GONE = Unavailable("gone", code="source.unavailable")


def collector(source: _Script, taken: list[Frame], clock: ManualClock) -> Collector:
    return Collector(
        source=source,
        symbols=["BTC"],
        take=taken.append,
        heard=lambda: len(taken),
        clock=clock,
        chance=lambda: 0.5,
    )


def test_that_a_source_that_ends_is_collected_to_its_end() -> None:
    async def run() -> None:
        source, taken = _Script("script", [sent(1), sent(2)]), list[Frame]()
        one = collector(source, taken, ManualClock())
        await one.run()
        assert taken == [sent(1), sent(2)]
        assert (one.ended, one.failures, one.problem, source.asked) == (True, 0, None, [("BTC",)])

    asyncio.run(run())


def test_that_a_source_that_gave_up_is_begun_again_ever_more_slowly() -> None:
    async def run() -> None:
        runs: list[list[Frame | Exception]] = [[GONE] for _ in range(9)]
        source, clock = _Script("script", *runs, [sent(1)]), ManualClock()
        one = collector(source, [], clock)
        task = asyncio.create_task(one.run())
        waits = [0.55, 1.05, 2.05, 4.05, 8.05, 16.05, 30.05, 30.05, 30.05]
        for opened, wait_s in enumerate(waits, start=1):
            await clock.advance(0)
            assert (len(source.asked), one.problem) == (opened, GONE)
            await clock.advance(wait_s - 0.01)
            assert len(source.asked) == opened
            await clock.advance(0.01 + 1e-6)  # waits are floats, and add up
        await task
        assert (one.failures, one.problem, one.ended) == (9, None, True)

    asyncio.run(run())


def test_that_what_no_restart_cures_stays_its_problem_and_is_not_tried_again() -> None:
    async def run() -> None:
        refused = Refused("no such asset", code="symbol.unknown")
        source = _Script("script", [refused])
        one = collector(source, [], ManualClock())
        await one.run()
        assert (one.problem, one.ended, len(source.asked)) == (refused, False, 1)

    asyncio.run(run())


def chosen(*probes: Callable[[ManualClock], Awaitable[object]]) -> tuple[list[str], float]:
    async def run() -> tuple[list[str], float]:
        clock = ManualClock()
        candidates = [
            Candidate(_Script(str(number)), lambda probe=probe: probe(clock))  # type: ignore[misc]
            for number, probe in enumerate(probes)
        ]
        task = asyncio.create_task(answering(candidates, clock=clock))
        while not task.done():
            await clock.advance(0.5)
        return [source.name for source in task.result()], clock.monotonic()

    return asyncio.run(run())


async def answers(clock: ManualClock) -> None:
    await clock.sleep(1)


async def fails(clock: ManualClock) -> None:
    raise GONE


async def hangs(clock: ManualClock) -> None:
    await clock.sleep(1000)


def test_that_all_that_answer_are_chosen_in_order() -> None:
    assert chosen(fails, answers, answers)[0] == ["1", "2"]
    assert chosen(answers)[0] == ["0"]


def test_that_a_silent_candidate_costs_three_seconds_in_all() -> None:
    assert chosen(hangs, hangs, answers) == (["2"], 3.0)


def test_that_nobody_is_chosen_when_none_answers() -> None:
    assert chosen(fails, hangs) == ([], 3.0)
    assert chosen()[0] == []
