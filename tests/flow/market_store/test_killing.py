"""Promise: kill -9 while storing loses only what was not stored yet, and doubles nothing."""

import subprocess
import sys

import pytest
from tests.flow.market_store.killed import PIECE
from tests.flow.market_store.rows import BTC, NOW_MS, NS

from quantdesk.ingest.store import read
from quantdesk.store.pool import Pools

pytestmark = pytest.mark.anyio
LIVES = 6


async def test_a_writer_killed_at_any_moment_leaves_whole_batches(
    database: str, pools: Pools
) -> None:
    for life in range(LIVES):
        told = _killed_after(database, life, batches=1 + life)
        async with pools.read.connection() as c:
            rows = await c.fetch(
                "select raw_ns from ticks where symbol = $1 order by 1", f"S{life}"
            )
            (latest,) = await read.candles(c, BTC, "1s", from_ms=0, to_ms=NOW_MS * 2, limit=9)
        assert [row[0] for row in rows] == [NOW_MS * NS + n for n in range(len(rows))]
        assert len(rows) % PIECE == 0
        assert told <= len(rows) // PIECE <= told + 1
        assert latest.revision >= told - 1


def _killed_after(database: str, life: int, *, batches: int) -> int:
    """Kill a process that has just told of so many batches; return of how many it told."""
    command = [sys.executable, "-m", "tests.flow.market_store.killed", database, str(life)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = 0
        for line in process.stdout:
            told = int(line)
            if told == batches:
                process.kill()
        assert process.wait() == -9
    return told
