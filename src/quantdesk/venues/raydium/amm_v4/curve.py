"""What a trade with an AMM v4 pool costs, in base units, exactly as the program rounds.

The fee is taken from the input and rounded up, outputs are rounded down, inputs up: rounding stays
with the pool. Source of the rules: https://github.com/raydium-io/raydium-amm (program/src/math.rs,
processor.rs: process_swap_base_in, process_swap_base_out).
"""

from dataclasses import dataclass
from typing import Final

from quantdesk.core.errors import Refused
from quantdesk.core.money import ceil_div
from quantdesk.venues.port import Fill

_U64: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class FeeRate:
    """The part of the input that the pool keeps."""

    numerator: int
    denominator: int

    @property
    def usable(self) -> bool:
        """Return whether the program can trade at it: a true fraction."""
        return self.numerator < self.denominator


@dataclass(frozen=True, slots=True)
class Reserves:
    """What the pool trades with: the balances of its vaults less the profit owed out of them."""

    input_raw: int
    output_raw: int


def exact_input(amount: int, reserves: Reserves, rate: FeeRate) -> Fill:
    """Return the trade in which exactly `amount` comes in.

    Raises `Refused`: `liquidity.insufficient` from an empty pool, `amount.too_small` when nothing
    would come out.
    """
    _check(amount, reserves, rate)
    fee = ceil_div(amount * rate.numerator, rate.denominator)
    after_fee = amount - fee
    received = reserves.output_raw * after_fee // (reserves.input_raw + after_fee)
    if not received:
        raise Refused("the amount is too small to bring anything", code="amount.too_small")
    return Fill(amount, received, fee, fee_on_input=True)


def exact_output(amount: int, reserves: Reserves, rate: FeeRate) -> Fill:
    """Return the trade in which exactly `amount` goes out.

    Raises `Refused` (`liquidity.insufficient`) when the pool holds no more than that or the price
    leaves 64 bits.
    """
    _check(amount, reserves, rate)
    if amount >= reserves.output_raw:
        raise _insufficient(amount, reserves)
    after_fee = ceil_div(reserves.input_raw * amount, reserves.output_raw - amount)
    paid = ceil_div(after_fee * rate.denominator, rate.denominator - rate.numerator)
    if paid >= _U64:
        raise _insufficient(amount, reserves)
    return Fill(paid, amount, paid - after_fee, fee_on_input=True)


def _check(amount: int, reserves: Reserves, rate: FeeRate) -> None:
    assert 0 < amount < _U64, "an amount is a positive u64"
    assert rate.usable, "a pool with such a fee has no snapshot"
    if not reserves.input_raw or not reserves.output_raw:
        raise _insufficient(amount, reserves)


def _insufficient(amount: int, reserves: Reserves) -> Refused:
    return Refused(
        f"{amount} base units against reserves of {reserves.input_raw} and {reserves.output_raw}",
        code="liquidity.insufficient",
    )
