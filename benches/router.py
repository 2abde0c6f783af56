"""Promise: at least 300 routes per second and core over 50 pools with splits, 99 of 100 in 20 ms.

    python -m benches.router

On markets drawn by chance: constant product, ranges and bins, 200 pieces to a curve, six legs at
most. `at rest` routes over snapshots that do not change, `moving` has one pool of 50 renewed before
every route, `new` all of them. Times are of the CPU: other programs do not count; the garbage
collector is set as the desk sets it. Prints the gap to the bound that no plan beats, and what
splitting brings over the best single pool.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median

import msgspec

from benches.figures import markdown, table
from quantdesk.app.foundation import spare_the_collector
from quantdesk.core.errors import Refused
from quantdesk.engines.orders.paths import Asked, Curves
from quantdesk.engines.orders.plans import Terms
from quantdesk.engines.orders.router import Route, route
from quantdesk.testing import markets
from quantdesk.venues.port import Pool

RATE_MIN = 300
P99_MS_MAX = 20.0
PRICE = 0.15
SOL, USDC, USDT = "sol", "usdc", "usdt"
HEADS = (
    *("market", "legs", "routes", "refused", "routes/s", "p50 ms", "p99 ms"),
    *("legs used", "gap bps p50", "p99", "over best pool bps p50", "mean", "p99"),
)
Book = dict[frozenset[str], list[Pool]]
Renew = Callable[[Book, int], None]


@dataclass(frozen=True, slots=True)
class Case:
    """A market, what changes in it before each route, and the terms; whether it is promised."""

    name: str
    book: Book
    renew: Renew
    terms: Terms
    promised: bool = False


@dataclass(slots=True)
class Seen:
    """What came out of a case."""

    took_s: list[float]
    routes: list[Route]
    refused: int


def at_rest(_: Book, __: int) -> None:
    """Leave the market as it is."""


def moving(book: Book, number: int) -> None:
    """Renew one pool of each pair."""
    for pools in book.values():
        at = number % len(pools)
        pools[at] = _renewed(pools[at])


def new(book: Book, _: int) -> None:
    """Renew every pool."""
    for pools in book.values():
        pools[:] = [_renewed(pool) for pool in pools]


def _renewed(pool: Pool) -> Pool:
    assert isinstance(pool, msgspec.Struct)
    return msgspec.structs.replace(pool)


def _cases(chance: Random) -> list[Case]:
    def pools(count: int, first: str, then: str, price: float) -> list[Pool]:
        return markets.pools(chance.random, count, (first, then), price, steps=100)

    def direct() -> Book:
        return {frozenset((SOL, USDC)): pools(50, SOL, USDC, PRICE)}

    def hops() -> Book:
        return {
            frozenset((SOL, USDC)): pools(20, SOL, USDC, PRICE),
            frozenset((SOL, USDT)): pools(15, SOL, USDT, PRICE),
            frozenset((USDT, USDC)): pools(15, USDT, USDC, 1.0),
        }

    four, through = Terms(), Terms(through=(USDT,))
    return [
        Case("50 pools, at rest", direct(), at_rest, four, promised=True),
        Case("50 pools, moving", direct(), moving, four, promised=True),
        Case("50 pools, new", direct(), new, four, promised=True),
        Case("50 pools, at rest", direct(), at_rest, Terms(legs_max=50)),
        Case("50 pools, moving, hops", hops(), moving, through, promised=True),
        Case("50 pools, new, hops", hops(), new, through),
    ]


def _measured(case: Case, routes: int, chance: Random) -> Seen:
    seen, curves = Seen([], [], 0), Curves()
    for number in range(routes):
        exact_in, size = chance.random() < 0.5, 10 ** chance.uniform(9, 13)
        asked = Asked(SOL, USDC, exact_in, int(size if exact_in else size * PRICE))
        case.renew(case.book, number)
        began = time.process_time()
        try:
            seen.routes.append(route(case.book, asked, case.terms, curves=curves))
        except Refused:
            seen.refused += 1
        seen.took_s.append(time.process_time() - began)
    return seen


def _gained_bps(found: Route) -> float | None:
    """Return what the route brings over the best single pool; None where no pool does it alone."""
    whole = next((one.plan for one in found.alternatives if one.kind == "pool"), None)
    if whole is None:
        return None
    if found.asked.exact_in:
        return (found.received / whole.received - 1) * 1e4
    return (whole.paid / found.paid - 1) * 1e4


def _row(case: Case, seen: Seen) -> tuple[str, ...]:
    gaps = [float(found.gap_bps) for found in seen.routes]
    gains = [gain for found in seen.routes if (gain := _gained_bps(found)) is not None]
    times = [took * 1e3 for took in seen.took_s]
    legs = sum(len(found.legs) for found in seen.routes) / len(seen.routes)
    return (
        case.name + " *" * case.promised,
        str(case.terms.legs_max),
        str(len(times)),
        str(seen.refused),
        f"{len(times) / sum(times) * 1e3:.0f}",
        f"{median(times):.2f}",
        f"{_p99(times):.2f}",
        f"{legs:.1f}",
        f"{median(gaps):.4f}",
        f"{_p99(gaps):.3f}",
        f"{median(gains):.2f}",
        f"{sum(gains) / len(gains):.2f}",
        f"{_p99(gains):.1f}",
    )


def _p99(figures: Sequence[float]) -> float:
    return sorted(figures)[min(len(figures) - 1, len(figures) * 99 // 100)]


def main() -> int:
    """Measure and print; 0 when the promise is kept by every case that it is made for."""
    parser = argparse.ArgumentParser(prog="python -m benches.router")
    parser.add_argument("--routes", type=int, default=1_000, help="per case")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance, lines, kept = Random(asked.seed), [], True
    cases = _cases(chance)
    spare_the_collector()
    for case in cases:
        lines.append(_row(case, _measured(case, asked.routes, chance)))
        if case.promised:
            kept &= float(lines[-1][4]) >= RATE_MIN and float(lines[-1][6]) <= P99_MS_MAX
    print(table(HEADS, lines))
    print(f"\npromise, where marked *: at least {RATE_MIN} routes/s, p99 at most {P99_MS_MAX:g} ms")
    print("\n" + markdown(HEADS, lines))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
