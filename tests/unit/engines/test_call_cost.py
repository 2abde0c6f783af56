"""Promise: a leg that the network charges more for than it brings is not taken."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from quantdesk.chains.paper import Paper
from quantdesk.chains.port import AccountState, Instruction, Priority, Trade, Wallet
from quantdesk.core.assets import ASSETS, Asset
from quantdesk.core.errors import Refused
from quantdesk.core.markets import Side, market
from quantdesk.engines.orders.floor import CallFee, Floor, routed
from quantdesk.engines.orders.plans import Terms, planned
from quantdesk.engines.orders.routed import described
from quantdesk.engines.orders.routing import Choice, Routing, Rules, Wanted
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.pools import Product, about
from quantdesk.venues.port import Fill, Pool, Swap

SOL = market("SOL-USDC")
BASE, QUOTE, USDT = (ASSETS[symbol].mint for symbol in ("SOL", "USDC", "USDT"))
PAIR = (BASE, QUOTE)
UNITS = 40_000  # of each pool


class Shelf:
    """A venue that has what it is given."""

    name = "shelf"

    def __init__(self, *pools: Pool) -> None:
        self._pools = pools

    def accounts(self) -> tuple[str, ...]:
        """Ask for nothing."""
        return ()

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Fail: nothing was asked for."""
        raise AssertionError("it asked for nothing")

    def pools(self, mints: frozenset[str], *, now_ms: int) -> list[Pool]:
        """Return what trades the pair."""
        return [pool for pool in self._pools if frozenset(pool.about.mints) == mints]


class Crossing(Product, frozen=True):
    """A pool whose trades take as much again for what they cross."""

    def exact_in(self, paid: str, amount: int) -> Fill:
        """Return what it brings."""
        return super().exact_in(paid, amount)._replace(more_units=UNITS)


def pool(name: str, sol: int, *, mints: tuple[str, str] = PAIR, price: int = 150) -> Product:
    reserves = (sol * 10**9, sol * price * 10**6)
    return Product(about(name, mints, Decimal(reserves[1]) / reserves[0]), reserves)


