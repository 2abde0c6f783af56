"""How a fresh localnet opens: mints, two funded wallets, and both venues' pools at given prices."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from quantdesk.chains.port import Wallet
from quantdesk.core.assets import ASSETS
from quantdesk.core.markets import MARKETS
from quantdesk.core.money import to_raw
from quantdesk.localnet import meteora_pools, raydium_pools
from quantdesk.localnet.accounts import SYSTEM_PROGRAM, GenesisAccount, mint, token_account
from quantdesk.localnet.genesis import Genesis

_CONCENTRATION: Final = 10

TRADER: Final = {"SOL": 10_000, "USDC": 5_000_000, "USDT": 5_000_000, "BTC": 50, "ETH": 1_000}
"""What a fresh wallet holds, in whole units."""

MAKER: Final = {
    "SOL": 2_000_000,
    "USDC": 1_000_000_000,
    "USDT": 1_000_000_000,
    "BTC": 20_000,
    "ETH": 300_000,
}
"""What the market maker trades with; it keeps order and may lose."""


def opening(
    *, trader: Wallet, maker: Wallet, usd: Mapping[str, Decimal], depth_usd: Decimal
) -> Genesis:
    """Return the first state of a localnet whose pools stand at `usd` dollars per unit.

    `depth_usd` is the liquidity of each constant-product pool on each side; the concentrated ones
    hold a tenth of it within 2 % of the price.
    """
    accounts = [mint(asset, authority=maker.address) for asset in ASSETS.values()]
    accounts += _funded(trader, TRADER) + _funded(maker, MAKER)
    for market in MARKETS.values():
        price = usd[market.base.symbol] / usd[market.quote.symbol]
        accounts += raydium_pools.accounts(market, price=price, depth_usd=depth_usd, usd=usd)
        accounts += meteora_pools.accounts(
            market, price=price, depth_usd=depth_usd / _CONCENTRATION, usd=usd
        )
    # Pools of one program share accounts, such as Raydium's fee config.
    unique = {account.address: account for account in accounts}
    programs = dict(pools.program() for pools in (raydium_pools, meteora_pools))
    return Genesis(tuple(unique.values()), programs)


def _funded(wallet: Wallet, holdings: Mapping[str, int]) -> list[GenesisAccount]:
    raw = {
        symbol: to_raw(Decimal(amount), ASSETS[symbol].decimals)
        for symbol, amount in holdings.items()
    }
    tokens = [
        token_account(
            wallet.token_accounts[symbol], asset=ASSETS[symbol], owner=wallet.address, amount=amount
        )
        for symbol, amount in raw.items()
        if symbol != "SOL"
    ]
    return [GenesisAccount(wallet.address, SYSTEM_PROGRAM, b"", raw["SOL"]), *tokens]
