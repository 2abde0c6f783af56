"""Health tells how each part is and why it is not well; one sick part hides no other."""

from pathlib import Path

import pytest

from quantdesk.core.errors import Unavailable
from quantdesk.ops import health
from quantdesk.ops.health import Health, State, disk, steady_clock
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def well() -> str:
    return "answers"


async def ill() -> str:
    raise Unavailable("it is away", code="part.away")


async def test_tells_of_every_part() -> None:
    asked = Health({"first": ill, "second": well})

    assert await asked.states() == [
        State("first", "Error", "part.away: it is away"),
        State("second", "Ready", "answers"),
    ]


async def test_tells_that_the_desk_is_stopping() -> None:
    asked = Health({"first": well})
    asked.stopping = True

    assert [state.state for state in await asked.states()] == ["Shutdown"]


async def test_says_that_the_disk_is_nearly_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "MB free" in await disk(tmp_path)()
    monkeypatch.setattr(health, "DISK_LEAST_BYTES", 1 << 62)

    with pytest.raises(Unavailable, match="make room") as told:
        await disk(tmp_path)()

    assert told.value.code == "disk.full"


class JumpingClock(ManualClock):
    """A clock whose wall time can be set apart from its monotonic time."""

    jumped_ms = 0

    def now_ms(self) -> int:
        """Return Unix time in milliseconds, after the jump."""
        return super().now_ms() + self.jumped_ms


@pytest.mark.parametrize("jump_ms", [3_600_000, -3_600_000])
async def test_tells_of_a_clock_that_jumped_and_settles(jump_ms: int) -> None:
    clock = JumpingClock()
    probe = steady_clock(clock)
    await clock.advance(60)
    assert await probe() == "drift 0 ms"
    clock.jumped_ms = jump_ms

    with pytest.raises(Unavailable) as told:
        await probe()

    assert told.value.code == "clock.jumped"
    assert await probe() == "drift 0 ms"
