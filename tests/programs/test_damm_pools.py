"""On every market of the localnet a quote is what the swap does: venue, genesis, program agree."""

from decimal import Decimal
from typing import Final

import pytest
from tests.programs.opened import USD, Opened

from quantdesk.core.errors import Refused
from quantdesk.core.markets import MARKETS, Market
from quantdesk.localnet import damm_pools
from quantdesk.venues.meteora.damm_v2 import layout
from quantdesk.venues.meteora.damm_v2.pool import DammV2Pool, FollowedDammV2

_DEPTH: Final = Decimal(5_000_000)


def _net(market: Market) -> Opened[DammV2Pool]:
    return Opened(damm_pools, FollowedDammV2, market, _DEPTH)


@pytest.fixture(params=MARKETS.values(), ids=lambda market: market.pair)
def net(request: pytest.FixtureRequest) -> Opened[DammV2Pool]:
    return _net(request.param)


def test_that_what_is_quoted_is_what_happens(net: Opened[DammV2Pool]) -> None:
    one = 10**net.market.base.decimals
    base, quote = net.market.base.mint, net.market.quote.mint
    size = int(40_000 / USD[net.market.base.symbol] * one)
    for amount in (size // 1000, size, 5 * size + 1):
        for paid, exact_in in ((base, True), (quote, False), (quote, True), (base, False)):
            seen = net.seen()
            raw = amount if (paid == base) == exact_in else int(amount * seen.about.spot)
            fill = (seen.exact_in if exact_in else seen.exact_out)(paid, raw)
            assert net.take(paid, fill, exact_in=exact_in) == (fill.paid, fill.received)


def test_that_a_pool_opens_at_the_price_and_depth_asked(net: Opened[DammV2Pool]) -> None:
    seen, market = net.seen(), net.market
    asked = net.price.scaleb(market.quote.decimals - market.base.decimals)
    assert abs(seen.about.spot / asked - 1) < Decimal("1e-9")
    assert seen.pool.reserves == seen.vaults
    for asset, amount in zip((market.base, market.quote), seen.vaults, strict=True):
        worth = Decimal(amount).scaleb(-asset.decimals) * USD[asset.symbol]
        assert abs(worth - _DEPTH) < 1


def test_that_fees_are_those_of_its_market(net: Opened[DammV2Pool]) -> None:
    market, amount = net.market, 10**12
    fill = net.seen().exact_in(market.quote.mint, amount)
    bps = 1 if market.pair in {"USDT-USDC", "PYUSD-USDC"} else 25
    assert fill.fee == amount * bps // 10_000
    assert fill.fee_on_input


def test_that_a_pool_can_be_driven_to_the_ends_of_its_range(net: Opened[DammV2Pool]) -> None:
    base, quote = net.market.base.mint, net.market.quote.mint
    start = net.seen().about.spot
    reach = damm_pools.design(net.market).reach
    for paid, target in ((base, start / reach), (quote, start * reach)):
        amount = 10**18
        while amount:
            seen = net.seen()
            try:
                fill = seen.exact_in(paid, amount)
            except Refused:
                amount //= 2
                continue
            net.take(paid, fill, exact_in=True)
        assert abs(net.seen().about.spot / target - 1) < Decimal("0.0001")


@pytest.mark.parametrize("sells_sol", [True, False])
def test_that_wrapped_sol_in_a_vault_is_backed_by_lamports(*, sells_sol: bool) -> None:
    net = _net(MARKETS["SOL-USDC"])
    vault = net.seen().pool.vaults[0]
    assert all(net.backs_its_sol(vault, sells=sells_sol) for _ in range(2))


def test_that_every_market_has_a_pool_of_its_own() -> None:
    addresses = {damm_pools.address(market) for market in MARKETS.values()}
    assert len(addresses) == len(MARKETS)
    assert damm_pools.program()[0] == layout.PROGRAM
