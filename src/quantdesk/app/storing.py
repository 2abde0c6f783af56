"""What of market data the database keeps: sampled prices, candles, and the gaps in both."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from quantdesk.api.candles import Span
from quantdesk.app.background import Background
from quantdesk.app.sources import chance
from quantdesk.core.candles import Candle
from quantdesk.core.clock import Clock
from quantdesk.core.ids import ids
from quantdesk.ingest.market_data import MarketData
from quantdesk.ingest.retention import Keep, Retention
from quantdesk.ingest.sampling import Sampler
from quantdesk.ingest.store import read
from quantdesk.ingest.writer import Writer
from quantdesk.store.pool import Pools

Stored = Callable[[Span], Awaitable[list[Candle]]]


def keep_market_data(
    stack: AsyncExitStack,
    background: Background,
    market: MarketData,
    *,
    pools: Pools,
    keep: Keep,
    clock: Clock,
) -> Writer:
    """Store what the market data says until the stack unwinds; return who does."""
    life = ids(clock.now_ms)()
    writer = Writer(pools.write, writer_id=life, clock=clock, chance=chance(), keep=keep)
    stack.push_async_callback(writer.close)
    market.candles.on_candle(writer.candle)
    sampler = Sampler(market.gate.feeds, writer.tick, clock=clock)
    retention = Retention(pools.write, clock=clock, keep=keep)
    background.begin("market data writer", writer.run)
    background.begin("price sampler", sampler.run)
    background.begin("market data retention", retention.run)
    return writer


def stored_candles(pools: Pools) -> Stored:
    """Return how stored candles are read."""

    async def stored(span: Span) -> list[Candle]:
        async with pools.read.connection() as c:
            return await read.candles(
                c, span.market, span.interval,
                from_ms=span.from_ms, to_ms=span.to_ms, limit=span.limit,
            )  # fmt: skip

    return stored
