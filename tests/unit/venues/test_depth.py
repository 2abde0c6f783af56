"""Of too many pools those are followed that trade most near the market's price."""

from decimal import Decimal
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.venues import ground

from quantdesk.core.markets import MARKETS
from quantdesk.localnet import meteora_pools
from quantdesk.testing.pools import ONE, Product, Ranges, about
from quantdesk.venues.depth import IDLE, UNREADABLE, Depth, deepest, depths
from quantdesk.venues.following import Pools
from quantdesk.venues.meteora.dlmm.pool import DlmmFollowed
from quantdesk.venues.port import Pool

SOL, USDC = "sol", "usdc"
PRICE = 150.0
MARKET = MARKETS["SOL-USDC"]
ACTIVE_BIN = 76  # where the pair's account says at which bin it stands


def product(
    name: str, size: float, *, price: float = PRICE, turned: bool = False, fee_ppm: int = 0
) -> Pool:
    """Return a pool of constant product with so much of the quote token."""
    held = (int(size / price), int(size))
    if turned:
        return Product(about(name, (USDC, SOL), Decimal(1 / price)), held[::-1], fee_ppm)
    return Product(about(name, (SOL, USDC), Decimal(price)), held, fee_ppm)


def ranged(name: str, liquidity: int, low: float, high: float, *, price: float = PRICE) -> Pool:
    """Return a pool whose liquidity lies between two prices."""
    roots = tuple(int(sqrt(at) * ONE) for at in (low, high))
    at = int(sqrt(price) * ONE)
    return Ranges(about(name, (SOL, USDC), Decimal(price)), at, roots, (liquidity,), 0)


def ranked(*pools: Pool) -> list[str]:
    """Return the names, the deepest first."""
    found = depths(pools, USDC)
    known = {pool.about.address: one for pool, one in zip(pools, found, strict=True)}
    return deepest(known, kept=(), most=len(pools))


def held(pool: Ranges) -> float:
    """Return what its vaults hold in the quote token, at the price it stands at."""
    low, high = (root / ONE for root in pool.roots)
    at = min(max(pool.at / ONE, low), high)
    return pool.liquidity[0] * ((at - low) + (1 / at - 1 / high) * PRICE)


@pytest.mark.parametrize("turned", [False, True])
def test_that_depth_is_what_trades_within_a_percent_both_ways(*, turned: bool) -> None:
    (found,) = depths([product("one", 10**12, turned=turned)], USDC)

    # 1 % off the price is half of it in reserves: paid in to buy, and taken out to sell.
    bought, sold = 10**12 * (1 / sqrt(0.99) - 1), 10**12 * (1 - sqrt(0.99))
    assert found == (True, *[pytest.approx(bought + sold, rel=1e-6)] * 2)


@given(st.permutations([10**9, 10**10, 10**11, 10**12]), st.sampled_from([1, 2, 3]))
def test_that_the_deepest_come_first_however_they_are_found(sizes: list[int], each: int) -> None:
    pools = [product(f"{size}", size, turned=at % each == 0) for at, size in enumerate(sizes)]

    assert ranked(*pools) == [f"{10**power}" for power in (12, 11, 10, 9)]


def test_that_liquidity_far_from_the_price_does_not_count() -> None:
    far = ranged("far", 10**14, 200, 400)
    near = ranged("near", 10**11, 149, 151)
    assert isinstance(far, Ranges)
    assert isinstance(near, Ranges)
    assert held(far) > 1_000 * held(near)

    assert ranked(far, near) == ["near", "far"]


def bins(usd: int, *, around: int) -> Pool:
    """Return a Meteora pair with bins around a price, that stands at 150."""
    dollars = ground.USD | {"SOL": Decimal(around)}
    made = ground.seen(
        meteora_pools.accounts(MARKET, price=Decimal(around), depth_usd=Decimal(usd), usd=dollars)
    )
    pair = meteora_pools.address(MARKET)
    active = meteora_pools.bin_of_price(MARKET, Decimal(150), 10)
    venue = Pools("meteora", [DlmmFollowed(pair)])
    made |= ground.minted(MARKET)
    ground.feed(venue, made | {pair: ground.changed(made[pair], ACTIVE_BIN, "<i", active)})
    return ground.one(venue, MARKET)


