"""Pools as their venue's past fills make us expect them: quotes worse by a bias. Pure.

Routing compares with these, and trades and bounds with what the pools themselves quote.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from quantdesk.chains.port import Instruction
from quantdesk.core.money import BPS
from quantdesk.engines.orders.paths import Asked, Book, Leg, quoted
from quantdesk.venues.curves import Drawn
from quantdesk.venues.port import About, Fill, Piece, Pool, Swap

BiasOf = Callable[[str], Decimal]
"""Given a venue, returns how much worse than quoted its fills of the pair land, in bps."""


class Expected(msgspec.Struct, frozen=True):
    """A pool that gives less, or asks more, by `bps`."""

    pool: Pool
    bps: Decimal

    @property
    def about(self) -> About:
        """Return what it is."""
        return self.pool.about

    def curve(self, paid: str) -> Sequence[Piece]:
        """Return the pool's curve, each price worse."""
        kept, curve = float(1 - self.bps / BPS), self.pool.curve(paid)
        return Drawn(lambda: (Piece(most, price * kept, depth) for most, price, depth in curve))

    def exact_in(self, paid: str, amount: int) -> Fill:
        """Return the trade in which exactly `amount` is paid; raises what the pool raises."""
        fill = self.pool.exact_in(paid, amount)
        return fill._replace(received=max(1, int(fill.received * (1 - self.bps / BPS))))

    def exact_out(self, paid: str, amount: int) -> Fill:
        """Return the trade in which exactly `amount` is received; raises what the pool raises."""
        fill = self.pool.exact_out(paid, amount)
        return fill._replace(paid=max(1, int(fill.paid / (1 - self.bps / BPS))))

    def instruction(self, swap: Swap) -> Instruction:
        """Return the pool's own call."""
        return self.pool.instruction(swap)


class Expectations:
    """Makes pools expected, the same ones as long as neither a pool nor its bias changes."""

    def __init__(self) -> None:
        self._made: dict[str, Expected] = {}

    def book(self, book: Book, pair: frozenset[str], bias: BiasOf) -> Book | None:
        """Return the book with the pair's own pools as expected; None when all are as quoted."""
        pools = [self._expected(pool, bias(pool.about.venue)) for pool in book[pair]]
        if all(pool is known for pool, known in zip(pools, book[pair], strict=True)):
            return None
        return {**book, pair: pools}

    def _expected(self, pool: Pool, bps: Decimal) -> Pool:
        if not bps:
            return pool
        made = self._made.get(pool.about.address)
        if made is None or made.pool is not pool or made.bps != bps:
            made = self._made[pool.about.address] = Expected(pool, bps)
        return made


def as_quoted(legs: Sequence[Leg], asked: Asked) -> list[Leg]:
    """Return legs over expected pools as the pools themselves quote them."""
    return [
        quoted(
            [hop.pool.pool if isinstance(hop.pool, Expected) else hop.pool for hop in leg.hops],
            [leg.hops[0].paid, *(hop.received for hop in leg.hops)],
            leg.paid if asked.exact_in else leg.received,
            exact_in=asked.exact_in,
        )
        for leg in legs
    ]
