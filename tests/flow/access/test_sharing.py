"""Promise: processes on one database give out one rate together, within the bound that is told."""

import asyncio

import pytest

from quantdesk.access.limits.rates import Rates
from quantdesk.access.limits.routes import ClassRates, Rate, RouteClass
from quantdesk.access.limits.sharing import SLICE, TURN_S, Sharing
from quantdesk.store.pool import Pools
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio

CAPACITY, PER_S = 20, 2
RATES = {RouteClass.READ: ClassRates(address=Rate(CAPACITY, PER_S))}


class Desks:
    """Several processes."""

    def __init__(self, pools: Pools, count: int) -> None:
        self.clock = ManualClock()
        self.rates = [Rates(RATES, shared=True) for _ in range(count)]
        self.sharing = [Sharing(r, pools=pools, clock=self.clock) for r in self.rates]

    def ask(self, number: int, count: int, ip: str = "10.0.0.1") -> int:
        """Return how many of so many requests one process lets on."""
        now_s = self.clock.monotonic()
        taken = (self.rates[number].take(None, ip, RouteClass.READ, now_s) for _ in range(count))
        return sum(not verdict.wait_s for verdict in taken)

    async def hear(self) -> None:
        """Let every process tell, then hear what the others told."""
        for sharing in self.sharing:
            await sharing.turn()


async def test_that_what_one_gives_out_another_has_no_more(pools: Pools) -> None:
    desks = Desks(pools, 2)
    assert desks.ask(0, 15) == 15
    assert desks.ask(1, 1) == 1
    await desks.hear()
    assert desks.ask(1, 100) == CAPACITY - 16
    assert desks.ask(1, 100, ip="10.0.0.2") == CAPACITY


async def test_that_the_overshoot_is_bounded_and_paid_back(pools: Pools) -> None:
    count, seconds = 3, 120
    desks = Desks(pools, count)
    let_on = 0
    for _ in range(round(seconds / TURN_S)):
        let_on += sum(desks.ask(number, 50) for number in range(count))
        await desks.hear()
        await desks.clock.advance(TURN_S)
    fair = CAPACITY + PER_S * seconds
    assert let_on <= fair + (count - 1) * (CAPACITY + PER_S * TURN_S)
    assert let_on >= PER_S * seconds - CAPACITY, "and nobody starves"


async def test_that_a_turn_tells_a_slice_and_the_next_the_rest(pools: Pools) -> None:
    desks = Desks(pools, 2)
    for number in range(SLICE + 100):
        desks.ask(0, 1, ip=f"10.1.{number // 250}.{number % 250}")
    told = desks.rates[0].untold
    assert told is not None
    await desks.sharing[0].turn()
    assert len(told) == 100
    await desks.sharing[0].turn()
    assert len(told) == 0
    async with pools.read.connection() as c:
        assert await c.fetchval("select count(*) from rate_spending") == SLICE + 100


async def test_that_requests_during_a_turn_are_told_by_the_next(pools: Pools) -> None:
    desks = Desks(pools, 2)
    desks.ask(0, 5)
    telling = asyncio.ensure_future(desks.sharing[0].turn())
    await asyncio.sleep(0)  # the database is being asked
    desks.ask(0, 5)
    await telling
    desks.ask(1, 1)
    await desks.sharing[1].turn()
    assert desks.rates[1].take(None, "10.0.0.1", RouteClass.READ, 0.0).wait_s == 0
    await desks.hear()
    assert desks.ask(1, 100) == CAPACITY - 12
