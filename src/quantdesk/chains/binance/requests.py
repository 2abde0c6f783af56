"""A trade's instruction → the bytes of an order, and back; pure.

Why LIMIT and FOK: the port promises all of a trade within its bound, or nothing. LIMIT at the
bound's price leaves the bound to the exchange, which a MARKET order would not; FOK leaves nothing
half done, which IOC would. IOC can be chosen; a part that it fills is then all that is filled.

What keeps the same bytes from filling twice is **not** `newClientOrderId`: the exchange takes an id
again as soon as the order that had it is filled. It is that bytes are posted once (`chain`), and
are worthless after `timestamp + recvWindow` by the exchange's own clock. The id is how they are
found again; it is made of the order's id and the attempt.

The bytes are the account's number, a line break, and the form as it is posted: an order looked for
with the key of another account would not be found, however surely it was filled.

Parameters: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints
Ids: https://developers.binance.com/docs/binance-spot-api-docs/fix-api (`^[a-zA-Z0-9-_]{1,36}$`)
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, localcontext
from enum import StrEnum
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl, urlencode

import msgspec

from quantdesk.chains.binance.signing import Key, signed
from quantdesk.chains.port import Instruction, Trade
from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.core.markets import Side

PROGRAM: Final = "binance"
_MEMO: Final = re.compile(r"qd:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):([0-9]{1,3})")
_DIGITS: Final = 60


class Force(StrEnum):
    """How long an order stays: not at all, in parts (IOC) or only whole (FOK)."""

    FOK = "FOK"
    IOC = "IOC"


class Asked(msgspec.Struct, frozen=True):
    """What the instruction of a book asks for; `worst` is the price its quote reached."""

    symbol: str
    side: str
    quantity: str
    price: str
    worst: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What bytes say: whose they are, how the order is found, until when they may be taken.

    `until_ms` is Unix milliseconds by the exchange's clock.
    """

    uid: int
    symbol: str
    client_order_id: str
    side: Side
    until_ms: int
    window_ms: int
    form: bytes


_ASKED: Final = msgspec.json.Decoder(Asked)


def asked(trade: Trade, instructions: Sequence[Instruction]) -> Asked:
    """Return the one order that a trade's instructions hold.

    Raises `Refused` (`simulation.failed`) for anything but one order of the trade's pair, side and
    size within its bound, and `Unavailable` (`slippage.exceeded`) when the quote already reached
    past the price that guards the bound.
    """
    if len(instructions) != 1 or instructions[0].program != PROGRAM:
        raise _not_ours("only one order of a book goes to Binance")
    try:
        order = _ASKED.decode(instructions[0].data)
        quantity, price, worst = (Decimal(n) for n in (order.quantity, order.price, order.worst))
    except (msgspec.DecodeError, InvalidOperation):
        raise _not_ours("the instruction holds no order") from None
    if order.symbol != trade.base.symbol + trade.quote.symbol or order.side != trade.side.value:
        raise _not_ours("the order trades something else")
    if not (quantity.is_finite() and price.is_finite() and quantity > 0 and price >= 0):
        raise _not_ours("the order has no size")
    _check_size(trade, quantity, price)
    if worst > price if trade.side is Side.BUY else worst < price:
        raise Unavailable(
            f"the book reaches {order.worst} for this size, past {order.price}, at which all of it "
            "keeps the limit; a smaller order or a wider limit would fill",
            code="slippage.exceeded",
        )
    return order


def client_order_id(memo: str) -> str:
    """Return the id of an attempt's order: the order's own and the attempt, where the memo says."""
    if found := _MEMO.fullmatch(memo):
        return f"{found[1].replace('-', '')}-{found[2]}"
    return f"qd-{sha256(memo.encode()).hexdigest()[:32]}"


def form(order: Asked, *, force: Force, client_id: str) -> dict[str, str]:
    """Return an order's parameters, not yet dated."""
    return {
        "symbol": order.symbol,
        "side": order.side,
        "type": "LIMIT",
        "timeInForce": force.value,
        "quantity": order.quantity,
        "price": order.price,
        "newClientOrderId": client_id,
        "newOrderRespType": "RESULT",
    }


def dated(params: Mapping[str, str], *, at_ms: int, window_ms: int, key: Key) -> str:
    """Return parameters with time, validity and signature."""
    timed = {**params, "recvWindow": str(window_ms), "timestamp": str(at_ms)}
    return signed(urlencode(timed), key)


def pack(uid: int, body: str) -> bytes:
    """Return the bytes to commit."""
    return b"%d\n%s" % (uid, body.encode("ascii"))


def unpack(raw: bytes) -> Sent:
    """Return what bytes say; raise `Corrupt` (`receipt.unreadable`) when they are no order's."""
    head, _, body = raw.partition(b"\n")
    try:
        said = dict(parse_qsl(body.decode("ascii"), strict_parsing=True))
        window_ms = int(said["recvWindow"])
        return Sent(
            uid=int(head),
            symbol=said["symbol"],
            client_order_id=said["newClientOrderId"],
            side=Side(said["side"]),
            until_ms=int(said["timestamp"]) + window_ms,
            window_ms=window_ms,
            form=body,
        )
    except (ValueError, KeyError):  # which holds UnicodeDecodeError
        raise Corrupt("these are no bytes of an order", code="receipt.unreadable") from None


def needed(order: Asked) -> Decimal:
    """Return what the exchange locks for an order: quote of a purchase, base of a sale."""
    with localcontext(prec=_DIGITS):
        quantity = Decimal(order.quantity)
        return quantity * Decimal(order.price) if order.side == Side.BUY.value else quantity


def _check_size(trade: Trade, quantity: Decimal, price: Decimal) -> None:
    with localcontext(prec=_DIGITS):
        base = quantity.scaleb(trade.base.decimals)
        quote = (quantity * price).scaleb(trade.quote.decimals)
    if trade.side is Side.BUY:
        kept = base >= trade.base_raw and quote <= trade.quote_limit_raw
    else:
        kept = base == trade.base_raw and quote >= trade.quote_limit_raw
    if not kept:
        raise _not_ours("the order is not of the trade's size, or breaks its limit")


def _not_ours(why: str) -> Refused:
    return Refused(why, code="simulation.failed")
