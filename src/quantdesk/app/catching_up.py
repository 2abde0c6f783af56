"""Which live sources a desk catches up with after a start or a lost connection, and by what route.

Simulated and recorded prices have no past to ask for: only what stands in the table is asked.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from quantdesk.app.background import Background
from quantdesk.app.feeding import Feeding
from quantdesk.app.sources import chance
from quantdesk.core.clock import Clock
from quantdesk.ingest.backfill import Backfill
from quantdesk.ingest.catching_up import CatchUp
from quantdesk.ingest.market_data import MarketData
from quantdesk.ingest.retention import Keep
from quantdesk.ingest.store.model import Market
from quantdesk.settings import SourcesSettings
from quantdesk.sources.binance.exchange import SPOT, USD_M, Exchange
from quantdesk.sources.binance.klines import BinanceKlines
from quantdesk.store.pool import Pools

_HISTORIES: Final[Mapping[str, tuple[Exchange, str]]] = MappingProxyType(
    {SPOT.name: (SPOT, "binance_rest_url"), USD_M.name: (USD_M, "futures_rest_url")}
)
"""The exchange behind a source, and the setting that says where its REST is."""


def catch_up(
    background: Background,
    feeding: Feeding,
    *,
    pools: Pools,
    settings: SourcesSettings,
    clock: Clock,
) -> None:
    """Begin to fill what is missing of the live sources' last hours; nothing where that is off."""
    if not settings.backfill_hours:
        return
    for name in dict.fromkeys(one.source.name for one in feeding.collectors):
        if name not in _HISTORIES:
            continue
        exchange, setting = _HISTORIES[name]
        exchange = exchange.at(rest_url=getattr(settings, setting))

        async def work(exchange: Exchange = exchange) -> None:
            async with BinanceKlines(exchange, clock=clock) as klines:
                keep = Keep(ticks_days=settings.keep_ticks_days)
                backfill = Backfill(pools, klines, clock=clock, chance=chance(), keep=keep)
                markets = partial(_heard, feeding.market, exchange.name)
                hours = settings.backfill_hours
                await CatchUp(backfill, markets=markets, hours=hours, clock=clock).run()

        background.begin(f"catching up {name}", work)


def _heard(market: MarketData, source: str) -> Iterator[Market]:
    return (one for one in market.candles.markets() if one[0] == source)
