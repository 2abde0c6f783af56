"""Promise: no plan with two hops is better either; `benches.optimum` takes more markets."""

from decimal import Decimal
from random import Random

import pytest
from tests.oracles import hops, routing

from quantdesk.core.errors import Refused
from quantdesk.engines.orders.paths import Asked, Curves
from quantdesk.engines.orders.plans import Terms
from quantdesk.engines.orders.router import Route, route
from quantdesk.testing import markets

_TENTH = 0.1  # of a basis point
_NOISE = 1e-8  # relative: what the reference may be off
_MARKETS = 40
_LONE = 6
_TERMS = Terms(legs_max=9, through=hops.BETWEEN)


def _tried(market: hops.Drawn) -> Route | None:
    try:
        return route(market.book, market.asked, _TERMS, curves=Curves())
    except Refused as refused:
        if refused.code != "liquidity.insufficient":
            raise
        return None


def _off(found: Route, best: float) -> float:
    """Return how much worse a route is than an optimum, relative."""
    return (best - found.received if found.asked.exact_in else found.paid - best) / best


def test_that_no_pairing_of_hops_on_random_markets_is_better() -> None:
    chance, compared, hopped = Random(21), 0, 0
    while compared < _MARKETS:
        market = hops.drawn(chance)
        if not (found := _tried(market)):
            continue

        best = hops.best(market)

        assert best is not None
        assert -_NOISE <= _off(found, best) <= _TENTH / 1e4
        assert found.bound >= best * (1 - _NOISE) or not found.asked.exact_in
        assert found.bound <= best * (1 + _NOISE) or found.asked.exact_in
        hopped += any(len(leg.hops) > 1 for leg in found.legs)
        compared += 1
    assert hopped > _MARKETS // 2


def test_that_paths_of_two_hops_take_each_pool_once_and_pass_on_all_of_it() -> None:
    chance, seen = Random(22), 0
    while seen < _MARKETS:
        if not (found := _tried(hops.drawn(chance))):
            continue
        for leg in found.legs:
            assert (leg.hops[0].paid, leg.hops[-1].received) == (hops.SOL, hops.USDC)
            for first, then in zip(leg.hops, leg.hops[1:], strict=False):
                assert (first.received, first.fill.received) == (then.paid, then.fill.paid)
            seen += len(leg.hops) > 1
        used = [hop.pool.about.address for leg in found.legs for hop in leg.hops]
        assert len(used) == len(set(used))
        exact = found.paid if found.asked.exact_in else found.received
        assert exact == found.asked.amount


@pytest.mark.parametrize("exact_in", [True, False])
def test_that_both_references_agree(*, exact_in: bool) -> None:
    chance, asked, agreed = Random(23), Asked(hops.SOL, hops.USDC, exact_in, 10**10), 0
    while agreed < _LONE:
        direct, first, then = (
            markets.pools(chance.random, 1, mints, price, steps=4)
            for mints, price in (
                ((hops.SOL, hops.USDC), hops.PRICE),
                ((hops.SOL, "usdt"), hops.PRICE),
                (("usdt", hops.USDC), 1.0),
            )
        )
        book = {
            frozenset((hops.SOL, hops.USDC)): direct,
            frozenset((hops.SOL, "usdt")): first,
            frozenset(("usdt", hops.USDC)): then,
        }
        if (found := hops.best(hops.Drawn(book, asked))) is None:
            continue
        chain = routing.chain(routing.supply(first[0], hops.SOL), routing.supply(then[0], "usdt"))
        supplies = [routing.supply(direct[0], hops.SOL), chain]

        exactly = routing.best(supplies, asked.amount, exact_in=exact_in, halvings=40)

        assert abs(Decimal(found) / exactly - 1) < _NOISE
        agreed += 1
