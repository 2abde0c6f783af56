"""Promise: routes are within 0.1 bps of the optimum that another way of search finds, everywhere.

    python -m benches.optimum

On at least 1,000 markets drawn by chance of pools of one pair, and as many of pools of up to five
pairs with one or two tokens to hop through. The references are those of the tests: `routing` in 60
digits, `hops` in floats with every pairing tried. Each market is new to the router. Prints how far
routes are from them in basis points; less than zero would be a reference that is none.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from tests.oracles import hops, routing

from benches.figures import markdown, table
from quantdesk.core.errors import Refused
from quantdesk.engines.orders.paths import Asked, Book, Curves
from quantdesk.engines.orders.plans import Terms
from quantdesk.engines.orders.router import Route, route
from quantdesk.testing import markets

OFF_BPS_MAX = 0.1
LEGS_MAX = 9
POOLS_MAX = 5
STEPS = 4
HEADS = (
    *("markets", "compared", "with hops", "with splits", "refused"),
    *("off bps p50", "p99", "worst", "least"),
)
Market = tuple[Book, Asked, Callable[[], float | None]]


@dataclass(slots=True)
class Seen:
    """What came out of markets of a kind; `off_bps` is how much worse than the best each is."""

    off_bps: list[float] = field(default_factory=list)
    hopped: int = 0
    split: int = 0
    refused: int = 0


def of_one_pair(chance: Random) -> Iterator[Market]:
    """Yield markets without hops."""
    while True:
        pair, exact_in = (hops.SOL, hops.USDC), chance.random() < 0.5
        pools = markets.pools(
            chance.random, chance.randint(1, POOLS_MAX), pair, hops.PRICE, steps=STEPS
        )
        asked = Asked(*pair, exact_in, int(10 ** chance.uniform(9, 12.5)))

        def best() -> float:
            supplies = [routing.supply(pool, hops.SOL) for pool in pools]  # noqa: B023 - asked now
            return float(routing.best(supplies, asked.amount, exact_in=exact_in))  # noqa: B023

        yield {frozenset(pair): pools}, asked, best


def with_hops(chance: Random) -> Iterator[Market]:
    """Yield markets where two hops may be gone."""
    while True:
        market = hops.drawn(chance)
        yield market.book, market.asked, lambda: hops.best(market)  # noqa: B023 - asked now


def compared(drawn: Iterator[Market], count: int) -> Seen:
    """Return what came of as many markets as take a trade of the size."""
    seen, terms = Seen(), Terms(legs_max=LEGS_MAX, through=hops.BETWEEN)
    while len(seen.off_bps) < count:
        book, asked, best = next(drawn)
        try:
            found = route(book, asked, terms, curves=Curves())
        except Refused:
            seen.refused += 1
            continue
        optimum = best()
        assert optimum is not None, f"a route of what there is not: {asked}"
        seen.off_bps.append(_off_bps(found, optimum))
        seen.hopped += any(len(leg.hops) > 1 for leg in found.legs)
        seen.split += len(found.legs) > 1
    return seen


def _off_bps(found: Route, best: float) -> float:
    off = best - found.received if found.asked.exact_in else found.paid - best
    return off / best * 1e4


def _row(name: str, seen: Seen) -> tuple[str, ...]:
    off = sorted(seen.off_bps)
    return (
        name,
        str(len(off)),
        str(seen.hopped),
        str(seen.split),
        str(seen.refused),
        f"{off[len(off) // 2]:.6f}",
        f"{off[len(off) * 99 // 100]:.6f}",
        f"{off[-1]:.6f}",
        f"{off[0]:.6f}",
    )


def main() -> int:
    """Compare and print; 1 when a route is farther from the optimum than promised."""
    parser = argparse.ArgumentParser(prog="python -m benches.optimum")
    parser.add_argument("--markets", type=int, default=1_000, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    kinds = {"one pair": of_one_pair, "with hops": with_hops}
    found = {
        name: compared(kind(Random(asked.seed)), asked.markets) for name, kind in kinds.items()
    }
    lines = [_row(name, seen) for name, seen in found.items()]
    print(table(HEADS, lines))
    print(f"\npromise: at most {OFF_BPS_MAX} bps off\n\n" + markdown(HEADS, lines))
    return int(any(max(seen.off_bps) > OFF_BPS_MAX for seen in found.values()))


if __name__ == "__main__":
    sys.exit(main())
