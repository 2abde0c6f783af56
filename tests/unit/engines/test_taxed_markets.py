"""Promise: also where transfers cost and past fills advise, a route sums up and its bound holds."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import NamedTuple

import msgspec

from quantdesk.chains.port import AccountState, Instruction
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.markets import Side, market
from quantdesk.engines.orders.expected import Expected
from quantdesk.engines.orders.paths import Asked
from quantdesk.engines.orders.routing import Choice, Routing, Rules, Wanted, leg_limits
from quantdesk.testing import markets
from quantdesk.venues.port import About, Fill, Piece, Pool, Swap
from quantdesk.venues.transfer_fee import FREE, TransferFee
from quantdesk.venues.transfers import Transfers

SOL = market("SOL-USDC")
BASE, QUOTE, USDT = (ASSETS[symbol].mint for symbol in ("SOL", "USDC", "USDT"))
PRICE = 0.15
_MARKETS = 250
_CHUNKS = 16


class Taxed(msgspec.Struct, frozen=True):
    """A pool of tokens whose transfers pay a fee."""

    pool: Pool
    fees: dict[str, TransferFee]

    @property
    def about(self) -> About:
        """Return what it is."""
        return self.pool.about

    def curve(self, paid: str) -> Sequence[Piece]:
        """Return the curve as the wallet sees it."""
        return self._transfers(paid).curve(self.pool.curve(paid))

    def exact_in(self, paid: str, amount: int) -> Fill:
        """Return what leaves and reaches the wallet."""
        return self._transfers(paid).exact_in(amount, lambda a: self.pool.exact_in(paid, a))

    def exact_out(self, paid: str, amount: int) -> Fill:
        """Return what leaves and reaches the wallet."""
        return self._transfers(paid).exact_out(amount, lambda a: self.pool.exact_out(paid, a))

    def instruction(self, swap: Swap) -> Instruction:
        """Return the pool's own call."""
        return self.pool.instruction(swap)

    def _transfers(self, paid: str) -> Transfers:
        one, other = self.about.mints
        received = other if paid == one else one
        return Transfers(self.fees.get(paid, FREE), self.fees.get(received, FREE))


class Shelf:
    """A venue that has what it is given."""

    def __init__(self, name: str, pools: Sequence[Pool]) -> None:
        self.name = name
        self._pools = [pool for pool in pools if pool.about.venue == name]

    def accounts(self) -> tuple[str, ...]:
        """Ask for nothing."""
        return ()

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Fail: nothing was asked for."""
        raise AssertionError("it asked for nothing")

    def pools(self, mints: frozenset[str], *, now_ms: int) -> list[Pool]:
        """Return what trades the pair."""
        return [pool for pool in self._pools if frozenset(pool.about.mints) == mints]


class Case(NamedTuple):
    """A market drawn by chance, and what is wanted of it."""

    direct: list[Pool]
    routing: Routing
    wanted: Wanted
    call_cost: int | None


def _drawn(chance: Random) -> Case:
    fees = {
        mint: TransferFee(chance.choice((1, 50, 300, 9_999)), int(10 ** chance.uniform(0, 12)))
        for mint in (BASE, QUOTE, USDT)
        if chance.random() < 0.4
    }

    def pools(most: int, mints: tuple[str, str], price: float) -> list[Pool]:
        drawn = markets.pools(chance.random, chance.randint(1, most), mints, price, steps=4)
        return [Taxed(pool, fees) for pool in drawn]

    direct, between = pools(4, (BASE, QUOTE), PRICE), list[Pool]()
    if chance.random() < 0.6:
        between = pools(3, (BASE, USDT), PRICE) + pools(3, (USDT, QUOTE), 1.0)
    known: Mapping[str, Decimal] = {
        name: Decimal(chance.choice((0, 0, 5, -5, 20, -20))) for name in markets.VENUES
    }
    routing = Routing(
        [Shelf(name, direct + between) for name in markets.VENUES],
        rules=Rules(
            through=(USDT,) if between else (),
            hop_cost_bps=chance.choice((0, 2, 50)),
            legs_max=chance.choice((1, 2, 4, 9)),
        ),
        bias=lambda venue, _pair: known[venue],
    )
    side, slippage_bps = chance.choice(list(Side)), chance.choice((0, 50, 10_000))
    wanted = Wanted(SOL, side, int(10 ** chance.uniform(0, 13)), slippage_bps)
    return Case(direct, routing, wanted, chance.choice((0, None, 3, 10**6)))


def _alone(pool: Pool, asked: Asked, amount: int) -> int | None:
    try:
        if asked.exact_in:
            return pool.exact_in(asked.paid, amount).received
        return -pool.exact_out(asked.paid, amount).paid
    except Refused:
        return None


def _singles(case: Case) -> list[int]:
    asked = case.wanted.asked
    found = [_alone(pool, asked, asked.amount) for pool in case.direct]
    return [value for value in found if value is not None]


def _greedy(case: Case) -> int | None:
    """Return what comes of giving each chunk to the pool that does most with it."""
    asked = case.wanted.asked
    given, brought = [0] * len(case.direct), [0] * len(case.direct)
    for number in range(_CHUNKS):
        chunk = asked.amount * (number + 1) // _CHUNKS - asked.amount * number // _CHUNKS
        more = [
            (value - brought[at], at, value)
            for at, pool in enumerate(case.direct)
            if (value := _alone(pool, asked, given[at] + chunk)) is not None
        ]
        if not more:
            return None
        _, at, brought[at] = max(more)
        given[at] += chunk
    return sum(brought)


def _check(choice: Choice, case: Case) -> None:
    route, asked, limits = choice.route, case.wanted.asked, leg_limits(choice)
    assert (route.paid if asked.exact_in else route.received) == asked.amount
    assert route.gap_bps >= 0
    hops = [hop for leg in route.legs for hop in leg.hops]
    assert len({hop.pool.about.address for hop in hops}) == len(hops)
    assert not any(isinstance(hop.pool, Expected) for hop in hops), "signed are the pools' own"
    for leg in route.legs:
        for first, then in zip(leg.hops, leg.hops[1:], strict=False):
            assert first.fill.received == then.fill.paid
    if asked.exact_in:
        assert sum(limits) >= choice.limit_raw
        assert all(limit <= leg.received for limit, leg in zip(limits, route.legs, strict=True))
    else:
        assert sum(limits) <= choice.limit_raw
        assert all(limit >= leg.paid for limit, leg in zip(limits, route.legs, strict=True))


def test_that_nothing_beats_the_bound_and_all_sums_up_on_random_markets() -> None:
    chance, advised, hopped = Random(31), 0, 0
    for _ in range(_MARKETS):
        case = _drawn(chance)
        singles, greedy = _singles(case), _greedy(case)
        try:
            choice = case.routing.choose(case.wanted, now_ms=0, call_cost=case.call_cost)
        except (Refused, Unavailable):
            assert not singles, "what can be traded is"
            continue

        _check(choice, case)
        bound = choice.route.bound if case.wanted.side is Side.SELL else -choice.route.bound
        assert all(value <= bound for value in singles)
        assert greedy is None or greedy <= bound
        advised += any(one.kind == "quoted" for one in choice.route.alternatives)
        hopped += any(len(leg.hops) > 1 for leg in choice.route.legs)
    assert advised > _MARKETS // 20
    assert hopped > _MARKETS // 20
