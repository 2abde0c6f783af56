"""A process that stores ticks without end, to be killed: says how many batches it has stored.

python -m tests.flow.market_store.killed URL WRITER
"""

import asyncio
import sys
from uuid import UUID

from tests.flow.market_store.rows import NOW_MS, candle, tick

from quantdesk.ingest.writer import Writer
from quantdesk.store.pool import connect
from quantdesk.testing.clock import ManualClock

PIECE = 2_000


async def main(url: str, number: int) -> None:
    """Store for ever, ticks numbered by writer and count, and a candle each time."""
    async with await connect(url, write_max=2, read_max=1) as pools:
        clock = ManualClock(now_ms=NOW_MS)
        writer = Writer(pools.write, writer_id=UUID(int=number), clock=clock, chance=lambda: 0.5)
        for piece in range(1_000_000):
            for part in range(PIECE):
                writer.tick(tick(piece * PIECE + part, f"S{number}"))
            writer.candle(candle(NOW_MS, "1s", revision=piece, close=str(91 + piece % 10)))
            await writer.flush()
            sys.stdout.write(f"{piece + 1}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
