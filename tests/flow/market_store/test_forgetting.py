"""Promise: what is declared bad goes, of that source and range alone, and who said so stays."""

from uuid import UUID

import pytest
from tests.flow.market_store.rows import BTC, NOW_MS, candle, count, tick, writer

from quantdesk.ingest.store import forget, read, write
from quantdesk.ingest.store.model import Gap
from quantdesk.store.pool import Pools
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio
MINUTE_MS = 60_000


async def test_only_the_range_of_the_source_goes_and_can_be_asked_for_again(pools: Pools) -> None:
    one = writer(pools, ManualClock(now_ms=NOW_MS))
    for number in range(4):
        one.tick(tick(number, at_ms=NOW_MS + number * MINUTE_MS))
        one.candle(candle(NOW_MS + number * MINUTE_MS))
        one.candle(candle(NOW_MS + number * MINUTE_MS, source="binance.futures"))
        one.candle(candle(NOW_MS + number * MINUTE_MS, symbol="ETH"))
    await one.flush()
    absent = Gap("candles", *BTC, "1m", NOW_MS, NOW_MS + MINUTE_MS, 1, "none", "absent")
    what = forget.Forgetting(
        id=UUID(int=1), at_ms=NOW_MS, actor="owner", reason="a bad feed", source="binance",
        symbol="BTC", currency=None, from_ms=NOW_MS, to_ms=NOW_MS + 2 * MINUTE_MS,
    )  # fmt: skip
    async with pools.write.transaction() as c:
        await write.note(c, [absent], now_ms=NOW_MS)
        assert await forget.forget(c, what) == (2, 2)

    assert await count(pools, "ticks") == 2
    assert await count(pools, "candles") == 10
    async with pools.read.connection() as c:
        left = await read.covered(c, BTC, "1m", from_ms=NOW_MS, to_ms=NOW_MS + 4 * MINUTE_MS)
        assert left == [(NOW_MS + 2 * MINUTE_MS, NOW_MS + 4 * MINUTE_MS)]
        (row,) = await c.fetch("select actor, reason, ticks, candles from market_forgotten")
    assert tuple(row) == ("owner", "a bad feed", 2, 2)
