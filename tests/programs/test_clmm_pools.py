"""On every market of the localnet a quote is what the swap does: venue, genesis, program agree."""

from decimal import Decimal
from typing import Final

import pytest
from tests.programs.opened import USD, Opened

from quantdesk.core.markets import MARKETS, Market
from quantdesk.localnet import clmm_pools
from quantdesk.venues.raydium.clmm import layout, swap
from quantdesk.venues.raydium.clmm.pool import ClmmFollowed, ClmmPool

_DEPTH: Final = Decimal(500_000)


def _net(market: Market) -> Opened[ClmmPool]:
    return Opened(clmm_pools, ClmmFollowed, market, _DEPTH)


@pytest.fixture(params=MARKETS.values(), ids=lambda market: market.pair)
def net(request: pytest.FixtureRequest) -> Opened[ClmmPool]:
    return _net(request.param)


def test_that_what_is_quoted_is_what_happens(net: Opened[ClmmPool]) -> None:
    one = 10**net.market.base.decimals
    base, quote = net.market.base.mint, net.market.quote.mint
    size = int(40_000 / USD[net.market.base.symbol] * one)
    for amount in (size // 1000, size, 5 * size + 1, 12 * size):
        for paid, exact_in in ((base, True), (quote, False), (quote, True), (base, False)):
            seen = net.seen()
            spot = net.price_now().scaleb(net.market.quote.decimals - net.market.base.decimals)
            raw = amount if (paid == base) == exact_in else int(amount * spot)
            fill = (seen.exact_in if exact_in else seen.exact_out)(paid, raw)
            assert net.take(paid, fill, exact_in=exact_in) == (fill.paid, fill.received)


def test_that_a_pool_opens_at_the_price_asked(net: Opened[ClmmPool]) -> None:
    assert abs(net.price_now() / net.price - 1) < Decimal("1e-9")


def test_that_the_depth_asked_lies_within_two_percent(net: Opened[ClmmPool]) -> None:
    market = net.market
    for side, mint_ in enumerate((market.base.mint, market.quote.mint)):
        worth = int((_DEPTH / USD[(market.base, market.quote)[side].symbol]).scaleb(
            (market.base, market.quote)[side].decimals))  # fmt: skip
        net = _net(market)
        # Taking the depth out of the pool moves its price by 2 %, up or down.
        other = market.quote.mint if side == 0 else market.base.mint
        fill = net.seen().exact_out(other, worth)
        net.take(other, fill, exact_in=False)
        moved = net.price_now() / net.price
        wanted = Decimal("1.02") if mint_ == market.base.mint else 1 / Decimal("1.02")
        assert abs(moved / wanted - 1) < Decimal("0.002")


def test_that_fees_are_those_of_its_market(net: Opened[ClmmPool]) -> None:
    market, amount = net.market, 10**8
    fill = net.seen().exact_in(market.quote.mint, amount)
    bps = 1 if market.pair in {"USDT-USDC", "PYUSD-USDC"} else 5
    assert fill.fee == amount * bps // 10_000
    assert fill.fee_on_input


def test_that_a_trade_of_some_size_crosses_ticks(net: Opened[ClmmPool]) -> None:
    seen = net.seen()
    for paid in (net.market.base.mint, net.market.quote.mint):
        down = paid == seen.about.mints[0]
        ticks = seen.market.below if down else seen.market.above
        amount = int(sum(piece.most for piece in seen.curve(paid)[:2]) * 1.01)
        last = swap.exact_in(seen.market, amount, down=down).last
        assert ticks[2].number == last


def test_that_a_pool_can_be_driven_to_the_ends_of_its_range(net: Opened[ClmmPool]) -> None:
    reach = clmm_pools.design(net.market).ranges[-1][0]
    start = net.seen().market.tick
    for paid in net.seen().about.mints:
        net = _net(net.market)
        seen = net.seen()
        most = int(sum(piece.most for piece in seen.curve(paid)) * (1 - 1e-6))
        net.take(paid, seen.exact_in(paid, most), exact_in=True)
        way = -reach if paid == seen.about.mints[0] else reach
        assert abs(net.seen().market.tick - start - way) <= net.seen().market.tick_spacing


@pytest.mark.parametrize("sells_sol", [True, False])
def test_that_wrapped_sol_in_a_vault_is_backed_by_lamports(*, sells_sol: bool) -> None:
    net = _net(MARKETS["SOL-USDC"])
    vault = net.seen().pool.vaults[0]
    assert all(net.backs_its_sol(vault, sells=sells_sol) for _ in range(2))


def test_that_every_market_has_a_pool_of_its_own() -> None:
    addresses = {clmm_pools.address(market) for market in MARKETS.values()}
    assert len(addresses) == len(MARKETS)
    assert clmm_pools.program()[0] == layout.PROGRAM
    # The configs are mainnet's: these are the addresses of the real ones.
    configs = {clmm_pools.config_address(market) for market in MARKETS.values()}
    assert configs == {
        "9iFER3bpjf1PTTCQCfTRu17EJgvsxo9pVyA9QWwEuX4x",
        "HfERMT5DRA6C1TAqecrJQFpmkf3wsWTMncqnj3RDg5aw",
    }
