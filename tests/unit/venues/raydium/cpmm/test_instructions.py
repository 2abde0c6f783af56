"""A CPMM swap names every account in the program's order, and bounds the trade."""

import struct

import pytest
from tests.unit.venues import ground
from tests.unit.venues.raydium.cpmm import world

from quantdesk.chains.port import AccountMeta
from quantdesk.core.markets import Market
from quantdesk.localnet import raydium_pools
from quantdesk.venues.port import Swap
from quantdesk.venues.raydium.cpmm import layout


@pytest.mark.parametrize("market", world.EACH_MARKET, ids=lambda market: market.pair)
@pytest.mark.parametrize("sells", [True, False])
@pytest.mark.parametrize(
    ("exact_in", "head", "amounts"),
    [(True, "8fbe5adac41e33de", (10**6, 77)), (False, "37d96256a34ab4ad", (77, 10**6))],
)
def test_that_a_swap_names_its_accounts_and_bounds(
    market: Market, *, sells: bool, exact_in: bool, head: str, amounts: tuple[int, int]
) -> None:
    pool, both = world.layout_of(market), (market.base, market.quote)
    paid, received = (asset.mint for asset in (both if sells else both[::-1]))
    programs = [asset.token_program for asset in (both if sells else both[::-1])]
    into, out = world.vaults(market) if sells else world.vaults(market)[::-1]

    call = ground.one(world.ready(market), market).instruction(
        Swap(
            paid=paid,
            exact_in=exact_in,
            amount=10**6,
            limit=77,
            owner="O",
            paid_from="P",
            received_in="R",
        )
    )

    assert call.data == bytes.fromhex(head) + struct.pack("<QQ", *amounts)
    assert call.program == layout.PROGRAM
    assert [meta.address for meta in call.accounts] == [
        *("O", layout.AUTHORITY, pool.config, raydium_pools.address(market), "P", "R"),
        *(into, out, *programs, paid, received, pool.observation),
    ]
    assert call.accounts[0] == AccountMeta("O", is_signer=True, is_writable=False)
    assert not any(meta.is_signer for meta in call.accounts[1:])
    writable = [number for number, meta in enumerate(call.accounts) if meta.is_writable]
    assert writable == [3, 4, 5, 6, 7, 12]
