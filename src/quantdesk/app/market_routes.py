"""The HTTP routes of market data, joined with what ingest keeps."""

from quantdesk.api.books import BookRoutes
from quantdesk.api.candles import LIMIT_MAX, CandleRoutes
from quantdesk.api.feeds import FeedRoutes
from quantdesk.api.listed import Market
from quantdesk.api.malformed import cut
from quantdesk.api.news import NewsRoutes
from quantdesk.api.sources import SourceRoutes
from quantdesk.app.channels import recent
from quantdesk.app.feeding import Feeding
from quantdesk.app.news import Newsroom
from quantdesk.app.source_health import health
from quantdesk.app.storing import stored_candles
from quantdesk.core.assets import ASSETS
from quantdesk.core.candles import Candle
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused
from quantdesk.guard.check import Limits
from quantdesk.store.pool import Pools


def market_routes(
    feeding: Feeding, newsroom: Newsroom, *, pools: Pools, limits: Limits, clock: Clock
) -> tuple[BookRoutes, CandleRoutes, FeedRoutes, SourceRoutes, NewsRoutes]:
    """Return the routes of books, candles, feeds, sources and news."""
    market = feeding.market

    def behind(symbol: str) -> list[str]:
        if symbol not in ASSETS:
            listed = ", ".join(ASSETS)
            raise Refused(f"{cut(symbol)} is not listed; assets: {listed}", code="price.unknown")
        ids: list[str] = feeding.board.provenance(symbol, now_ms=clock.now_ms())["rawIds"]
        return ids

    def in_memory(market: Market, interval: str) -> list[Candle]:
        return recent(feeding, market, interval, count=LIMIT_MAX)

    return (
        BookRoutes(books=market.books, clock=clock),
        CandleRoutes(
            markets=market.candles.markets, recent=in_memory, stored=stored_candles(pools)
        ),
        FeedRoutes(board=feeding.board, limits=limits, clock=clock),
        SourceRoutes(
            health=lambda: health(feeding, now_ms=clock.now_ms()),
            kept=market.gate.rejections,
            raw=feeding.board.raw,
            behind=behind,
        ),
        NewsRoutes(stories=newsroom.stories),
    )
