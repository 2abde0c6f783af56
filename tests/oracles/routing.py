"""What the best split is worth, found another way: bisection in 60-digit decimals.

Nothing here is shared with the router: pools are read from their integers, not from their curves,
and prices are searched for, not solved for.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple

from quantdesk.testing.pools import ONE, PPM, Bins, Product, Ranges
from quantdesk.venues.port import Pool

ZERO = Decimal(0)
_DIGITS = 60
_HALVINGS = 80
_CHAIN_HALVINGS = 36  # each takes 80 times as many: nine digits have to do


class Flow(NamedTuple):
    """What is paid and received."""

    paid: Decimal
    received: Decimal


Supply = Callable[[Decimal], Flow]
"""What is traded while the next unit received costs less than the square of a root."""


def best(
    supplies: Sequence[Supply], amount: int, *, exact_in: bool, halvings: int = _HALVINGS
) -> Decimal:
    """Return the most received for, or the least paid for, an amount traded along all supplies."""
    with localcontext(prec=_DIGITS):
        low, high = _bracket(supplies, Decimal(amount), exact_in=exact_in)
        for _ in range(halvings):
            middle = (low + high) / 2
            if _of(_sum(supplies, middle), exact_in) < amount:
                low = middle
            else:
                high = middle
        # What stands exactly at the last price is taken in part.
        below, above = _sum(supplies, low), _sum(supplies, high)
        part = (amount - _of(below, exact_in)) / (_of(above, exact_in) - _of(below, exact_in))
        one, two = _of(below, not exact_in), _of(above, not exact_in)
        return one + (two - one) * part


def supply(pool: Pool, paid: str) -> Supply:
    """Return what one pool of `testing.pools` trades."""
    with localcontext(prec=_DIGITS):
        if isinstance(pool, Product):
            return _product(pool, paid)
        if isinstance(pool, Ranges):
            return _ranges(pool, paid)
        assert isinstance(pool, Bins)
        return _bins(pool, paid)


def chain(first: Supply, then: Supply) -> Supply:
    """Return what two hops trade: as much on the second as the first brings."""

    def flow(root: Decimal) -> Flow:
        # The roots of both hops multiply to the root of the whole; the first one's is searched.
        low, high = root / 1_000_000, root * 1_000_000
        for _ in range(_CHAIN_HALVINGS):
            middle = (low * high).sqrt()
            if first(middle).received < then(root / middle).paid:
                low = middle
            else:
                high = middle
        # At a step of either hop only what the other one keeps up with is traded.
        brought = min(first(high).received, then(root / low).paid)
        return Flow(
            _at(first, low, high, brought, of=1), _at(then, root / high, root / low, brought, of=0)
        )

    return flow


def _at(supplied: Supply, low: Decimal, high: Decimal, amount: Decimal, *, of: int) -> Decimal:
    """Return the other amount where the one at index `of` is `amount`, between two roots."""
    below, above = supplied(low), supplied(high)
    if amount <= below[of] or above[of] == below[of]:
        return below[1 - of]
    part = (amount - below[of]) / (above[of] - below[of])
    return below[1 - of] + (above[1 - of] - below[1 - of]) * part


def _bracket(
    supplies: Sequence[Supply], amount: Decimal, *, exact_in: bool
) -> tuple[Decimal, Decimal]:
    low = high = Decimal("1e-12")
    while _of(_sum(supplies, high), exact_in) < amount:
        low, high = high, high * 2
        assert high < Decimal("1e30"), "there is enough"
    return low, high


def _sum(supplies: Sequence[Supply], root: Decimal) -> Flow:
    flows = [supplied(root) for supplied in supplies]
    return Flow(sum((f.paid for f in flows), ZERO), sum((f.received for f in flows), ZERO))


def _of(flow: Flow, paid: bool) -> Decimal:  # noqa: FBT001 - which of the two
    return flow.paid if paid else flow.received


def _product(pool: Product, paid: str) -> Supply:
    side = pool.about.mints.index(paid)
    held, offered = Decimal(pool.reserves[side]), Decimal(pool.reserves[1 - side])
    kept = 1 - Decimal(pool.fee_ppm) / PPM
    scale = (held * offered * kept).sqrt()

    def flow(root: Decimal) -> Flow:
        net = max(ZERO, scale * root - held)
        return Flow(net / kept, offered * net / (held + net))

    return flow


def _ranges(pool: Ranges, paid: str) -> Supply:
    kept = 1 - Decimal(pool.fee_ppm) / PPM
    falls, worn = paid == pool.about.mints[0], kept.sqrt()
    now = Decimal(pool.at) / ONE
    edges = [Decimal(root) / ONE for root in pool.roots]
    spans = list(zip(edges, edges[1:], map(Decimal, pool.liquidity), strict=False))

    def flow(root: Decimal) -> Flow:
        to = 1 / (root * worn) if falls else root * worn
        paid_, received = ZERO, ZERO
        for low, high, liquid in spans:
            if falls:
                start, end = min(high, now), max(low, to)
                if end < start:
                    paid_ += liquid * (1 / end - 1 / start) / kept
                    received += liquid * (start - end)
            else:
                start, end = max(low, now), min(high, to)
                if start < end:
                    paid_ += liquid * (end - start) / kept
                    received += liquid * (1 / start - 1 / end)
        return Flow(paid_, received)

    return flow


def _bins(pool: Bins, paid: str) -> Supply:
    kept = 1 - Decimal(pool.fee_ppm) / PPM
    steps: list[tuple[Decimal, Decimal, Decimal]] = []
    for at, (price, held) in enumerate(zip(pool.prices, pool.held, strict=True)):
        if (at < pool.active) == (paid == pool.about.mints[0]):
            asked = Decimal(ONE) / price if at < pool.active else Decimal(price) / ONE
            steps.append(((asked / kept).sqrt(), held * asked / kept, Decimal(held)))

    def flow(root: Decimal) -> Flow:
        taken = [step for step in steps if step[0] <= root]
        return Flow(sum((s[1] for s in taken), ZERO), sum((s[2] for s in taken), ZERO))

    return flow
