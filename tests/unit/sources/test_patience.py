"""Waiting is bounded: delays grow to a limit, deadlines cancel what they cut short."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.sources.patience import FIRST_S, LONGEST_S, delay_s, within
from quantdesk.testing.clock import ManualClock


@given(st.integers(0, 10**6), st.floats(0, 1, exclude_max=True))
def test_that_a_delay_is_never_zero_nor_past_its_bound(failures: int, drawn: float) -> None:
    assert FIRST_S / 2 <= delay_s(failures, chance=lambda: drawn) <= LONGEST_S


def test_that_delays_double_until_the_bound() -> None:
    delays = [delay_s(failures, chance=lambda: 0.0) for failures in range(8)]
    assert delays == [0.25, 0.5, 1, 2, 4, 8, 15, 15]


def test_that_an_answer_in_time_is_returned_and_leaves_nothing_behind() -> None:
    async def scenario() -> tuple[str, int]:
        clock = ManualClock()

        async def answer() -> str:
            return "yes"

        return await within(3, answer(), clock=clock), clock.sleepers

    assert asyncio.run(scenario()) == ("yes", 0)


def test_that_work_past_its_deadline_is_cancelled() -> None:
    async def scenario() -> None:
        clock, cancelled = ManualClock(), asyncio.Event()

        async def never() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        asked = asyncio.create_task(within(3, never(), clock=clock))
        await clock.advance(2.9)
        assert not asked.done()
        await clock.advance(0.2)
        with pytest.raises(TimeoutError):
            await asked
        assert cancelled.is_set()

    asyncio.run(scenario())


def test_that_an_error_of_the_work_passes_through() -> None:
    async def scenario() -> None:
        async def fail() -> None:
            raise LookupError("here")

        with pytest.raises(LookupError):
            await within(3, fail(), clock=ManualClock())

    asyncio.run(scenario())
