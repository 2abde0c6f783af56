"""Promise: a route is bounded leg by leg as the trader asked, and tells why it was chosen."""

from collections.abc import Sequence
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.chains.port import AccountState, Wallet
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import Side, market
from quantdesk.engines.orders.paths import Leg
from quantdesk.engines.orders.routed import described, impact_bps, pool_fees
from quantdesk.engines.orders.routing import Choice, Routing, Rules, Wanted, leg_limits, limit_raw
from quantdesk.engines.orders.swaps import swaps
from quantdesk.testing.pools import Product, about
from quantdesk.venues.port import Pool, Venue

SOL = market("SOL-USDC")
BASE, QUOTE, USDT = (ASSETS[symbol].mint for symbol in ("SOL", "USDC", "USDT"))
UNIT = 10**9
WALLET = Wallet("owner", {symbol: f"{symbol} account" for symbol in ASSETS})


class Shelf:
    """A venue that has what it is given."""

    def __init__(self, name: str, *pools: Pool, problem: DeskError | None = None) -> None:
        self.name = name
        self._pools = pools
        self._problem = problem

    def accounts(self) -> tuple[str, ...]:
        """Ask for nothing."""
        return ()

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Fail: nothing was asked for."""
        raise AssertionError("it asked for nothing")

    def pools(self, mints: frozenset[str], *, now_ms: int) -> list[Pool]:
        """Return what trades the pair, or raise the problem."""
        if self._problem:
            raise self._problem
        found = [pool for pool in self._pools if frozenset(pool.about.mints) == mints]
        if not found:
            raise Unavailable("no such pair", code="pool.gone")
        return found


def product(
    name: str, sol: int, price: int = 150, *, mints: tuple[str, str] = (BASE, QUOTE)
) -> Product:
    """Return a pool of that many SOL at that price."""
    reserves = (sol * UNIT, sol * price * 10**6)
    spot = Decimal(reserves[1]) / reserves[0]
    return Product(about(name, mints, spot, venue=name), reserves)


def wanted(side: Side = Side.SELL, sol: int = 100, limit_price: Decimal | None = None) -> Wanted:
    return Wanted(
        market=SOL, side=side, base_raw=sol * UNIT, slippage_bps=50, limit_price=limit_price
    )


def chosen(want: Wanted, *venues: Venue, through: Sequence[str] = ()) -> Choice:
    mints = tuple(ASSETS[symbol].mint for symbol in through)
    routing = Routing(venues, rules=Rules(through=mints, hop_cost_bps=0))
    return routing.choose(want, now_ms=1_000)


EQUALS = (Shelf("a", product("a", 1_000_000)), Shelf("b", product("b", 1_000_000)))
TWO = (Shelf("a", product("a", 10_000)), Shelf("b", product("b", 30_000)))


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("slippage_bps", [0, 1, 50, 10_000])
def test_that_the_legs_bounds_keep_the_orders_bound_and_each_can_be_met(
    side: Side, slippage_bps: int
) -> None:
    want = Wanted(market=SOL, side=side, base_raw=123 * UNIT + 7, slippage_bps=slippage_bps)
    choice = chosen(want, *TWO)
    limits = leg_limits(choice)

    assert len(limits) == 2
    exact = choice.quote_raw * (10_000 + (slippage_bps if side is Side.BUY else -slippage_bps))
    if side is Side.BUY:
        assert 0 <= choice.limit_raw * 10_000 - exact < 10_000
        assert sum(limits) <= choice.limit_raw
        assert all(limit >= leg.paid for limit, leg in zip(limits, choice.route.legs, strict=True))
    else:
        assert 0 <= exact - choice.limit_raw * 10_000 < 10_000
        assert sum(limits) >= choice.limit_raw
        assert all(
            limit <= leg.received for limit, leg in zip(limits, choice.route.legs, strict=True)
        )


@given(st.integers(1, 10**15), st.sampled_from(Side), st.decimals("0.000001", "1000000", places=9))
def test_that_a_fill_at_the_bound_respects_the_limit_price(
    base_raw: int, side: Side, price: Decimal
) -> None:
    bound = limit_raw(Wanted(SOL, side, base_raw, 0), price)

    with localcontext(prec=60):
        exact = Decimal(base_raw) * price / 1000
        assert exact - 1 < bound <= exact if side is Side.BUY else exact <= bound < exact + 1


def test_that_a_limit_price_tightens_the_bound_and_says_whether_it_is_met() -> None:
    free = chosen(wanted(Side.BUY), *TWO)
    near = chosen(wanted(Side.BUY, limit_price=free.price + Decimal("0.01")), *TWO)
    missed = chosen(wanted(Side.BUY, limit_price=free.price - Decimal("0.01")), *TWO)

    assert free.quote_raw < near.limit_raw < free.limit_raw
    assert (near.meets_limit, missed.meets_limit) == (True, False)
    assert free.meets_limit


@pytest.mark.parametrize("side", Side)
def test_that_each_leg_becomes_a_call_with_its_own_bound(side: Side) -> None:
    choice = chosen(wanted(side), *TWO)
    calls = swaps(choice, WALLET)

    told = [call.data.decode() for call in calls]
    for leg, limit, data in zip(choice.route.legs, leg_limits(choice), told, strict=True):
        exact = leg.paid if side is Side.SELL else leg.received
        assert f'"amount":{exact},"limit":{limit}' in data
        accounts = ("SOL", "USDC") if side is Side.SELL else ("USDC", "SOL")
        assert f'"paid_from":"{accounts[0]} account"' in data
        assert f'"received_in":"{accounts[1]} account"' in data


@pytest.mark.parametrize("side", Side)
def test_that_what_lies_between_two_hops_is_exact(side: Side) -> None:
    first = product("first", 50_000, 150, mints=(BASE, USDT))
    then = Product(about("then", (USDT, QUOTE), Decimal(1), venue="then"), (10**14, 10**14), 100)
    choice = chosen(wanted(side), Shelf("far", first, then), through=["USDT"])
    (leg,) = choice.route.legs
    between = leg.hops[0].fill.received

    told = [call.data.decode() for call in swaps(choice, WALLET)]

    assert leg.hops[0].received == USDT
    assert sum(f":{between}," in data for data in told) == 2, "the bound of one, the size of other"
    name = described(choice, now_ms=1_000)["legs"][0]["name"]
    assert name.endswith("via USDT")


def test_that_a_split_says_what_it_gains_and_what_is_left_on_the_table() -> None:
    choice = chosen(wanted(sol=1_000), *TWO)
    told = described(choice, now_ms=5_000)

    assert [leg["name"] for leg in told["legs"]] == ["b CPMM", "a CPMM"]
    assert sum(leg["share"] for leg in told["legs"]) == 1
    assert told["legs"][0]["share"] == pytest.approx(0.75, abs=0.001)
    assert sum(Decimal(leg["quote"]) for leg in told["legs"]) * 10**6 == choice.quote_raw
    assert told["gapBps"] == "0.00"
    assert told["runnerUp"]["name"] in {"b CPMM", "b alone"}
    assert Decimal(told["runnerUp"]["worseBps"]) > 0
    assert told["reason"].startswith("a split over 2 legs pays ")
    assert told["expectedQuoteRaw"] == choice.quote_raw
    assert told["poolFees"] == pool_fees(choice)
    assert [quote["venue"] for quote in told["quotes"]] == ["a", "b"]
    assert all(quote["ageMs"] == 4_000 for quote in told["quotes"]), "they were asked at 1,000"
    alone = [Decimal(quote["amountOut"]) for quote in told["quotes"]]
    assert max(alone) * 10**6 < choice.quote_raw


def test_that_equal_ways_are_told_as_equal() -> None:
    told = described(chosen(wanted(sol=1), *EQUALS), now_ms=0)

    assert told["runnerUp"]["worseBps"] == "0.00"
    assert "pays as much as" in told["reason"]


def test_that_impact_and_fees_of_one_pool_are_the_formulas() -> None:
    choice = chosen(wanted(sol=200), Shelf("a", product("a", 20_000)))

    # 199.5 SOL reach the curve: 199.5 / 20,199.5 of the price is lost to the size itself.
    assert impact_bps(choice) == Decimal("98.76")
    assert abs(Decimal(pool_fees(choice)) - choice.price * 200 * Decimal("0.0025")) < Decimal(
        "0.01"
    )


def test_that_who_is_silent_is_named_with_the_reason() -> None:
    closed = Shelf("b", problem=Unavailable("swaps are off", code="pool.disabled"))
    choice = chosen(wanted(), Shelf("a", product("a", 10_000)), closed)
    told = described(choice, now_ms=0)

    assert told["reason"] == "only a CPMM quotes this size; b did not (pool.disabled)"
    assert told["quotes"][1] == {
        "venue": "b", "error": {"code": "pool.disabled", "detail": "swaps are off"},
    }  # fmt: skip
    assert told["runnerUp"] is None


@pytest.mark.parametrize(
    ("problems", "kind", "code"),
    [
        ([Unavailable("x", code="pool.gone")], Unavailable, "pool.gone"),
        (
            [Unavailable("x", code="pool.gone"), Unavailable("y", code="pool.disabled")],
            Unavailable,
            "quotes.none",
        ),
        (
            [Unavailable("x", code="pool.gone"), Refused("y", code="pool.unsupported")],
            Unavailable,
            "quotes.none",
        ),
        ([Refused("y", code="pool.unsupported")], Refused, "pool.unsupported"),
    ],
)
def test_that_no_pool_at_all_is_told_with_what_may_help(
    problems: list[DeskError], kind: type[DeskError], code: str
) -> None:
    venues = [Shelf(str(at), problem=problem) for at, problem in enumerate(problems)]

    with pytest.raises(kind) as told:
        chosen(wanted(), *venues)

    assert told.value.code == code


def test_that_what_does_not_fit_one_transaction_is_not_chosen() -> None:
    def small(legs: Sequence[Leg]) -> bool:
        return len(legs) == 1

    choice = Routing(TWO).choose(wanted(sol=5_000), now_ms=0, fits=small)

    assert len(choice.route.legs) == 1
    assert choice.route.gap_bps > 0


def test_that_pools_are_not_traded_on_while_their_chain_is_silent() -> None:
    heard = [10_000]
    routing = Routing(TWO, rules=Rules(age_ms_max=3_000), heard_ms=lambda: heard[0])

    fresh = routing.choose(wanted(), now_ms=13_000)
    with pytest.raises(Unavailable) as stale:
        routing.choose(wanted(), now_ms=13_001)

    assert stale.value.code == "pools.stale"
    quotes = described(fresh, now_ms=13_000)["quotes"]
    assert {quote["ageMs"] for quote in quotes} == {3_000}


@pytest.mark.parametrize("side", Side)
def test_that_past_fills_move_the_choice_and_it_is_told(side: Side) -> None:
    # b quotes a little better; its fills have landed 20 bps worse.
    venues = (Shelf("a", product("a", 100_000)), Shelf("b", product("b", 101_000)))
    costs = {"b": Decimal(20)}
    plain = Routing(venues, rules=Rules(legs_max=1)).choose(wanted(side), now_ms=0)
    moved = Routing(
        venues, rules=Rules(legs_max=1), bias=lambda venue, _pair: costs.get(venue, Decimal(0))
    ).choose(wanted(side), now_ms=0)

    assert plain.route.legs[0].hops[0].pool.about.venue == "b"
    (leg,) = moved.route.legs
    assert leg.hops[0].pool is venues[0].pools(frozenset((BASE, QUOTE)), now_ms=0)[0]
    trade = leg.hops[0].pool.exact_in if side is Side.SELL else leg.hops[0].pool.exact_out
    assert leg.hops[0].fill == trade(wanted(side).asked.paid, 100 * UNIT), "traded as quoted"
    told = described(moved, now_ms=0)
    assert told["reason"].endswith("than the best quote; past fills say it lands better")
    assert told["runnerUp"]["kind"] == "quoted"
    assert Decimal(told["gapBps"]) > 0


def test_that_a_bias_that_changes_nothing_is_not_told() -> None:
    biased = Routing(TWO, bias=lambda _venue, _pair: Decimal(3)).choose(wanted(), now_ms=0)
    plain = Routing(TWO).choose(wanted(), now_ms=0)

    assert described(biased, now_ms=0)["legs"] == described(plain, now_ms=0)["legs"]
    assert "past fills" not in described(biased, now_ms=0)["reason"]


def test_that_only_the_named_venues_are_routed_over() -> None:
    routing = Routing(TWO).only(["b"])

    choice = routing.choose(wanted(), now_ms=0)

    assert [leg.hops[0].pool.about.venue for leg in choice.route.legs] == ["b"]
