"""Promise: each feed's price is sampled when it changed, with all that is known of it."""

from decimal import Decimal

import pytest
from tests.unit.ingest.market import Market

from quantdesk.core.validity import Validity
from quantdesk.ingest.sampling import Sampler
from quantdesk.ingest.store.model import Tick
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_the_latest_price_of_each_feed_is_told_once() -> None:
    market, told = Market(), list[Tick]()
    sampler = Sampler(market.gate.feeds, told.append, clock=ManualClock())
    for price in (100.0, 100.01, 100.02):
        market.quote(price, after_ms=1)
    market.trade(100.5, number=7)
    await sampler.sample()
    await sampler.sample()
    quote, trade = told
    assert (quote.market, quote.kind, trade.kind) == (("binance", "BTC", "USDT"), "quote", "trade")
    assert quote.price == Decimal("100.02")
    assert quote.confidence == Decimal("0.010002")
    assert quote.validity == Validity.VALID
    assert quote.is_raw
    feed = next(iter(market.gate.feeds()))
    assert f"binance:{quote.received_ns}" == feed.raw_id
    assert (trade.price, trade.event_ms) == (Decimal("100.5"), market.now_ms)
    market.quote(100.03)
    await sampler.sample()
    assert [one.price for one in told[2:]] == [Decimal("100.03")]


async def test_a_price_that_is_held_back_is_not_sampled_as_one() -> None:
    market, told = Market(), list[Tick]()
    sampler = Sampler(market.gate.feeds, told.append, clock=ManualClock())
    market.quote(100.0)
    await sampler.sample()
    market.quote(500.0)
    assert market.quarantined
    await sampler.sample()
    assert [one.price for one in told] == [Decimal(100)]
