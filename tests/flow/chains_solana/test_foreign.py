"""Promise: what another's transaction would move is known before anything is signed."""

import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from tests.flow.chains_solana import counter
from tests.flow.chains_solana.desk import Desk, trade

from quantdesk.chains.port import Trade
from quantdesk.chains.solana import builder
from quantdesk.chains.solana.answers import BlockhashAnswer
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import DeskError
from quantdesk.core.markets import Side

pytestmark = pytest.mark.anyio
SOL = ASSETS["SOL"].mint
FEE = 5_000


async def foreign(desk: Desk, wanted: Trade, quote_raw: int, *more: Instruction) -> bytes:
    """Return an unsigned transaction that does a trade, and more."""
    steps = builder.instructions(wanted, counter.swap(wanted, quote_raw, desk.wallet), desk.wallet)
    recent = await desk.rpc.ask("getLatestBlockhash", answer=BlockhashAnswer)
    made = builder.message(
        [*steps, *more], payer=desk.wallet.address,
        blockhash=Hash.from_string(recent.value.blockhash), compute_units=400_000, unit_price=0,
    )  # fmt: skip
    return bytes(builder.unsigned(made))


def tip(desk: Desk, lamports: int) -> Instruction:
    """Return a transfer to somebody."""
    return transfer(
        TransferParams(
            from_pubkey=Pubkey.from_string(desk.wallet.address),
            to_pubkey=Keypair().pubkey(),
            lamports=lamports,
        )
    )


@pytest.mark.parametrize("side", list(Side))
async def test_tells_what_it_would_move(desk: Desk, side: Side) -> None:
    limit = 310_000_000 if side is Side.BUY else 290_000_000
    wanted = trade(side, "SOL-USDC", 2_000_000_001, limit)
    seen, lost = await desk.chain.try_foreign(wanted, await foreign(desk, wanted, 300_000_007))

    assert (seen.base_raw, seen.quote_raw) == (2_000_000_001, 300_000_007)
    assert seen.compute_units > 0
    assert lost == {}


async def test_tells_what_else_it_would_take(desk: Desk) -> None:
    wanted = trade(Side.BUY, "BTC-USDC", 10_000_003, 9_000_000_000)
    raw = await foreign(desk, wanted, 9_000_000_000, tip(desk, 1_000_000_000))
    seen, lost = await desk.chain.try_foreign(wanted, raw)

    assert (seen.base_raw, seen.quote_raw) == (10_000_003, 9_000_000_000)
    assert lost == {SOL: 1_000_000_000 + FEE}


async def test_counts_sol_that_is_traded_as_traded(desk: Desk) -> None:
    wanted = trade(Side.SELL, "SOL-USDC", 1_000_000_000, 1)
    raw = await foreign(desk, wanted, 150_000_000, tip(desk, 1_000_000))
    seen, lost = await desk.chain.try_foreign(wanted, raw)

    assert (seen.base_raw, lost) == (1_001_000_000, {})


async def test_says_why_it_would_fail(desk: Desk) -> None:
    wanted = trade(Side.SELL, "SOL-USDC", 1_000_000_000, 1)
    raw = await foreign(desk, wanted, 150_000_000, tip(desk, 10**18))

    with pytest.raises(DeskError) as problem:
        await desk.chain.try_foreign(wanted, raw)
    assert problem.value.code in {"funds.insufficient", "simulation.failed"}


async def test_knows_a_height_past_every_blockhash_there_is(desk: Desk) -> None:
    await desk.slots(3)
    config = {"commitment": "processed"}
    newest = await desk.rpc.ask("getLatestBlockhash", config, answer=BlockhashAnswer)

    # With as many blocks more as a node may be behind one that stands in for it.
    assert await desk.chain.newest_height() == newest.value.last_valid_block_height + 32
