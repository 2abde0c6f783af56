"""The paper floor: the board's prices, nothing at stake, and no key in the process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

from quantdesk.app.opened import Opened
from quantdesk.chains.paper import Paper as PaperChain
from quantdesk.chains.port import Wallet
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock
from quantdesk.core.markets import market
from quantdesk.engines.orders.floor import Floor
from quantdesk.engines.orders.reference import Reference
from quantdesk.engines.orders.routing import Routing
from quantdesk.settings import Settings
from quantdesk.venues.paper import Paper as PaperVenue

_BOOK = {
    "SOL": 10_000,
    "USDC": 5_000_000,
    "USDT": 5_000_000,
    "BTC": 50,
    "ETH": 1_000,
    "PYUSD": 1_000_000,
}


@asynccontextmanager
async def open_paper(
    settings: Settings, *, reference: Reference, clock: Clock
) -> AsyncIterator[Opened]:
    """Trade at the board's prices with nothing at stake."""
    book = {symbol: amount * 10 ** ASSETS[symbol].decimals for symbol, amount in _BOOK.items()}
    chain = PaperChain(clock=clock, latency_ms=settings.paper.latency_ms, book=book)

    def price(pair: str, _now_ms: int) -> tuple[Decimal, int, int]:
        fair, seen_ms = reference.fair(market(pair))
        return fair, seen_ms, seen_ms

    floor = Floor(
        chain=chain,
        routing=Routing((PaperVenue(price=price, fee_bps=settings.paper.fee_bps),)),
        wallet=Wallet("paper", dict.fromkeys(ASSETS, "paper")),
        check_price=reference.check,
        network_fee_lamports=0,
    )
    yield Opened(
        floor=floor,
        balances=lambda: chain.balances(tuple(ASSETS.values())),
        known_balances=lambda: None,
    )
