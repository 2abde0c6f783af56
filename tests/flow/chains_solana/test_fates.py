"""The fate of sent bytes: landed, reverted, gone with a rollback, and dead only by proof."""

import pytest
from tests.flow.chains_solana.counter import CASH
from tests.flow.chains_solana.desk import Desk, trade

from quantdesk.chains.port import Fate
from quantdesk.chains.solana.monitor import BLOCKHASH_BLOCKS, MARGIN_BLOCKS
from quantdesk.core.errors import Unavailable
from quantdesk.core.markets import Side

pytestmark = pytest.mark.anyio

FINALITY_SLOTS = 32
SALE = trade(Side.SELL, "SOL-USDC", 10**9, 1)


async def test_is_unseen_until_it_lands_and_landed_from_then_on(desk: Desk) -> None:
    sale = await desk.prepared(SALE, 150)
    fates = [(await desk.fate(sale)).fate]
    await desk.chain.send(sale)
    await desk.slots(3)
    fates.append((await desk.fate(sale)).fate)
    await desk.slots(BLOCKHASH_BLOCKS + FINALITY_SLOTS + MARGIN_BLOCKS + 5)
    fates.append((await desk.fate(sale)).fate)

    assert fates == [Fate.UNSEEN, Fate.LANDED, Fate.LANDED]


async def test_has_reverted_with_its_reason_when_funds_were_gone_by_then(desk: Desk) -> None:
    first = await desk.prepared(trade(Side.BUY, "SOL-USDC", 5, CASH, "qd:1:1"), CASH)
    second = await desk.prepared(trade(Side.BUY, "SOL-USDC", 5, CASH, "qd:2:1"), CASH)
    await desk.chain.send(first)
    await desk.chain.send(second)
    await desk.slots(3)
    landed, early = await desk.chain.look([first, second])

    await desk.slots(32)
    _, reverted = await desk.chain.look([first, second])

    assert landed.fate is Fate.LANDED
    assert early.fate is Fate.UNSEEN, "a fork may still revive it: nobody may sign again yet"
    assert (reverted.fate, reverted.code) == (Fate.REVERTED, "funds.insufficient")


async def test_returns_to_unseen_when_its_block_is_rolled_back(desk: Desk) -> None:
    sale = await desk.prepared(SALE, 150)
    await desk.slots(2)
    await desk.chain.send(sale)
    await desk.slots(2)
    before = await desk.fate(sale)
    await desk.admin("localnet_rollback", slots=4)

    after = await desk.fate(sale)
    await desk.chain.send(sale)
    await desk.slots(3)

    assert (before.fate, after.fate) == (Fate.LANDED, Fate.UNSEEN)
    assert (await desk.fate(sale)).fate is Fate.LANDED


async def test_is_dead_only_once_finality_is_past_its_height_by_the_margin(desk: Desk) -> None:
    sale = await desk.prepared(SALE, 150)
    alive = 0
    while (await desk.fate(sale)).fate is Fate.UNSEEN:
        height = await desk.rpc.ask("getBlockHeight", {"commitment": "finalized"}, answer=int)
        assert height <= sale.last_valid_height + MARGIN_BLOCKS
        alive += 1
        assert alive < 400
        await desk.slots(1)

    assert (await desk.fate(sale)).fate is Fate.DEAD
    await desk.chain.send(sale)
    await desk.slots(3)
    assert (await desk.fate(sale)).fate is Fate.DEAD


async def test_is_not_dead_while_the_node_does_not_answer(desk: Desk) -> None:
    sale = await desk.prepared(SALE, 150)
    await desk.slots(BLOCKHASH_BLOCKS + FINALITY_SLOTS + MARGIN_BLOCKS + 5)
    fates: list[str] = []
    for silent in ("getEpochInfo", "getSignatureStatuses"):
        error = {"code": -32005, "message": "behind"}
        await desk.admin("localnet_setFaults", error=error, methods=[silent])
        try:
            fates.append((await desk.fate(sale)).fate)
        except Unavailable as problem:
            fates.append(problem.code)
        await desk.admin("localnet_clearFaults")

    assert fates == [Fate.UNSEEN, "rpc.unavailable"]
    assert (await desk.fate(sale)).fate is Fate.DEAD


async def test_asks_for_heights_only_when_bytes_are_old(desk: Desk) -> None:
    sale = await desk.prepared(SALE, 150)
    for _ in range(5):
        await desk.slots(1)
        await desk.fate(sale)

    assert "getEpochInfo" not in desk.net.node.counts
