"""What was simulated lands: by a lookup table where it must, at the fee offered, or not at all."""

from pathlib import Path

import msgspec
import pytest
from solders.pubkey import Pubkey
from tests.flow.chains_solana import counter
from tests.flow.chains_solana.desk import Desk, opened, trade

from quantdesk.chains.port import AccountMeta, Fate, Instruction, Priority, Trade
from quantdesk.chains.solana.chain import Terms
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.markets import Side
from quantdesk.localnet.lookup_table import lookup_table

pytestmark = pytest.mark.anyio

TABLE = str(Pubkey.from_bytes(bytes([99]) * 32))
CROWD = [str(Pubkey.from_bytes(bytes([100 + n]) * 32)) for n in range(40)]
SALE = trade(Side.SELL, "SOL-USDC", 2 * 10**9, 1)
QUOTE = 300_000_007


def _crowded(desk: Desk, wanted: Trade, quote_raw: int) -> list[Instruction]:
    """Return a trade with the counter that names as many accounts as a split over three pools."""
    out, back = counter.swap(wanted, quote_raw, desk.wallet)
    named = [AccountMeta(key, is_signer=False, is_writable=n < 20) for n, key in enumerate(CROWD)]
    return [msgspec.structs.replace(out, accounts=(*out.accounts, *named)), back]


@pytest.mark.parametrize(
    ("side", "pair", "base_raw", "quote_raw", "limit"),
    [
        (Side.BUY, "SOL-USDC", 2_000_000_001, 300_000_007, 310_000_000),
        (Side.SELL, "SOL-USDC", 2_000_000_001, 300_000_007, 290_000_000),
        (Side.BUY, "BTC-USDC", 10_000_003, 9_000_000_000, 9_000_000_000),
        (Side.BUY, "BTC-SOL", 10_000_003, 39_000_000_000, 40_000_000_000),
    ],
)
async def test_simulates_what_it_then_moves(
    desk: Desk, side: Side, pair: str, base_raw: int, quote_raw: int, limit: int
) -> None:
    wanted = trade(side, pair, base_raw, limit)
    made = await desk.prepared(wanted, quote_raw)
    await desk.chain.send(made)
    await desk.slots(3)

    receipt = await desk.chain.receipt(wanted, made)
    simulated = made.simulation
    assert (simulated.base_raw, simulated.quote_raw) == (receipt.base_raw, receipt.quote_raw)
    assert (receipt.base_raw, receipt.quote_raw) == (base_raw, quote_raw)


async def test_signs_nothing_when_the_pool_has_moved_since_the_quote(desk: Desk) -> None:
    wanted = msgspec.structs.replace(SALE, expected_quote_raw=QUOTE)
    made = await desk.prepared(wanted, QUOTE * 9_976 // 10_000)
    with pytest.raises(Unavailable) as caught:
        await desk.prepared(wanted, QUOTE * 9_974 // 10_000)

    assert made.simulation.quote_raw == QUOTE * 9_976 // 10_000
    assert caught.value.code == "quote.deviates"


async def test_lands_a_large_trade_by_a_table_it_starts_with(tmp_path: Path) -> None:
    table = lookup_table(TABLE, [*CROWD, counter.address("SOL"), counter.address("USDC")])
    wanted = msgspec.structs.replace(SALE, expected_quote_raw=QUOTE)
    async with opened(tmp_path, terms=Terms(lookup_tables=(TABLE,)), more=[table]) as desk:
        steps = _crowded(desk, wanted, QUOTE)
        measure = await desk.chain.measure()
        made = await desk.chain.prepare(wanted, steps)
        await desk.chain.send(made)
        await desk.slots(3)

        fate = await desk.fate(made)
        receipt = await desk.chain.receipt(wanted, made)
        assert fate.fate is Fate.LANDED
        assert (receipt.base_raw, receipt.quote_raw) == (SALE.base_raw, QUOTE)
        assert made.simulation.quote_raw == QUOTE
        assert measure(wanted, steps).bytes == len(made.raw) < 800
        assert desk.net.node.counts["getMultipleAccounts"] == 1


async def test_refuses_a_large_trade_without_a_table(desk: Desk) -> None:
    with pytest.raises(Refused) as caught:
        await desk.chain.prepare(SALE, _crowded(desk, SALE, QUOTE))

    assert caught.value.code == "transaction.too_large"


async def test_pays_the_priority_fee_it_says(tmp_path: Path) -> None:
    async with opened(tmp_path, terms=Terms(policy=Priority.URGENT)) as desk:
        made = await desk.prepared(SALE, QUOTE)
        await desk.chain.send(made)
        await desk.slots(3)
        receipt = await desk.chain.receipt(SALE, made)

    assert made.simulation.priority_lamports > 0
    assert receipt.network_fee_lamports == 5_000 + made.simulation.priority_lamports


async def test_reverts_by_its_reason_when_it_was_sent_by_a_table(tmp_path: Path) -> None:
    table = lookup_table(TABLE, [*CROWD, counter.address("SOL"), counter.address("USDC")])
    async with opened(tmp_path, terms=Terms(lookup_tables=(TABLE,)), more=[table]) as desk:
        wanted = trade(Side.BUY, "SOL-USDC", 5, counter.CASH)
        first, second = [
            await desk.chain.prepare(
                msgspec.structs.replace(wanted, memo=f"qd:{n}:1"),
                _crowded(desk, wanted, counter.CASH),
            )
            for n in range(2)
        ]
        await desk.chain.send(first)
        await desk.chain.send(second)
        await desk.slots(35)

        fates = [await desk.fate(one) for one in (first, second)]
    assert [one.fate for one in fates] == [Fate.LANDED, Fate.REVERTED]
    assert fates[1].code == "funds.insufficient"
