"""Prices of ticks: the square root of 1.0001^tick, as Q64.64 integers, rounded as the program does.

A price is token 1 base units per token 0 base unit. The factors are 2^64 / 1.0001^(2^(i - 1)):
https://github.com/raydium-io/raydium-clmm (libraries/tick_math.rs).
"""

from bisect import bisect_right
from functools import lru_cache
from typing import Final

ONE: Final = 1 << 64
"""The number one as Q64.64."""
TICK_MAX: Final = 443_636
"""Ticks go from -443,636 to 443,636."""
SQRT_PRICE_MIN: Final = 4_295_048_016
SQRT_PRICE_MAX: Final = 79_226_673_521_066_979_257_578_248_091

_U128_MAX: Final = (1 << 128) - 1
_FACTORS: Final = (
    0xFFFCB933BD6FB800,
    0xFFF97272373D4000,
    0xFFF2E50F5F657000,
    0xFFE5CACA7E10F000,
    0xFFCB9843D60F7000,
    0xFF973B41FA98E800,
    0xFF2EA16466C9B000,
    0xFE5DEE046A9A3800,
    0xFCBE86C7900BB000,
    0xF987A7253AC65800,
    0xF3392B0822BB6000,
    0xE7159475A2CAF000,
    0xD097F3BDFD2F2000,
    0xA9F746462D9F8000,
    0x70D869A156F31C00,
    0x31BE135F97ED3200,
    0x09AA508B5B85A500,
    0x005D6AF8DEDC582C,
    0x00002216E584F5FA,
)
_ALL: Final = range(-TICK_MAX, TICK_MAX + 1)


@lru_cache(maxsize=1 << 16)
def sqrt_price_at(tick: int) -> int:
    """Return the Q64.64 square root of the price at a tick."""
    assert abs(tick) <= TICK_MAX, "a tick has a price"
    ratio, rest = ONE, abs(tick)
    for factor in _FACTORS:
        if rest & 1:
            ratio = ratio * factor >> 64
        rest >>= 1
    return _U128_MAX // ratio if tick > 0 else ratio


def tick_at(sqrt_price: int) -> int:
    """Return the highest tick whose price is not above the one given (as Q64.64 square root)."""
    assert SQRT_PRICE_MIN <= sqrt_price < SQRT_PRICE_MAX, "a price lies between two ticks"
    return _ALL[bisect_right(_ALL, sqrt_price, key=sqrt_price_at) - 1]
