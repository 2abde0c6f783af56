"""Cached prices: put before they are told, shown with their age, never traded on, soon replaced."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.ingest.market import NOW_MS, Market

from quantdesk.bus.memory import Memory
from quantdesk.core.errors import Corrupt, Unavailable
from quantdesk.core.prices import Reading
from quantdesk.core.validity import Action, Validity
from quantdesk.ingest import cached
from quantdesk.ingest.board import Board
from quantdesk.ingest.cached import Cached, PriceCache
from quantdesk.testing.clock import ManualClock


@dataclass
class Shelf:
    """A cache by hand, which notes the order of things and may be away."""

    log: list[str]
    values: dict[str, bytes] = field(default_factory=dict)
    away: bool = False

    async def put(self, key: str, value: bytes) -> None:
        """Note a value."""
        if self.away:
            raise Unavailable("away", code="bus.away")
        self.log.append(f"put {key}")
        self.values[key] = value

    async def get(self, key: str) -> bytes | None:
        """Return a value."""
        return self.values.get(key)

    async def purge(self, key: str) -> None:
        """Forget a value."""
        self.values.pop(key, None)


@dataclass
class Scene:
    """A board whose prices are cached, and a bus that is listened to."""

    log: list[str] = field(default_factory=list)
    board: Board = field(default_factory=Board)
    clock: ManualClock = field(default_factory=lambda: ManualClock(now_ms=NOW_MS))

    def __post_init__(self) -> None:
        self.shelf, self.bus = Shelf(self.log), Memory()
        self.bus.listen(cached.TOPIC, self.hear)
        self.told: list[Cached] = []
        self.prices = PriceCache(self.board, self.shelf, self.bus, clock=self.clock)

    def hear(self, prices: Sequence[Any]) -> None:
        """Note what was told."""
        self.log.append("told " + " ".join(one.symbol for one in prices))
        self.told += prices

    def say(self, symbol: str, price: str) -> None:
        """Let a source say a price now."""
        now_ms = self.clock.now_ms()
        self.board.take(Reading("pyth", symbol, Decimal(price), Decimal("0.01"), now_ms), now_ms)


def test_that_a_price_is_cached_before_it_is_told() -> None:
    async def scene() -> None:
        at = Scene()
        at.say("SOL", "150")
        at.say("BTC", "60000")
        await at.prices.put(["SOL", "BTC", "ETH"])
        assert at.log == ["put BTC", "put SOL", "told BTC SOL"]

    asyncio.run(scene())


def test_that_nothing_is_told_that_the_cache_did_not_take() -> None:
    async def scene() -> None:
        at = Scene()
        at.say("SOL", "150")
        at.shelf.away = True
        task = asyncio.ensure_future(at.prices.run())
        await at.clock.advance(0.05)
        assert (at.log, at.prices.counts["failures"]) == ([], 1)
        at.shelf.away = False
        await at.clock.advance(1.1)
        assert at.log == ["put SOL", "told SOL"]
        task.cancel()

    asyncio.run(scene())


def test_that_an_asset_is_put_ten_times_a_second_at_most_and_its_last_price_is_there() -> None:
    async def scene() -> None:
        at = Scene()
        task = asyncio.ensure_future(at.prices.run())
        for number in range(1, 1001):
            at.say("SOL", str(100 + number))
            await at.clock.advance(0.001)
        await at.clock.advance(0.2)
        assert 9 <= at.log.count("put SOL") <= 12
        found = await cached.read(at.shelf, "SOL")
        assert found is not None
        assert found.price.value == Decimal(1100)
        task.cancel()

    asyncio.run(scene())


def test_that_what_is_only_assumed_is_not_cached() -> None:
    async def scene() -> None:
        at = Scene(board=Board(assume={"USDT": Decimal(1)}))
        at.say("SOL", "150")
        await at.prices.put(["SOL", "USDT"])
        assert at.log == ["put SOL", "told SOL"]

    asyncio.run(scene())


async def _restored(market: Market, *, after_ms: int = 0) -> Board:
    """Return a fresh board that shows what another desk's market cached."""
    shelf, clock = Shelf([]), ManualClock(now_ms=market.now_ms)
    await PriceCache(market.board, shelf, Memory(), clock=clock).put(["BTC", "SOL"])
    board = Board()
    assert await cached.restore(board, shelf, ["BTC", "SOL", "ETH"]) == len(shelf.values)
    return board


def _market(price: float = 60_000) -> Market:
    market = Market()
    for step in range(5):
        market.quote(price + step, currency="USD")
    return market


def test_that_a_cached_price_is_shown_with_its_source_and_true_age_and_not_traded_on() -> None:
    market = _market()
    board = asyncio.run(_restored(market))
    at_ms = market.now_ms + 2_000
    told = board.provenance("BTC", now_ms=at_ms)

    assert told["value"] == market.board.provenance("BTC", now_ms=market.now_ms)["value"]
    assert told["source"] == "cached: binance"
    assert told["ageMs"] == 2_000
    assert told["validity"] == "STALE"
    with pytest.raises(Unavailable) as refused:
        board.fresh("BTC", now_ms=at_ms, age_ms_max=10_000, action=Action.OPEN)
    assert refused.value.code == "price.stale"


def test_that_a_cached_price_grows_old_like_any_other() -> None:
    market = _market()
    board = asyncio.run(_restored(market))

    said = board.validity("BTC", now_ms=market.now_ms + 61_000, age_ms_max=10_000)
    assert said is Validity.STALE_FOR_MARGIN


def test_that_a_price_nobody_believed_is_not_better_when_it_is_cached() -> None:
    market = _market()
    market.quote(66_000, currency="USD")  # a jump that nothing has confirmed
    assert market.board.provenance("BTC", now_ms=market.now_ms)["validity"] == "QUARANTINED"
    board = asyncio.run(_restored(market))

    assert board.provenance("BTC", now_ms=market.now_ms)["validity"] == "QUARANTINED"


def test_that_the_first_feed_takes_the_place_of_what_is_cached() -> None:
    market = _market()
    board = asyncio.run(_restored(market))
    own = Market(board=board, now_ms=market.now_ms)
    own.quote(61_000, currency="USD", source="pyth")
    told = board.provenance("BTC", now_ms=own.now_ms)

    assert (told["source"], told["validity"]) == ("pyth", "VALID")
    old = market.board.latest("BTC")
    assert old is not None
    assert not board.remember(old, old.received_ms)
    assert board.provenance("BTC", now_ms=own.now_ms)["source"] == "pyth"


def test_that_prices_told_on_the_bus_replace_older_ones_alone() -> None:
    market = _market()
    first = market.board.latest("BTC")
    market.quote(60_100, currency="USD")
    second = market.board.latest("BTC")
    assert first is not None
    assert second is not None
    board = Board()
    carried = cached.encode([Cached(second, second.received_ms)])
    cached.heard(board, cached.decode(carried))
    cached.heard(board, [Cached(first, first.received_ms)])

    assert board.latest("BTC") is not None
    assert board.provenance("BTC", now_ms=market.now_ms)["value"] == f"{second.value.normalize():f}"


def test_that_garbage_is_corrupt_on_the_bus_and_nothing_in_the_cache() -> None:
    with pytest.raises(Corrupt):
        cached.decode(b"\xc1")
    shelf = Shelf([], {"SOL": b"\xc1"})

    assert asyncio.run(cached.read(shelf, "SOL")) is None
