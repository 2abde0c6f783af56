"""Promise: sources without a connection keep the port's word as those with one do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from quantdesk.core.assets import ASSETS
from quantdesk.core.ticks import Frame
from quantdesk.sources import tape
from quantdesk.sources.recorded import Recorded
from quantdesk.sources.simulated import Simulated
from quantdesk.sources.words import simulated as words
from quantdesk.testing import source_suite
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.source_suite import CHECKS, Check, Opened, Stage

NS = 1_700_000_000_000_000_000
GARBAGE: list[bytes] = [b"", b"null", b"[]", b"{}", b'{"at":1}', b"9" * 400, b"[" * 10_000, b"\xff"]


@asynccontextmanager
async def simulated() -> AsyncIterator[Stage]:
    clock = ManualClock()
    source = Simulated(clock=clock, seed=1)
    yield Stage(
        source=source, clock=clock, symbols=tuple(ASSETS), push=nothing, garbage=GARBAGE
    )  # fmt: skip


def recorded(path: Path) -> Opened:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Stage]:
        steps = []
        for n in range(1, 400):
            symbols = ("BTC", "SOL", "ETH")
            prices = [words.Quoted(symbol, 10**8 + n, 5) for symbol in symbols]
            depth = [words.Levels(symbol, n, [("1", "1")], [("2", "1")]) for symbol in symbols]
            message = words.write(words.Step(1_700_000_000_000 + 250 * n, prices, books=depth))
            steps.append(Frame("simulated", "steps", NS + 250_000_000 * n, message))
        path.write_bytes(tape.pack(steps))  # noqa: ASYNC240 - nothing else runs yet
        clock = ManualClock()
        source = Recorded(path=path, clock=clock)
        yield Stage(
            source=source, clock=clock, symbols=("BTC", "ETH"), push=nothing, garbage=GARBAGE
        )  # fmt: skip

    return opened


async def nothing() -> None:
    """Time alone makes these speak."""


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_simulated(check: Check) -> None:
    source_suite.run(check, simulated)


@pytest.mark.parametrize(
    "check",
    # Its frames carry the names of their senders, many in one recording.
    [one for one in CHECKS if one is not source_suite.hands_over_named_frames_in_order],
    ids=lambda check: check.__name__,
)
def test_recorded(check: Check, tmp_path: Path) -> None:
    source_suite.run(check, recorded(tmp_path / "tape"))
