"""A swap through the bins of a DLMM pair, in integers, exactly as the program computes it.

A bin trades at one price until one of its tokens runs out; then the next bin is active. Selling
token X walks down the bin ids and takes token Y, selling Y walks up and takes X.

    price of bin i    (1 + bin_step / 10^4) ^ i, as Q64.64
    base fee          base_factor * bin_step * 10 * 10^base_power
    variable fee      ceil(control * (accumulator * bin_step)^2 / 10^11)
    fee rate          base + variable, at most 10 %, in 10^-9
    accumulator       reference + 10^4 * |index_reference - bin id|, at most accumulator_max

Before a swap, when `filter_period_s` has passed since the active bin last moved, the index
reference becomes the active bin, and the reference a share of the accumulator, or zero after
`decay_period_s`.
Fees round up, what the trader receives rounds down. Formulas and roundings:
https://docs.meteora.ag/overview/products/dlmm/dlmm-formulas and
https://github.com/MeteoraAg/dlmm-sdk/blob/main/commons/src/quote.rs
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, NamedTuple

from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.money import BPS, ceil_div
from quantdesk.venues.meteora.dlmm.layout import (
    BINS_PER_ARRAY,
    Bin,
    BinArray,
    Extension,
    FeeParameters,
    Pair,
    Volatility,
    array_index,
    has_liquidity,
)

ONE: Final = 1 << 64
"""The number one as Q64.64."""
FEE_ONE: Final = 1_000_000_000
"""A fee rate of 100 %."""

_FEE_RATE_MAX: Final = FEE_ONE // 10
_VARIABLE_SCALE: Final = 100_000_000_000
_ORDER_SHARE_BPS: Final = 5_000  # of a limit order's fee, what its owner keeps
_U64_MAX: Final = (1 << 64) - 1
_U128_MAX: Final = (1 << 128) - 1


@dataclass(frozen=True, slots=True)
class Pool:
    """All that a swap depends on: the pair, the bin arrays known by index, the bitmap beyond.

    `arrays_max` bounds how many filled arrays one swap may touch.
    """

    pair: Pair
    arrays: Mapping[int, BinArray]
    extension: Extension | None = None
    arrays_max: int | None = None


class Step(NamedTuple):
    """What one bin took and gave, in base units.

    `amount_in` is what the trader pays, `amount_out` what the trader receives; `fee` is the whole
    fee, `protocol_fee` the program's share of it. `surplus` is what an exact-out swap takes from
    the bin beyond that, since the least payment may buy more than was asked for: it stays in the
    reserve and belongs to nobody.
    """

    bin_id: int
    amount_in: int
    amount_out: int
    fee: int
    protocol_fee: int
    surplus: int = 0


@dataclass(frozen=True, slots=True)
class Fill:
    """A swap as it would execute: totals in base units, its steps, and the state it leaves.

    `fee_on_input` says whether fees are in the token paid or in the token received.
    """

    amount_in: int
    amount_out: int
    fee: int
    protocol_fee: int
    surplus: int
    fee_on_input: bool
    steps: tuple[Step, ...]
    active_id: int
    volatility: Volatility


def price_of_bin(bin_id: int, bin_step: int) -> int:
    """Return the Q64.64 price of a bin, by the program's own chain of roundings.

    Raises `Refused` (`bin.unrepresentable`) when it does not fit.
    """
    base = ONE + (bin_step << 64) // BPS
    square, result, rest = _U128_MAX // base, ONE, abs(bin_id)
    while rest:
        if rest & 1:
            result = result * square >> 64
        square = square * square >> 64
        rest >>= 1
    if result == 0:
        raise Refused(f"bin {bin_id} has no price in Q64.64", code="bin.unrepresentable")
    return _U128_MAX // result if bin_id > 0 else result


def fee_rate(fees: FeeParameters, accumulator: int, bin_step: int) -> int:
    """Return the fee rate in 10^-9 at a volatility accumulator."""
    fixed = fees.base_factor * bin_step * int(10 ** (fees.base_power + 1))
    moving = ceil_div(fees.variable_control * (accumulator * bin_step) ** 2, _VARIABLE_SCALE)
    return min(fixed + moving, _FEE_RATE_MAX)


def referenced(pair: Pair, now_s: int) -> Volatility:
    """Return the volatility a swap starts from; `now_s` is the chain's Unix time in seconds."""
    fees, volatility = pair.fees, pair.volatility
    elapsed = now_s - volatility.updated_s
    if elapsed < fees.filter_period_s:
        return volatility
    reference = volatility.accumulator * fees.reduction_bps // BPS
    return replace(
        volatility,
        reference=reference if elapsed < fees.decay_period_s else 0,
        index_reference=pair.active_id,
    )


