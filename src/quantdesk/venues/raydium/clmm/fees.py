"""The fee rate of a swap: fixed, or rising with every group of ticks the price moves through.

    group         tick // tick_spacing, a step of the price as the dynamic fee counts them
    accumulator   reference + 10^4 * |group_reference - group|, at most accumulator_max
    dynamic rate  ceil(control * (accumulator * tick_spacing)^2 / 10^13), in millionths
    fee rate      config's rate + dynamic rate, at most 10 %

Before a swap, when `filter_s` has passed since the references were set, the group reference becomes
the current group, and the reference a share of the accumulator, or zero after `decay_s`. While the
rate can still rise, the program trades one group at a time.
Formulas: https://github.com/raydium-io/raydium-clmm (states/pool_fee.rs, instructions/swap.rs).
"""

from dataclasses import replace
from functools import lru_cache
from typing import Final, Protocol

from quantdesk.core.money import ceil_div
from quantdesk.venues.raydium.clmm import ticks
from quantdesk.venues.raydium.clmm.layout import DynamicFee, Tick

RATE_MAX: Final = 100_000
"""What a rising fee rate stops at, in millionths."""

_GROUP: Final = 10_000
_REDUCTION_ONE: Final = 10_000
_CONTROL_SCALE: Final = 10**13


class Fee(Protocol):
    """The fee during one swap."""

    @property
    def rate(self) -> int:
        """Return the rate here, in millionths."""

    def bound(self, target: int, liquidity: int) -> int:
        """Return how far towards the target price the rate holds, as Q64.64 square root."""

    def moved(self, tick: Tick, price: int) -> None:
        """Take note that the price has moved to the bound, on the way to a tick."""


class FixedFee:
    """A rate that does not change."""

    def __init__(self, rate: int) -> None:
        self.rate = rate

    def bound(self, target: int, liquidity: int) -> int:  # noqa: ARG002
        """Return the target: the rate holds all the way."""
        return target

    def moved(self, tick: Tick, price: int) -> None:
        """Do nothing."""


class RisingFee:
    """A rate that follows the price; `fee` must have been `referenced` to the time of the swap."""

    def __init__(
        self, base_rate: int, fee: DynamicFee, *, spacing: int, tick: int, down: bool
    ) -> None:
        self._base_rate = base_rate
        self._spacing = spacing
        self._group = tick // spacing
        self._down = down
        self._way = -1 if down else 1
        self._skipped = False
        self._reference, self._group_reference = fee.reference, fee.group_reference
        self._most = fee.accumulator_max
        self._control = fee.control * spacing * spacing
        self._accumulate()

    def bound(self, target: int, liquidity: int) -> int:
        """Return the end of the group, or the target where the rate cannot rise or none pays it."""
        self._skipped = not liquidity or self._accumulator == self._most
        if self._skipped:
            return target
        if self._down:
            price = _price_at(self._group * self._spacing)
            return max(target, price)
        price = _price_at((self._group + 1) * self._spacing)
        return min(target, price)

    def moved(self, tick: Tick, price: int) -> None:
        """Enter the next group."""
        if self._skipped and price == tick.sqrt_price:
            # A tick that begins a group ends, for a rising price, the group before it.
            self._group = (tick.number if self._down else tick.number - 1) // self._spacing
        self._group += self._way
        self._accumulate()

    def _accumulate(self) -> None:
        moved = self._reference + abs(self._group_reference - self._group) * _GROUP
        self._accumulator = min(moved, self._most)
        self.rate = _rate(self._base_rate, self._control, self._accumulator)


@lru_cache(maxsize=1 << 14)
def _rate(base_rate: int, control: int, accumulator: int) -> int:
    """Return the rate; `control` is that of the pool times the square of its tick spacing."""
    rising = ceil_div(control * accumulator * accumulator, _CONTROL_SCALE)
    return min(base_rate + rising, RATE_MAX)


@lru_cache(maxsize=1 << 16)
def _price_at(end: int) -> int:
    """Return the price where a group ends, or where prices do."""
    if -ticks.TICK_MAX <= end <= ticks.TICK_MAX:
        return ticks.sqrt_price_at(end)
    return ticks.sqrt_price_at(ticks.TICK_MAX if end > 0 else -ticks.TICK_MAX)


def referenced(fee: DynamicFee, group: int, *, now_s: int) -> DynamicFee:
    """Return the fee with the references of a swap from a group, at Unix time `now_s`."""
    elapsed = max(0, now_s - fee.updated_s)
    if elapsed < fee.filter_s:
        return fee
    kept = fee.accumulator * fee.reduction // _REDUCTION_ONE if elapsed < fee.decay_s else 0
    return replace(fee, group_reference=group, reference=kept)
