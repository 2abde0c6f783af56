"""Trades of an order → what the account gained, gave and paid in fees; pure.

A fee in the asset received is taken off what was gained. One in any other asset, such as BNB, is in
neither amount and told apart. Roundings to the desk's base units are against the trader.

Shape, of `GET /api/v3/myTrades`:
https://developers.binance.com/docs/binance-spot-api-docs/rest-api/account-endpoints
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation, localcontext
from typing import Final

from quantdesk.chains.binance.answers import OrderState, TradeRow
from quantdesk.chains.port import Receipt, Trade
from quantdesk.core.assets import Asset
from quantdesk.core.errors import Corrupt, Unavailable
from quantdesk.core.markets import Side

_DIGITS: Final = 60


@dataclass(frozen=True, slots=True)
class Fills:
    """What an order's trades moved: gross amounts, and the fees paid by asset."""

    base: Decimal
    quote: Decimal
    fees: Mapping[str, Decimal]
    at_ms: int


def fills(state: OrderState, rows: Sequence[TradeRow]) -> Fills:
    """Return what an order's trades add up to.

    Raises `Unavailable` (`receipt.pending`) while trades are missing, and `Corrupt`
    (`receipt.unreadable`, `receipt.absurd`) when they are another order's or more than it.
    """
    if any(row.order_id != state.order_id for row in rows):
        raise Corrupt(f"{state.client_order_id}: trades of another order", code="receipt.absurd")
    own = {row.id: row for row in rows}.values()  # however often one is told
    fees: dict[str, Decimal] = defaultdict(Decimal)
    with localcontext(prec=_DIGITS):
        for row in own:
            fees[row.commission_asset] += _amount(row.commission)
        base, quote = _sum(row.qty for row in own), _sum(row.quote_qty for row in own)
        executed = _amount(state.executed_qty)
    if base < executed or not own:
        raise Unavailable("not all trades of the order are told yet", code="receipt.pending")
    if base > executed:
        raise Corrupt(
            f"{state.client_order_id}: {base} traded, of an order that executed {executed}",
            code="receipt.absurd",
        )
    return Fills(base, quote, dict(fees), max(row.time for row in own))


def receipt(trade: Trade, moved: Fills) -> Receipt:
    """Return fills in base units of the trade's assets.

    Raises `Corrupt` (`receipt.absurd`) when the trade's limit was broken, or nothing gained.
    """
    bought = trade.side is Side.BUY
    with localcontext(prec=_DIGITS):
        fee_base = moved.fees.get(trade.base.symbol, Decimal())
        fee_quote = moved.fees.get(trade.quote.symbol, Decimal())
        base = moved.base - fee_base if bought else moved.base + fee_base
        quote = moved.quote + fee_quote if bought else moved.quote - fee_quote
        base_raw = _raw(base, trade.base, gained=bought)
        quote_raw = _raw(quote, trade.quote, gained=not bought)
        share = moved.base.scaleb(trade.base.decimals) / trade.base_raw
    if base_raw <= 0 or quote_raw <= 0 or _breaks(trade, quote_raw, share):
        raise Corrupt(
            f"{trade.memo}: {trade.side} {trade.base_raw}, limit {trade.quote_limit_raw}, "
            f"but {base_raw} and {quote_raw} moved",
            code="receipt.absurd",
        )
    traded = (trade.base.symbol, trade.quote.symbol)
    others = sorted((name, fee) for name, fee in moved.fees.items() if fee and name not in traded)
    return Receipt(0, base_raw, quote_raw, 0, moved.at_ms, other_fees=tuple(others))


def raw(text: str, asset: Asset) -> int:
    """Return a balance in base units, rounded down; raise `Corrupt` (`receipt.unreadable`)."""
    return _raw(_amount(text), asset, gained=True)


def _breaks(trade: Trade, quote_raw: int, share: Decimal) -> bool:
    """Return whether more was paid, or less received, than the limit allows for what was filled.

    One base unit is left to rounding on either side.
    """
    if trade.side is Side.BUY:
        return quote_raw > trade.quote_limit_raw + 1
    return quote_raw < int(trade.quote_limit_raw * min(share, Decimal(1))) - 1


def _raw(amount: Decimal, asset: Asset, *, gained: bool) -> int:
    rounding = ROUND_FLOOR if gained else ROUND_CEILING
    return int(amount.scaleb(asset.decimals).to_integral_value(rounding))


def _sum(texts: Iterable[str]) -> Decimal:
    return sum((_amount(text) for text in texts), Decimal())


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or amount < 0:
        raise Corrupt(f"{text[:40]!r} is no amount", code="receipt.unreadable")
    return amount
