"""Meteora as the localnet opens it: the DLMM pair of SOL-USDC, followed and read."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from tests.unit.venues import ground

from quantdesk.chains.port import AccountState
from quantdesk.core.markets import MARKETS, Market
from quantdesk.localnet import meteora_pools
from quantdesk.localnet.accounts import mint
from quantdesk.venues.following import Pools
from quantdesk.venues.meteora.dlmm import layout
from quantdesk.venues.meteora.dlmm.pool import DlmmFollowed, DlmmPool

SOL: Final = MARKETS["SOL-USDC"]
PRICE: Final = 200
"""Quote per base: bins -1,610 and on, of 10 bps."""
STATUS, PAIR_TYPE, ACTIVE_ID, ACTIVATION_POINT, TOKEN_FLAG = 82, 75, 76, 816, 880

_USD = {"SOL": Decimal(PRICE), "USDC": Decimal(1)}


def genesis(market: Market = SOL) -> dict[str, AccountState]:
    """Return the accounts of a market's pair, and the mints it asks for."""
    price = _USD[market.base.symbol] / _USD[market.quote.symbol]
    made = meteora_pools.accounts(market, price=price, depth_usd=Decimal(1_000_000), usd=_USD)
    minted = [mint(asset, authority=ground.OTHER) for asset in (market.base, market.quote)]
    return ground.seen([*made, *minted])


ACCOUNTS: Final = genesis()
PAIR: Final = meteora_pools.address(SOL)


def array(index: int) -> str:
    """Return the address of a bin array of the pair."""
    return layout.bin_array_address(PAIR, index)


def spoiled(offset: int, form: str, *values: int) -> dict[str, AccountState]:
    """Return the accounts with other numbers in the pair."""
    return ACCOUNTS | {PAIR: ground.changed(ACCOUNTS[PAIR], offset, form, *values)}


def venue(*addresses: str) -> Pools:
    """Return a venue that has read nothing yet."""
    return Pools("meteora", [DlmmFollowed(address) for address in addresses])


def ready(accounts: Mapping[str, AccountState] = ACCOUNTS, pair: str = PAIR) -> Pools:
    """Return a venue that has read a pair."""
    made = venue(pair)
    ground.feed(made, accounts)
    return made


def pool(made: Pools, *, now_ms: int = ground.NOW_MS) -> DlmmPool:
    """Return the venue's one pool of SOL-USDC."""
    found = ground.one(made, SOL, now_ms=now_ms)
    assert isinstance(found, DlmmPool)
    return found