def dollars(lamports: int, _asset: Asset) -> int:
    """Return lamports in USDC at 150, rounded up."""
    return -(-lamports * 150 // 1_000)


def floor(
    *pools: Pool,
    call_lamports: CallFee = lambda _units, _priority: 0,
    through: Sequence[str] = (),
    units_max: int | None = None,
) -> Floor:
    return Floor(
        chain=Paper(clock=ManualClock(), latency_ms=0, book={}),
        routing=Routing([Shelf(*pools)], rules=Rules(through=tuple(through), hop_cost_bps=0)),
        wallet=Wallet("owner", {symbol: f"{symbol} account" for symbol in ASSETS}),
        check_price=lambda _market, _price: None,
        network_fee_lamports=5_000,
        call_lamports=call_lamports,
        units_max=units_max,
        worth=dollars,
    )


def wanted(side: Side, *, sol: int = 10) -> Wanted:
    return Wanted(market=SOL, side=side, base_raw=sol * 10**9, slippage_bps=50)


def hops(choice: Choice) -> list[int]:
    return [len(leg.hops) for leg in choice.route.legs]


def of_two(side: Side, lamports: int) -> Choice:
    """Return a route over two pools, where the second one's call costs so much."""
    on = floor(
        pool("a", 10_000), pool("b", 1_000), call_lamports=lambda _units, _priority: lamports
    )
    return routed(on, wanted(side), now_ms=0)


@pytest.mark.parametrize("side", Side)
def test_that_a_leg_has_to_bring_more_than_the_network_takes_for_it(side: Side) -> None:
    lone, split = of_two(side, 10**9), of_two(side, 0)
    assert (len(lone.route.legs), len(split.route.legs)) == (1, 2)
    gained = abs(split.quote_raw - lone.quote_raw)

    just = gained * 1_000 // 150  # lamports that are worth what the second leg brings
    assert len(of_two(side, just * 99 // 100).route.legs) == 2
    assert len(of_two(side, just * 101 // 100).route.legs) == 1


@pytest.mark.parametrize(
    ("priority", "cost", "legs"),
    [(None, "0", 2), (Priority.ECONOMY, "0.00015", 2), (Priority.URGENT, "150000", 1)],
)
def test_that_a_leg_is_charged_at_the_order_s_own_priority(
    priority: Priority | None, cost: str, legs: int
) -> None:
    lamports = {None: 0, Priority.ECONOMY: 1_000, Priority.URGENT: 10**12}
    on = floor(
        pool("a", 10_000), pool("b", 1_000), call_lamports=lambda _units, asked: lamports[asked]
    )

    choice = routed(on, msgspec.structs.replace(wanted(Side.SELL), priority=priority), now_ms=0)

    assert len(choice.route.legs) == legs
    assert described(choice, now_ms=0)["callCost"] == cost


@pytest.mark.parametrize("side", Side)
def test_that_two_hops_are_charged_twice(side: Side) -> None:
    stable = Product(about("d", (USDT, QUOTE), Decimal(1)), (2 * 10**12, 2 * 10**12), 100)
    far = (pool("c", 10_000, mints=(BASE, USDT)), stable)
    near = pool("a", 10_000)

    def taken(lamports: int) -> Choice:
        on = floor(near, *far, call_lamports=lambda _units, _priority: lamports, through=[USDT])
        return routed(on, wanted(side), now_ms=0)

    free = taken(0)
    assert sorted(hops(free)) == [1, 2]
    direct = routed(floor(near), wanted(side), now_ms=0)
    gained = abs(free.quote_raw - direct.quote_raw) * 1_000 // 150
    assert sorted(hops(taken(gained * 49 // 100))) == [1, 2]
    assert hops(taken(gained * 51 // 100)) == [1]
    asked, legs = wanted(side).asked, free.route.legs
    worth = [planned(legs, asked, Terms(call_cost=cost)).worth for cost in (0, 7)]
    assert worth[0] - worth[1] == 3 * 7 * 10_000, "three pools are called"


def test_that_what_a_call_was_reckoned_to_cost_is_told() -> None:
    assert described(of_two(Side.SELL, 1_000), now_ms=0)["callCost"] == "0.00015"
    assert described(of_two(Side.SELL, 0), now_ms=0)["callCost"] == "0"


def test_that_a_cost_without_a_price_is_told_as_unknown() -> None:
    on = replace(
        floor(pool("a", 10_000), pool("b", 1_000), call_lamports=lambda _units, _priority: 10**9),
        worth=lambda _lamports, _asset: 0,
    )
    choice = routed(on, wanted(Side.SELL), now_ms=0)

    assert len(choice.route.legs) == 2
    assert described(choice, now_ms=0)["callCost"] is None


@pytest.mark.parametrize(("units_max", "legs"), [(3 * UNITS, 3), (3 * UNITS - 1, 2), (UNITS, 1)])
def test_that_pools_stay_within_the_compute_units_of_a_transaction(
    units_max: int, legs: int
) -> None:
    on = floor(*(pool(name, 1_000) for name in "abc"), units_max=units_max)

    assert len(routed(on, wanted(Side.SELL), now_ms=0).route.legs) == legs


def test_that_not_even_one_pool_may_compute_more() -> None:
    on = floor(pool("a", 1_000), units_max=UNITS - 1)

    with pytest.raises(Refused, match="fits into one transaction"):
        routed(on, wanted(Side.SELL), now_ms=0)


def test_that_what_a_trade_crosses_counts_among_them() -> None:
    crossing = [Crossing(one.about, one.reserves) for one in (pool("a", 900), pool("b", 1_000))]
    on = floor(pool("c", 1_000), *crossing, units_max=4 * UNITS)

    choice = routed(on, wanted(Side.SELL), now_ms=0)

    assert sorted(leg.hops[0].compute_units for leg in choice.route.legs) == [UNITS, 2 * UNITS]


def test_that_both_limits_hold() -> None:
    asked = list[int]()

    def fits(_: Trade, steps: Sequence[Instruction]) -> bool:
        asked.append(len(steps))
        return len(steps) <= 1

    on = replace(floor(*(pool(name, 1_000) for name in "abc"), units_max=2 * UNITS), fits=fits)

    assert len(routed(on, wanted(Side.SELL), now_ms=0).route.legs) == 1
    assert max(asked) == 2, "three were ruled out by what they compute"


def test_that_the_calls_of_a_leg_are_made_once_however_often_it_is_asked_about() -> None:
    made = list[str]()

    class Telling(Product, frozen=True):
        def instruction(self, swap: Swap) -> Instruction:
            made.append(self.about.address)
            return super().instruction(swap)

    names = "abcdef"
    shapes = [pool(name, 1_000) for name in names]
    pools = [Telling(one.about, one.reserves, one.fee_ppm) for one in shapes]
    on = replace(floor(*pools), fits=lambda _, steps: len(steps) <= 2)

    assert len(routed(on, wanted(Side.SELL), now_ms=0).route.legs) == 2
    assert len(made) <= 4 * len(names)
