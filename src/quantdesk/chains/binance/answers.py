"""What the exchange says, typed; fields the desk has no use for are left out.

Shapes: https://developers.binance.com/docs/binance-spot-api-docs/rest-api
"""

from typing import Final

import msgspec

from quantdesk.core.errors import Unavailable

_WORDS_MAX: Final = 300


class Fault(msgspec.Struct, frozen=True):
    """An error's code and words."""

    code: int
    msg: str = ""


class ServerTime(msgspec.Struct, frozen=True, rename="camel"):
    """`GET /api/v3/time`, in Unix milliseconds."""

    server_time: int


class OrderState(msgspec.Struct, frozen=True, rename="camel"):
    """An order as `POST` or `GET /api/v3/order` tells of it; amounts are decimal strings."""

    symbol: str
    order_id: int
    client_order_id: str
    status: str
    side: str
    orig_qty: str
    executed_qty: str
    expiry_reason: str = ""


class Recorded(msgspec.Struct, frozen=True, rename="camel"):
    """One order of `GET /api/v3/allOrders`."""

    order_id: int
    client_order_id: str


class TradeRow(msgspec.Struct, frozen=True, rename="camel"):
    """One trade of `GET /api/v3/myTrades`; `time` is in Unix milliseconds."""

    id: int
    order_id: int
    qty: str
    quote_qty: str
    commission: str
    commission_asset: str
    time: int


class Balance(msgspec.Struct, frozen=True):
    """What is held of an asset: `locked` belongs to open orders."""

    asset: str
    free: str
    locked: str


class Account(msgspec.Struct, frozen=True, rename="camel"):
    """`GET /api/v3/account`; `uid` names the account whatever key is used."""

    uid: int
    can_trade: bool
    balances: list[Balance]


class Limit(msgspec.Struct, frozen=True, rename="camel"):
    """One of the limits in `GET /api/v3/exchangeInfo`."""

    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int


class ExchangeInfo(msgspec.Struct, frozen=True, rename="camel"):
    """`GET /api/v3/exchangeInfo`, the symbols left as they came."""

    symbols: list[msgspec.Raw]
    rate_limits: list[Limit] = []


class SymbolName(msgspec.Struct, frozen=True):
    """The name in a symbol's part of it."""

    symbol: str


UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def unreadable(why: str) -> Unavailable:
    """Return the error of an answer that is none."""
    return Unavailable(f"unreadable answer: {why}"[:_WORDS_MAX], code="exchange.unreadable")
