"""A node asked for the pools of two mints finds each kind, whichever mint the pool names first."""

from collections.abc import Callable
from decimal import Decimal
from typing import Protocol, cast

import pytest
from solders.pubkey import Pubkey

from quantdesk.app.kinds import KINDS, Search, searches
from quantdesk.chains.port import AccountState
from quantdesk.core.markets import MARKETS, Market
from quantdesk.localnet import amm_pools, clmm_pools, damm_pools, meteora_pools, raydium_pools
from quantdesk.localnet.accounts import GenesisAccount
from quantdesk.venues.meteora.damm_v2 import layout as damm_v2
from quantdesk.venues.meteora.dlmm import layout as dlmm
from quantdesk.venues.raydium.amm_v4 import layout as amm_v4
from quantdesk.venues.raydium.clmm import layout as clmm
from quantdesk.venues.raydium.cpmm import layout as cpmm
from quantdesk.venues.reading import address

SOL = MARKETS["SOL-USDC"]
MINTS = (SOL.base.mint, SOL.quote.mint)


class Genesis(Protocol):
    """A file that makes a market's pool."""

    def address(self, market: Market) -> str:
        """Return where the pool lies."""

    def accounts(
        self, market: Market, *, price: Decimal, depth_usd: Decimal, usd: dict[str, Decimal]
    ) -> list[GenesisAccount]:
        """Return its accounts."""


def opened(module: object) -> bytes:
    """Return the pool account that a localnet opens with."""
    genesis = cast("Genesis", module)
    usd = dict.fromkeys(("SOL", "USDC", "USDT", "BTC", "ETH"), Decimal(100))
    made = genesis.accounts(SOL, price=Decimal(100), depth_usd=Decimal(10**6), usd=usd)
    return next(account.data for account in made if account.address == genesis.address(SOL))


def keys(*mints: str) -> list[Pubkey]:
    return [Pubkey.from_string(mint) for mint in mints]


POOLS = {
    cpmm.PROGRAM: (opened(raydium_pools), MINTS),
    dlmm.PROGRAM: (opened(meteora_pools), MINTS),
    damm_v2.PROGRAM: (opened(damm_pools), MINTS),
    amm_v4.PROGRAM: (opened(amm_pools), MINTS),
    clmm.PROGRAM: (opened(clmm_pools), MINTS),
}

VAULTS: dict[str, Callable[[AccountState], tuple[str, str]]] = {
    "AMM v4": lambda state: amm_v4.amm(state).vaults,
    "CPMM": lambda state: cpmm.pool(state.data).vaults,
    "CLMM": lambda state: clmm.pool(state).vaults,
    "DLMM": lambda state: reserves(dlmm.decode_pair(state.data)),
    "DAMM v2": lambda state: damm_v2.decode_pool(state.data).vaults,
}


def reserves(pair: dlmm.Pair) -> tuple[str, str]:
    return pair.reserve_x, pair.reserve_y


def matches(search: Search, data: bytes) -> bool:
    """Answer as a node does."""
    return len(data) == search.kind.size and all(
        data[at : at + len(wanted)] == wanted for at, wanted in search.bytes_at
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.venue} {kind.size}")
@pytest.mark.parametrize("turned", [False, True])
def test_that_every_kind_is_found_by_its_mints(kind: object, *, turned: bool) -> None:
    assert isinstance(kind, type(KINDS[0]))
    data, mints = POOLS[kind.program]
    one, other = (bytes(key) for key in keys(*(mints[::-1] if turned else mints)))

    assert sum(matches(search, data) for search in searches(kind, one, other)) == 1


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.venue} {kind.size}")
def test_that_the_vaults_of_every_kind_are_where_they_are_looked_for(kind: object) -> None:
    assert isinstance(kind, type(KINDS[0]))
    data, mints = POOLS[kind.program]
    vaults = tuple(address(data, kind.vaults_at + 32 * side) for side in (0, 1))

    assert vaults == VAULTS[kind.name](AccountState("", data, kind.program, 1))
    assert not set(vaults) & set(mints)


def test_that_pools_of_other_mints_are_not_found() -> None:
    one, other = (bytes(key) for key in keys(MINTS[0], MARKETS["BTC-USDC"].base.mint))

    for data, _ in POOLS.values():
        assert not any(
            matches(search, data) for kind in KINDS for search in searches(kind, one, other)
        )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.venue} {kind.size}")
def test_that_what_is_found_can_be_followed(kind: object) -> None:
    assert isinstance(kind, type(KINDS[0]))
    data, mints = POOLS[kind.program]
    address = (
        clmm_pools.address(SOL)
        if kind.program == clmm.PROGRAM
        else str(Pubkey.from_bytes(bytes([9]) * 32))
    )
    followed = kind.follow(address)
    followed.update(AccountState(address, data, kind.program, 1), seen_ms=1)

    assert followed.mints == frozenset(mints)
    assert len(followed.accounts()) > 1
