"""What Jupiter says, typed, and what its errors mean; pure.

`/order`: https://developers.jup.ag/docs/api-reference/swap/order · `/execute`:
https://developers.jup.ag/docs/api-reference/swap/execute · codes of both:
https://developers.jup.ag/docs/swap/order-and-execute
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from math import ceil
from typing import Final

import msgspec

from quantdesk.chains.port import Trade
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.money import BPS

_WORDS_MAX: Final = 200
_U64_DIGITS: Final = 20
_PERCENT: Final = 100


class Order(msgspec.Struct, frozen=True, rename="camel"):
    """A route with its unsigned transaction; amounts are strings of base units.

    `price_impact` is in percent; `price_impact_pct`, a fraction, is its deprecated form.
    """

    input_mint: str
    output_mint: str
    in_amount: str
    out_amount: str
    other_amount_threshold: str
    swap_mode: str
    router: str = ""
    request_id: str = ""
    transaction: str | None = None
    error_code: int | None = None
    error_message: str = ""
    fee_bps: float = 0.0
    price_impact: Decimal | None = None
    price_impact_pct: str = ""
    signature_fee_lamports: int = 0
    prioritization_fee_lamports: int = 0
    rent_fee_lamports: int = 0


class Quote(msgspec.Struct, frozen=True):
    """What an exact amount would bring, and what that costs beside; no transaction yet."""

    received: int
    fee_bps: int
    impact: Decimal
    lamports: int


class Executed(msgspec.Struct, frozen=True):
    """What Jupiter says became of a transaction; what did is for the chain to say."""

    status: str
    code: int = 0
    signature: str = ""
    error: str = ""


class _Fault(msgspec.Struct, frozen=True):
    """What a question was declined with: `error` by the API, `message` by the gateway before it."""

    error: str = ""
    message: str = ""


_FUNDS: Final = (Refused, "funds.insufficient")
_BUILDING: Final[Mapping[tuple[bool, int | None], tuple[type[DeskError], str]]] = {
    (False, 1): _FUNDS,
    (False, 2): _FUNDS,  # SOL for the network fee
    (False, 3): (Refused, "amount.too_small"),  # for Jupiter to pay that fee
    (True, 1): _FUNDS,
    (True, 2): _FUNDS,
}
_STATUSES: Final[Mapping[int, tuple[type[DeskError], str]]] = {
    400: (Refused, "jupiter.refused"),
    401: (Unavailable, "jupiter.unauthorized"),
    403: (Unavailable, "jupiter.unauthorized"),
    429: (Unavailable, "jupiter.busy"),
}
_UNKNOWN: Final = (Unavailable, "jupiter.unavailable")


def amounts(order: Order, trade: Trade) -> tuple[int, int]:
    """Return what an order promises and what it guarantees to bring.

    Raises `Unavailable` (`jupiter.unreadable`) when it is not of the trade, and what kept Jupiter
    from building a transaction.
    """
    asked = (trade.base.mint, trade.quote.mint, str(trade.base_raw), "ExactIn")
    if (order.input_mint, order.output_mint, order.in_amount, order.swap_mode) != asked:
        raise Unavailable("Jupiter's order is of another trade", code="jupiter.unreadable")
    if not order.transaction:
        kind, code = _BUILDING.get((order.router == "jupiterz", order.error_code), _UNKNOWN)
        raise kind(f"Jupiter says: {order.error_message}"[:_WORDS_MAX], code=code)
    return _units(order.out_amount), _units(order.other_amount_threshold)


def quote(order: Order, *, paid: str, received: str, amount: int) -> Quote:
    """Return what an order without a taker promises.

    Raises `Unavailable` (`jupiter.unreadable`) when it is of another trade.
    """
    asked = (paid, received, str(amount), "ExactIn")
    if (order.input_mint, order.output_mint, order.in_amount, order.swap_mode) != asked:
        raise Unavailable("Jupiter's quote is of another trade", code="jupiter.unreadable")
    charged = (
        order.signature_fee_lamports + order.prioritization_fee_lamports + order.rent_fee_lamports
    )
    fee_bps = ceil(order.fee_bps) if 0 <= order.fee_bps < BPS else 0
    return Quote(_units(order.out_amount), fee_bps, _impact(order), charged)


def _impact(order: Order) -> Decimal:
    """Return how much of the price a trade moves, as a fraction; 0 where that is not told."""
    try:
        told = Decimal(order.price_impact_pct or "0")
    except InvalidOperation:
        told = Decimal(0)
    impact = abs(told if order.price_impact is None else order.price_impact / _PERCENT)
    return impact if impact.is_finite() and impact < 1 else Decimal(0)


def refusal(status: int, body: bytes) -> DeskError:
    """Return what an HTTP status other than 200 means."""
    try:
        fault = msgspec.json.decode(body, type=_Fault)
        said = fault.error or fault.message
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = ""
    kind, code = _STATUSES.get(status, _UNKNOWN)
    return kind(f"Jupiter answers HTTP {status}: {said}"[:_WORDS_MAX], code=code)


def _units(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _U64_DIGITS):
        raise Unavailable(f"{text[:40]!r} is no amount", code="jupiter.unreadable")
    return int(text)
