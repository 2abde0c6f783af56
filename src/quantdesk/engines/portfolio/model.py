"""Fills and what they add up to: positions, average cost, realized gains. Pure.

Average cost: what is held of a base asset cost, on average, what was paid for all of it. A sale
takes its share of that cost along; what it brings beyond is realized. Nothing is ever short: a
sale of more than these orders bought sells something that was held before, at a cost nobody told
the desk. That part realizes nothing here, and is kept apart so that it can be said.

Amounts are base units. The one rounding is the cost a sale takes along, down to a base unit of the
quote; it stays in the cost of what is left, so that nothing is lost or made up:

    cash in - cash out + value of the position = realized + unrealized + brought by the unknown
"""

from decimal import Decimal, localcontext
from typing import Final
from uuid import UUID

import msgspec

from quantdesk.core.markets import Side, market

_DIGITS: Final = 60  # sums of u64 amounts times prices, with room to spare
_PRICE_DIGITS: Final = 16


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """What a confirmed order really moved; amounts in base units, time in Unix milliseconds.

    The network fee (lamports) is in neither amount. `other_fees` are those paid in a third asset,
    by symbol, in whole units.
    """

    order_id: UUID
    account_id: UUID
    mode: str
    pair: str
    side: Side
    base_raw: int
    quote_raw: int
    network_fee_lamports: int
    at_ms: int
    other_fees: dict[str, Decimal] = {}

    def __post_init__(self) -> None:
        assert self.base_raw >= 0, "a fill moves nothing backwards"
        assert self.quote_raw >= 0, "a fill moves nothing backwards"


class Gain(msgspec.Struct, frozen=True):
    """What one fill realized, in base units of the quote.

    `unknown_base_raw` of what it sold was never bought by these orders: it brought
    `unknown_quote_raw`, against a cost that is not known.
    """

    realized_raw: int = 0
    unknown_base_raw: int = 0
    unknown_quote_raw: int = 0


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """Running totals of an account's fills in one pair and mode; amounts in base units.

    `position_raw` of the base asset is what was bought and not sold since, `cost_raw` of the quote
    asset what that cost.
    """

    bought_base_raw: int = 0
    bought_quote_raw: int = 0
    sold_base_raw: int = 0
    sold_quote_raw: int = 0
    position_raw: int = 0
    cost_raw: int = 0
    realized_raw: int = 0
    unknown_base_raw: int = 0
    unknown_quote_raw: int = 0
    network_fee_lamports: int = 0
    other_fees: dict[str, Decimal] = {}
    fills: int = 0
    first_ms: int = 0
    last_ms: int = 0


def counted(book: Book, fill: Fill) -> tuple[Book, Gain]:
    """Return the totals with a fill counted, and what it realized."""
    after, gain = _bought(book, fill) if fill.side is Side.BUY else _sold(book, fill)
    return (
        msgspec.structs.replace(
            after,
            realized_raw=book.realized_raw + gain.realized_raw,
            unknown_base_raw=book.unknown_base_raw + gain.unknown_base_raw,
            unknown_quote_raw=book.unknown_quote_raw + gain.unknown_quote_raw,
            network_fee_lamports=book.network_fee_lamports + fill.network_fee_lamports,
            other_fees=_summed(book.other_fees, fill.other_fees),
            fills=book.fills + 1,
            first_ms=min(book.first_ms, fill.at_ms) if book.fills else fill.at_ms,
            last_ms=max(book.last_ms, fill.at_ms),
        ),
        gain,
    )


def average_cost(book: Book, pair: str) -> Decimal | None:
    """Return the quote paid per base of the position, to sixteen digits; None without one."""
    if not book.position_raw:
        return None
    traded = market(pair)
    with localcontext(prec=_PRICE_DIGITS):
        finer = traded.base.decimals - traded.quote.decimals
        return (Decimal(book.cost_raw) / Decimal(book.position_raw)).scaleb(finer).normalize()


def unrealized(book: Book, pair: str, price: Decimal) -> Decimal:
    """Return what the position is worth beyond its cost at a price in quote per base.

    In whole units of the quote asset, exact.
    """
    traded = market(pair)
    with localcontext(prec=_DIGITS):
        value = Decimal(book.position_raw).scaleb(-traded.base.decimals) * price
        return value - Decimal(book.cost_raw).scaleb(-traded.quote.decimals)


def _bought(book: Book, fill: Fill) -> tuple[Book, Gain]:
    after = msgspec.structs.replace(
        book,
        bought_base_raw=book.bought_base_raw + fill.base_raw,
        bought_quote_raw=book.bought_quote_raw + fill.quote_raw,
        position_raw=book.position_raw + fill.base_raw,
        cost_raw=book.cost_raw + (fill.quote_raw if fill.base_raw else 0),
    )
    # What was paid for nothing is no cost of a position.
    return after, Gain(0 if fill.base_raw else -fill.quote_raw)


def _sold(book: Book, fill: Fill) -> tuple[Book, Gain]:
    known = min(fill.base_raw, book.position_raw)
    is_all = known == fill.base_raw
    brought = fill.quote_raw if is_all else fill.quote_raw * known // fill.base_raw
    cost = book.cost_raw * known // book.position_raw if known else 0
    after = msgspec.structs.replace(
        book,
        sold_base_raw=book.sold_base_raw + fill.base_raw,
        sold_quote_raw=book.sold_quote_raw + fill.quote_raw,
        position_raw=book.position_raw - known,
        cost_raw=book.cost_raw - cost,
    )
    return after, Gain(brought - cost, fill.base_raw - known, fill.quote_raw - brought)


def _summed(before: dict[str, Decimal], more: dict[str, Decimal]) -> dict[str, Decimal]:
    if not more:
        return before
    with localcontext(prec=_DIGITS):
        return before | {
            symbol: before.get(symbol, Decimal(0)) + fee for symbol, fee in more.items()
        }
