"""The crash drill kills a desk of its own at random moments, and the books are in order."""

from pathlib import Path

import pytest

from quantdesk.core.clock import SystemClock
from quantdesk.ops.drill import RECOVERY_S, drill_kill

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("mode", "runs"), [("paper", 3), ("localnet", 2)])
async def test_loses_and_doubles_nothing(folder: Path, mode: str, runs: int) -> None:
    said: list[str] = []

    report = await drill_kill(
        runs=runs, seed=11, mode=mode, home=folder / "home", say=said.append, clock=SystemClock()
    )

    assert report.ok, report
    assert (report.runs, len(said)) == (runs, runs)
    assert report.orders > runs
    assert report.findings.confirmed == report.orders
    assert report.findings.fills == (None if mode == "paper" else report.orders)
    assert report.recoveries_s
    assert max(report.recoveries_s) <= RECOVERY_S
    assert not (folder / "home" / "desk.json").exists()
    assert report.table()[-1] == ("verdict", "passed")
