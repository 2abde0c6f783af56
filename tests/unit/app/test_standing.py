"""A start waits for the pairs that have pools on this chain, and for no others."""

import asyncio
from decimal import Decimal

import pytest

from quantdesk.app.standing import Standing, flat, trading
from quantdesk.core.errors import Unavailable
from quantdesk.core.markets import MARKETS
from quantdesk.localnet import opening
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.venue import ScriptedVenue
from quantdesk.venues.port import Pool

pytestmark = pytest.mark.anyio

SOL, PYUSD = MARKETS["SOL-USDC"], MARKETS["PYUSD-USDC"]


class Slow(ScriptedVenue):
    """A venue whose pools of one pair trade once it was asked often enough; others never do."""

    def __init__(self, clock: ManualClock, *, ready_at: int) -> None:
        prices = {SOL.pair: [(0.0, Decimal(100))]}
        super().__init__(clock=clock, prices=prices, name="raydium")
        self.asked = 0
        self._ready_at = ready_at

    def pools(self, mints: frozenset[str], *, now_ms: int) -> list[Pool]:
        """Return the pool, if it is time."""
        self.asked += 1
        if self.asked < self._ready_at:
            raise Unavailable("not read", code="pool.incomplete")
        return super().pools(mints, now_ms=now_ms)


def standing(*pairs: str) -> Standing:
    return {"raydium": {pair: opening.pools(MARKETS[pair])["raydium"] for pair in pairs}}


async def waited(ready_at: int, *pairs: str) -> tuple[float, int]:
    """Return how long a start waited, in seconds, and how often it looked."""
    clock = ManualClock()
    venue = Slow(clock, ready_at=ready_at)
    began = clock.monotonic()
    task = asyncio.ensure_future(trading([venue], standing(*pairs), clock=clock, within_s=1))
    while not task.done():
        await clock.advance(0.01)
    await task
    return clock.monotonic() - began, venue.asked


async def test_returns_once_every_pair_with_pools_trades() -> None:
    waited_s, asked = await waited(5, SOL.pair)

    assert waited_s < 0.5
    assert asked == 5


async def test_goes_on_after_a_while_without_a_pair_whose_pools_are_never_read() -> None:
    waited_s, _ = await waited(1, SOL.pair, PYUSD.pair)

    assert waited_s >= 1


async def test_joins_the_pools_of_all_pairs() -> None:
    first, second = (opening.pools(market)["raydium"][0] for market in (SOL, PYUSD))
    found = flat({"raydium": {SOL.pair: [first], PYUSD.pair: [second]}})

    assert found == {"raydium": [first, second]}
