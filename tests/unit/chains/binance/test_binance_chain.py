"""Promise: on Binance an order fills only as its trade allows, and tells what really moved."""

from decimal import Decimal

import pytest
from tests.unit.chains.binance.world import POST, World, order, trade, world

from quantdesk.chains.binance.chain import Terms
from quantdesk.chains.binance.requests import Force
from quantdesk.chains.port import Fate
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import Side
from quantdesk.testing.binance import LOST

pytestmark = pytest.mark.anyio


def filled(w: World) -> list[Decimal]:
    return [each.executed for each in w.exchange.orders if each.executed]


async def test_that_an_order_fills_and_its_receipt_says_what_moved() -> None:
    async with world() as w:
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        await desk.send(made)
        (sighting,) = await desk.look([made])
        receipt = await desk.receipt(trade(), made)

        assert sighting.fate is Fate.LANDED
        # 10.011 bought at 150.01, a thousandth of it kept as the fee.
        assert receipt.base_raw == 10_000_989_000
        assert receipt.quote_raw == 1_501_750_110
        assert receipt.network_fee_lamports == 0
        assert receipt.block_time_ms == w.clock.now_ms()


async def test_that_a_sale_pays_its_fee_in_quote() -> None:
    async with world() as w:
        desk = await w.desk()
        sale = trade(Side.SELL, limit=1_480)
        made = await desk.prepare(sale, order(Side.SELL, quantity="10", price="148.20"))
        await desk.send(made)
        receipt = await desk.receipt(sale, made)

        assert (receipt.base_raw, receipt.quote_raw) == (10 * 10**9, 1_498_400_100)


async def test_that_a_fee_in_bnb_is_in_neither_amount() -> None:
    async with world() as w:
        w.exchange.bnb_price = Decimal(600)
        desk = await w.desk()
        made = await desk.prepare(trade(), order(quantity="10"))
        await desk.send(made)
        receipt = await desk.receipt(trade(), made)
        moved = await desk.fills(made)

        assert (receipt.base_raw, receipt.quote_raw) == (10 * 10**9, 1_500_100_000)
        assert moved.fees == {"BNB": Decimal("0.00250017")}


async def test_that_an_unfilled_order_reverts_with_slippage() -> None:
    async with world() as w:
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        w.exchange.part = Decimal("0.01")
        await desk.send(made)
        (sighting,) = await desk.look([made])

        assert (sighting.fate, sighting.code) == (Fate.REVERTED, "slippage.exceeded")
        assert not filled(w)


async def test_that_a_part_filled_has_landed_and_is_all_that_is_told() -> None:
    async with world() as w:
        w.exchange.part = Decimal("0.1")
        w.server.exchange.symbols["SOLUSDC"].asks = {Decimal("150.01"): Decimal(40)}
        desk = await w.desk(terms=Terms(force=Force.IOC))
        made = await desk.prepare(trade(), order())
        await desk.send(made)
        (sighting,) = await desk.look([made])
        receipt = await desk.receipt(trade(), made)

        assert sighting.fate is Fate.LANDED
        assert (receipt.base_raw, receipt.quote_raw) == (3_996_000_000, 600_040_000)


async def test_that_fates_come_in_the_order_asked() -> None:
    async with world() as w:
        desk = await w.desk()
        made = [await desk.prepare(trade(attempt=n), order()) for n in (1, 2, 3)]
        await desk.send(made[1])
        fates = [sighting.fate for sighting in await desk.look(made)]

        assert fates == [Fate.UNSEEN, Fate.LANDED, Fate.UNSEEN]
        assert await desk.look([]) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"symbol": "BTCUSDC"}, "simulation.failed"),
        ({"quantity": "9"}, "simulation.failed"),
        ({"quantity": "11"}, "simulation.failed"),
        ({"price": "151"}, "simulation.failed"),
        ({"quantity": "NaN"}, "simulation.failed"),
        ({"worst": "150.81"}, "slippage.exceeded"),
        ({"quantity": "10.0115"}, "amount.precision"),
        ({"price": "150.805"}, "simulation.failed"),
    ],
)
async def test_that_an_order_that_is_not_the_trades_is_not_signed(
    changed: dict[str, str], code: str
) -> None:
    async with world() as w:
        desk = await w.desk()
        with pytest.raises(DeskError) as refused:
            await desk.prepare(trade(), order(**changed))  # type: ignore[arg-type]

        assert refused.value.code == code
        assert not w.server.posted


async def test_that_what_the_account_does_not_hold_is_not_signed() -> None:
    async with world() as w:
        desk = await w.desk()
        w.exchange.fund(USDC="-999000")
        with pytest.raises(Refused) as poor:
            await desk.prepare(trade(), order())

        assert poor.value.code == "funds.insufficient"


async def test_that_balances_are_what_is_free_in_base_units() -> None:
    async with world() as w:
        desk = await w.desk()
        told = await desk.balances([ASSETS["SOL"], ASSETS["USDC"], ASSETS["ETH"]])

        assert told == {"SOL": 1000 * 10**9, "USDC": 10**12, "ETH": 0}


async def test_that_missing_trades_are_waited_for() -> None:
    async with world() as w:
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        await desk.send(made)
        w.exchange.told_after_ms = 5_000
        with pytest.raises(Unavailable) as pending:
            await desk.receipt(trade(), made)
        await w.clock.advance(6)

        assert pending.value.code == "receipt.pending"
        assert (await desk.receipt(trade(), made)).base_raw == 10_000_989_000


async def test_that_a_report_lets_the_next_look_ask_at_once() -> None:
    async with world() as w:
        w.server.bad(POST, LOST)
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        with pytest.raises(Unavailable):
            await desk.send(made)
        (asleep,) = await desk.look([made])
        desk.wake(made.signature)
        (awake,) = await desk.look([made])

        assert (asleep.fate, awake.fate) == (Fate.UNSEEN, Fate.LANDED)
