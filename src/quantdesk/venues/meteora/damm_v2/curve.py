"""What a swap with a DAMM v2 pool costs, in base units, exactly as the program rounds; pure.

Most pools spread their liquidity over one price range and are constant product inside it;
compounding pools are plain constant product over their reserves. Outputs are rounded down, inputs
up: rounding stays with the pool.
Formulas: https://github.com/MeteoraAg/damm-v2 (cp_amm 0.2.1: liquidity_handler/*.rs,
state/pool.rs).
"""

import math
from dataclasses import dataclass
from typing import Final

from quantdesk.core.errors import Refused
from quantdesk.core.money import ceil_div
from quantdesk.venues.meteora.damm_v2.fees import RATE_ONE, Fee, fee_of, whole_of
from quantdesk.venues.port import Fill, Piece

PIECES_MAX: Final = 256
"""How much of a rate limiter's slope is drawn; beyond, quotes go on but the curve ends."""

_U64: Final = 1 << 64
_U128: Final = 1 << 128


@dataclass(frozen=True, slots=True)
class Range:
    """Liquidity between two prices; prices are square roots in Q64.64."""

    liquidity: int
    sqrt_price: int
    sqrt_min: int
    sqrt_max: int

    def output(self, amount: int, *, a_to_b: bool) -> int:
        """Return what comes out for `amount` in, fees aside.

        Raises `Refused` (`liquidity.insufficient`) past the end of the range.
        """
        moved = self.after_input(amount, a_to_b=a_to_b)
        if a_to_b:
            out = self.liquidity * (self.sqrt_price - moved) >> 128
        else:
            out = self.liquidity * (moved - self.sqrt_price) // (self.sqrt_price * moved)
        return _within(out, _U64)

    def input(self, amount: int, *, a_to_b: bool) -> int:
        """Return what must go in for `amount` to come out, fees aside; raises as `output`."""
        moved = self.after_output(amount, a_to_b=a_to_b)
        if a_to_b:
            paid = ceil_div(self.liquidity * (self.sqrt_price - moved), self.sqrt_price * moved)
        else:
            paid = ceil_div(self.liquidity * (moved - self.sqrt_price), _U128)
        return _within(paid, _U64)

    def after_input(self, amount: int, *, a_to_b: bool) -> int:
        """Return the price after `amount` went in, fees aside; raises as `output`."""
        self._check()
        liquidity, price = self.liquidity, self.sqrt_price
        if a_to_b:
            return self._inside(ceil_div(liquidity * price, liquidity + amount * price))
        return self._inside(price + (amount << 128) // liquidity)

    def after_output(self, amount: int, *, a_to_b: bool) -> int:
        """Return the price after `amount` came out, fees aside; raises as `output`."""
        self._check()
        liquidity, price = self.liquidity, self.sqrt_price
        if a_to_b:
            return self._inside(price - ceil_div(amount << 128, liquidity))
        left = liquidity - amount * price
        if left <= 0:
            raise _exhausted()
        return self._inside(ceil_div(liquidity * price, left))

    def most_input(self, *, a_to_b: bool) -> int:
        """Return how much can go in, fees aside."""
        if a_to_b:
            lowest = max(self.sqrt_min, 1)
            return self.liquidity * (self.sqrt_price - lowest) // (self.sqrt_price * lowest)
        return self.liquidity * (self.sqrt_max - self.sqrt_price) >> 128

    def reserves(self) -> tuple[int, int]:
        """Return what the liquidity holds of token A and B, rounded up."""
        liquidity, price = self.liquidity, self.sqrt_price
        return (
            ceil_div(liquidity * (self.sqrt_max - price), self.sqrt_max * price),
            ceil_div(liquidity * (price - self.sqrt_min), _U128),
        )

    def virtual(self) -> tuple[float, float]:
        """Return the reserves of token A and B that a plain constant product would have here."""
        return self.liquidity / self.sqrt_price, self.liquidity * self.sqrt_price / _U128

    def _check(self) -> None:
        if not self.liquidity:
            raise _exhausted()

    def _inside(self, price: int) -> int:
        if not self.sqrt_min <= price <= self.sqrt_max or price <= 0:
            raise _exhausted()
        return price


@dataclass(frozen=True, slots=True)
class Reserves:
    """Liquidity without a range: the product of the two reserves is kept."""

    a: int
    b: int

    def output(self, amount: int, *, a_to_b: bool) -> int:
        """Return what comes out for `amount` in, fees aside.

        Raises `Refused` (`liquidity.insufficient`) of an empty pool, or past 64 bits.
        """
        paid, received = self._sides(a_to_b=a_to_b)
        return received * amount // _within(paid + amount, _U64)

    def input(self, amount: int, *, a_to_b: bool) -> int:
        """Return what must go in for `amount` to come out, fees aside; raises as `output`."""
        paid, received = self._sides(a_to_b=a_to_b)
        if amount >= received:
            raise _exhausted()
        needed = ceil_div(paid * amount, received - amount)
        _within(paid + needed, _U64)
        return needed

    def most_input(self, *, a_to_b: bool) -> int:
        """Return how much can go in, fees aside."""
        return _U64 - 1 - (self.a if a_to_b else self.b)

    def virtual(self) -> tuple[float, float]:
        """Return the reserves of token A and B."""
        return float(self.a), float(self.b)

    def _sides(self, *, a_to_b: bool) -> tuple[int, int]:
        if not self.a or not self.b:
            raise _exhausted()
        return (self.a, self.b) if a_to_b else (self.b, self.a)


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction of a pool at one moment.

    `held` is what the pool counts as its own of the token received.
    """

    liquidity: Range | Reserves
    fee: Fee
    a_to_b: bool
    fee_on_input: bool
    held: int

    def exact_in(self, amount: int) -> Fill:
        """Return the trade in which exactly `amount` is paid.

        Raises `Refused` (`liquidity.insufficient`, `amount.too_small`).
        """
        assert 0 < amount < _U64, "an amount is a positive u64"
        rate = self.fee.rate_of_whole(amount)
        taken = fee_of(amount, rate) if self.fee_on_input else 0
        out = self.liquidity.output(amount - taken, a_to_b=self.a_to_b)
        self._check_held(out)
        if not self.fee_on_input:
            taken = fee_of(out, rate)
            out -= taken
        if not out:
            raise Refused("the amount is too small to bring anything", code="amount.too_small")
        return Fill(amount, out, taken, self.fee_on_input)

    def exact_out(self, amount: int) -> Fill:
        """Return the trade in which exactly `amount` is received; raises as `exact_in`."""
        assert 0 < amount < _U64, "an amount is a positive u64"
        out = amount if self.fee_on_input else self._whole(amount)
        self._check_held(out)
        paid = rest = self.liquidity.input(out, a_to_b=self.a_to_b)
        if self.fee_on_input:
            paid = self._whole(rest)
        return Fill(paid, amount, paid - rest + out - amount, self.fee_on_input)

    def pieces(self) -> list[Piece]:
        """Return the curve, from the best price down; empty when nothing can be bought."""
        reserve_a, reserve_b = self.liquidity.virtual()
        paid, received = (reserve_a, reserve_b) if self.a_to_b else (reserve_b, reserve_a)
        if not paid or not received:
            return []
        pieces: list[Piece] = []
        total, most_net = 0, self.liquidity.most_input(a_to_b=self.a_to_b)
        for stretch, rate in self.fee.marginal_rates(PIECES_MAX):
            left = most_net - self._used(total)
            kept = 1 - rate / RATE_ONE
            whole = left * RATE_ONE // (RATE_ONE - rate) if self.fee_on_input else left
            most = min(whole, _U64 - 1 - total, stretch or _U64)
            if most <= 0:
                break
            depth = paid / kept if self.fee_on_input else paid
            pieces.append(Piece(_at_most(most), kept * received / paid, depth))
            net = most * kept if self.fee_on_input else float(most)
            received *= paid / (paid + net)
            paid += net
            total += most
        return pieces

    def _used(self, total: int) -> int:
        """Return at least what has gone in, fees aside, when `total` has been paid."""
        if not total:
            return 0
        taken = fee_of(total, self.fee.rate_of_whole(total)) if self.fee_on_input else 0
        # The rate of a larger total may be rounded by less than that of this one.
        return total - taken + total // RATE_ONE + 2

    def _whole(self, rest: int) -> int:
        return _within(whole_of(rest, self.fee.rate_of_rest(rest)), _U64)

    def _check_held(self, out: int) -> None:
        if out > self.held:
            raise _exhausted()


def _within(amount: int, limit: int) -> int:
    if amount >= limit:
        raise _exhausted()
    return amount


def _at_most(amount: int) -> float:
    near = float(amount)
    return near if near <= amount else math.nextafter(near, 0)


def _exhausted() -> Refused:
    return Refused("the pool does not hold that much", code="liquidity.insufficient")
