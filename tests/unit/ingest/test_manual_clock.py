"""The clock of tests moves only by hand and wakes sleepers in the order of their time."""

import asyncio

from quantdesk.core.clock import Clock
from quantdesk.testing.clock import ManualClock


def test_that_sleepers_wake_in_order_and_each_at_its_moment() -> None:
    async def run() -> list[tuple[str, float, int]]:
        clock, woken = ManualClock(now_ms=1000), []
        fits: Clock = clock

        async def nap(name: str, *seconds: float) -> None:
            for one in seconds:
                await fits.sleep(one)
                woken.append((name, clock.monotonic(), clock.now_ms()))

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(nap("slow", 2, 0.5))
            tasks.create_task(nap("first", 1))
            tasks.create_task(nap("second", 1))
            await clock.advance(0.999)
            assert woken == []
            await clock.advance(5)
        assert clock.monotonic() == 5.999
        return woken

    assert asyncio.run(run()) == [
        ("first", 1, 2000), ("second", 1, 2000), ("slow", 2, 3000), ("slow", 2.5, 3500),
    ]  # fmt: skip


def test_that_a_cancelled_sleeper_is_forgotten() -> None:
    async def run() -> None:
        clock = ManualClock()
        task = asyncio.create_task(clock.sleep(1))
        await clock.asleep(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert clock.sleepers == 0
        await clock.advance(2)

    asyncio.run(run())


def test_that_sleeping_for_nothing_lets_others_run() -> None:
    async def run() -> list[str]:
        clock, said = ManualClock(), []
        other = asyncio.create_task(asyncio.sleep(0))
        other.add_done_callback(lambda _: said.append("ran"))
        for _ in range(3):
            await clock.sleep(0)
        return said

    assert asyncio.run(run()) == ["ran"]
