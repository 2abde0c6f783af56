"""A swap through the ticks of a CLMM pool, exactly as the program computes it.

The price moves from one initialized tick to the next. At a tick its limit orders are filled before
its liquidity joins or leaves. A rising fee makes the program stop at more places in between.
The loop: https://github.com/raydium-io/raydium-clmm (instructions/swap.rs).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from quantdesk.core.errors import Refused, Unavailable
from quantdesk.venues.raydium.clmm import fees
from quantdesk.venues.raydium.clmm.layout import DynamicFee, Tick
from quantdesk.venues.raydium.clmm.steps import U64_MAX, Terms, fill, insufficient, move
from quantdesk.venues.raydium.clmm.ticks import SQRT_PRICE_MAX, SQRT_PRICE_MIN

# What a transaction of 1,400,000 compute units can make: see `_MOVE_UNITS` of `pool`.
STEPS_MAX: Final = 75
"""Moves of the price, from tick to tick or as the fee rises, in one swap."""

_FEE_ON_TOKEN_0, _FEE_ON_TOKEN_1 = 1, 2  # any other value: on what is paid
_LOWEST: Final = SQRT_PRICE_MIN + 1
_HIGHEST: Final = SQRT_PRICE_MAX - 1


@dataclass(frozen=True, slots=True)
class Market:
    """All that a swap depends on.

    `below` are the initialized ticks at or below the current one, `above` those above it, nearest
    first, as far as they are known; `unseen` says (below, above) whether more of them are wanted
    than have been seen. `fee_rate` is in millionths; `dynamic_fee`, which comes on top, has been
    `fees.referenced` to the time of the swap.
    """

    sqrt_price: int
    liquidity: int
    tick: int
    tick_spacing: int
    fee_rate: int
    fee_on: int
    dynamic_fee: DynamicFee | None
    below: tuple[Tick, ...]
    above: tuple[Tick, ...]
    unseen: tuple[bool, bool]

    def fee(self, *, down: bool) -> fees.Fee:
        """Return the fee a swap starts with; `down` when token 0 is paid and its price falls."""
        if self.dynamic_fee is None:
            return fees.FixedFee(self.fee_rate)
        return fees.RisingFee(
            self.fee_rate,
            self.dynamic_fee,
            spacing=self.tick_spacing,
            tick=self.tick,
            down=down,
        )

    def fee_on_input(self, *, down: bool) -> bool:
        """Return whether the fee is in the token paid, else it is in that received."""
        if self.fee_on == _FEE_ON_TOKEN_0:
            return down
        return not down if self.fee_on == _FEE_ON_TOKEN_1 else True


class Outcome(NamedTuple):
    """A swap as it would execute, in base units, and the price and liquidity it leaves.

    `paid` and `received` are what the trader pays and gets, `fee` is in the one or the other;
    `last` is the last tick the swap looked at, `moves` in how many the price got there.
    """

    paid: int
    received: int
    fee: int
    sqrt_price: int
    liquidity: int
    last: int
    moves: int


def exact_in(market: Market, amount: int, *, down: bool) -> Outcome:
    """Return what paying exactly `amount` brings; `down` when token 0 is paid.

    Raises `Refused` (`liquidity.insufficient`, `amount.too_small`), or `Unavailable`
    (`pool.incomplete`) when a tick array that is needed has not been seen.
    """
    terms = Terms(down=down, exact_in=True, fee_on_input=market.fee_on_input(down=down))
    return _swap(market, amount, terms)


def exact_out(market: Market, amount: int, *, down: bool) -> Outcome:
    """Return what receiving exactly `amount` costs; raises as `exact_in` does."""
    terms = Terms(down=down, exact_in=False, fee_on_input=market.fee_on_input(down=down))
    return _swap(market, amount, terms)


def _swap(market: Market, amount: int, terms: Terms) -> Outcome:
    if amount <= 0:
        raise Refused("the amount is too small to bring anything", code="amount.too_small")
    if amount > U64_MAX:
        raise insufficient()
    run = _Run(market, amount, terms)
    for tick in market.below if terms.down else market.above:
        run.go(tick)
        if not run.left:
            return run.outcome(amount, tick.number)
    if market.unseen[not terms.down]:
        raise Unavailable("a tick array that is needed has not been seen", code="pool.incomplete")
    raise insufficient()


class _Run:
    """A swap on its way."""

    def __init__(self, market: Market, amount: int, terms: Terms) -> None:
        self.left = amount
        self._terms = terms
        self._other = 0
        self._charged = 0
        self._price = market.sqrt_price
        self._liquidity = market.liquidity
        self._fee = market.fee(down=terms.down)
        self._steps = 0

    def go(self, tick: Tick) -> None:
        """Trade up to a tick and across it, as far as what is left carries."""
        fee, terms, liquidity, price = self._fee, self._terms, self._liquidity, self._price
        left, other, charged = self.left, self._other, self._charged
        end, orders = tick.sqrt_price, tick.orders
        target = max(end, _LOWEST) if terms.down else min(end, _HIGHEST)
        while True:
            rate, bound = fee.rate, fee.bound(target, liquidity)
            if price != bound:
                price, (used, brought, cost) = move(price, bound, liquidity, left, rate, terms)
                left, other, charged = left - used, other + brought, charged + cost
            if orders and price == end:
                orders, (used, brought, cost) = fill(end, orders, left, rate, terms)
                left, other, charged = left - used, other + brought, charged + cost
            if not left or price == target:
                break
            fee.moved(tick, price)
            self._count()
        assert left >= 0, "no more trades than was asked for"
        if other > U64_MAX:
            raise insufficient()
        self.left, self._other, self._charged, self._price = left, other, charged, price
        if price == end and not orders:
            self._cross(tick)
        fee.moved(tick, price)
        self._count()

    def outcome(self, amount: int, last: int) -> Outcome:
        """Return what came of it."""
        other = self._other
        if not other:
            raise Refused("the amount is too small to bring anything", code="amount.too_small")
        paid, received = (amount, other) if self._terms.exact_in else (other, amount)
        charged, price, liquidity = self._charged, self._price, self._liquidity
        return Outcome(paid, received, charged, price, liquidity, last, self._steps)

    def _cross(self, tick: Tick) -> None:
        self._liquidity += -tick.liquidity_net if self._terms.down else tick.liquidity_net
        if self._liquidity < 0:
            raise Unavailable("pool and ticks are of different slots", code="pool.incomplete")

    def _count(self) -> None:
        self._steps += 1
        if self._steps > STEPS_MAX:
            raise Refused("more ticks than one swap can cross", code="liquidity.insufficient")
