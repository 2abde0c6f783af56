"""How a fresh localnet opens: mints, two funded wallets, pools at given prices, a lookup table.

A localnet that was founded by an older desk stays as it was: what has been listed since then has no
mint and no pools there, and whoever trades on it asks the chain which of `pools` stand.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from quantdesk.chains.port import AccountState, Wallet
from quantdesk.core.assets import ASSETS
from quantdesk.core.markets import MARKETS, Market
from quantdesk.core.money import to_raw
from quantdesk.localnet import (
    amm_pools,
    clmm_pools,
    damm_pools,
    meteora_pools,
    raydium_pools,
)
from quantdesk.localnet.accounts import SYSTEM_PROGRAM, GenesisAccount, mint, token_account
from quantdesk.localnet.genesis import Genesis
from quantdesk.localnet.lookup_table import lookup_table, table_address
from quantdesk.venues.following import Followed
from quantdesk.venues.meteora.damm_v2.pool import FollowedDammV2
from quantdesk.venues.meteora.dlmm.pool import DlmmFollowed
from quantdesk.venues.port import Pool, Swap
from quantdesk.venues.raydium.amm_v4.pool import AmmV4Followed
from quantdesk.venues.raydium.clmm.pool import ClmmFollowed
from quantdesk.venues.raydium.cpmm.pool import CpmmFollowed

_CONCENTRATION: Final = 10
_RANGED: Final = 3
_OLDEST: Final = 2
_EVERYTHING: Final = (1 << 64) - 1  # an amount whose swap may touch every tick and bin array
_AFTER_OPENING_MS: Final = 1_000  # pools are open from second 0 on, one kind only after it

TRADER: Final = {
    "SOL": 10_000,
    "USDC": 5_000_000,
    "USDT": 5_000_000,
    "BTC": 50,
    "ETH": 1_000,
    "PYUSD": 1_000_000,
}
"""What a fresh wallet holds, in whole units."""

MAKER: Final = {
    "SOL": 2_000_000,
    "USDC": 1_000_000_000,
    "USDT": 1_000_000_000,
    "BTC": 20_000,
    "ETH": 300_000,
    "PYUSD": 1_000_000_000,
}
"""What the market maker trades with; it keeps order and may lose."""


def opening(
    *, trader: Wallet, maker: Wallet, usd: Mapping[str, Decimal], depth_usd: Decimal
) -> Genesis:
    """Return the first state of a localnet whose pools stand at `usd` dollars per unit.

    `depth_usd` is the liquidity of each constant-product pool on each side, those of Raydium's
    oldest kind hold twice that; the concentrated ones hold a tenth of it within 2 % of the price,
    or a third of it over a wide range.
    """
    accounts = [mint(asset, authority=maker.address) for asset in ASSETS.values()]
    accounts += _funded(trader, TRADER) + _funded(maker, MAKER)
    for market in MARKETS.values():
        price = usd[market.base.symbol] / usd[market.quote.symbol]
        accounts += raydium_pools.accounts(market, price=price, depth_usd=depth_usd, usd=usd)
        accounts += amm_pools.accounts(market, price=price, depth_usd=depth_usd * _OLDEST, usd=usd)
        accounts += meteora_pools.accounts(
            market, price=price, depth_usd=depth_usd / _CONCENTRATION, usd=usd
        )
        accounts += clmm_pools.accounts(
            market, price=price, depth_usd=depth_usd / _CONCENTRATION, usd=usd
        )
        accounts += damm_pools.accounts(market, price=price, depth_usd=depth_usd / _RANGED, usd=usd)
    # Pools of one program share accounts, such as Raydium's fee config.
    unique = {account.address: account for account in accounts}
    table = lookup_table(table_address(maker.address), _used_by_swaps(unique))
    kinds = (raydium_pools, amm_pools, clmm_pools, meteora_pools, damm_pools)
    programs = dict(pools.program() for pools in kinds)
    return Genesis((*unique.values(), table), programs)


def pools(market: Market) -> dict[str, list[Followed]]:
    """Return every pool of a market that a localnet opens with, by venue."""
    raydium: list[Followed] = [
        CpmmFollowed(raydium_pools.address(market)),
        ClmmFollowed(clmm_pools.address(market)),
    ]
    if amm_pools.has_pool(market):
        raydium.append(AmmV4Followed(amm_pools.address(market)))
    return {
        "raydium": raydium,
        "meteora": [
            DlmmFollowed(meteora_pools.address(market)),
            FollowedDammV2(damm_pools.address(market)),
        ],
    }


def _used_by_swaps(accounts: Mapping[str, GenesisAccount]) -> list[str]:
    """Return the accounts that swaps name, so that a split over many pools fits a transaction."""
    used: dict[str, None] = {}
    for followed in (pool for market in MARKETS.values() for pool in _of(market)):
        snapshot = _opened(followed, accounts)
        for paid in snapshot.about.mints:
            swap = Swap(
                paid=paid,
                exact_in=True,
                amount=_EVERYTHING,
                limit=0,
                owner=SYSTEM_PROGRAM,
                paid_from=SYSTEM_PROGRAM,
                received_in=SYSTEM_PROGRAM,
            )
            call = snapshot.instruction(swap)
            used |= dict.fromkeys(meta.address for meta in call.accounts)
            used.pop(call.program, None)  # the program of a call is never looked up
    used.pop(SYSTEM_PROGRAM)
    return list(used)


def _of(market: Market) -> Iterator[Followed]:
    for venue in pools(market).values():
        yield from venue


def _opened(followed: Followed, accounts: Mapping[str, GenesisAccount]) -> Pool:
    given: set[str] = set()
    while left := [a for a in followed.accounts() if a in accounts and a not in given]:
        for address in left:
            account = accounts[address]
            followed.update(AccountState(address, account.data, account.owner, slot=0), seen_ms=0)
            given.add(address)
    return followed.snapshot(now_ms=_AFTER_OPENING_MS)


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
