"""Ticks and candles for the tests of the store, and a writer of them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import msgspec

from quantdesk.core.candles import INTERVALS, Candle
from quantdesk.ingest.store.model import Tick
from quantdesk.ingest.waiting import Waiting
from quantdesk.ingest.writer import Writer
from quantdesk.store.pool import Pools, WritePool
from quantdesk.testing.clock import ManualClock

NOW_MS = 1_763_740_800_000
"""2025-11-21 16:00 UTC."""
NS = 1_000_000
BTC = ("binance", "BTC", "USDT")


def tick(number: int, symbol: str = "BTC", *, at_ms: int = NOW_MS) -> Tick:
    """Return a tick that is told apart by its number."""
    price = Decimal(6_000_000 + number).scaleb(-2)
    return Tick(
        "binance", symbol, "USDT", "quote", at_ms - 40, at_ms * NS + number, price,
        Decimal("0.01"), 9,
    )  # fmt: skip


def candle(open_ms: int = NOW_MS, interval: str = "1m", **other: Any) -> Candle:  # noqa: ANN401
    """Return a closed candle."""
    told = Candle(
        *BTC, interval, open_ms, "100", "110.5", "90", "105", "2.5", "260.25", "1", 3, 7, 9,
        closed=True,
    )  # fmt: skip
    return msgspec.structs.replace(told, **other)


def minutes(count: int, *, from_ms: int = NOW_MS) -> list[Candle]:
    """Return candles of a minute, one after the other."""
    return [candle(from_ms + number * INTERVALS["1m"]) for number in range(count)]


def writer(
    pool: WritePool | Pools, clock: ManualClock, *, number: int = 1, waiting: Waiting | None = None
) -> Writer:
    """Return a writer; each life of a process has another number."""
    return Writer(
        pool.write if isinstance(pool, Pools) else pool,
        writer_id=UUID(int=number),
        clock=clock,
        chance=lambda: 0.5,
        waiting=waiting,
    )


async def store(pools: Pools, clock: ManualClock, candles: Sequence[Candle]) -> None:
    """Store candles as they come live."""
    one = writer(pools, clock, number=uuid4().int)
    for told in candles:
        one.candle(told)
    await one.flush()


async def count(pools: Pools, table: str) -> int:
    """Return how many rows a table has."""
    async with pools.read.connection() as c:
        found: int = await c.fetchval(f"select count(*) from {table}")
    return found
