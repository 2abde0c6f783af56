"""What a trade with a constant-product pool costs, in base units, exactly as the program rounds.

Fees are in millionths and rounded up, outputs down, inputs up: rounding stays with the pool.
Source of the rules: https://github.com/raydium-io/raydium-cp-swap (curve/calculator.rs, fees.rs).
"""

from dataclasses import dataclass

from quantdesk.core.errors import Refused
from quantdesk.core.money import ceil_div

RATE_ONE = 1_000_000
"""A rate of one, in millionths."""

_U64 = 1 << 64


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Fees in millionths.

    `trade` is taken from the input; `creator` on top of it, from the input or else from the output;
    `protocol` and `fund` are shares of the trade fee.
    """

    trade: int
    creator: int
    protocol: int
    fund: int
    creator_on_input: bool

    @property
    def input_rate(self) -> int:
        """Return what is taken from the input, in millionths."""
        return self.trade + self.creator if self.creator_on_input else self.trade


@dataclass(frozen=True, slots=True)
class Reserves:
    """What the pool trades with: the balances of its vaults less the fees owed out of them."""

    input_raw: int
    output_raw: int


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade in base units; `curve_` is what reaches and leaves the curve, fees aside.

    `trade_fee` is in the input token and contains `protocol_fee` and `fund_fee`; `creator_fee` is
    in the input or the output token, as the rates say.
    """

    input_raw: int
    output_raw: int
    curve_input: int
    curve_output: int
    trade_fee: int
    protocol_fee: int
    fund_fee: int
    creator_fee: int


def exact_input(amount: int, reserves: Reserves, rates: FeeRates) -> Trade:
    """Return the trade in which exactly `amount` comes in.

    Raises `Refused`: `liquidity.insufficient` from an empty pool, `amount.too_small` when nothing
    would come out, `pool.unsupported` for rates the program cannot trade at.
    """
    _check(amount, reserves, rates)
    fee = ceil_div(amount * rates.input_rate, RATE_ONE)
    curve_input = amount - fee
    curve_output = curve_input * reserves.output_raw // (reserves.input_raw + curve_input)
    on_output = 0 if rates.creator_on_input else ceil_div(curve_output * rates.creator, RATE_ONE)
    if curve_output <= on_output:
        raise Refused("the amount is too small to bring anything", code="amount.too_small")
    return _trade(
        rates,
        input_raw=amount,
        output_raw=curve_output - on_output,
        curve_input=curve_input,
        curve_output=curve_output,
    )


def exact_output(amount: int, reserves: Reserves, rates: FeeRates) -> Trade:
    """Return the trade in which exactly `amount` goes out.

    Raises `Refused`: `liquidity.insufficient` when the pool holds no more than that or the price
    leaves 64 bits, `pool.unsupported` for rates the program cannot trade at.
    """
    _check(amount, reserves, rates)
    curve_output = amount if rates.creator_on_input else _before_fee(amount, rates.creator)
    if curve_output >= reserves.output_raw:
        raise _insufficient(amount, reserves)
    left = reserves.output_raw - curve_output
    curve_input = ceil_div(reserves.input_raw * curve_output, left)
    input_raw = _before_fee(curve_input, rates.input_rate)
    if input_raw >= _U64:
        raise _insufficient(amount, reserves)
    return _trade(
        rates,
        input_raw=input_raw,
        output_raw=amount,
        curve_input=curve_input,
        curve_output=curve_output,
    )


def _check(amount: int, reserves: Reserves, rates: FeeRates) -> None:
    assert 0 < amount < _U64, "an amount is a positive u64"
    if not reserves.input_raw or not reserves.output_raw:
        raise _insufficient(amount, reserves)
    # At no fee on the input at all the program divides by zero when it splits that fee.
    if rates.trade + rates.creator >= RATE_ONE or (rates.creator_on_input and not rates.input_rate):
        raise Refused("the program cannot trade at these fee rates", code="pool.unsupported")


def _trade(
    rates: FeeRates, *, input_raw: int, output_raw: int, curve_input: int, curve_output: int
) -> Trade:
    fee = input_raw - curve_input
    if rates.creator_on_input:
        creator_fee = fee * rates.creator // rates.input_rate
        trade_fee = fee - creator_fee
    else:
        creator_fee = curve_output - output_raw
        trade_fee = fee
    return Trade(
        input_raw=input_raw,
        output_raw=output_raw,
        curve_input=curve_input,
        curve_output=curve_output,
        trade_fee=trade_fee,
        protocol_fee=trade_fee * rates.protocol // RATE_ONE,
        fund_fee=trade_fee * rates.fund // RATE_ONE,
        creator_fee=creator_fee,
    )


def _before_fee(after: int, rate: int) -> int:
    return ceil_div(after * RATE_ONE, RATE_ONE - rate)


def _insufficient(amount: int, reserves: Reserves) -> Refused:
    return Refused(
        f"{amount} base units against reserves of {reserves.input_raw} and {reserves.output_raw}",
        code="liquidity.insufficient",
    )
