"""One order book as a pool: what trades cost, and the order that takes one; pure.

Orders are whole lots. Selling base is exact or refused (`amount.precision`). All else is rounded to
lots in the trader's favor and told as if it were not: a purchase brings at least what was asked,
and quote that buys no further lot stays in the wallet.

The order is LIMIT at the price at which its whole quantity just meets the trade's bound: the
exchange then cannot break the bound, as it could a MARKET order's. `worst` tells the executor which
price the quote reached, so that a book steeper than the bound is seen before anything is sent.

Order parameters: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Final

import msgspec

from quantdesk.chains.port import Instruction
from quantdesk.core.assets import Asset
from quantdesk.core.errors import Refused
from quantdesk.core.money import ceil_div
from quantdesk.venues.binance.layout import E8, Fees, Level, Levels, Rules, decimal_text
from quantdesk.venues.binance.walk import E16, Taken, bought, down, sell, sold, spent, up
from quantdesk.venues.port import About, Fill, Piece, Swap

PROGRAM: Final = "binance"


class Order(msgspec.Struct, frozen=True):
    """What an instruction of a book holds, as the exchange reads it."""

    symbol: str
    side: str
    quantity: str
    price: str
    worst: str


@dataclass(frozen=True)
class Book:
    """One state of one symbol's book."""

    about: About
    base: Asset
    quote: Asset
    rules: Rules
    fees: Fees
    levels: Levels

    def curve(self, paid: str) -> Sequence[Piece]:
        """Return a flat piece for each level, the fee taken off."""
        return self._bids if self._sells(paid) else self._asks

    def exact_in(self, paid: str, amount: int) -> Fill:
        """Return the trade in which exactly `amount` is paid; change of less than a lot is kept.

        Raises `Refused` (`amount.precision`, `amount.too_small`, `liquidity.insufficient`).
        """
        if self._sells(paid):
            taken = self._sale(amount)
            received = self._quote_down(taken.notional - taken.fee)
            fee = self._quote_down(taken.fee)
        else:
            taken = self._spending(amount)
            received, fee = self._base_down(taken.quantity - taken.fee), self._base_down(taken.fee)
        if received <= 0:
            raise Refused("the amount is too small to bring anything", code="amount.too_small")
        return Fill(amount, received, fee, fee_on_input=False)

    def exact_out(self, paid: str, amount: int) -> Fill:
        """Return the trade in which at least `amount` is received; raises as `exact_in`."""
        if self._sells(paid):
            taken = self._sale_for(amount)
            cost = self._base_up(taken.quantity)
            fee = self._quote_down(taken.fee)
        else:
            taken = self._purchase(amount)
            cost, fee = self._quote_up(taken.notional), self._base_down(taken.fee)
        return Fill(cost, amount, fee, fee_on_input=False)

    def instruction(self, swap: Swap) -> Instruction:
        """Return the order, at the price at which it just meets the trade's bound."""
        order = self._selling(swap) if self._sells(swap.paid) else self._buying(swap)
        return Instruction(PROGRAM, (), msgspec.json.encode(order))

    def _selling(self, swap: Swap) -> Order:
        taken = self._sale(swap.amount) if swap.exact_in else self._sale_for(swap.amount)
        least = self._quote_e16(swap.limit if swap.exact_in else swap.amount)
        if least:  # fees are rounded up fill by fill: a base unit makes up for a hundred of them
            least += self._quote_e16(1)
        gross = ceil_div(least * E8, E8 - self.fees.selling)
        price = up(max(ceil_div(gross, taken.quantity), self.rules.price_min), self.rules.tick)
        return self._order("SELL", taken, price)

    def _buying(self, swap: Swap) -> Order:
        taken = self._spending(swap.amount) if swap.exact_in else self._purchase(swap.amount)
        most = self._quote_e16(swap.amount if swap.exact_in else swap.limit)
        return self._order("BUY", taken, down(most // taken.quantity, self.rules.tick))

    def _order(self, side: str, taken: Taken, price: int) -> Order:
        return Order(
            symbol=self.rules.symbol,
            side=side,
            quantity=decimal_text(taken.quantity),
            price=decimal_text(price),
            worst=decimal_text(taken.worst),
        )

    def _sale(self, amount: int) -> Taken:
        quantity = self._base_e8(amount)
        whole = quantity - quantity % self.rules.lot
        if self._base_up(whole) != amount:
            lot = decimal_text(self.rules.lot)
            raise Refused(
                f"{self.rules.symbol} is sold in steps of {lot} {self.base.symbol}",
                code="amount.precision",
            )
        return self._checked(sell(self.levels.bids, quantity, self.fees.selling))

    def _sale_for(self, amount: int) -> Taken:
        least, lot = self._quote_e16(amount), self.rules.lot
        return self._checked(sold(self.levels.bids, least, self.fees.selling, lot))

    def _purchase(self, amount: int) -> Taken:
        least = max(self._base_e8(amount), 1)
        lot = self.rules.lot
        return self._checked(bought(self.levels.asks, least, self.fees.buying, lot))

    def _spending(self, amount: int) -> Taken:
        most, lot = self._quote_e16(amount), self.rules.lot
        return self._checked(spent(self.levels.asks, most, self.fees.buying, lot))

    def _checked(self, taken: Taken | None) -> Taken:
        rules = self.rules
        if taken is None:
            raise self._insufficient("the book does not hold that much")
        if taken.quantity < max(rules.quantity_min, 1) or taken.notional < rules.notional_min:
            least = decimal_text(rules.notional_min // E8)
            raise Refused(
                f"{rules.symbol} takes {decimal_text(rules.quantity_min)} {self.base.symbol} "
                f"and {least} {self.quote.symbol} at least",
                code="amount.too_small",
            )
        if rules.quantity_max and taken.quantity > rules.quantity_max:
            raise self._insufficient("one order may not hold that much")
        if rules.notional_max and taken.notional > rules.notional_max:
            raise self._insufficient("one order may not be worth that much")
        return taken

    def _insufficient(self, why: str) -> Refused:
        return Refused(f"{self.rules.symbol}: {why}", code="liquidity.insufficient")

    def _sells(self, paid: str) -> bool:
        return paid == self.base.mint

    @cached_property
    def _bids(self) -> tuple[Piece, ...]:
        scale = 10.0 ** (self.quote.decimals - self.base.decimals)
        kept = (1 - self.fees.selling / E8) * scale / E8
        unit = 10.0**self.base.decimals / E8
        return tuple(Piece(b.quantity * unit, b.price * kept, inf) for b in self.levels.bids)

    @cached_property
    def _asks(self) -> tuple[Piece, ...]:
        scale = 10.0 ** (self.base.decimals - self.quote.decimals)
        kept = (1 - self.fees.buying / E8) * scale * E8
        unit = 10.0**self.quote.decimals / E16
        return tuple(
            Piece(a.quantity * a.price * unit, kept / a.price, inf) for a in self.levels.asks
        )

    # Eight decimals of the exchange against as many as the token has on its own chain.

    def _base_e8(self, raw: int) -> int:
        return ceil_div(raw * E8, _units(self.base))

    def _base_up(self, quantity: int) -> int:
        return ceil_div(quantity * _units(self.base), E8)

    def _base_down(self, quantity: int) -> int:
        return quantity * _units(self.base) // E8

    def _quote_e16(self, raw: int) -> int:
        return raw * E16 // _units(self.quote)

    def _quote_up(self, notional: int) -> int:
        return ceil_div(notional * _units(self.quote), E16)

    def _quote_down(self, notional: int) -> int:
        return notional * _units(self.quote) // E16


def _units(asset: Asset) -> int:
    return int(10**asset.decimals)


def deepest(side: Sequence[Level], count: int) -> tuple[Level, ...]:
    """Return the best levels of a side, as many as a curve may have."""
    return tuple(side[:count])
