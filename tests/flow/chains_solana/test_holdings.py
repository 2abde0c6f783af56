"""What a wallet holds is read of a real node, whoever's wallet it is."""

import pytest
from solders.keypair import Keypair
from tests.flow.chains_solana.desk import Desk

from quantdesk.chains.solana.holdings import holdings
from quantdesk.core.assets import ASSETS

pytestmark = pytest.mark.anyio

ALL = tuple(ASSETS.values())


async def test_holds_what_the_chain_says(desk: Desk) -> None:
    await desk.slots(2)
    held = await holdings(desk.rpc, desk.wallet.address, ALL)

    assert held == await desk.chain.balances(ALL)
    assert held["SOL"] > 0
    assert held["USDC"] > 0
    assert set(held) == set(ASSETS)


async def test_a_wallet_that_never_was_holds_nothing(desk: Desk) -> None:
    stranger = str(Keypair.from_seed(bytes([9]) * 32).pubkey())

    assert await holdings(desk.rpc, stranger, ALL) == dict.fromkeys(ASSETS, 0)


async def test_only_the_assets_that_are_asked_for(desk: Desk) -> None:
    assert set(await holdings(desk.rpc, desk.wallet.address, [ASSETS["USDC"]])) == {"USDC"}
