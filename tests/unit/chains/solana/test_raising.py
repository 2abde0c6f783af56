"""What no block took is offered more for next time, for a while and within the bounds."""

import pytest
from tests.unit.chains.solana.scripted import ScriptedNode

from quantdesk.chains.port import Priority
from quantdesk.chains.solana.fees import Bid
from quantdesk.chains.solana.recent import UnitPrices
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio

BIDS = {Priority.NORMAL: Bid(percentile=75, price_min=0, price_max=100_000)}


@pytest.fixture
def prices(node: ScriptedNode, rpc: Rpc, clock: ManualClock) -> UnitPrices:
    node.says["getRecentPrioritizationFees"] = lambda _: [{"slot": 1, "prioritizationFee": 0}]
    return UnitPrices(rpc=rpc, clock=clock, bids=BIDS)


async def _offered(prices: UnitPrices) -> int:
    return (await prices.get(("A",)))[Priority.NORMAL]


async def test_that_more_is_offered_each_time_up_to_the_most(
    prices: UnitPrices, clock: ManualClock
) -> None:
    offered = [await _offered(prices)]
    for _ in range(4):
        prices.missed()
        prices.missed()  # it died together with the one before
        offered.append(await _offered(prices))
        assert prices.last == {Priority.NORMAL: offered[-1]}
        await clock.advance(30)

    assert offered == [0, 10_000, 40_000, 100_000, 100_000]


async def test_that_it_is_over_after_some_minutes(prices: UnitPrices, clock: ManualClock) -> None:
    prices.missed()
    await clock.advance(299)
    assert await _offered(prices) == 10_000
    await clock.advance(1)
    assert await _offered(prices) == 0

    prices.missed()
    assert await _offered(prices) == 10_000, "it begins anew"


async def test_that_what_others_pay_counts_where_it_is_more(
    node: ScriptedNode, prices: UnitPrices
) -> None:
    node.says["getRecentPrioritizationFees"] = lambda _: [{"slot": 1, "prioritizationFee": 70_000}]

    prices.missed()

    assert await _offered(prices) == 70_000
