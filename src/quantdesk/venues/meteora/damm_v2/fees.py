"""The fee of a swap with a DAMM v2 pool, in 10^-9 of the amount, as the program rounds it; pure.

A swap pays the base fee, which falls by a schedule or rises with the size, plus the dynamic fee,
together no more than the cap of the pool's fee version. The dynamic fee is that of the volatility
before the swap: the program counts the swap's own only afterwards.
Formulas: https://github.com/MeteoraAg/damm-v2 (cp_amm 0.2.1: base_fee/*.rs, state/fee.rs,
math/fee_math.rs).
"""

import math
from dataclasses import dataclass
from typing import Final

from quantdesk.core.errors import Refused
from quantdesk.core.money import BPS, ceil_div
from quantdesk.venues.meteora.damm_v2.layout import (
    DynamicFee,
    Pool,
    PriceSchedule,
    RateLimiter,
    TimeSchedule,
)

RATE_ONE: Final = 1_000_000_000
"""A rate of one."""

CAPS: Final = {0: 500_000_000, 1: 990_000_000}
"""The highest fee by fee version."""

_RATE_PER_BPS: Final = RATE_ONE // BPS
_ONE_X64: Final = 1 << 64
_U64: Final = 1 << 64
_U128: Final = 1 << 128
_VOLATILITY_SCALE: Final = 100_000_000_000


@dataclass(frozen=True, slots=True)
class Fee:
    """The fee of one direction at one moment; `base` holds unless a `limiter` is at work."""

    base: int
    variable: int
    cap: int
    limiter: RateLimiter | None = None

    def rate_of_whole(self, amount: int) -> int:
        """Return the rate for an amount the fee is still in."""
        base = _limited(self.limiter, amount) if self.limiter else self.base
        return min(base + self.variable, self.cap)

    def rate_of_rest(self, amount: int) -> int:
        """Return the rate for an amount the fee is no longer in.

        Raises `Refused` (`liquidity.insufficient`) when no 64-bit amount leaves that much.
        """
        base = _limited_of_rest(self.limiter, amount) if self.limiter else self.base
        return min(base + self.variable, self.cap)

    def marginal_rates(self, most: int) -> list[tuple[int | None, int]]:
        """Return stretches of the amount paid and the rate on each, `most` stretches at most.

        A stretch of None goes on for ever. The list ends early where the cap would make a larger
        amount cheaper at the margin.
        """
        limiter = self.limiter
        if not limiter or limiter.cliff + self.variable >= self.cap:
            return [(None, min(self.base + self.variable, self.cap))]
        step, last = limiter.increment_bps * _RATE_PER_BPS, _steps(limiter)
        rates: list[tuple[int | None, int]] = [
            (limiter.reference, limiter.cliff + step * number + self.variable)
            for number in range(min(last + 1, most))
        ]
        if len(rates) < most:
            rates.append((None, limiter.max_bps * _RATE_PER_BPS + self.variable))
        return [(stretch, rate) for stretch, rate in rates if rate <= self.cap]


def fee_of(amount: int, rate: int) -> int:
    """Return what is taken from an amount."""
    return ceil_div(amount * rate, RATE_ONE)


def whole_of(rest: int, rate: int) -> int:
    """Return the smallest amount the program takes for leaving `rest` after the fee."""
    return ceil_div(rest * RATE_ONE, RATE_ONE - rate)


def fee(pool: Pool, *, a_to_b: bool, point: int) -> Fee:
    """Return the fee of swaps in one direction at a point of the pool's time, once it is open.

    Raises `Refused` (`pool.unsupported`) for a fee the program cannot compute or this desk does
    not know.
    """
    base = pool.base_fee
    if base is None or pool.fee_version not in CAPS:
        raise _unsupported("a fee of a kind this desk does not know")
    variable = _variable(pool.dynamic_fee) if pool.dynamic_fee else 0
    limiter = base if isinstance(base, RateLimiter) and base.limits and not a_to_b else None
    if limiter:
        _check_limiter(limiter)
        if not 0 <= point - pool.activation_point <= limiter.duration:
            limiter = None
    return Fee(_base(pool, point), variable, CAPS[pool.fee_version], limiter)