def test_that_bins_far_from_the_price_do_not_count() -> None:
    far, near = bins(10**8, around=600), bins(10**3, around=150)

    found = depths([far, near], MARKET.quote.mint)

    assert found[0].market == 0 < found[1].market


def test_that_a_pool_of_one_side_counts_by_that_side() -> None:
    sells = ranged("sells", 10**12, 150.0001, 152)
    small = product("small", 10**9)

    assert ranked(small, sells) == ["sells", "small"]


def test_that_a_fee_counts_against_a_pool() -> None:
    dear, fair = product("dear", 10**12, fee_ppm=20_000), product("fair", 10**9)

    assert ranked(dear, fair, product("more", 10**12)) == ["more", "fair", "dear"]
    known = depths([dear, product("more", 2 * 10**12)], USDC)
    assert (known[0].market, known[0].own > 0) == (0, True)


def test_that_where_all_are_too_dear_the_deepest_still_come_first() -> None:
    pools = [product(f"{size}", size, fee_ppm=20_000) for size in (10**9, 10**12, 10**10)]

    assert [one.market for one in depths(pools, USDC)] == [0, 0, 0]
    assert ranked(*pools) == [f"{10**power}" for power in (12, 10, 9)]


@pytest.mark.parametrize("price", [30.0, 149.0, 151.0, 900.0])
def test_that_a_price_beside_the_markets_makes_no_pool_deeper(price: float) -> None:
    beside = product("beside", 10**11, price=price)
    pools = [product("deep", 10**12), product("small", 10**9)]
    fair = depths([product("beside", 10**11), *pools], USDC)

    found = depths([beside, *pools], USDC)

    assert 0 < found[0].market < fair[0].market
    assert found[1:] == fair[1:]


def test_that_pools_without_a_curve_have_no_depth() -> None:
    dry = ranged("dry", 0, 149, 151)

    assert depths([dry], USDC) == [Depth(readable=True)]
    assert depths([], USDC) == []
    assert ranked(dry, product("wet", 10**6)) == ["wet", "dry"]


def test_that_ties_are_by_address_and_what_does_not_trade_comes_last() -> None:
    deep = Depth(readable=True, market=5, own=5)
    known = {"b": deep, "x": UNREADABLE, "i": IDLE, "a": deep, "c": deep}

    assert deepest(known, kept=(), most=9) == ["a", "b", "c", "i", "x"]
    assert deepest(known, kept=(), most=2) == ["a", "b"]
    assert deepest(known, kept=("c", "x"), most=9) == ["c", "a", "b", "i", "x"]
    assert deepest({"a": IDLE, "z": IDLE}, kept=("z",), most=1) == ["z"]
    assert deepest(known, kept=(), most=-1) == []


@pytest.mark.parametrize(("more", "first"), [(1.19, "kept"), (1.21, "new")])
def test_that_a_pool_is_left_only_for_one_that_is_clearly_deeper(more: float, first: str) -> None:
    known = {
        "kept": Depth(readable=True, market=100, own=100),
        "new": Depth(readable=True, market=100 * more, own=100 * more),
    }

    assert deepest(known, kept=("kept",), most=1) == [first]
    assert deepest(known, kept=(), most=1) == ["new"]
    assert deepest(known, kept=("new",), most=1) == ["new"]


@pytest.mark.parametrize("gone", [IDLE, UNREADABLE])
def test_that_a_kept_pool_that_no_longer_trades_gives_way(gone: Depth) -> None:
    known = {"kept": gone, "new": Depth(readable=True, market=1e-9, own=1e-9)}

    assert deepest(known, kept=("kept",), most=1) == ["new"]
