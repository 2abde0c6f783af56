"""Where venues are tried: the localnet's first accounts, handed over as the desk's feed does."""

import struct
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from quantdesk.chains.port import AccountState
from quantdesk.core.markets import Market
from quantdesk.localnet.accounts import GenesisAccount, mint
from quantdesk.venues.port import Pool, Venue

Accounts = Mapping[str, AccountState]

NOW_MS: Final = 1_800_000_000_000
SLOT: Final = 10
OTHER: Final = "9" * 43
"""An address of nothing in particular."""
USD: Final = {
    symbol: Decimal(price)
    for symbol, price in {
        "SOL": 150,
        "USDC": 1,
        "USDT": 1,
        "BTC": 60_000,
        "ETH": 3_000,
        "PYUSD": 1,
    }.items()
}


def price(market: Market) -> Decimal:
    """Return quote per base."""
    return USD[market.base.symbol] / USD[market.quote.symbol]


def mints(market: Market) -> frozenset[str]:
    """Return the tokens of a market, as venues are asked for them."""
    return frozenset((market.base.mint, market.quote.mint))


def seen(accounts: Iterable[GenesisAccount]) -> dict[str, AccountState]:
    """Return what the desk sees of these accounts."""
    return {
        account.address: AccountState(account.address, account.data, account.owner, SLOT)
        for account in accounts
    }


def minted(market: Market) -> dict[str, AccountState]:
    """Return the mints of a market."""
    return seen(mint(asset, authority=OTHER) for asset in (market.base, market.quote))


def changed(state: AccountState, offset: int, form: str, *values: int) -> AccountState:
    """Return the account with other numbers at an offset."""
    data = bytearray(state.data)
    struct.pack_into(form, data, offset, *values)
    return replace(state, data=bytes(data))


def missing(address: str) -> AccountState:
    """Return what the desk sees where there is no account."""
    return AccountState(address, b"", "", SLOT)


def feed(venue: Venue, accounts: Accounts, *, slot: int = SLOT) -> None:
    """Hand the venue what it asks for until it asks for nothing new."""
    given: set[str] = set()
    while wanted := [address for address in venue.accounts() if address not in given]:
        for address in wanted:
            state = accounts.get(address, missing(address))
            venue.update(replace(state, slot=slot), seen_ms=slot * 400)
            given.add(address)


def one(venue: Venue, market: Market, *, now_ms: int = NOW_MS) -> Pool:
    """Return the one pool that trades a market now."""
    (pool,) = venue.pools(mints(market), now_ms=now_ms)
    return pool
