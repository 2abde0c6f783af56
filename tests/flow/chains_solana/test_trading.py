"""A trade on a real chain ends with exactly the amounts it moved, whichever leg is SOL."""

import asyncio

import pytest
from tests.flow.chains_solana import counter
from tests.flow.chains_solana.counter import CASH
from tests.flow.chains_solana.desk import Desk, trade

from quantdesk.chains.port import Fate, Instruction, Trade
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import Side

pytestmark = pytest.mark.anyio

SOL, USDC, BTC = ASSETS["SOL"], ASSETS["USDC"], ASSETS["BTC"]


@pytest.mark.parametrize(
    ("side", "pair", "base_raw", "quote_raw", "limit"),
    [
        (Side.BUY, "SOL-USDC", 2_000_000_001, 300_000_007, 310_000_000),
        (Side.SELL, "SOL-USDC", 2_000_000_001, 300_000_007, 290_000_000),
        (Side.BUY, "BTC-USDC", 10_000_003, 9_000_000_000, 9_000_000_000),
        (Side.BUY, "BTC-SOL", 10_000_003, 39_000_000_000, 40_000_000_000),
    ],
)
async def test_moves_what_the_receipt_says(
    desk: Desk, side: Side, pair: str, base_raw: int, quote_raw: int, limit: int
) -> None:
    wanted = trade(side, pair, base_raw, limit)
    assets = [wanted.base, wanted.quote]
    before = await desk.chain.balances(assets)

    receipt = await desk.traded(wanted, quote_raw)

    after = await desk.chain.balances(assets)
    sign = 1 if side is Side.BUY else -1
    fee = receipt.network_fee_lamports
    rent = {"BTC-SOL": 2_039_280}.get(pair, 0)  # the new BTC account keeps it
    assert (receipt.base_raw, receipt.quote_raw) == (base_raw, quote_raw)
    assert after[wanted.base.symbol] - before[wanted.base.symbol] == sign * base_raw - (
        fee if wanted.base is SOL else 0
    )
    assert after[wanted.quote.symbol] - before[wanted.quote.symbol] == -sign * quote_raw - (
        fee + rent if wanted.quote is SOL else 0
    )


async def test_receives_sol_when_sol_is_the_quote(desk: Desk) -> None:
    await desk.traded(trade(Side.BUY, "BTC-USDC", 10**7, CASH), 5)

    receipt = await desk.traded(trade(Side.SELL, "BTC-SOL", 10**7, 1), 39_000_000_123)

    assert (receipt.base_raw, receipt.quote_raw) == (10**7, 39_000_000_123)


async def test_sends_many_at_once_and_measures_each(desk: Desk) -> None:
    trades = [trade(Side.SELL, "SOL-USDC", 10**6 + n, 1, f"qd:{n}:1") for n in range(30)]

    sent = await asyncio.gather(*(desk.prepared(one, 5) for one in trades))
    await asyncio.gather(*(desk.chain.send(one) for one in sent))
    await asyncio.gather(*(desk.chain.send(one) for one in sent))
    await desk.slots(3)

    assert {s.fate for s in await desk.chain.look(sent)} == {Fate.LANDED}
    receipts = await asyncio.gather(
        *(desk.chain.receipt(one, done) for one, done in zip(trades, sent, strict=True))
    )
    assert [receipt.base_raw for receipt in receipts] == [one.base_raw for one in trades]
    assert (await desk.chain.balances([USDC]))["USDC"] == CASH + 5 * len(trades)


async def test_simulates_once_for_each_transaction(desk: Desk) -> None:
    trades = [trade(Side.SELL, "SOL-USDC", 10**6 + n, 1, f"qd:{n}:1") for n in range(5)]

    for one in trades:
        await desk.prepared(one, 5)

    counts = desk.net.node.counts
    assert counts["simulateTransaction"] == 5
    assert counts["getLatestBlockhash"] == 1
    assert counts["getRecentPrioritizationFees"] == 1


@pytest.mark.parametrize(
    ("side", "pair", "base_raw", "quote_raw", "code"),
    [
        (Side.SELL, "SOL-USDC", 101 * 10**9, 1, "funds.insufficient"),
        (Side.BUY, "SOL-USDC", 10**9, CASH + 1, "funds.insufficient"),
        (Side.SELL, "BTC-USDC", 10**8, 1, "simulation.failed"),
        (Side.SELL, "SOL-USDC", 1 << 64, 1, "amount.too_large"),
    ],
    ids=["more SOL than held", "more USDC than held", "no BTC account", "beyond a u64"],
)
async def test_refuses_what_the_wallet_cannot_do(
    desk: Desk, side: Side, pair: str, base_raw: int, quote_raw: int, code: str
) -> None:
    wanted = trade(side, pair, base_raw, quote_raw)

    with pytest.raises(Refused) as caught:
        await desk.chain.prepare(wanted, [] if base_raw >> 64 else _swap(desk, wanted, quote_raw))

    assert caught.value.code == code


async def test_tries_a_fresh_blockhash_when_a_rollback_took_the_old_one(desk: Desk) -> None:
    wanted = trade(Side.SELL, "SOL-USDC", 10**6, 1)
    await desk.slots(4)
    stale = await desk.prepared(wanted, 5)
    await desk.admin("localnet_rollback", slots=5, forgetBlockhashes=True)

    fresh = await desk.prepared(wanted, 5)

    assert fresh.signature != stale.signature


async def test_says_unavailable_while_the_node_answers_with_errors(desk: Desk) -> None:
    sent = await desk.prepared(trade(Side.SELL, "SOL-USDC", 10**6, 1), 5)
    await desk.admin("localnet_setFaults", error={"code": -32005, "message": "behind"})

    said = await asyncio.gather(
        desk.prepared(trade(Side.SELL, "SOL-USDC", 10**7, 1), 5),
        desk.chain.send(sent),
        desk.chain.look([sent]),
        desk.chain.balances([SOL]),
        return_exceptions=True,
    )

    assert [type(one) for one in said] == [Unavailable] * 4
    assert {one.code for one in said if isinstance(one, DeskError)} == {"rpc.unavailable"}


def _swap(desk: Desk, wanted: Trade, quote_raw: int) -> list[Instruction]:
    return counter.swap(wanted, quote_raw, desk.wallet)
