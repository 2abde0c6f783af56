"""The two kinds of step of a CLMM swap, in integers, exactly as the program computes them.

Between two initialized ticks the pool is a constant product of virtual reserves. With liquidity L
and the square root p of the price (token 1 per token 0), a move of p from low to high is

    token 0    L * (high - low) / (high * low)     what enters when the price falls
    token 1    L * (high - low)                    what enters when it rises

What is paid rounds up, what is received rounds down, and the new price stays on the pool's side. At
a tick, limit orders are filled at its price. Formulas and roundings:
https://github.com/raydium-io/raydium-clmm (libraries/swap_math.rs, liquidity_math.rs,
sqrt_price_math.rs, states/tick_array.rs).
"""

from typing import Final, NamedTuple

from quantdesk.core.errors import Refused
from quantdesk.core.money import ceil_div
from quantdesk.venues.raydium.clmm.layout import RATE_ONE
from quantdesk.venues.raydium.clmm.ticks import ONE

U64_MAX: Final = (1 << 64) - 1

_FRACTION: Final = ONE - 1


class Terms(NamedTuple):
    """How a swap goes: `down` when token 0 is paid and its price falls."""

    down: bool
    exact_in: bool
    fee_on_input: bool


Trade = tuple[int, int, int]
"""What a step takes of what is left, what it adds to the other token, and its fee.

Both as the trader pays and receives them. A bare tuple: a swap makes one at every step.
"""


def move(
    start: int, bound: int, liquidity: int, left: int, rate: int, terms: Terms
) -> tuple[int, Trade]:
    """Return the price after trading from `start` towards `bound`, and what traded.

    Prices are Q64.64 square roots, `rate` is in millionths. Raises `Refused`
    (`liquidity.insufficient`) where the amounts leave 64 bits.
    """
    down, exact_in, fee_on_input = terms
    paid, received = _between(start, bound, liquidity, down=down)
    if fee_on_input:  # by far the most: all of a way, and then nothing else has to be computed
        fee = -(-paid * rate // (RATE_ONE - rate))
        if exact_in:
            if paid + fee <= left and received <= U64_MAX:
                return bound, (paid + fee, received, fee)
        elif received <= left and paid <= U64_MAX:
            return bound, (received, paid + fee, fee)
    price, offered = bound, _offered(left, rate, terms)
    if offered < (paid if exact_in else received):
        price = _price_after(start, liquidity, offered, terms)
        paid, received = _between(start, price, liquidity, down=down)
    if paid > U64_MAX or received > U64_MAX:
        raise insufficient()
    if not exact_in:
        return price, _charged_out(paid, received, left, rate, terms)
    # What is too little to move the price is not given back.
    return price, _charged_in(paid, received, None if price == bound else left, rate, terms)


def fill(sqrt_price: int, orders: int, left: int, rate: int, terms: Terms) -> tuple[int, Trade]:
    """Return what remains of a tick's limit orders, and what traded with them; raises as `move`."""
    if terms.exact_in:
        paid, gross, fee = _filled_in(sqrt_price, orders, left, rate, terms)
    else:
        gross = _ordered_out(orders, left, rate, terms)
        paid = _order_costs(gross, sqrt_price, down=terms.down)
        fee = ceil_div(paid * rate, RATE_ONE - rate)
    if terms.fee_on_input:
        used, other = paid + fee, gross
    else:
        fee = ceil_div(gross * rate, RATE_ONE)
        used, other = paid, gross - fee
    return orders - gross, (used, other, fee) if terms.exact_in else (other, used, fee)


def insufficient() -> Refused:
    """Return the refusal of what the ticks known of a pool cannot fill."""
    return Refused("the ticks known of the pool hold less", code="liquidity.insufficient")


def _offered(left: int, rate: int, terms: Terms) -> int:
    """Return what is left as it acts on the price, fees aside."""
    _, exact_in, fee_on_input = terms
    if exact_in:
        return left * (RATE_ONE - rate) // RATE_ONE if fee_on_input else left
    return left if fee_on_input else ceil_div(left * RATE_ONE, RATE_ONE - rate)


def _between(price: int, other: int, liquidity: int, *, down: bool) -> tuple[int, int]:
    """Return what is paid and received, fees aside, for a move between two prices."""
    if down:  # the signs round up what is paid
        token_1 = liquidity * (price - other)
        return -((-token_1 << 64) // (price * other)), token_1 >> 64
    token_1 = liquidity * (other - price)
    return (token_1 + _FRACTION) >> 64, (token_1 << 64) // (price * other)


def _price_after(price: int, liquidity: int, amount: int, terms: Terms) -> int:
    """Return where an amount of the token that is exact, fees aside, moves the price."""
    into = 1 if terms.exact_in else -1
    if terms.down == terms.exact_in:  # the amount is of token 0
        whole = liquidity << 64
        divisor = whole + into * amount * price
        if divisor <= 0:
            raise insufficient()
        return ceil_div(whole * price, divisor)
    return price + into * (amount << 64) // liquidity


def _charged_in(paid: int, received: int, all_left: int | None, rate: int, terms: Terms) -> Trade:
    """Return the trade with its fee; `all_left` is all there is when the price stays behind."""
    if not terms.fee_on_input:
        fee = ceil_div(received * rate, RATE_ONE)
        return paid if all_left is None else all_left, received - fee, fee
    assert all_left is not None, "all of a way has been charged"
    return all_left, received, all_left - paid


def _charged_out(paid: int, received: int, left: int, rate: int, terms: Terms) -> Trade:
    if terms.fee_on_input:
        fee = ceil_div(paid * rate, RATE_ONE - rate)
        return min(received, left), paid + fee, fee
    kept = min(received - ceil_div(received * rate, RATE_ONE), left)
    return kept, paid, received - kept


def _filled_in(
    sqrt_price: int, orders: int, left: int, rate: int, terms: Terms
) -> tuple[int, int, int]:
    """Return what is paid, what orders give for it, and the fee if it is on what is paid."""
    paid = left - ceil_div(left * rate, RATE_ONE) if terms.fee_on_input else left
    gross = _order_gives(paid, sqrt_price, down=terms.down)
    if gross <= orders:
        return paid, gross, left - paid
    paid = _order_costs(orders, sqrt_price, down=terms.down)
    return paid, orders, ceil_div(paid * rate, RATE_ONE - rate)


def _ordered_out(orders: int, left: int, rate: int, terms: Terms) -> int:
    wanted = min(left, orders)
    if terms.fee_on_input:
        return wanted
    return min(ceil_div(wanted * RATE_ONE, RATE_ONE - rate), orders)


def _order_gives(paid: int, sqrt_price: int, *, down: bool) -> int:
    squared = sqrt_price * sqrt_price
    if down:
        return paid * (squared >> 64) >> 64
    return (paid << 64) // ((squared + _FRACTION) >> 64)


def _order_costs(received: int, sqrt_price: int, *, down: bool) -> int:
    squared = sqrt_price * sqrt_price
    if down:
        return _u64(ceil_div(received << 64, squared >> 64))
    return _u64(ceil_div(received * ((squared + _FRACTION) >> 64), ONE))


def _u64(amount: int) -> int:
    if amount > U64_MAX:
        raise insufficient()
    return amount
