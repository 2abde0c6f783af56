"""What runs beside the desk is begun again when it fails, and ends with its stack."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from quantdesk.app.background import Background
from quantdesk.ops.health import Health
from quantdesk.ops.tasks import Tasks
from quantdesk.telemetry.metrics import Metrics
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_shows_a_failing_task_in_readiness_and_metrics_and_ends_it_with_the_stack() -> None:
    clock, metrics = ManualClock(), Metrics()
    tasks = Tasks(clock=clock, restarted=metrics.task_restarted)
    asked = Health({"tasks": tasks.probe})
    ended: list[str] = []

    async def ledger() -> None:
        raise ValueError("a bug")

    async def feed() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append("feed")

    async with AsyncExitStack() as stack:
        background = Background(stack, tasks)
        background.begin("quality ledger", ledger)
        background.begin("pool feed", feed)
        await clock.advance(4)  # after 1 s and 2 s more

        [state] = await asked.states()
        assert (state.state, state.detail.split(" (")[0]) == (
            "Error",
            "task.failing: quality ledger failed 3 times in a row",
        )
        restarted = b'quantdesk_tasks_restarted_total{task="quality ledger"} 2.0'
        assert restarted in metrics.text().splitlines()
        assert b"pool feed" not in metrics.text()

    assert ended == ["feed"]
    await clock.advance(100)
    assert restarted in metrics.text().splitlines()
