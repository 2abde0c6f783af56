"""The NATS library swallows cancellations; whoever waits on it ends all the same."""

import asyncio
from contextlib import suppress

import pytest
from nats.errors import TimeoutError as Unanswered

from quantdesk.bus.nats.link import answered
from quantdesk.core.errors import Unavailable


async def _swallowing(*, fails: bool = False) -> None:
    """Wait as the library flushes: a cancellation is taken for an answer, or for none."""
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    if fails:
        raise Unanswered


async def _cancelled(asking: asyncio.Task[None]) -> None:
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait((asking,))
    assert asking.cancelled()


@pytest.mark.parametrize("fails", [False, True])
def test_that_a_cancellation_that_was_swallowed_ends_whoever_asks(*, fails: bool) -> None:
    async def asks() -> None:
        with answered("nothing was told"):
            await _swallowing(fails=fails)
        raise AssertionError("it went on")

    async def story() -> None:
        await _cancelled(asyncio.create_task(asks()))

    asyncio.run(story())


def test_that_a_cancellation_that_meets_its_answer_ends_whoever_asks() -> None:
    async def story() -> None:
        answer = asyncio.get_running_loop().create_future()

        async def asks() -> None:
            with answered("nothing was told"):
                await asyncio.wait_for(answer, 60)
            raise AssertionError("it went on")

        asking = asyncio.create_task(asks())
        await asyncio.sleep(0)
        answer.set_result(None)
        await _cancelled(asking)

    asyncio.run(story())


def test_that_whoever_was_cancelled_may_say_a_last_word() -> None:
    async def story() -> None:
        said: list[str] = []

        async def leaves() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                with answered("nothing was told"):
                    await asyncio.sleep(0)
                said.append("goodbye")

        await _cancelled(asyncio.create_task(leaves()))
        assert said == ["goodbye"]

    asyncio.run(story())


def test_that_a_time_that_ran_out_is_no_cancellation() -> None:
    async def story() -> None:
        with pytest.raises(Unavailable), answered("nothing was told"):
            async with asyncio.timeout(0):
                await asyncio.Event().wait()

    asyncio.run(story())
