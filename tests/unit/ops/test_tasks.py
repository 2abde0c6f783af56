"""A task that fails is begun again, ever more slowly, and whoever asks hears of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from quantdesk.core.errors import Unavailable
from quantdesk.ops.tasks import CANCEL_AGAIN_S, HEALTHY_S, RESTART_S_MAX, Tasks, Work
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio


class Books:
    """Work that a test ends as it likes; `begun` says when, on the clock, it was begun."""

    def __init__(self, clock: ManualClock) -> None:
        self.begun: list[float] = []
        self.cancelled = 0
        self._clock = clock
        self._end: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Work until told to end."""
        self.begun.append(self._clock.monotonic())
        self._end = asyncio.get_running_loop().create_future()
        try:
            await self._end
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def end(self, problem: Exception | None = None) -> None:
        """Return, or fail by a problem."""
        assert self._end is not None
        if problem is None:
            self._end.set_result(None)
        else:
            self._end.set_exception(problem)
        await self._clock.advance(0)


class World:
    """A desk's tasks on a clock moved by hand."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.restarts: Counter[str] = Counter()
        self.tasks = Tasks(clock=self.clock, restarted=lambda name: self.restarts.update([name]))
        self.books = Books(self.clock)

    @asynccontextmanager
    async def running(self, name: str, work: Work) -> AsyncIterator[asyncio.Task[None]]:
        """Run work while the block runs."""
        task = asyncio.get_running_loop().create_task(self.tasks.run(name, work))
        await self.clock.advance(0)
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def said(self) -> str:
        """Return what the probe says, or the code of what it raises."""
        try:
            return await self.tasks.probe()
        except Unavailable as problem:
            return problem.code


@pytest.fixture
def world() -> World:
    return World()


async def test_begins_a_failed_task_again_and_counts_it(world: World) -> None:
    async with world.running("ledger", world.books.run):
        await world.books.end(ValueError("a bug"))
        assert len(world.books.begun) == 1
        assert not world.restarts

        await world.clock.advance(1)

        assert world.books.begun == [0, 1]
        assert world.restarts == {"ledger": 1}


async def test_waits_twice_as_long_each_time_in_a_row_up_to_the_bound(world: World) -> None:
    waits = []
    async with world.running("ledger", world.books.run):
        for _ in range(9):
            began = world.clock.monotonic()
            await world.books.end(ValueError("a bug"))
            count = len(world.books.begun)
            while len(world.books.begun) == count:
                await world.clock.advance(0.5)
            waits.append(world.clock.monotonic() - began)

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_forgets_old_failures_once_the_task_ran_well_for_long(world: World) -> None:
    async with world.running("ledger", world.books.run):
        for _ in range(5):
            await world.books.end(ValueError("a bug"))
            await world.clock.advance(RESTART_S_MAX)
        await world.clock.advance(HEALTHY_S)
        await world.books.end(ValueError("another"))
        count = len(world.books.begun)
        await world.clock.advance(1)

        assert len(world.books.begun) == count + 1


async def test_tells_of_a_task_while_it_is_down_and_of_one_that_keeps_failing(
    world: World,
) -> None:
    async with world.running("ledger", world.books.run):
        assert await world.said() == "1 run"

        await world.books.end(ValueError("secret"))
        with pytest.raises(Unavailable, match="ledger failed 1 times in a row") as caught:
            await world.tasks.probe()
        assert caught.value.code == "task.failing"
        assert "secret" not in caught.value.detail
        await world.clock.advance(1)
        assert await world.said() == "1 run"

        for wait_s in (2, 4):
            await world.books.end(ValueError("a bug"))
            await world.clock.advance(wait_s)
        assert await world.said() == "task.failing"
        await world.clock.advance(HEALTHY_S)
        assert await world.said() == "1 run"


async def test_lets_a_task_that_returns_go_quietly(world: World) -> None:
    async with world.running("ledger", world.books.run) as task:
        await world.books.end()

        assert task.done()
        assert await world.said() == "0 run"
        await world.clock.advance(RESTART_S_MAX)
        assert len(world.books.begun) == 1
    assert not world.restarts


async def test_ends_the_work_with_the_task_and_begins_nothing_more(world: World) -> None:
    async with world.running("ledger", world.books.run):
        pass
    assert world.books.cancelled == 1

    async with world.running("ledger", world.books.run) as task:
        await world.books.end(ValueError("a bug"))
        task.cancel()  # while it waits to begin again
        await world.clock.advance(RESTART_S_MAX)
    assert len(world.books.begun) == 2
    assert await world.said() == "0 run"


async def test_waits_for_work_that_takes_its_time_to_end(world: World) -> None:
    steps = []

    async def slow() -> None:
        try:
            await world.clock.sleep(100)
        finally:
            await world.clock.sleep(1)
            steps.append("ended")

    async with world.running("ledger", slow) as task:
        task.cancel()
        await world.clock.advance(0)
        assert not task.done()
        await world.clock.advance(1)
        assert task.cancelled()
        assert steps == ["ended"]


async def test_ends_work_that_lost_its_first_cancel(world: World) -> None:
    async def deaf() -> None:
        with suppress(asyncio.CancelledError):
            await world.books.run()
        await world.books.run()

    async with world.running("books", deaf) as task:
        task.cancel()
        await world.clock.advance(0)
        assert not task.done()
        await world.clock.advance(CANCEL_AGAIN_S)

        assert task.cancelled()
    assert world.books.cancelled == 2


async def test_takes_work_that_cancels_itself_for_a_failure(world: World) -> None:
    async def gone() -> None:
        world.books.begun.append(world.clock.monotonic())
        raise asyncio.CancelledError

    async with world.running("pools", gone):
        await world.clock.advance(1)

    assert world.books.begun == [0, 1]


async def test_one_task_that_fails_leaves_the_others_alone(world: World) -> None:
    other = Books(world.clock)
    async with world.running("ledger", world.books.run), world.running("pools", other.run):
        await world.books.end(ValueError("a bug"))
        await world.clock.advance(RESTART_S_MAX)

        assert len(other.begun) == 1
        assert other.cancelled == 0
        assert await world.said() == "2 run"
