"""Promise: no plan beats a route by more than the route says, and it sums to the base unit."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles import routing

from quantdesk.core.errors import Refused
from quantdesk.engines.orders.paths import Asked, Book, Curves
from quantdesk.engines.orders.plans import Terms
from quantdesk.engines.orders.router import Route, route
from quantdesk.testing import markets
from quantdesk.venues.port import Pool

SOL, USDC = "sol", "usdc"
PRICE = 0.15
TENTH = Decimal("0.1")  # of a basis point
_MARKETS = 100  # each way; `benches.optimum` takes thousands
_FREE = Terms(legs_max=99)
AMOUNT = st.integers(10**7, 10**13)
SEED = st.integers(0, 10**9)


def _pair(*pools: Pool, mints: tuple[str, str] = (SOL, USDC)) -> Book:
    return {frozenset(mints): pools}


def _asked(amount: int, *, exact_in: bool) -> Asked:
    return Asked(SOL, USDC, exact_in, amount)


def _drawn(seed: int, count: int, *, steps: int = 5) -> list[Pool]:
    return markets.pools(Random(seed).random, count, (SOL, USDC), PRICE, steps=steps)


def _route(book: Book, asked: Asked, terms: Terms = _FREE) -> Route:
    return route(book, asked, terms, curves=Curves())


def _tried(book: Book, asked: Asked, terms: Terms = _FREE) -> Route | None:
    try:
        return _route(book, asked, terms)
    except Refused as refused:
        if refused.code != "liquidity.insufficient":
            raise
        return None


def _off_bps(found: Route, best: Decimal, asked: Asked) -> Decimal:
    """Return how much worse a route is than an optimum, in basis points."""
    worse = best - found.received if asked.exact_in else found.paid - best
    return worse * 10_000 / best


def _check_sums(found: Route, asked: Asked) -> None:
    exact = found.paid if asked.exact_in else found.received
    assert exact == asked.amount
    assert found.paid == sum(leg.paid for leg in found.legs)
    assert found.received == sum(leg.received for leg in found.legs)
    for leg in found.legs:
        assert (leg.hops[0].paid, leg.hops[-1].received) == (asked.paid, asked.received)
        for first, then in zip(leg.hops, leg.hops[1:], strict=False):
            assert (first.received, first.fill.received) == (then.paid, then.fill.paid)
        for hop in leg.hops:
            quote = hop.pool.exact_in if asked.exact_in else hop.pool.exact_out
            amount = hop.fill.paid if asked.exact_in else hop.fill.received
            assert quote(hop.paid, amount) == hop.fill
    used = [hop.pool.about.address for leg in found.legs for hop in leg.hops]
    assert len(used) == len(set(used))


@pytest.mark.parametrize("exact_in", [True, False])
def test_that_a_route_is_the_references_optimum_on_random_markets(*, exact_in: bool) -> None:
    chance, compared = Random(3 if exact_in else 4), 0
    while compared < _MARKETS:
        pools = _drawn(chance.randrange(10**9), chance.randint(1, 5), steps=4)
        asked = _asked(int(10 ** chance.uniform(9, 12.5)), exact_in=exact_in)
        if not (found := _tried(_pair(*pools), asked)):
            continue

        best = routing.best(
            [routing.supply(pool, SOL) for pool in pools], asked.amount, exact_in=exact_in
        )

        _check_sums(found, asked)
        assert _off_bps(found, best, asked) <= TENTH
        assert 0 <= found.gap_bps <= TENTH
        if len(pools) > 1:
            assert found.bound >= int(best) if exact_in else found.bound <= best + 1
        compared += 1


@pytest.mark.parametrize("exact_in", [True, False])
def test_that_filling_chunk_by_chunk_does_no_better(*, exact_in: bool) -> None:
    chance, compared = Random(11), 0
    while compared < 30:
        pools = _drawn(chance.randrange(10**9), 4)
        asked = _asked(int(10 ** chance.uniform(9, 11.5)), exact_in=exact_in)
        greedy = _greedy(pools, asked)
        if not (found := _tried(_pair(*pools), asked)) or greedy is None:
            continue

        # Rounding may cost some base units, legs not worth their while a hundred-millionth each.
        lost = 3 * len(found.legs) + abs(greedy) // 10_000_000
        better = greedy - found.received if exact_in else found.paid - greedy
        assert better <= lost
        assert greedy <= found.bound if exact_in else greedy >= found.bound
        compared += 1


def _greedy(pools: Sequence[Pool], asked: Asked, *, chunks: int = 50) -> int | None:
    """Return what comes of always giving the next chunk to whoever does most for it."""
    given = [0] * len(pools)
    others = [0] * len(pools)
    for number in range(chunks):
        chunk = asked.amount * (number + 1) // chunks - asked.amount * number // chunks
        offers = []
        for at, pool in enumerate(pools):
            try:
                if asked.exact_in:
                    other = pool.exact_in(SOL, given[at] + chunk).received
                else:
                    other = -pool.exact_out(SOL, given[at] + chunk).paid
            except Refused:
                continue
            offers.append((other - others[at], at, other))
        if not offers:
            return None
        _, at, other = max(offers)
        given[at] += chunk
        others[at] = other
    return abs(sum(others))


@pytest.mark.parametrize("legs_max", [1, 2, 3])
@pytest.mark.parametrize("cost_ppm", [0, 100, 1_000])
def test_that_no_other_few_legs_do_better(legs_max: int, cost_ppm: int) -> None:
    chance, compared = Random(legs_max), 0
    while compared < 20:
        exact_in = chance.random() < 0.5
        pools = _drawn(chance.randrange(10**9), 6)
        asked = _asked(int(10 ** chance.uniform(9, 12)), exact_in=exact_in)
        cost = asked.amount * cost_ppm // 1_000_000
        found = _tried(_pair(*pools), asked, Terms(legs_max=legs_max, call_cost=cost))
        if not found:
            continue

        nets = [
            net
            for few in range(1, legs_max + 1)
            for some in combinations(pools, few)
            if (net := _net(_tried(_pair(*some), asked), few, cost, asked)) is not None
        ]
        mine = _net(found, len(found.legs), cost, asked)
        assert mine is not None
        assert len(found.legs) <= legs_max
        assert max(nets) - mine <= abs(mine) // 1_000_000 + 5 * legs_max
        compared += 1


def _net(found: Route | None, legs: int, cost: int, asked: Asked) -> int | None:
    if found is None:
        return None
    return (found.received if asked.exact_in else -found.paid) - legs * cost


@given(seed=SEED, amount=AMOUNT, exact_in=st.booleans(), legs_max=st.integers(1, 5))
def test_that_a_route_is_never_worse_than_a_single_pool(
    seed: int, amount: int, *, exact_in: bool, legs_max: int
) -> None:
    pools, asked = _drawn(seed, 4), _asked(amount, exact_in=exact_in)
    found = _tried(_pair(*pools), asked, Terms(legs_max=legs_max))

    for pool in pools:
        try:
            fill = (pool.exact_in if exact_in else pool.exact_out)(SOL, amount)
        except Refused:
            continue
        assert found
        assert found.received >= fill.received
        assert found.paid <= fill.paid
    if found:
        _check_sums(found, asked)
        assert found.gap_bps >= 0
        assert found.bound >= found.received if exact_in else found.bound <= found.paid


@given(seed=SEED, amount=AMOUNT, exact_in=st.booleans(), times=st.floats(1.0001, 3))
def test_that_more_is_never_less(seed: int, amount: int, *, exact_in: bool, times: float) -> None:
    book = _pair(*_drawn(seed, 3))
    small = _tried(book, _asked(amount, exact_in=exact_in))
    large = _tried(book, _asked(int(amount * times), exact_in=exact_in))

    assert small or not large
    if small and large:
        assert large.received >= small.received
        assert large.paid >= small.paid
