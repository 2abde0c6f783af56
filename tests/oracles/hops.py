"""What the best split is worth where two hops may be gone, on any market: by search, in floats.

Where no pool may serve two legs, the hops through a token in between are paired, and which pairing
is best is tried out. For each, the price of the last unit is searched for, and within every pair
the price in between. Pools are read from their integers, and nothing is shared with the router, nor
with `routing.py`, which does the same in 60 digits where there is time for it: both must agree.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations, product
from math import sqrt
from random import Random
from typing import NamedTuple

from quantdesk.engines.orders.paths import Asked, Book
from quantdesk.testing import markets
from quantdesk.testing.pools import ONE, PPM, Bins, Product, Ranges
from quantdesk.venues.port import Pool

SOL, USDC = "sol", "usdc"
BETWEEN = ("usdt", "eurc")
PRICE = 0.15
_WORTH = {SOL: PRICE, USDC: 1.0, "usdt": 1.0, "eurc": 1.1}
_HALVINGS = 42
_BETWEEN_HALVINGS = 40

Flow = tuple[float, float]
Supply = Callable[[float], Flow]
"""What is paid and received while the next unit costs less than the square of a root."""


class Drawn(NamedTuple):
    """A market drawn by chance and what is asked of it; hops may go through `BETWEEN`."""

    book: Book
    asked: Asked


def drawn(chance: Random) -> Drawn:
    """Return a market of up to two pools a pair, and one or two tokens to hop through."""
    book: dict[frozenset[str], Sequence[Pool]] = {}
    pairs = [(SOL, USDC, chance.randint(0, 2))]
    for mint in BETWEEN[: chance.randint(1, 2)]:
        pairs += [(SOL, mint, chance.randint(1, 2)), (mint, USDC, chance.randint(1, 2))]
    for first, then, count in pairs:
        price = _WORTH[first] / _WORTH[then]
        book[frozenset((first, then))] = markets.pools(
            chance.random, count, (first, then), price, steps=4
        )
    exact_in, size = chance.random() < 0.5, 10 ** chance.uniform(9, 12)
    return Drawn(book, Asked(SOL, USDC, exact_in, int(size if exact_in else size * PRICE)))


def best(market: Drawn) -> float | None:
    """Return the most received, or the least paid; None when the pools do not hold that much."""
    exact_in, amount = market.asked.exact_in, float(market.asked.amount)
    found = [_best(supplies, amount, exact_in=exact_in) for supplies in _pairings(market)]
    reached = [value for value in found if value is not None]
    return (max if exact_in else min)(reached) if reached else None


def _pairings(market: Drawn) -> Iterator[list[Supply]]:
    """Yield every way to trade each pool once at most, as far as none leaves one out needlessly."""
    book = market.book
    ways: list[list[list[Supply]]] = []
    for mint in BETWEEN:
        first = [_supply(pool, SOL) for pool in book.get(frozenset((SOL, mint)), ())]
        then = [_supply(pool, mint) for pool in book.get(frozenset((mint, USDC)), ())]
        few, many = sorted((first, then), key=len)
        ways.append([])
        for order in permutations(many, len(few)):
            pairs = zip(few, order, strict=True) if few is first else zip(order, few, strict=True)
            ways[-1].append([_chain(one, two) for one, two in pairs])
    direct = [_supply(pool, SOL) for pool in book[frozenset((SOL, USDC))]]
    for chosen in product(*ways):
        yield [*direct, *(chain for chains in chosen for chain in chains)]


def _best(supplies: Sequence[Supply], amount: float, *, exact_in: bool) -> float | None:
    exact = 0 if exact_in else 1
    low, high = 1e-6, 1e6  # roots, and so prices from 10^-12 to 10^12
    if _sum(supplies, high)[exact] < amount:
        return None
    for _ in range(_HALVINGS):
        middle = sqrt(low * high)
        if _sum(supplies, middle)[exact] < amount:
            low = middle
        else:
            high = middle
    below, above = _sum(supplies, low), _sum(supplies, high)
    return _between(below, above, amount, of=exact)


def _sum(supplies: Sequence[Supply], root: float) -> Flow:
    flows = [supplied(root) for supplied in supplies]
    return sum(flow[0] for flow in flows), sum(flow[1] for flow in flows)


def _between(below: Flow, above: Flow, amount: float, *, of: int) -> float:
    """Return the other amount where the one at index `of` is this: what has one price is shared."""
    wide = above[of] - below[of]
    part = min(1.0, max(0.0, (amount - below[of]) / wide)) if wide else 0.0
    return below[1 - of] + (above[1 - of] - below[1 - of]) * part


def _chain(first: Supply, then: Supply) -> Supply:
    """Return what two hops trade: the roots of both multiply to the root of the whole."""

    def flow(root: float) -> Flow:
        low, high = root * 1e-6, root * 1e6
        for _ in range(_BETWEEN_HALVINGS):
            middle = sqrt(low * high)
            if first(middle)[1] < then(root / middle)[0]:
                low = middle
            else:
                high = middle
        # At a step of either hop only what the other one keeps up with is traded.
        one, two = (first(low), first(high)), (then(root / high), then(root / low))
        brought = min(one[1][1], two[1][0])
        return _between(*one, brought, of=1), _between(*two, brought, of=0)

    return flow


def _supply(pool: Pool, paid: str) -> Supply:
    if isinstance(pool, Product):
        return _product(pool, paid)
    if isinstance(pool, Ranges):
        return _ranges(pool, paid)
    assert isinstance(pool, Bins)
    return _bins(pool, paid)


def _product(pool: Product, paid: str) -> Supply:
    side, kept = pool.about.mints.index(paid), 1 - pool.fee_ppm / PPM
    held, offered = float(pool.reserves[side]), float(pool.reserves[1 - side])
    scale = sqrt(held * offered * kept)

    def flow(root: float) -> Flow:
        net = max(0.0, scale * root - held)
        return net / kept, offered * net / (held + net)

    return flow


def _ranges(pool: Ranges, paid: str) -> Supply:
    kept, now = 1 - pool.fee_ppm / PPM, pool.at / ONE
    edges, worn = [root / ONE for root in pool.roots], sqrt(kept)
    spans = list(zip(edges, edges[1:], map(float, pool.liquidity), strict=False))
    # Falling prices are rising ones of the other token.
    if paid == pool.about.mints[0]:
        now, spans = 1 / now, [(1 / high, 1 / low, liquid) for low, high, liquid in spans]

    def flow(root: float) -> Flow:
        taken, received, to = 0.0, 0.0, root * worn
        for low, high, liquid in spans:
            start, end = max(low, now), min(high, to)
            if start < end:
                taken += liquid * (end - start) / kept
                received += liquid * (end - start) / (start * end)
        return taken, received

    return flow


def _bins(pool: Bins, paid: str) -> Supply:
    kept, steps = 1 - pool.fee_ppm / PPM, list[tuple[float, float, float]]()
    for at, (price, held) in enumerate(zip(pool.prices, pool.held, strict=True)):
        if (at < pool.active) == (paid == pool.about.mints[0]):
            cost = (ONE / price if at < pool.active else price / ONE) / kept
            steps.append((sqrt(cost), held * cost, float(held)))

    def flow(root: float) -> Flow:
        taken = [step for step in steps if step[0] <= root]
        return sum(step[1] for step in taken), sum(step[2] for step in taken)

    return flow
