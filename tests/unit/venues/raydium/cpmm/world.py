"""Raydium as the localnet opens it: one CPMM pool per market, followed and read."""

from decimal import Decimal
from typing import Final

from tests.unit.venues import ground

from quantdesk.chains.port import AccountState
from quantdesk.core.markets import MARKETS, Market
from quantdesk.localnet import raydium_pools
from quantdesk.localnet.accounts import mint
from quantdesk.venues.following import Pools
from quantdesk.venues.raydium.cpmm import layout
from quantdesk.venues.raydium.cpmm.pool import CpmmFollowed

SOL: Final = MARKETS["SOL-USDC"]
BTC: Final = MARKETS["BTC-USDC"]
POOL: Final = raydium_pools.address(BTC)
EACH_MARKET: Final = tuple(MARKETS.values())
DEPTH_USD: Final = Decimal(3_000_000)


def genesis(market: Market = BTC) -> dict[str, AccountState]:
    """Return the accounts of a market's pool, and the mints it may ask for."""
    made = raydium_pools.accounts(
        market, price=ground.price(market), depth_usd=DEPTH_USD, usd=ground.USD
    )
    minted = [mint(asset, authority=layout.AUTHORITY) for asset in (market.base, market.quote)]
    return ground.seen([*made, *minted])


def layout_of(market: Market = BTC) -> layout.Pool:
    """Return what a market's pool says of itself."""
    return layout.pool(genesis(market)[raydium_pools.address(market)].data)


def vaults(market: Market = BTC) -> tuple[str, str]:
    """Return the vaults of base and quote."""
    pool = layout_of(market)
    base = pool.mints.index(market.base.mint)
    return pool.vaults[base], pool.vaults[1 - base]


def venue(*addresses: str) -> Pools:
    """Return a venue that has read nothing yet."""
    return Pools("raydium", [CpmmFollowed(address) for address in addresses])


def ready(*markets: Market) -> Pools:
    """Return a venue that has read these markets' pools."""
    made = venue(*(raydium_pools.address(market) for market in markets))
    accounts: dict[str, AccountState] = {}
    for market in markets:
        accounts |= genesis(market)
    ground.feed(made, accounts)
    return made
