"""On every market of the localnet a quote is what the swap does: venue, genesis, program agree."""

import struct
from decimal import Decimal
from typing import Final

import pytest
from solders.pubkey import Pubkey
from tests.programs.opened import USD, Opened

from quantdesk.app.kinds import KINDS, searches
from quantdesk.chains.port import Wallet
from quantdesk.core.assets import ASSETS, TOKEN_2022
from quantdesk.core.markets import MARKETS, Market
from quantdesk.localnet import amm_pools
from quantdesk.localnet.opening import opening, pools
from quantdesk.venues.raydium.amm_v4 import layout
from quantdesk.venues.raydium.amm_v4.pool import AmmV4Followed, AmmV4Pool

_DEPTH: Final = Decimal(1_500_000)
_HELD: Final = {pair: market for pair, market in MARKETS.items() if amm_pools.has_pool(market)}


def _net(market: Market) -> Opened[AmmV4Pool]:
    return Opened(amm_pools, AmmV4Followed, market, _DEPTH)


@pytest.fixture(params=list(_HELD.values()), ids=list(_HELD))
def net(request: pytest.FixtureRequest) -> Opened[AmmV4Pool]:
    return _net(request.param)


@pytest.mark.parametrize("exact_in", [True, False])
@pytest.mark.parametrize("sells_base", [True, False])
def test_that_a_swap_does_what_was_quoted(
    net: Opened[AmmV4Pool], *, sells_base: bool, exact_in: bool
) -> None:
    base, quote = net.market.base.mint, net.market.quote.mint
    paid, received = (base, quote) if sells_base else (quote, base)
    for part in (1_000_000, 1_000, 10):
        pool = net.seen()
        asked = paid if exact_in else received
        amount = pool.reserves[pool.account.mints.index(asked)] // part
        fill = pool.exact_in(paid, amount) if exact_in else pool.exact_out(paid, amount)
        assert net.take(paid, fill, exact_in=exact_in) == (fill.paid, fill.received)


def test_that_a_pool_opens_at_the_price_and_depth_asked(net: Opened[AmmV4Pool]) -> None:
    seen, market = net.seen(), net.market
    asked = net.price.scaleb(market.quote.decimals - market.base.decimals)
    assert abs(seen.about.spot / asked - 1) < Decimal("1e-7")
    for asset, amount in zip((market.base, market.quote), seen.reserves, strict=True):
        worth = Decimal(amount).scaleb(-asset.decimals) * USD[asset.symbol]
        assert abs(worth - _DEPTH) < 1


def test_that_a_quarter_percent_of_what_is_paid_stays_in_the_pool(net: Opened[AmmV4Pool]) -> None:
    amount = 10**9
    for asset in (net.market.base, net.market.quote):
        fill = net.seen().exact_in(asset.mint, amount)
        assert (fill.fee, fill.fee_on_input) == (amount * 25 // 10_000, True)


@pytest.mark.parametrize("sells_sol", [True, False])
def test_that_wrapped_sol_in_a_vault_is_backed_by_lamports(*, sells_sol: bool) -> None:
    net = _net(MARKETS["SOL-USDC"])
    vault = net.seen().account.vaults[0]
    assert all(net.backs_its_sol(vault, sells=sells_sol) for _ in range(2))


def test_that_the_account_is_as_the_program_makes_one(net: Opened[AmmV4Pool]) -> None:
    """Numbers of AmmInfo.initialize and Fees.initialize, order book settings included."""
    market = net.market
    [made, *_] = amm_pools.accounts(market, price=net.price, depth_usd=_DEPTH, usd=USD)
    one = 10 ** max(market.base.decimals, market.quote.decimals)
    assert (made.address, made.owner, len(made.data)) == (
        *(amm_pools.address(market), layout.PROGRAM, layout.POOL_BYTES),
    )
    assert struct.unpack_from("<24Q", made.data) == (
        *(6, 254, 7, 3, market.base.decimals, market.quote.decimals, 1, 1),
        *(0, 500, one * 5 // 1000, 0, 0, 1, 10**9, one),
        *(5, 10_000, 25, 10_000, 12, 100, 25, 10_000),
    )
    assert made.data[192:336] == bytes(144)
    first, second = net.seen().reserves
    (liquidity,) = struct.unpack_from("<Q", made.data, 720)
    assert liquidity**2 <= first * second < (liquidity + 1) ** 2


def test_that_a_node_is_asked_for_it_by_its_mints(net: Opened[AmmV4Pool]) -> None:
    [made, *_] = amm_pools.accounts(net.market, price=net.price, depth_usd=_DEPTH, usd=USD)
    mints = [bytes(Pubkey.from_string(asset.mint)) for asset in (net.market.quote, net.market.base)]
    found = [
        search.kind.program
        for kind in KINDS
        for search in searches(kind, *mints)
        if search.kind.size == len(made.data)
        and all(made.data[at:].startswith(bytes_) for at, bytes_ in search.bytes_at)
    ]
    assert found == [layout.PROGRAM]


def test_that_every_market_the_program_can_hold_has_a_pool_of_its_own() -> None:
    addresses = {amm_pools.address(market) for market in _HELD.values()}
    assert len(addresses) == len(_HELD)
    assert amm_pools.program()[0] == layout.PROGRAM
    for market in MARKETS.values():
        newer = TOKEN_2022 in {market.base.token_program, market.quote.token_program}
        assert (market.pair in _HELD) is not newer
        made = amm_pools.accounts(market, price=Decimal(1), depth_usd=_DEPTH, usd=USD)
        assert bool(made) is not newer


def test_that_a_fresh_localnet_opens_with_them() -> None:
    wallet = Wallet(
        str(Pubkey(bytes([1]) * 32)),
        {symbol: str(Pubkey(bytes([2, n]) * 16)) for n, symbol in enumerate(ASSETS)},
    )
    genesis = opening(trader=wallet, maker=wallet, usd=USD, depth_usd=_DEPTH / 2)
    stands = {account.address: account for account in genesis.accounts}
    assert genesis.programs[layout.PROGRAM] == amm_pools.program()[1]
    for market in MARKETS.values():
        followed = [pool for pool in pools(market)["raydium"] if isinstance(pool, AmmV4Followed)]
        assert len(followed) == (market.pair in _HELD)
        for pool in followed:
            account = stands[pool.address]
            price = USD[market.base.symbol] / USD[market.quote.symbol]
            expected = amm_pools.accounts(market, price=price, depth_usd=_DEPTH, usd=USD)
            assert account == expected[0]
            assert all(stands[one.address] == one for one in expected)
    assert layout.PROGRAM in {kind.program for kind in KINDS}
