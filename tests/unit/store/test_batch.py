"""Promise: items written together each get their own end, within bounds, and none is forgotten."""

import asyncio
from collections.abc import Coroutine, Sequence

import pytest

from quantdesk.core.errors import Unavailable
from quantdesk.store.batch import Batch


class _Disk:
    """A flush that ends when told to."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.ends: list[asyncio.Future[None]] = []

    async def flush(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        end = asyncio.get_running_loop().create_future()
        self.ends.append(end)
        await end
        return [item * 10 for item in items]


def _play(story: Coroutine[None, None, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(5):
            await story

    asyncio.run(bounded())


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_items_gather_while_flushes_are_under_way() -> None:
    async def story() -> None:
        disk = _Disk()
        batch = Batch(disk.flush, parallel=2, max_items=3)
        first = batch.put(1)
        await _turns()
        second = batch.put(2)
        await _turns()
        later = [batch.put(n) for n in (3, 4, 5, 6)]
        await _turns()
        assert disk.batches == [[1], [2]]
        disk.ends[0].set_result(None)
        await _turns()
        assert disk.batches == [[1], [2], [3, 4, 5]]
        assert first.result() == 10
        assert not second.done()
        for end in (1, 2):
            disk.ends[end].set_result(None)
        await _turns()
        disk.ends[3].set_result(None)
        assert await asyncio.gather(second, *later) == [20, 30, 40, 50, 60]
        await batch.aclose()

    _play(story())


def test_a_failed_flush_fails_its_own_items_only() -> None:
    async def story() -> None:
        disk = _Disk()
        batch = Batch(disk.flush, parallel=1)
        lost = [batch.put(1), batch.put(2)]
        await _turns()
        kept = batch.put(3)
        disk.ends[0].set_exception(Unavailable("gone", code="database.unavailable"))
        await _turns()
        disk.ends[1].set_result(None)
        ends = await asyncio.gather(*lost, return_exceptions=True)
        assert [type(end) for end in ends] == [Unavailable, Unavailable]
        assert await kept == 30

    _play(story())


def test_a_flush_that_answers_for_too_few_items_fails_them_all() -> None:
    async def story() -> None:
        async def forgetful(items: Sequence[int]) -> list[int]:
            return list(items)[1:]

        batch = Batch(forgetful)
        ends = await asyncio.gather(batch.put(1), batch.put(2), return_exceptions=True)
        assert [type(end) for end in ends] == [AssertionError, AssertionError]

    _play(story())


def test_a_caller_that_gives_up_changes_nothing_for_the_others() -> None:
    async def story() -> None:
        disk = _Disk()
        batch = Batch(disk.flush)
        gone, stays = batch.put(1), batch.put(2)
        gone.cancel()
        await _turns()
        disk.ends[0].set_result(None)
        assert await stays == 20
        assert disk.batches == [[1, 2]]

    _play(story())


def test_a_caller_that_gave_up_does_not_hide_a_failure_from_the_others() -> None:
    async def story() -> None:
        disk = _Disk()
        batch = Batch(disk.flush, parallel=1)
        gone, stays = batch.put(1), batch.put(2)
        gone.cancel()
        await _turns()
        disk.ends[0].set_exception(Unavailable("gone"))
        with pytest.raises(Unavailable):
            await stays
        later = batch.put(3)
        await _turns()
        disk.ends[1].set_result(None)
        assert await later == 30

    _play(story())


def test_the_queue_is_bounded() -> None:
    async def story() -> None:
        disk = _Disk()
        batch = Batch(disk.flush, parallel=1, max_items=1, queue_max=2)
        batch.put(0)
        await _turns()
        batch.put(1)
        batch.put(2)
        assert len(batch) == 2
        with pytest.raises(Unavailable) as full:
            batch.put(3)
        assert full.value.code == "database.busy"
        closing = asyncio.create_task(batch.aclose())
        for n in range(3):
            await _turns()
            disk.ends[n].set_result(None)
        await closing
        assert disk.batches == [[0], [1], [2]]

    _play(story())


def test_closing_writes_what_waits_takes_no_more_and_leaves_no_task() -> None:
    async def story() -> None:
        disk = _Disk()
        batch = Batch(disk.flush, parallel=1, max_items=1)
        futures = [batch.put(1), batch.put(2)]
        closing = asyncio.create_task(batch.aclose())
        await _turns()
        with pytest.raises(Unavailable):
            batch.put(3)
        disk.ends[0].set_result(None)
        await _turns()
        disk.ends[1].set_result(None)
        await closing
        assert [future.result() for future in futures] == [10, 20]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    _play(story())
