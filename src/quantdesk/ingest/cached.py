"""The cache of prices: the last agreed price of each asset, for whoever starts or comes late.

    board → changed assets, ten times a second at most → cache → and only then told on the bus
    cache, bus → board of another desk, until a feed of its own speaks for the asset

What comes out of the cache is shown with its true age. It is never traded on: no message behind it
is at hand, and who said it may have been contradicted since.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, NoReturn

import msgspec
import structlog

from quantdesk.bus.port import Bus, Cache
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Unavailable
from quantdesk.core.prices import Price
from quantdesk.ingest.board import Board

log = structlog.get_logger()

TOPIC: Final = "prices"
TURN_S: Final = 0.1
"""The same asset is put ten times a second at most."""
_AGAIN_S: Final = 1.0


class Cached(msgspec.Struct, frozen=True, array_like=True):
    """A price as it was agreed on; `stamp_ms` is since when its oldest part counts as old."""

    price: Price
    stamp_ms: int

    @property
    def symbol(self) -> str:
        """Return the asset."""
        return self.price.reading.symbol


class PriceCache:
    """Puts the prices of a board into the cache and tells of them.

    `counts` holds put, told and failures (rounds that NATS did not take).
    """

    def __init__(self, board: Board, cache: Cache, bus: Bus, *, clock: Clock) -> None:
        self._board = board
        self._cache = cache
        self._bus = bus
        self._clock = clock
        self.counts: Counter[str] = Counter()

    async def run(self) -> NoReturn:
        """Put what changes until cancelled; what NATS does not take is put at a later turn."""
        due: set[str] = set(ASSETS)
        with self._board.changes() as changes:
            while True:
                due |= changes.taken()
                try:
                    await self.put(due)
                except Unavailable:
                    self.counts["failures"] += 1
                    await self._clock.sleep(_AGAIN_S)
                else:
                    due.clear()
                    await self._clock.sleep(TURN_S)

    async def put(self, symbols: Iterable[str]) -> None:
        """Put the prices of these assets, then tell of them. Raises `Unavailable`."""
        prices = [found for symbol in sorted(symbols) if (found := self._price(symbol))]
        for one in prices:
            await self._cache.put(one.symbol, _ENCODER.encode(one))
        self.counts["put"] += len(prices)
        if prices:
            self._bus.publish(TOPIC, prices)
            self.counts["told"] += len(prices)

    def _price(self, symbol: str) -> Cached | None:
        price = self._board.latest(symbol)
        if price is None or not price.sources:  # what is assumed, each desk assumes for itself
            return None
        now_ms = self._clock.now_ms()
        return Cached(price, now_ms - self._board.age_ms(symbol, now_ms=now_ms))


async def restore(board: Board, cache: Cache, symbols: Iterable[str]) -> int:
    """Put up what the cache holds of these assets; return how many. Raises `Unavailable`."""
    found = 0
    for symbol in symbols:
        one = await read(cache, symbol)
        found += one is not None and board.remember(one.price, one.stamp_ms)
    return found


async def read(cache: Cache, symbol: str) -> Cached | None:
    """Return what the cache holds of an asset, None where that is nothing one can read.

    Raises `Unavailable`.
    """
    value = await cache.get(symbol)
    if value is None:
        return None
    try:
        return _ONE.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        log.warning("cache.unreadable", key=symbol, detail=str(problem))
        return None


def heard(board: Board, prices: Sequence[Cached]) -> None:
    """Put up prices that were told on the bus, of assets no feed here has spoken for."""
    for one in prices:
        board.remember(one.price, one.stamp_ms)


def encode(prices: Sequence[Any]) -> bytes:
    """Return prices as the bus carries them."""
    return _ENCODER.encode(prices)


def decode(body: bytes) -> Sequence[Cached]:
    """Return what the bus carried; raise `Corrupt` (`bus.unreadable`)."""
    try:
        return _MANY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise Corrupt(f"prices: {problem}", code="bus.unreadable") from problem


_ENCODER: Final = msgspec.msgpack.Encoder()
_ONE: Final = msgspec.msgpack.Decoder(Cached)
_MANY: Final = msgspec.msgpack.Decoder(list[Cached])
