"""Promise: a limit order says whether the price is in its way, or its own size."""

from decimal import Decimal
from pathlib import Path

import pytest
from tests.flow.orders.moving import SOL, Rival, opened

from quantdesk.core.markets import Side
from quantdesk.localnet import raydium_pools
from quantdesk.store.pool import Pools as Databases
from quantdesk.venues.raydium.cpmm.pool import CpmmFollowed

pytestmark = pytest.mark.anyio


async def _nothing(_rival: Rival, _side: Side) -> None:
    """Let nobody come before."""


async def test_that_an_order_larger_than_the_pool_waits_for_liquidity_and_not_for_its_price(
    pools: Databases, tmp_path: Path
) -> None:
    whole = 10**9
    followed = CpmmFollowed(raydium_pools.address(SOL))
    async with opened(tmp_path, pools, followed, meanwhile=_nothing) as world:
        pool = world.rival.pool()
        spot = pool.about.spot.scaleb(3)  # of nine decimals in six
        near = {Side.SELL: spot * Decimal("0.99"), Side.BUY: spot * Decimal("1.01")}
        far = {Side.SELL: spot * Decimal("1.05"), Side.BUY: spot * Decimal("0.95")}
        for side in Side:
            # Constant products sell as much as is asked, at prices nobody asked for.
            assert await world.waits_for(side, 9_000 * whole, near[side]) == "liquidity"
            assert await world.waits_for(side, 9_000 * whole, far[side]) == "price"
            assert await world.waits_for(side, whole, far[side]) == "price"
            assert await world.waits_for(side, whole, near[side]) is None
