"""How deep pools are: what decides which of too many are followed; pure.

What vaults hold says little: concentrated liquidity may lie far from the price. What a pool trades
near its own price says more, but not all: one whose fee is dear sells nothing near the market's.
So the pools of a pair are also held against one price, the median of theirs by what each trades
near its own: to move it takes half of all that can be traded.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from quantdesk.venues.curves import until
from quantdesk.venues.port import Piece, Pool

NEAR: Final = 0.01
"""How far from a price counts as near it, the pool's fees included."""

STAYS: Final = 1.2
"""A pool that is kept is as good as one so much deeper: what hardly gains anything is not swapped,
or those at the edge would come and go with every search."""


class Depth(NamedTuple):
    """How deep a pool is; those that compare as more are followed first.

    `own` is what it trades near its own price, `market` as much of it as is no worse than near the
    market's: base units of the pair's quote token, both directions together. A pool that does not
    trade now has neither, one that cannot be read is not `readable` either.
    """

    readable: bool
    market: float = 0.0
    own: float = 0.0


IDLE: Final = Depth(readable=True)
UNREADABLE: Final = Depth(readable=False)


def depths(pools: Sequence[Pool], quote: str) -> list[Depth]:
    """Return how deep each pool of a pair is, in its quote token."""
    own = [_around(pool, quote) for pool in pools]
    price = _median([_price(pool, quote) for pool in pools], own)
    return [
        Depth(readable=True, market=_around(pool, quote, price), own=around)
        for pool, around in zip(pools, own, strict=True)
    ]


def deepest(known: Mapping[str, Depth], *, kept: Collection[str], most: int) -> list[str]:
    """Return the addresses of at most so many pools, the deepest first.

    Those of one depth stand in the order of their addresses, behind those that are kept.
    """

    def rank(address: str) -> tuple[bool, float, float, bool, str]:
        stays = address in kept
        readable, *amounts = known[address]
        market, own = (amount * STAYS if stays else amount for amount in amounts)
        return not readable, -market, -own, not stays, address

    return sorted(known, key=rank)[: max(0, most)]


def _price(pool: Pool, quote: str) -> float:
    """Return the quote token per base token, in base units."""
    spot = float(pool.about.spot)
    return spot if pool.about.mints[1] == quote else 1 / spot if spot else 0.0


def _around(pool: Pool, quote: str, price: float = 0.0) -> float:
    """Return what it trades near its own price and not below what is near another."""
    buying, selling = pool.curve(quote), pool.curve(_base(pool, quote))
    bought, _ = until(buying, _near(buying, 1 / price if price else 0.0))
    _, sold = until(selling, _near(selling, price))
    return bought + sold


def _near(curve: Sequence[Piece], price: float) -> float:
    first = next(iter(curve), None)
    return (1 - NEAR) * max(price, first.price if first else 0.0)


def _base(pool: Pool, quote: str) -> str:
    first, second = pool.about.mints
    return first if second == quote else second


def _median(prices: Sequence[float], weights: Sequence[float]) -> float:
    """Return the price that half of the weight lies below; 0 where there is no weight."""
    ordered = sorted(zip(prices, weights, strict=True))
    sums = list(accumulate(weight for _, weight in ordered))
    if not sums or not sums[-1]:
        return 0.0
    return next(
        price for (price, _), below in zip(ordered, sums, strict=True) if 2 * below >= sums[-1]
    )
