"""Promise: what is packed for COPY is what Postgres reads, to the last digit and microsecond."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.flow.market_store.rows import BTC, NOW_MS, tick, writer

from quantdesk.core.errors import Corrupt
from quantdesk.ingest.store import read
from quantdesk.ingest.store.copying import numeric, packed
from quantdesk.store.pool import Pools
from quantdesk.testing.clock import ManualClock

_TEXTS = [
    *("0.00000001", "1", "9999", "10000", "10001", "99999999", "100000000", "0.9999", "0.00010000"),
    *(
        "123456789.123456789",
        "60123.45",
        "0.000000000000000001",
        "1e30",
        "12e4",
        "1.50",
        "5000.0005",
    ),
]
_PRICES = st.decimals(
    min_value=Decimal("1e-18"), max_value=Decimal("1e18"), allow_nan=False, allow_infinity=False
)


@pytest.mark.anyio
async def test_prices_come_back_exactly(pools: Pools) -> None:
    one = writer(pools, ManualClock(now_ms=NOW_MS))
    prices: list[Decimal] = []

    @given(_PRICES)
    def draw(price: Decimal) -> None:
        prices.append(price)

    draw()
    prices += map(Decimal, _TEXTS)
    told = [
        msgspec.structs.replace(
            tick(number), price=price, confidence=price / 3 if number % 3 else Decimal(0)
        )
        for number, price in enumerate(prices)
    ]
    for each in told:
        one.tick(each)
    await one.flush()
    assert one.counts["refused"] == 0
    async with pools.read.connection() as c:
        assert await c.fetchval("select count(*) from ticks where scale(price) < 0") == 0
        found = await read.ticks(c, BTC, from_ms=0, to_ms=NOW_MS * 2, limit=5_000)
    assert sorted(found, key=lambda each: each.received_ns) == told


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-1", "1e61", "1e-61", "1e999999", "-0.1"])
def test_what_is_no_price_is_not_packed(text: str) -> None:
    with pytest.raises(ValueError, match="no price"):
        numeric(Decimal(text))
    with pytest.raises(Corrupt):
        list(packed([msgspec.structs.replace(tick(0), price=Decimal(text))]))


@pytest.mark.parametrize("field", ["received_ns", "event_ms", "validity"])
def test_numbers_too_large_for_their_column_are_not_packed(field: str) -> None:
    with pytest.raises(Corrupt):
        list(packed([msgspec.structs.replace(tick(0), **{field: 1 << 80})]))
