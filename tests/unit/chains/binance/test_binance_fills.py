"""Promise: what moved is what the trades say, rounded against the trader, fees in their place."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.chains.binance.world import trade

from quantdesk.chains.binance.answers import OrderState, TradeRow
from quantdesk.chains.binance.fills import fills, raw, receipt
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import Corrupt, Unavailable
from quantdesk.core.markets import Side


def _state(executed: str = "10", side: str = "BUY") -> OrderState:
    return OrderState("SOLUSDC", 7, "x-1", "FILLED", side, "10", executed)


def _row(
    number: int = 1, qty: str = "10", quote: str = "1500", fee: str = "0.01", asset: str = "SOL"
) -> TradeRow:
    return TradeRow(number, 7, qty, quote, fee, asset, 1_000 + number)


@pytest.mark.parametrize(
    ("side", "asset", "fee", "base_raw", "quote_raw"),
    [
        (Side.BUY, "SOL", "0.01", 9_990_000_000, 1_500_000_000),
        (Side.BUY, "BNB", "0.01", 10_000_000_000, 1_500_000_000),
        (Side.SELL, "USDC", "1.5", 10_000_000_000, 1_498_500_000),
        (Side.SELL, "BNB", "0.01", 10_000_000_000, 1_500_000_000),
        (Side.SELL, "USDC", "0.00000001", 10_000_000_000, 1_499_999_999),
    ],
)
def test_that_fees_are_taken_from_what_they_were_taken_from(
    side: Side, asset: str, fee: str, base_raw: int, quote_raw: int
) -> None:
    moved = fills(_state(side=side.value), [_row(fee=fee, asset=asset)])
    told = receipt(trade(side, limit=1_510 if side is Side.BUY else 1_400), moved)

    assert (told.base_raw, told.quote_raw, told.network_fee_lamports) == (base_raw, quote_raw, 0)
    assert moved.fees == {asset: Decimal(fee)}


def test_that_fees_of_two_assets_are_told_apart() -> None:
    rows = [_row(1, "4", "600", "0.004"), _row(2, "6", "900", "0.0015", "BNB")]
    moved = fills(_state(), rows)

    assert moved.fees == {"SOL": Decimal("0.004"), "BNB": Decimal("0.0015")}
    assert receipt(trade(), moved).base_raw == 9_996_000_000
    assert moved.at_ms == 1_002


def test_that_a_trade_told_twice_counts_once() -> None:
    assert fills(_state(), [_row(), _row()]).base == 10


@pytest.mark.parametrize("rows", [[], [_row(qty="9.99")]])
def test_that_missing_trades_are_waited_for(rows: list[TradeRow]) -> None:
    with pytest.raises(Unavailable) as pending:
        fills(_state(), rows)
    assert pending.value.code == "receipt.pending"


@pytest.mark.parametrize(
    "rows",
    [
        [_row(1), _row(2)],
        [TradeRow(1, 8, "10", "1500", "0", "SOL", 1)],
        [_row(qty="NaN")],
        [_row(fee="-1")],
        [_row(quote="much")],
    ],
)
def test_that_what_cannot_be_stops_the_work(rows: list[TradeRow]) -> None:
    with pytest.raises(Corrupt):
        fills(_state(), rows)


@pytest.mark.parametrize(
    ("side", "limit", "quote"), [(Side.BUY, 1_499, "1500"), (Side.SELL, 1_501, "1500")]
)
def test_that_a_broken_limit_stops_the_work(side: Side, limit: int, quote: str) -> None:
    moved = fills(_state(side=side.value), [_row(quote=quote, fee="0", asset="BNB")])
    with pytest.raises(Corrupt) as absurd:
        receipt(trade(side, limit=limit), moved)
    assert absurd.value.code == "receipt.absurd"


def test_that_a_part_sold_keeps_its_part_of_the_limit() -> None:
    moved = fills(_state("4", "SELL"), [_row(1, "4", "600", "0", "BNB")])

    assert receipt(trade(Side.SELL, limit=1_500), moved).quote_raw == 600_000_000
    with pytest.raises(Corrupt):
        receipt(trade(Side.SELL, limit=1_501), moved)


@given(st.integers(1, 10**12), st.integers(0, 10**9))
def test_that_rounding_is_never_in_the_traders_favor(quantity: int, fee: int) -> None:
    base, quote = Decimal(quantity).scaleb(-8), Decimal(quantity * 3).scaleb(-8)
    paid = Decimal(fee).scaleb(-8)
    row = _row(1, str(base), str(quote), f"{paid:f}", "USDC")
    moved = fills(_state(f"{base:f}", "SELL"), [row])
    if paid >= quote - Decimal("1e-6"):
        return
    told = receipt(trade(Side.SELL, base=1, limit=0), moved)

    assert Decimal(told.base_raw).scaleb(-9) >= base
    assert Decimal(told.quote_raw).scaleb(-6) <= quote - paid


def test_that_balances_are_rounded_down() -> None:
    assert raw("1.99999999", ASSETS["USDC"]) == 1_999_999
    with pytest.raises(Corrupt):
        raw("-1", ASSETS["USDC"])