def check_open(pair: Pair, *, now_s: int, slot: int) -> None:
    """Raise `Unavailable` (`pool.disabled`, `pool.not_open`) when the pair takes no swaps."""
    if not pair.enabled:
        raise Unavailable("this Meteora pair is disabled", code="pool.disabled")
    reached = now_s if pair.opens_by_time else slot
    if pair.gated and reached < pair.activation_point:
        unit = "second" if pair.opens_by_time else "slot"
        raise Unavailable(
            f"this Meteora pair opens at {unit} {pair.activation_point}", code="pool.not_open"
        )


def swap_exact_in(pool: Pool, amount_in: int, *, sell_x: bool, now_s: int) -> Fill:
    """Return what paying exactly `amount_in` fills.

    Raises `Refused` (`liquidity.insufficient`) when the bins run out, `Unavailable`
    (`pool.incomplete`) when a bin array that is needed has not been seen.
    """
    return _swap(pool, amount_in, _Terms.of(pool.pair, sell_x=sell_x, exact_in=True), now_s)


def swap_exact_out(pool: Pool, amount_out: int, *, sell_x: bool, now_s: int) -> Fill:
    """Return what receiving exactly `amount_out` fills; raises as `swap_exact_in` does."""
    return _swap(pool, amount_out, _Terms.of(pool.pair, sell_x=sell_x, exact_in=False), now_s)


def levels(pool: Pool, *, sell_x: bool, now_s: int) -> Iterator[tuple[float, float]]:
    """Yield what each bin takes at most, fee included, and received per paid; for drawing a curve.

    Ends where bin arrays end that have been seen.
    """
    terms, pair = _Terms.of(pool.pair, sell_x=sell_x, exact_in=True), pool.pair
    fees, volatility, accumulator, kept = pair.fees, referenced(pair, now_s), -1, 0.0
    try:
        for bin_id, bin_ in _bins(pool, sell_x=sell_x):
            given = sum(_layers(bin_, terms))
            if given:
                before, accumulator = accumulator, _accumulator(fees, volatility, bin_id)
                if accumulator != before:
                    kept = 1 - fee_rate(fees, accumulator, pair.bin_step) / FEE_ONE
                price = kept * (bin_.price / ONE if sell_x else ONE / bin_.price)
                yield given * (1.0 if terms.fee_on_input else kept) / price, price
    except Unavailable:
        return


def cheapening(pair: Pair, *, sell_x: bool, now_s: int) -> int:
    """Return through how many bins the fee falls, before it rises with every bin or stays."""
    ahead = referenced(pair, now_s).index_reference - pair.active_id
    return max(0, -ahead if sell_x else ahead)


class _Terms(NamedTuple):
    sell_x: bool
    exact_in: bool
    fee_on_input: bool
    limit_orders: bool

    @staticmethod
    def of(pair: Pair, *, sell_x: bool, exact_in: bool) -> "_Terms":
        fee_on_input = not (pair.fees.only_y and sell_x)
        return _Terms(sell_x, exact_in, fee_on_input, pair.limit_orders)


class _Take(NamedTuple):
    """A bin's liquidity at work: `paid` excludes fees, `paid_pool` is what orders did not take."""

    paid: int
    received: int
    paid_pool: int


def _swap(pool: Pool, amount: int, terms: _Terms, now_s: int) -> Fill:
    if amount <= 0:
        raise Refused("the amount is too small to bring anything", code="amount.too_small")
    pair, left, steps = pool.pair, amount, list[Step]()
    volatility, active_id = referenced(pair, now_s), pair.active_id
    for active_id, bin_ in _bins(pool, sell_x=terms.sell_x):
        layers = _layers(bin_, terms)
        if not any(layers):
            continue
        accumulator = _accumulator(pair.fees, volatility, active_id)
        volatility = replace(volatility, accumulator=accumulator)
        rate = fee_rate(pair.fees, accumulator, pair.bin_step)
        ladder = _Ladder(bin_.price, layers, rate, pair.fees.protocol_share_bps, terms)
        step = ladder.take_in(left) if terms.exact_in else ladder.take_out(left)
        consumed = step.amount_in if terms.exact_in else step.amount_out
        if consumed:
            steps.append(step._replace(bin_id=active_id))
            left -= consumed
        if not left:
            break
    else:
        side = "in" if terms.exact_in else "out"
        raise Refused(
            f"the pool fills only {amount - left} of {amount} {side}", code="liquidity.insufficient"
        )
    if active_id != pair.active_id:
        volatility = replace(volatility, updated_s=now_s)
    return _fill(tuple(steps), terms, active_id, volatility)


def _fill(steps: tuple[Step, ...], terms: _Terms, active_id: int, volatility: Volatility) -> Fill:
    totals = [sum(column) for column in zip(*(step[1:] for step in steps), strict=True)]
    if max(totals) > _U64_MAX:
        raise Refused(
            "the amounts are more than a transfer can hold", code="liquidity.insufficient"
        )
    amount_in, amount_out, fee, protocol_fee, surplus = totals
    return Fill(
        amount_in=amount_in,
        amount_out=amount_out,
        fee=fee,
        protocol_fee=protocol_fee,
        surplus=surplus,
        fee_on_input=terms.fee_on_input,
        steps=steps,
        active_id=active_id,
        volatility=volatility,
    )


