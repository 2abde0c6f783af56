"""Market data as channels of the hub: what can be followed on `/ws`, and the loop that tells it.

Ingest calls nobody here for every message: it notes what changed, and a few dozen times a second
that is told, as far as anybody follows it. Shapes are those of REST.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from quantdesk.access.model import Permission
from quantdesk.api.books import levels_view
from quantdesk.api.candles import candle_view
from quantdesk.api.markets import price_view
from quantdesk.api.system import ServiceView
from quantdesk.app.feeding import Feeding
from quantdesk.app.source_health import health
from quantdesk.core.assets import ASSETS
from quantdesk.core.candles import INTERVALS, Candle
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.guard.check import Limits
from quantdesk.hub.channels import Channel, rows
from quantdesk.hub.hub import Hub
from quantdesk.ingest.news.model import Story
from quantdesk.ingest.news.news import ALL, News, row

TURN_S: Final = 0.02
_HEALTH_S: Final = 1.0
_NOBODY_S: Final = 0.25
"""Between turns while nobody follows; who begins to gets a snapshot at once."""
_CANDLES_SHOWN: Final = 300
_LEVELS_SHOWN: Final = 20
_ROWS_MAX: Final = 50
_STORIES_MAX: Final = 100
_CLOSED_MAX: Final = 20_000  # between two turns; more of them are in the history

Noted = TypeVar("Noted")
Market = tuple[str, str, str]
Services = Callable[[], Awaitable[list[ServiceView]]]


class MarketChannels:
    """Prices, books, candles, sources and services; `channels` go to the hub before `run`."""

    def __init__(
        self, *, feeding: Feeding, news: News, limits: Limits, services: Services, clock: Clock
    ) -> None:
        self._feeding = feeding
        self._limits = limits
        self._services = services
        self._clock = clock
        self._prices: set[str] = set()
        self._books: set[Market] = set()
        self._candles: set[Market] = set()
        self._closed: deque[Candle] = deque(maxlen=_CLOSED_MAX)
        self._stories: deque[Story] = deque(maxlen=_STORIES_MAX)
        self._system: list[ServiceView] = []
        market = feeding.market
        self.channels = (
            Channel(
                name="prices",
                permission=Permission.MARKET_READ,
                keys=lambda: ASSETS,
                snapshot=self._price,
            ),
            Channel(
                name="books",
                permission=Permission.MARKET_READ,
                keys=self._book_keys,
                snapshot=self._book,
            ),
            Channel(
                name="candles",
                permission=Permission.MARKET_READ,
                keys=self._candle_keys,
                snapshot=self._history,
                merge=rows(lambda candle: candle.open_at, at_most=_ROWS_MAX),
            ),
            Channel(
                name="sources",
                permission=Permission.MARKET_READ,
                keys=self._health,
                snapshot=lambda key: self._health().get(key),
            ),
            Channel(
                name="news",
                permission=Permission.MARKET_READ,
                keys=news.keys,
                snapshot=news.snapshot,
                merge=rows(lambda story: story["key"], at_most=_STORIES_MAX),
            ),
            Channel(
                name="system",
                permission=Permission.SYSTEM_READ,
                keys=lambda: ("desk",),
                snapshot=lambda _: self._system,
            ),
        )
        market.books.on_change(self._books.add)
        market.candles.on_change(self._candles.add)
        market.candles.on_candle(self._closed.append)
        news.changed.append(self._stories.append)

    async def run(self, hub: Hub) -> None:
        """Tell what changed until cancelled."""
        due_s = self._clock.monotonic()
        with self._feeding.board.changes() as changes:
            while True:
                self._prices |= changes.taken()
                self._tell(hub)
                if self._clock.monotonic() >= due_s:
                    due_s += _HEALTH_S
                    await self._tell_health(hub)
                await self._clock.sleep(TURN_S if len(hub) else _NOBODY_S)

    def _tell(self, hub: Hub) -> None:
        prices, books = _taken(self._prices), _taken(self._books)
        if hub.follows("prices"):
            for symbol in prices & ASSETS.keys():
                hub.publish("prices", symbol, self._price(symbol))
        if hub.follows("books"):
            for market in books:
                hub.publish("books", ":".join(market), self._view(market))
        self._tell_candles(hub)
        while self._stories:
            story = self._stories.popleft()
            for key in (ALL, *story.headline.symbols):
                hub.publish("news", key, [row(story)])

    def _tell_candles(self, hub: Hub) -> None:
        closed, traded = list(self._closed), _taken(self._candles)
        self._closed.clear()
        if hub.follows("candles"):
            for candle in (*closed, *self._open(traded)):
                hub.publish("candles", _candle_key(candle), [candle_view(candle)])

    async def _tell_health(self, hub: Hub) -> None:
        if hub.follows("sources"):
            for name, told in self._health().items():
                hub.publish("sources", name, told)
        if hub.follows("system") or not self._system:
            self._system = await self._services()
            hub.publish("system", "desk", self._system)

    def _price(self, symbol: str) -> Any:  # noqa: ANN401 - a view or nothing
        try:
            return price_view(
                self._feeding.board, symbol, limits=self._limits, now_ms=self._clock.now_ms()
            )
        except Unavailable:
            return None  # no source has spoken of it yet

    def _book_keys(self) -> frozenset[str]:
        return frozenset(":".join(market) for market in self._feeding.market.books.markets())

    def _book(self, key: str) -> Any:  # noqa: ANN401 - a view
        source, symbol, currency = key.split(":")
        return self._view((source, symbol, currency))

    def _view(self, market: Market) -> Any:  # noqa: ANN401 - a view
        book = self._feeding.market.books.view(*market, levels=_LEVELS_SHOWN)
        return levels_view(book, now_ms=self._clock.now_ms())

    def _candle_keys(self) -> frozenset[str]:
        markets = self._feeding.market.candles.markets()
        return frozenset(":".join((*m, interval)) for m in markets for interval in INTERVALS)

    def _history(self, key: str) -> list[Any]:
        source, symbol, currency, interval = key.split(":")
        found = recent(self._feeding, (source, symbol, currency), interval, count=_CANDLES_SHOWN)
        return [candle_view(candle) for candle in found]

    def _open(self, markets: set[Market]) -> list[Candle]:
        candles = self._feeding.market.candles
        asked = (candles.latest(market, interval) for market in markets for interval in INTERVALS)
        return [candle for candle in asked if candle is not None]

    def _health(self) -> dict[str, Any]:
        return {one.name: one for one in health(self._feeding, now_ms=self._clock.now_ms())}


def recent(feeding: Feeding, market: Market, interval: str, *, count: int) -> list[Candle]:
    """Return the candles in memory, oldest first, the one that is not closed yet last."""
    candles = feeding.market.candles
    latest = candles.latest(market, interval)
    return [*candles.history(market, interval, count=count), *([latest] if latest else [])]


def _taken(noted: set[Noted]) -> set[Noted]:
    """Return what was noted, and begin anew."""
    taken = set(noted)
    noted.clear()
    return taken


def _candle_key(candle: Candle) -> str:
    return f"{candle.source}:{candle.symbol}:{candle.currency}:{candle.interval}"
