"""The exchange's own JSON → rules, levels and taker fees of one symbol; pure.

Prices and quantities have at most eight decimals and become integers of 1e-8 here; a product of
two is in 1e-16. Nothing else of the exchange's numbers is used.

Shapes: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
(depth), .../general-endpoints (exchangeInfo), .../account-endpoints (commission rates);
https://developers.binance.com/docs/binance-spot-api-docs/filters
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Final

import msgspec

from quantdesk.core.errors import Corrupt

E8: Final = 10**8
_DIGITS_MAX: Final = 40
_TRADING: Final = "TRADING"


class Level(msgspec.Struct, frozen=True):
    """What is offered at one price; both in 1e-8."""

    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Levels:
    """One state of a book, from the best price on; `update_id` rises with every change."""

    update_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What orders of a symbol must respect, in 1e-8, notionals in 1e-16; no maximum is 0."""

    symbol: str
    base: str
    quote: str
    is_open: bool
    tick: int
    price_min: int
    price_max: int
    lot: int
    quantity_min: int
    quantity_max: int
    notional_min: int
    notional_max: int


@dataclass(frozen=True, slots=True)
class Fees:
    """What a taker pays of what is received, in 1e-8, by side."""

    buying: int
    selling: int


class _Depth(msgspec.Struct, frozen=True, rename="camel"):
    last_update_id: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


class _Filter(msgspec.Struct, frozen=True, rename="camel"):
    filter_type: str
    min_price: str = "0"
    max_price: str = "0"
    tick_size: str = "0"
    min_qty: str = "0"
    max_qty: str = "0"
    step_size: str = "0"
    min_notional: str = "0"
    max_notional: str = "0"


class _Symbol(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    order_types: list[str]
    is_spot_trading_allowed: bool
    filters: list[_Filter]


class _Rates(msgspec.Struct, frozen=True):
    taker: str
    buyer: str = "0"
    seller: str = "0"


class _Commission(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    standard_commission: _Rates
    special_commission: _Rates
    tax_commission: _Rates


_DEPTH: Final = msgspec.json.Decoder(_Depth)
_SYMBOL: Final = msgspec.json.Decoder(_Symbol)
_COMMISSION: Final = msgspec.json.Decoder(_Commission)
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def levels(data: bytes) -> Levels:
    """Return the book in an answer of `GET /api/v3/depth`, empty levels left out.

    Raises `Corrupt` (`account.unreadable`): no such answer, levels out of order, a crossed book.
    """
    try:
        depth = _DEPTH.decode(data)
    except _UNREADABLE as problem:
        raise _unreadable(str(problem)) from None
    bids, asks = _side(depth.bids), _side(depth.asks)
    _check(bids, falls=True)
    _check(asks, falls=False)
    if bids and asks and bids[0].price >= asks[0].price:
        raise _unreadable("the book is crossed")
    return Levels(depth.last_update_id, bids, asks)


def rules(data: bytes) -> Rules:
    """Return the rules in one symbol's part of `GET /api/v3/exchangeInfo`.

    Raises `Corrupt` (`account.unreadable`).
    """
    try:
        said = _SYMBOL.decode(data)
    except _UNREADABLE as problem:
        raise _unreadable(str(problem)) from None
    by_type = {each.filter_type: each for each in said.filters}
    try:
        price, lot = by_type["PRICE_FILTER"], by_type["LOT_SIZE"]
    except KeyError as missing:
        raise _unreadable(f"{said.symbol} has no {missing}") from None
    notional = by_type.get("NOTIONAL") or by_type.get("MIN_NOTIONAL") or _Filter("NOTIONAL")
    made = Rules(
        symbol=said.symbol,
        base=said.base_asset,
        quote=said.quote_asset,
        is_open=said.status == _TRADING
        and said.is_spot_trading_allowed
        and "LIMIT" in said.order_types,
        tick=e8(price.tick_size) or 1,
        price_min=e8(price.min_price),
        price_max=e8(price.max_price),
        lot=e8(lot.step_size) or 1,
        quantity_min=e8(lot.min_qty),
        quantity_max=e8(lot.max_qty),
        notional_min=e8(notional.min_notional) * E8,
        notional_max=e8(notional.max_notional) * E8,
    )
    if min(made.tick, made.lot, made.price_min, made.quantity_min, made.notional_min) < 0:
        raise _unreadable(f"{said.symbol} has a rule below zero")
    return made


def fees(data: bytes) -> Fees:
    """Return the taker fees in an answer of `GET /api/v3/account/commission`.

    All three kinds of rates, without a discount for paying in BNB: an account that runs out of BNB
    pays the full rate of what it receives. Raises `Corrupt` (`account.unreadable`).
    """
    try:
        said = _COMMISSION.decode(data)
    except _UNREADABLE as problem:
        raise _unreadable(str(problem)) from None
    kinds = (said.standard_commission, said.special_commission, said.tax_commission)
    made = Fees(
        buying=sum(e8(kind.taker) + e8(kind.buyer) for kind in kinds),
        selling=sum(e8(kind.taker) + e8(kind.seller) for kind in kinds),
    )
    if not (0 <= made.buying < E8 and 0 <= made.selling < E8):
        raise _unreadable("a fee is below zero, or all of a trade")
    return made


def e8(text: str) -> int:
    """Return a decimal of the exchange in 1e-8; raise `Corrupt` (`account.unreadable`)."""
    try:
        number = Decimal(text) if len(text) <= _DIGITS_MAX else Decimal("nan")
        scaled = number.scaleb(8)
        whole = int(scaled)
    except (InvalidOperation, ValueError, OverflowError):
        raise _unreadable(f"{text[:_DIGITS_MAX]!r} is no amount") from None
    if whole != scaled:
        raise _unreadable(f"{text!r} is finer than eight decimals")
    return whole


def decimal_text(amount: int) -> str:
    """Return an amount of 1e-8 as the exchange reads it: without exponent or trailing zeros."""
    whole, rest = divmod(amount, E8)
    return f"{whole}.{rest:08d}".rstrip("0").rstrip(".")


def _side(rows: Sequence[tuple[str, str]]) -> tuple[Level, ...]:
    both = (Level(e8(price), e8(quantity)) for price, quantity in rows)
    return tuple(level for level in both if level.quantity)


def _check(side: Sequence[Level], *, falls: bool) -> None:
    if any(level.price <= 0 or level.quantity < 0 for level in side):
        raise _unreadable("a level is not above zero")
    steps = [one.price - two.price for one, two in pairwise(side)]
    if any(step <= 0 if falls else step >= 0 for step in steps):
        raise _unreadable("levels are out of order")


def _unreadable(why: str) -> Corrupt:
    return Corrupt(f"unreadable state: {why}", code="account.unreadable")
