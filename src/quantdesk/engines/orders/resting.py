"""What a resting order waits for, and when that is worth a new version of it. Pure.

    price       the market is not at its limit price, or no fresh reference agrees that it is
    liquidity   no pool, nor all of them together, can fill its amount at any price, or at its
                limit price, which a small part of it would meet
    amount      what it trades is too little for any pool
    halt        trading is halted; so do orders without a limit price wait

One rest is one event, however often the price flickers; another reason is told once the last one
has stood for a while, so that a pool at the edge of filling an order does not fill its history.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from quantdesk.core.errors import DeskError, Refused
from quantdesk.engines.orders.model import Order

PRICE: Final = "price"
LIQUIDITY: Final = "liquidity"
HALT: Final = "halt"
TOLD_MS: Final = 60_000

_OF_ITS_SIZE: Final[Mapping[str, str]] = {
    "liquidity.insufficient": LIQUIDITY,
    "transaction.too_large": LIQUIDITY,
    "amount.too_small": "amount",
}
_LATE: Final[Mapping[str, str]] = {
    LIQUIDITY: "no pool could fill its amount in time",
    "amount": "its amount was too small for every pool until it expired",
    HALT: "trading was halted until it expired",
}
_REASONS: Final = frozenset({PRICE, HALT, *_OF_ITS_SIZE.values()})


def hindrance(problem: DeskError) -> str:
    """Return what an order waits for that met this problem."""
    return _OF_ITS_SIZE.get(problem.code, PRICE)


def waits_for(hindrances: Sequence[str | None]) -> str | None:
    """Return what an order waits for, from what it waits for at each place; None once it is met.

    A place where it waits for its price alone can fill it later, so that is what it waits for.
    """
    if None in hindrances:
        return None
    return PRICE if PRICE in hindrances else next(iter(hindrances), PRICE)


def is_news(order: Order, waiting: str, *, now_ms: int) -> bool:
    """Return whether an order is to say that it waits for this."""
    if order.waiting not in _REASONS:
        return True
    if order.waiting != waiting and HALT in (order.waiting, waiting):
        return True
    return order.waiting != waiting and now_ms - order.updated_ms >= TOLD_MS


def late(order: Order) -> Refused:
    """Return the error of an order that waited in vain."""
    why = _LATE.get(order.waiting or PRICE, "its limit price was not met in time")
    return Refused(why, code="order.expired")
