"""Waiting is bounded: a deadline cancels what it cuts short."""

import asyncio

import pytest

from quantdesk.sources.patience import within
from quantdesk.testing.clock import ManualClock


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