def _base(pool: Pool, point: int) -> int:
    fee_ = pool.base_fee
    if isinstance(fee_, TimeSchedule):
        if not fee_.period:
            return fee_.cliff
        return _step_of(fee_, max(0, point - pool.activation_point) // fee_.period)
    if isinstance(fee_, PriceSchedule):
        if point > pool.activation_point + fee_.expires_after:
            return _step_of(fee_, fee_.periods)
        return _step_of(fee_, _price_steps(fee_, pool.sqrt_price_initial, pool.sqrt_price))
    assert isinstance(fee_, RateLimiter), "an unknown fee was refused before"
    return fee_.cliff


def _price_steps(fee_: PriceSchedule, initial: int, current: int) -> int:
    if current <= initial:
        return 0
    if not initial or not fee_.step_bps:
        raise _unsupported("a fee by market cap without a first price or a step")
    return (current - initial) * BPS // initial // fee_.step_bps


def _step_of(fee_: TimeSchedule | PriceSchedule, step: int) -> int:
    step = min(step, fee_.periods)
    if fee_.exponential:
        return _decayed(fee_.cliff, fee_.reduction, step)
    if fee_.reduction * step > fee_.cliff:
        raise _unsupported("a fee that falls below nothing")
    return fee_.cliff - fee_.reduction * step


def _decayed(cliff: int, reduction_bps: int, steps: int) -> int:
    """Return `cliff * (1 - reduction) ^ steps`, each product cut to Q64.64 as the program does."""
    if not reduction_bps:
        return cliff
    square = _ONE_X64 - (reduction_bps << 64) // BPS
    result = _ONE_X64
    while steps and square >= 0:
        if steps & 1:
            result = result * square >> 64
        square = square * square >> 64
        steps >>= 1
    if square < 0 or not result:
        raise _unsupported("a fee that decays to nothing")
    return result * cliff >> 64


def _variable(dynamic: DynamicFee) -> int:
    volatility = (dynamic.accumulator * dynamic.bin_step) ** 2 * dynamic.control
    if volatility >= _U128 - _VOLATILITY_SCALE:
        raise _unsupported("a volatility past 128 bits")
    return ceil_div(volatility, _VOLATILITY_SCALE)


def _check_limiter(limiter: RateLimiter) -> None:
    whole = limiter.increment_bps and limiter.duration and limiter.max_bps and limiter.reference
    if not whole or limiter.max_bps * _RATE_PER_BPS < limiter.cliff:
        raise _unsupported("a rate limiter that is not whole")


def _steps(limiter: RateLimiter) -> int:
    headroom = limiter.max_bps * _RATE_PER_BPS - limiter.cliff
    return headroom // (limiter.increment_bps * _RATE_PER_BPS)


def _limited(limiter: RateLimiter, amount: int) -> int:
    """Return the limiter's average rate for an amount the fee is still in."""
    reference, cliff = limiter.reference, limiter.cliff
    if amount <= reference:
        return cliff
    increment, last = limiter.increment_bps * _RATE_PER_BPS, _steps(limiter)
    full, over = divmod(amount - reference, reference)
    steps = min(full, last)
    taken = reference * (cliff * (steps + 1) + increment * steps * (steps + 1) // 2)
    if full < last:
        taken += over * (cliff + increment * (steps + 1))
    else:
        taken += ((full - last) * reference + over) * limiter.max_bps * _RATE_PER_BPS
    return ceil_div(ceil_div(taken, RATE_ONE) * RATE_ONE, amount)


def _limited_of_rest(limiter: RateLimiter, rest: int) -> int:
    """Return the limiter's average rate for an amount the fee is no longer in."""
    if rest <= _rest(limiter, limiter.reference):
        return limiter.cliff
    knee = min((_steps(limiter) + 1) * limiter.reference, _U64 - 1)
    rest_at_knee = _rest(limiter, knee)
    if rest == rest_at_knee:
        return _limited(limiter, knee)
    if rest < rest_at_knee:
        whole = _whole_on_slope(limiter, rest)
    else:
        whole = knee + whole_of(rest - rest_at_knee, limiter.max_bps * _RATE_PER_BPS)
    if whole >= _U64:
        raise _too_large(rest)
    rate = ceil_div((whole - rest) * RATE_ONE, whole)
    if rate < limiter.cliff:
        raise _too_large(rest)
    return rate


def _whole_on_slope(limiter: RateLimiter, rest: int) -> int:
    """Return the amount that leaves `rest` where the rate still rises.

    There the fee is quadratic in the amount; the root gives the full stretches, and the stretch
    that is not full pays its own rate.
    """
    increment, reference = limiter.increment_bps * _RATE_PER_BPS, limiter.reference
    linear = (2 * RATE_ONE + increment - 2 * limiter.cliff) * reference
    under_root = linear**2 - 8 * increment * rest * RATE_ONE * reference
    if under_root < 0:
        raise _too_large(rest)
    whole = (linear - math.isqrt(under_root)) // (2 * increment)
    missing = rest - _rest(limiter, whole)
    rate = limiter.cliff + increment * (whole // reference)
    if missing < 0 or rate >= RATE_ONE:
        raise _too_large(rest)
    return whole + whole_of(missing, rate)


def _rest(limiter: RateLimiter, whole: int) -> int:
    return whole - fee_of(whole, _limited(limiter, whole))


def _unsupported(what: str) -> Refused:
    return Refused(f"the DAMM v2 pool has {what}", code="pool.unsupported")


def _too_large(rest: int) -> Refused:
    return Refused(f"no payment leaves {rest} after the fee", code="liquidity.insufficient")
