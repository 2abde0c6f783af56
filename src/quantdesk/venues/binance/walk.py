"""Sizes into levels: what an amount takes of a book, in whole lots and exact integers; pure.

Quantities and prices are in 1e-8, their products in 1e-16. The fee is taken from what is received,
level by level and rounded up to 1e-8, as the exchange takes it fill by fill.

Fees: https://developers.binance.com/docs/binance-spot-api-docs/faqs/commission_faq
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from quantdesk.core.money import ceil_div
from quantdesk.venues.binance.layout import E8, Level

E16: Final = E8 * E8
_LOTS_MORE_MAX: Final = 10_000


class Taken(NamedTuple):
    """What a quantity takes: `notional` and, when selling, `fee` are in quote of 1e-16.

    `fee` of a purchase is in base of 1e-8. `worst` is the price of the last level it reached.
    """

    quantity: int
    notional: int
    fee: int
    worst: int


def buy(asks: Sequence[Level], quantity: int, rate: int) -> Taken | None:
    """Return what buying a quantity takes, None when the book does not hold it."""
    left, notional, fee, worst = quantity, 0, 0, 0
    for level in asks:
        if not left:
            break
        part = min(left, level.quantity)
        notional += part * level.price
        fee += ceil_div(part * rate, E8)
        left, worst = left - part, level.price
    return None if left else Taken(quantity, notional, fee, worst)


def sell(bids: Sequence[Level], quantity: int, rate: int) -> Taken | None:
    """Return what selling a quantity brings, None when the book does not hold it."""
    left, notional, fee, worst = quantity, 0, 0, 0
    for level in bids:
        if not left:
            break
        part = min(left, level.quantity)
        notional += part * level.price
        fee += ceil_div(part * level.price * rate, E16) * E8
        left, worst = left - part, level.price
    return None if left else Taken(quantity, notional, fee, worst)


def bought(asks: Sequence[Level], least: int, rate: int, lot: int) -> Taken | None:
    """Return the fewest lots that bring at least this much base, the fee taken off."""
    quantity = up(ceil_div(least * E8, E8 - rate), lot)
    for _ in range(_LOTS_MORE_MAX):
        taken = buy(asks, quantity, rate)
        if taken is None or taken.quantity - taken.fee >= least:
            return taken
        quantity += up(least - (taken.quantity - taken.fee), lot)
    return None


def sold(bids: Sequence[Level], least: int, rate: int, lot: int) -> Taken | None:
    """Return the fewest lots that bring at least this much quote (1e-16), the fee taken off."""
    left, quantity = ceil_div(least * E8, E8 - rate), 0
    for level in bids:
        part = min(level.quantity, ceil_div(left, level.price))
        quantity, left = quantity + part, left - part * level.price
        if left <= 0:
            break
    if left > 0:
        return None
    quantity = up(quantity, lot)
    for _ in range(_LOTS_MORE_MAX):
        taken = sell(bids, quantity, rate)
        if taken is None or taken.notional - taken.fee >= least:
            return taken
        quantity += lot
    return None


def spent(asks: Sequence[Level], most: int, rate: int, lot: int) -> Taken | None:
    """Return the most lots that cost no more than this (1e-16), None when the book ends first."""
    left, quantity = most, 0
    for level in asks:
        part = min(level.quantity, left // level.price)
        quantity, left = quantity + part, left - part * level.price
        if part < level.quantity:
            return buy(asks, quantity - quantity % lot, rate)
    return None


def up(amount: int, step: int) -> int:
    """Return an amount rounded up to whole steps."""
    return ceil_div(amount, step) * step


def down(amount: int, step: int) -> int:
    """Return an amount rounded down to whole steps."""
    return amount - amount % step
