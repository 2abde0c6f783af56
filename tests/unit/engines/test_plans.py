"""Promise: a route respects its terms, does without pools that refuse, and shows what else was."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest

from quantdesk.chains.port import Instruction
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.engines.orders.paths import Asked, Curves, Leg
from quantdesk.engines.orders.plans import Terms
from quantdesk.engines.orders.router import Alternative, Route, route
from quantdesk.testing.pools import ONE, Bins, Product, about
from quantdesk.venues.port import About, Fill, Piece, Pool, Swap

SOL, USDC, USDT = "sol", "usdc", "usdt"
PAIR = frozenset((SOL, USDC))


class Counting(msgspec.Struct):
    """A pool that counts what it is asked, and refuses from an amount on."""

    pool: Product | Bins
    refuses_from: int = 1 << 64
    problem: DeskError = Refused("no", code="liquidity.insufficient")
    quotes: int = 0
    curves: int = 0

    @property
    def about(self) -> About:
        """Return that of the pool."""
        return self.pool.about

    def curve(self, paid: str) -> Sequence[Piece]:
        """Return that of the pool."""
        self.curves += 1
        return self.pool.curve(paid)

    def exact_in(self, paid: str, amount: int) -> Fill:
        """Return that of the pool, or refuse."""
        self.quotes += 1
        if amount >= self.refuses_from:
            raise self.problem
        return self.pool.exact_in(paid, amount)

    def exact_out(self, paid: str, amount: int) -> Fill:
        """Return that of the pool, or refuse."""
        self.quotes += 1
        if amount >= self.refuses_from:
            raise self.problem
        return self.pool.exact_out(paid, amount)

    def instruction(self, swap: Swap) -> Instruction:
        """Return that of the pool."""
        return self.pool.instruction(swap)


def _pool(
    name: str,
    *,
    depth: int = 10**12,
    price: str = "0.15",
    venue: str = "raydium",
    mints: tuple[str, str] = (SOL, USDC),
) -> Product:
    spot = Decimal(price)
    return Product(about(name, mints, spot, venue=venue), (depth, int(depth * spot)))


def _sold(
    *pools: Pool, amount: int = 10**10, terms: Terms | None = None, hops: Sequence[Pool] = ()
) -> Route:
    book: dict[frozenset[str], list[Pool]] = {PAIR: list(pools)}
    for pool in hops:
        book.setdefault(frozenset(pool.about.mints), []).append(pool)
    return route(
        book, Asked(SOL, USDC, exact_in=True, amount=amount), terms or Terms(), curves=Curves()
    )


def _names(legs: Sequence[Leg]) -> list[list[str]]:
    return [[hop.pool.about.address for hop in leg.hops] for leg in legs]


def _one(found: Route, kind: str, name: str = "") -> Alternative:
    return next(one for one in found.alternatives if one.kind == kind and name in {one.name, ""})


@pytest.mark.parametrize("exact_in", [True, False])
def test_that_a_lone_pool_costs_one_quote(*, exact_in: bool) -> None:
    pool = Counting(_pool("a"))
    found = route({PAIR: [pool]}, Asked(SOL, USDC, exact_in, 10**9), Terms(), curves=Curves())

    assert (pool.quotes, pool.curves) == (1, 0)
    assert found.gap_bps == 0
    assert found.bound == (found.received if exact_in else found.paid)
    assert found.runner_up is None


def test_that_equal_pools_share_equally() -> None:
    found = _sold(_pool("a"), _pool("b"), amount=10**10)

    assert [leg.paid for leg in found.legs] == pytest.approx([5 * 10**9] * 2, abs=2)


@pytest.mark.parametrize("amount", [10**10 + 1, 10**10 + 7, 2**63 - 1])
def test_that_parts_sum_to_the_base_unit(amount: int) -> None:
    found = _sold(*(_pool(name, depth=10**12 + at) for at, name in enumerate("abc")), amount=amount)

    assert len(found.legs) == 3
    assert found.paid == sum(leg.paid for leg in found.legs) == amount


def test_that_dust_makes_no_leg() -> None:
    found = _sold(_pool("a", depth=10**15), _pool("b", depth=10**6), amount=10**10)

    assert _names(found.legs) == [["a"]]


def test_that_legs_are_as_few_as_they_have_to_be() -> None:
    pools = [
        _pool(name, depth=depth * 10**11) for name, depth in zip("abcd", (1, 4, 2, 3), strict=True)
    ]

    for most in (1, 2, 3):
        found = _sold(*pools, terms=Terms(legs_max=most))
        assert [names[0] for names in _names(found.legs)] == ["b", "d", "c"][:most]


def test_that_a_leg_has_to_earn_its_cost() -> None:
    pools = [_pool("a", depth=10**12), _pool("b", depth=10**12)]
    gain = _sold(*pools).received - _sold(pools[0]).received

    assert len(_sold(*pools, terms=Terms(call_cost=gain - 10)).legs) == 2
    assert len(_sold(*pools, terms=Terms(call_cost=gain + 10)).legs) == 1


def test_that_a_cost_above_the_whole_trade_still_trades() -> None:
    found = _sold(_pool("a"), _pool("b"), terms=Terms(call_cost=10**15))

    assert len(found.legs) == 1


def test_that_what_does_not_fit_becomes_fewer_legs() -> None:
    pools = [_pool(name) for name in "abcd"]

    def fits(legs: Sequence[Leg]) -> bool:
        return len(legs) <= 2 and "a" not in {names[0] for names in _names(legs)}

    found = _sold(*pools, terms=Terms(fits=fits))

    assert len(found.legs) == 2
    assert fits(found.legs)


def test_that_only_what_fits_is_taken_in_the_end() -> None:
    pools = [_pool(name, depth=10 ** (12 - at)) for at, name in enumerate("abc")]

    found = _sold(*pools, terms=Terms(fits=lambda legs: _names(legs) == [["c"]]))

    assert _names(found.legs) == [["c"]]


def test_that_two_small_calls_are_taken_where_one_large_one_leaves_no_room() -> None:
    takes = {"a": 10, "b": 5, "c": 5}
    pools = [_pool("a", depth=11 * 10**11), _pool("b"), _pool("c")]

    def fits(legs: Sequence[Leg]) -> bool:
        return sum(takes[names[0]] for names in _names(legs)) <= 10

    found = _sold(*pools, terms=Terms(fits=fits))

    assert sorted(_names(found.legs)) == [["b"], ["c"]]


def test_that_a_leg_that_takes_more_as_it_grows_is_thought_of_again() -> None:
    def fits(legs: Sequence[Leg]) -> bool:
        takes = [3 if leg.paid > 4 * 10**9 and names == ["a"] else 1
                 for leg, names in zip(legs, _names(legs), strict=True)]  # fmt: skip
        return sum(takes) <= 3

    pools = [_pool("a", depth=14 * 10**11), *(_pool(name) for name in "bcd")]
    found = _sold(*pools, terms=Terms(fits=fits))

    assert fits(found.legs)
    assert sorted(_names(found.legs)) == [["b"], ["c"], ["d"]]


def test_that_how_often_is_asked_what_fits_is_bounded() -> None:
    asked = list[int]()

    def fits(legs: Sequence[Leg]) -> bool:
        asked.append(len(legs))
        return len(legs) == 1

    pools = [_pool(f"p{at}", depth=10**12 + at * 10**9) for at in range(40)]
    found = _sold(*pools, terms=Terms(fits=fits, legs_max=40))

    assert len(found.legs) == 1
    assert len(asked) < 1_000


@pytest.mark.parametrize("count", [1, 3])
def test_that_nothing_fitting_is_refused(count: int) -> None:
    with pytest.raises(Refused) as refused:
        _sold(*(_pool(name) for name in "abc"[:count]), terms=Terms(fits=lambda _: False))

    assert refused.value.code == "transaction.too_large"


@pytest.mark.parametrize(
    "problem", [Refused("no", code="pool.unsupported"), Unavailable("no", code="pool.disabled")]
)
def test_that_a_pool_that_refuses_is_done_without(problem: DeskError) -> None:
    stubborn = Counting(_pool("b"), refuses_from=0, problem=problem)

    found = _sold(_pool("a"), stubborn, _pool("c"))

    assert sorted(_names(found.legs)) == [["a"], ["c"]]
    assert found.gap_bps > 0


def test_that_a_pool_that_ends_early_is_used_up_to_there() -> None:
    bins = Bins(about("b", (SOL, USDC), Decimal("0.2")), (ONE // 5,), (10**8,), active=1, fee_ppm=0)
    most = bins.exact_out(SOL, 10**8).paid

    found = _sold(_pool("a"), Counting(bins, refuses_from=most))

    paid = {hop.pool.about.address: hop.fill.paid for leg in found.legs for hop in leg.hops}
    assert paid["b"] == pytest.approx(most, rel=1e-5)
    assert paid["b"] < most


@pytest.mark.parametrize(
    ("amount", "code"), [(10**17, "liquidity.insufficient"), (1, "amount.too_small")]
)
def test_that_the_most_telling_reason_is_given(amount: int, code: str) -> None:
    ends = [
        Bins(about(name, (SOL, USDC), Decimal("0.2")), (ONE // 5,), (10**12,), active=1)
        for name in "ab"
    ]
    with pytest.raises(Refused) as refused:
        _sold(*ends, amount=amount)

    assert refused.value.code == code


def test_that_more_than_as_many_legs_hold_is_refused() -> None:
    ends = [
        Bins(about(name, (SOL, USDC), Decimal("0.2")), (ONE // 5,), (10**9,), active=1)
        for name in "abc"
    ]
    assert len(_sold(*ends, amount=12 * 10**9, terms=Terms(legs_max=3)).legs) == 3
    with pytest.raises(Refused) as refused:
        _sold(*ends, amount=12 * 10**9, terms=Terms(legs_max=2))

    assert refused.value.code == "liquidity.insufficient"


def test_that_all_pools_refusing_is_told_in_their_words() -> None:
    problem = Refused("frozen", code="pool.unsupported")
    with pytest.raises(Refused) as refused:
        _sold(*(Counting(_pool(name), refuses_from=0, problem=problem) for name in "ab"))

    assert refused.value.code == "pool.unsupported"


def test_that_no_pool_is_a_reason_too() -> None:
    with pytest.raises(Unavailable) as gone:
        _sold(terms=Terms(through=(USDT,)))

    assert gone.value.code == "quotes.none"


def _hops(*, depth: int = 10**12) -> list[Product]:
    return [
        _pool("in", depth=depth, mints=(SOL, USDT)),
        _pool("out", depth=depth * 3 // 20, price="1", mints=(USDT, USDC)),
    ]


def test_that_two_hops_are_taken_where_they_pay() -> None:
    found = _sold(_pool("a", depth=10**11), hops=_hops(), terms=Terms(through=(USDT, SOL)))

    assert _names(found.legs) == [["in", "out"], ["a"]]
    first, then = found.legs[0].hops
    assert (first.received, first.fill.received) == (then.paid, then.fill.paid)
    direct = _one(found, "direct").plan
    assert direct
    assert _names(direct.legs) == [["a"]]
    assert direct.received < found.received


def test_that_two_hops_need_no_direct_pool() -> None:
    found = _sold(hops=_hops(), terms=Terms(through=(USDT,)))

    assert _names(found.legs) == [["in", "out"]]
    assert _one(found, "direct").problem


def test_that_hops_go_only_through_what_is_allowed() -> None:
    found = _sold(_pool("a", depth=10**11), hops=_hops())

    assert _names(found.legs) == [["a"]]


@pytest.mark.parametrize("exact_in", [True, False])
def test_that_hops_have_to_earn_their_cost(*, exact_in: bool) -> None:
    book = {PAIR: [_pool("a", price="0.1499")]}
    book |= {frozenset(pool.about.mints): [pool] for pool in _hops(depth=10**13)}
    asked = Asked(SOL, USDC, exact_in, 10**8)

    def names(bps: int) -> list[list[str]]:
        terms = Terms(through=(USDT,), hop_cost_bps=bps, legs_max=1)
        return _names(route(book, asked, terms, curves=Curves()).legs)

    assert names(0) == [["a"]]  # two fees
    book[PAIR] = [_pool("a", price="0.1490")]
    assert (names(0), names(100)) == ([["in", "out"]], [["a"]])


def test_that_a_pool_is_part_of_one_leg_only() -> None:
    hops = [*_hops(), _pool("more", depth=10**12, mints=(SOL, USDT))]

    found = _sold(hops=hops, terms=Terms(through=(USDT,)))

    assert len(found.legs) == 1
    assert found.gap_bps > 1  # what splitting the first hop would have brought


def test_that_simpler_plans_are_shown_beside() -> None:
    pools = [
        _pool("a"), _pool("b", depth=8 * 10**11), _pool("c", venue="meteora", depth=9 * 10**11),
    ]  # fmt: skip
    found = _sold(*pools, amount=10**11)

    whole = _one(found, "pool").plan
    raydium, meteora = _one(found, "venue", "raydium").plan, _one(found, "venue", "meteora").plan
    assert whole
    assert raydium
    assert meteora
    assert _names(whole.legs) == [["a"]]
    assert _names(raydium.legs) == [["a"], ["b"]]
    assert _names(meteora.legs) == [["c"]]
    assert found.runner_up
    assert found.runner_up.plan == raydium
    assert found.received > raydium.received > whole.received > meteora.received


def test_that_the_runner_up_is_another_plan() -> None:
    found = _sold(_pool("a"), _pool("b", price="0.14"), amount=10**8)

    assert _names(found.legs) == [["a"]]
    assert found.runner_up
    assert found.runner_up.plan
    assert _names(found.runner_up.plan.legs) == [["b"]]


def test_that_a_venue_that_cannot_says_why() -> None:
    end = Bins(about("m", (SOL, USDC), Decimal("0.2"), venue="meteora"), (ONE // 5,), (10,), 1)

    found = _sold(_pool("a"), end)

    problem = _one(found, "venue", "meteora").problem
    assert problem
    assert problem.code == "liquidity.insufficient"


def test_that_a_snapshot_is_drawn_once() -> None:
    pools = [Counting(_pool("a")), Counting(_pool("b"))]
    curves, asked = Curves(), Asked(SOL, USDC, exact_in=True, amount=10**9)
    for _ in range(3):
        route({PAIR: pools}, asked, Terms(), curves=curves)

    assert [pool.curves for pool in pools] == [1, 1]


def test_that_a_newer_snapshot_counts_at_once() -> None:
    curves, asked = Curves(), Asked(SOL, USDC, exact_in=True, amount=10**9)
    old = route({PAIR: [_pool("a"), _pool("b")]}, asked, Terms(), curves=curves)

    new = route({PAIR: [_pool("a"), _pool("b", price="0.2")]}, asked, Terms(), curves=curves)

    assert _names(old.legs) in ([["a"], ["b"]], [["b"], ["a"]])
    assert _names(new.legs) == [["b"]]
    assert new.bound > old.bound


def test_that_curves_are_forgotten_when_there_are_many() -> None:
    first, curves = Counting(_pool("first")), Curves(kept=3)
    for pool in (first, _pool("b"), _pool("c"), _pool("d"), first):
        curves.pool(pool, SOL)

    assert first.curves == 2
