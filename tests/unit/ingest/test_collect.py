"""Collectors keep their source running, and the first live source that answers is chosen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from decimal import Decimal

import pytest

from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.prices import Reading
from quantdesk.ingest.board import Board
from quantdesk.ingest.collect import Candidate, Collector, choose
from quantdesk.testing.clock import ManualClock


class _Script:
    """A source that says and does what it is told, one list per time it is opened."""

    def __init__(self, name: str, *runs: list[Reading | Exception]) -> None:
        self.name = name
        self.asked: list[tuple[str, ...]] = []
        self._runs = list(runs)

    async def stream(self, symbols: Sequence[str]) -> AsyncIterator[Reading]:
        self.asked.append(tuple(symbols))
        for word in self._runs.pop(0):
            if isinstance(word, Exception):
                raise word
            yield word


def said(ms: int) -> Reading:
    return Reading("script", "BTC", Decimal(ms), Decimal(0), ms)


GONE = Unavailable("gone", code="source.unavailable")


def collector(source: _Script, board: Board, clock: ManualClock) -> Collector:
    return Collector(source=source, symbols=["BTC"], board=board, clock=clock, chance=lambda: 0.0)


def test_that_a_source_that_ends_is_collected_to_its_end() -> None:
    async def run() -> None:
        source, board, clock = (
            _Script("script", [said(1), said(1), said(2)]),
            Board(),
            ManualClock(),
        )
        one = collector(source, board, clock)
        await one.run()
        latest = board.latest("BTC")
        assert latest is not None
        assert latest.value == Decimal(2)
        assert latest.received_ms == clock.now_ms()
        assert (board.accepted["script"], board.rejected["script", "duplicate"]) == (2, 1)
        assert (one.ended, one.failures, source.asked) == (True, 0, [("BTC",)])

    asyncio.run(run())


def test_that_a_source_that_gave_up_is_begun_again_ever_more_slowly() -> None:
    async def run() -> None:
        runs: list[list[Reading | Exception]] = [[GONE] for _ in range(9)]
        source, clock = _Script("script", *runs, [said(1)]), ManualClock()
        one = collector(source, Board(), clock)
        task = asyncio.create_task(one.run())
        for opened, wait_s in enumerate([0.5, 1, 2, 4, 8, 16, 30, 30, 30], start=1):
            await clock.advance(0)
            assert (len(source.asked), one.problem) == (opened, GONE)
            await clock.advance(wait_s - 0.01)
            assert len(source.asked) == opened
            await clock.advance(0.01)
        await task
        assert (one.failures, one.problem, one.ended) == (9, None, True)

    asyncio.run(run())


def test_that_what_no_restart_cures_is_raised() -> None:
    async def run() -> None:
        refused = Refused("no such asset", code="symbol.unknown")
        with pytest.raises(Refused):
            await collector(_Script("script", [refused]), Board(), ManualClock()).run()

    asyncio.run(run())


def chosen(*probes: Callable[[ManualClock], Awaitable[object]]) -> tuple[str, float]:
    async def run() -> tuple[str, float]:
        clock = ManualClock()
        candidates = [
            Candidate(_Script(str(number)), lambda probe=probe: probe(clock))  # type: ignore[misc]
            for number, probe in enumerate(probes)
        ]
        task = asyncio.create_task(choose(candidates, otherwise=_Script("simulated"), clock=clock))
        while not task.done():
            await clock.advance(0.5)
        return task.result().name, clock.monotonic()

    return asyncio.run(run())


async def answers(clock: ManualClock) -> None:
    await clock.sleep(1)


async def fails(clock: ManualClock) -> None:
    raise GONE


async def hangs(clock: ManualClock) -> None:
    await clock.sleep(1000)


def test_that_the_first_in_order_of_those_that_answer_is_chosen() -> None:
    assert chosen(fails, answers, answers)[0] == "1"
    assert chosen(answers)[0] == "0"


def test_that_a_silent_candidate_costs_three_seconds_in_all() -> None:
    assert chosen(hangs, hangs, answers) == ("2", 3.0)


def test_that_the_last_resort_is_taken_when_none_answers() -> None:
    assert chosen(fails, hangs) == ("simulated", 3.0)
    assert chosen()[0] == "simulated"
