"""Pools of the three shapes there are, small and exact: what tests and benches route over.

They stand where the pools of `venues` stand. Fees are taken from what is paid, in millionths, and
every rounding is against the trader.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import inf
from typing import Final

import msgspec

from quantdesk.chains.port import Instruction
from quantdesk.core.errors import Refused
from quantdesk.core.money import ceil_div
from quantdesk.testing.chain import PROGRAM
from quantdesk.venues.curves import Drawn
from quantdesk.venues.port import About, Fill, Piece, Swap

PPM: Final = 1_000_000
ONE: Final = 1 << 64
"""One, in the 64-bit fractions of prices and roots."""


def about(
    address: str, mints: tuple[str, str], spot: Decimal, *, venue: str = "scripted", kind: str = ""
) -> About:
    """Return what a pool is."""
    return About(
        venue=venue, address=address, kind=kind or "CPMM", mints=mints, spot=spot,
        compute_units=40_000, slot=1, seen_ms=0,
    )  # fmt: skip


class Product(msgspec.Struct, frozen=True):
    """A pool whose reserves have a constant product."""

    about: About
    reserves: tuple[int, int]
    fee_ppm: int = 2_500

    def curve(self, paid: str) -> Sequence[Piece]:
        """Return its one hyperbola."""
        held, offered = self._sides(paid)
        depth = held / (1 - self.fee_ppm / PPM)
        return [Piece(float("inf"), offered / depth, depth)]

    def exact_in(self, paid: str, amount: int) -> Fill:
        """Return the trade that pays `amount`; raise `Refused` (`amount.too_small`)."""
        held, offered = self._sides(paid)
        net = _less_fee(amount, self.fee_ppm)
        return _filled(amount, offered * net // (held + net), self.fee_ppm)

    def exact_out(self, paid: str, amount: int) -> Fill:
        """Return the trade that brings `amount`; raise `Refused` (`liquidity.insufficient`)."""
        held, offered = self._sides(paid)
        if amount >= offered:
            raise _insufficient(self.about)
        net = ceil_div(held * amount, offered - amount)
        return _filled(_with_fee(net, self.fee_ppm), amount, self.fee_ppm)

    def instruction(self, swap: Swap) -> Instruction:
        """Return the swap itself, for a chain that reads it."""
        return _instruction(swap)

    def _sides(self, paid: str) -> tuple[int, int]:
        side = self.about.mints.index(paid)
        return self.reserves[side], self.reserves[1 - side]


class Ranges(msgspec.Struct, frozen=True):
    """A pool of concentrated liquidity: what is liquid between each root and the next.

    `roots` are square roots of the price (second token per first) as 64-bit fractions, rising;
    `at` is the root it stands at. Source of the formulas: https://uniswap.org/whitepaper-v3.pdf
    """

    about: About
    at: int
    roots: tuple[int, ...]
    liquidity: tuple[int, ...]
    fee_ppm: int = 500

    def curve(self, paid: str) -> Sequence[Piece]:
        """Return a hyperbola for each range."""
        return Drawn(lambda: self._pieces(paid))

    def exact_in(self, paid: str, amount: int) -> Fill:
        """Return the trade that pays `amount`; raise `Refused` as the port says."""
        left, received = _less_fee(amount, self.fee_ppm), 0
        for start, end, liquid in self._ahead(paid):
            most = self._taken(paid, start, end, liquid)
            reached = end if left >= most else self._reached(paid, start, liquid, left)
            received += self._given(paid, start, reached, liquid)
            left -= min(left, most)
            if not left:
                return _filled(amount, received, self.fee_ppm)
        raise _insufficient(self.about)

    def exact_out(self, paid: str, amount: int) -> Fill:
        """Return the trade that brings `amount`; raise `Refused` as the port says."""
        left, net = amount, 0
        for start, end, liquid in self._ahead(paid):
            most = self._given(paid, start, end, liquid)
            reached = end if left >= most else self._drained(paid, start, liquid, left)
            net += self._taken(paid, start, reached, liquid)
            left -= min(left, most)
            if not left:
                return _filled(_with_fee(net, self.fee_ppm), amount, self.fee_ppm)
        raise _insufficient(self.about)

    def instruction(self, swap: Swap) -> Instruction:
        """Return the swap itself, for a chain that reads it."""
        return _instruction(swap)

    def _falls(self, paid: str) -> bool:
        return paid == self.about.mints[0]

    def _pieces(self, paid: str) -> Iterator[Piece]:
        kept, falls = 1 - self.fee_ppm / PPM, self._falls(paid)
        for start, end, liquid in self._ahead(paid):
            first, last = start / ONE, end / ONE
            if falls:
                most, price, depth = liquid / last - liquid / first, first * first, liquid / first
            else:
                most, price, depth = liquid * (last - first), 1 / (first * first), liquid * first
            yield Piece(most / kept, price * kept, depth / kept)

    def _ahead(self, paid: str) -> Iterator[tuple[int, int, int]]:
        start, roots, liquidity = self.at, self.roots, self.liquidity
        if self._falls(paid):
            for span in range(bisect_left(roots, start, 0, len(liquidity)) - 1, -1, -1):
                if liquidity[span]:
                    yield min(roots[span + 1], start), roots[span], liquidity[span]
        else:
            for span in range(max(bisect_right(roots, start) - 1, 0), len(liquidity)):
                if liquidity[span]:
                    yield max(roots[span], start), roots[span + 1], liquidity[span]

    def _taken(self, paid: str, start: int, end: int, liquid: int) -> int:
        if self._falls(paid):
            return ceil_div(liquid * ONE * (start - end), start * end)
        return ceil_div(liquid * (end - start), ONE)

    def _given(self, paid: str, start: int, end: int, liquid: int) -> int:
        if self._falls(paid):
            return liquid * (start - end) // ONE
        return liquid * ONE * (end - start) // (start * end)

    def _reached(self, paid: str, start: int, liquid: int, net: int) -> int:
        if self._falls(paid):
            return ceil_div(liquid * ONE * start, liquid * ONE + net * start)
        return start + net * ONE // liquid

    def _drained(self, paid: str, start: int, liquid: int, given: int) -> int:
        if self._falls(paid):
            return start - ceil_div(given * ONE, liquid)
        return ceil_div(liquid * ONE * start, liquid * ONE - given * start)


class Bins(msgspec.Struct, frozen=True):
    """A pool of bins, each at one price (second token per first, a 64-bit fraction), rising.

    Those before `active` hold only the second token, those from it on only the first.
    """

    about: About
    prices: tuple[int, ...]
    held: tuple[int, ...]
    active: int
    fee_ppm: int = 1_000

    def curve(self, paid: str) -> Sequence[Piece]:
        """Return a flat piece for each bin."""
        return Drawn(lambda: self._pieces(paid))

    def exact_in(self, paid: str, amount: int) -> Fill:
        """Return the trade that pays `amount`; raise `Refused` as the port says."""
        left, received = _less_fee(amount, self.fee_ppm), 0
        for at in self._ahead(paid):
            most = self._taken(paid, at, self.held[at])
            if left < most:
                price = self.prices[at]
                sells = paid == self.about.mints[0]
                given = left * price // ONE if sells else left * ONE // price
                return _filled(amount, received + given, self.fee_ppm)
            received += self.held[at]
            left -= most
        if left:
            raise _insufficient(self.about)
        return _filled(amount, received, self.fee_ppm)

    def exact_out(self, paid: str, amount: int) -> Fill:
        """Return the trade that brings `amount`; raise `Refused` as the port says."""
        left, net = amount, 0
        for at in self._ahead(paid):
            given = min(left, self.held[at])
            net += self._taken(paid, at, given)
            left -= given
            if not left:
                return _filled(_with_fee(net, self.fee_ppm), amount, self.fee_ppm)
        raise _insufficient(self.about)

    def instruction(self, swap: Swap) -> Instruction:
        """Return the swap itself, for a chain that reads it."""
        return _instruction(swap)

    def _pieces(self, paid: str) -> Iterator[Piece]:
        kept, sells = 1 - self.fee_ppm / PPM, paid == self.about.mints[0]
        for at in self._ahead(paid):
            price = kept * (self.prices[at] / ONE if sells else ONE / self.prices[at])
            yield Piece(self.held[at] / price, price, inf)

    def _ahead(self, paid: str) -> Iterator[int]:
        sells = paid == self.about.mints[0]
        order = range(self.active - 1, -1, -1) if sells else range(self.active, len(self.prices))
        return filter(self.held.__getitem__, order)

    def _taken(self, paid: str, at: int, given: int) -> int:
        if paid == self.about.mints[0]:
            return ceil_div(given * ONE, self.prices[at])
        return ceil_div(given * self.prices[at], ONE)


def _less_fee(amount: int, fee_ppm: int) -> int:
    return amount - ceil_div(amount * fee_ppm, PPM)


def _with_fee(net: int, fee_ppm: int) -> int:
    return ceil_div(net * PPM, PPM - fee_ppm)


def _filled(paid: int, received: int, fee_ppm: int) -> Fill:
    if received <= 0:
        raise Refused(f"{paid} base units buy nothing", code="amount.too_small")
    return Fill(paid, received, ceil_div(paid * fee_ppm, PPM), fee_on_input=True)


def _insufficient(what: About) -> Refused:
    return Refused(f"pool {what.address} does not hold that much", code="liquidity.insufficient")


def _instruction(swap: Swap) -> Instruction:
    return Instruction(PROGRAM, (), msgspec.json.encode(swap))