def _bins(pool: Pool, *, sell_x: bool) -> Iterator[tuple[int, Bin]]:
    """Yield the bins of filled arrays from the active one on, in the direction of the swap."""
    direction = -1 if sell_x else 1
    active_id = pool.pair.active_id
    for index in islice(filled_arrays(pool.pair, pool.extension, direction), pool.arrays_max):
        array = pool.arrays.get(index)
        if array is None:
            raise Unavailable(f"bin array {index} has not been seen", code="pool.incomplete")
        first = index * BINS_PER_ARRAY
        last = first + BINS_PER_ARRAY - 1
        ids = (
            range(min(active_id, last), first - 1, -1)
            if sell_x
            else range(max(active_id, first), last + 1)
        )
        for bin_id in ids:
            yield bin_id, array.bins[bin_id - first]


def filled_arrays(pair: Pair, extension: Extension | None, direction: int) -> Iterator[int]:
    """Yield the indexes of arrays with liquidity from the active bin on, up (1) or down (-1)."""
    start = array_index(pair.active_id)
    end = array_index(pair.fees.bin_id_max if direction > 0 else pair.fees.bin_id_min)
    for index in range(start, end + direction, direction):
        filled = has_liquidity(pair, extension, index)
        if filled is None:
            return
        if filled:
            yield index


def _layers(bin_: Bin, terms: _Terms) -> tuple[int, int, int]:
    """Return what the bin can give, in the order it gives it: the pool's own, then the orders'."""
    own = bin_.amount_y if terms.sell_x else bin_.amount_x
    if terms.limit_orders and bin_.orders_x != terms.sell_x:
        return own, bin_.orders_processed, bin_.orders_open
    return own, 0, 0


def _accumulator(fees: FeeParameters, volatility: Volatility, bin_id: int) -> int:
    moved = abs(volatility.index_reference - bin_id)
    return min(volatility.reference + moved * BPS, fees.accumulator_max)


class _Ladder(NamedTuple):
    """One bin during a swap."""

    price: int
    layers: tuple[int, int, int]
    rate: int
    protocol_share_bps: int
    terms: _Terms

    def take_in(self, offered: int) -> Step:
        """Return the step for up to `offered` paid, fee included."""
        fee_on_input = self.terms.fee_on_input
        fee = ceil_div(offered * self.rate, FEE_ONE) if fee_on_input else 0
        take = self._against(offered - fee)
        amount_in, amount_out = offered, take.received
        if take.paid < offered - fee:
            fee = self._fee_on_top(take.paid) if fee_on_input else 0
            amount_in = take.paid + fee
        if not fee_on_input:
            fee = ceil_div(take.received * self.rate, FEE_ONE)
            amount_out -= fee
        return Step(0, amount_in, amount_out, fee, self._protocol_fee(fee, take))

    def take_out(self, wanted: int) -> Step:
        """Return the step for up to `wanted` received, fee excluded."""
        fee_on_input = self.terms.fee_on_input
        given = wanted if fee_on_input else wanted + self._fee_on_top(wanted)
        if given >= sum(self.layers):
            return self.take_in(_U64_MAX)
        paid, rest = 0, given
        for layer in self.layers:
            part = min(rest, layer)
            paid += self._cost(part)
            rest -= part
        step = self.take_in(paid + self._fee_on_top(paid) if fee_on_input else paid)
        return step._replace(amount_out=wanted, surplus=step.amount_out - wanted)

    def _against(self, offered: int) -> _Take:
        paid, received, paid_pool = 0, 0, 0
        for place, layer in enumerate(self.layers):
            cost = self._cost(layer)
            if offered - paid >= cost:
                part, gain = cost, layer
            else:
                part, gain = offered - paid, self._worth(offered - paid)
            paid, received = paid + part, received + gain
            paid_pool += part if place == 0 else 0
        return _Take(paid, received, paid_pool)

    def _cost(self, received: int) -> int:
        if self.terms.sell_x:
            return ceil_div(received << 64, self.price)
        return ceil_div(received * self.price, ONE)

    def _worth(self, paid: int) -> int:
        if self.terms.sell_x:
            return paid * self.price >> 64
        return (paid << 64) // self.price

    def _fee_on_top(self, amount: int) -> int:
        return ceil_div(amount * self.rate, FEE_ONE - self.rate)

    def _protocol_fee(self, fee: int, take: _Take) -> int:
        if not take.paid:
            return fee  # nobody's liquidity earned it
        pool_fee = ceil_div(fee * take.paid_pool, take.paid)
        order_fee = fee - pool_fee
        order_owner = order_fee * _ORDER_SHARE_BPS // BPS
        return order_fee - order_owner + pool_fee * self.protocol_share_bps // BPS
