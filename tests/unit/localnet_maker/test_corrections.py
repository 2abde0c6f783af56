"""A correction takes a pool to the target in one bounded swap, and never past it."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.localnet_maker.product import SOL, Product, reserves
from tests.unit.venues import ground

from quantdesk.core.markets import Side
from quantdesk.core.money import BPS
from quantdesk.localnet.maker import SIZE_STEPS, Correction, Terms, corrections


def found(venue: Product, target: str, terms: Terms | None = None) -> list[Correction]:
    return corrections(
        venue.pools(ground.mints(SOL), now_ms=0),
        market=SOL,
        target=Decimal(target),
        terms=terms or Terms(notional_max=Decimal(10**7)),
    )


@given(
    st.decimals("100", "200", places=3), st.decimals("100", "200", places=3),
    st.integers(1000, 10**6),
)  # fmt: skip
def test_that_one_swap_brings_a_pool_to_its_target(
    price: Decimal, target: Decimal, sol: int
) -> None:
    venue = Product({"a": reserves(str(price), sol)})
    before = venue.off_bps("a", str(target))
    terms = Terms(notional_max=Decimal(10**9))
    swaps = found(venue, str(target), terms)
    if before < 5:
        assert swaps == []
        return
    for swap in swaps:
        assert swap.side is (Side.BUY if price < target else Side.SELL)
        venue.take(swap)
    # A step is 10,000 USD here: where that is too coarse, the pool is less than one away.
    left = venue.off_bps("a", str(target))
    step = 2 * BPS * (terms.notional_max / SIZE_STEPS) / (sol * min(price, target))
    assert left <= (Decimal("0.01") if swaps else 2 * step)


def test_that_a_pool_is_left_within_a_hundredth_of_a_basis_point() -> None:
    for target in ("150.2", "149.7", "180", "90"):
        venue = Product({"a": reserves("150")})
        (swap,) = found(venue, target, Terms(notional_max=Decimal(2_000_000)))
        venue.take(swap)
        assert venue.off_bps("a", target) < Decimal("0.01")


def test_that_a_pool_that_is_near_is_left_alone() -> None:
    venue = Product({"a": reserves("150")})
    assert found(venue, "150.07") == []
    assert found(venue, "149.93") == []
    assert len(found(venue, "150.08")) == 1
    assert len(found(venue, "149.92")) == 1


def test_that_a_swap_is_bounded_and_repeating_it_arrives() -> None:
    venue, terms = Product({"a": reserves("100", 100_000)}), Terms(notional_max=Decimal(100_000))
    sizes = []
    while swaps := found(venue, "150", terms):
        sizes.append(swaps[0].base_raw * 150 // 10**9)
        venue.take(swaps[0])
        assert len(sizes) < 100
    assert max(sizes) <= 100_000
    assert len(sizes) > 10
    assert venue.off_bps("a", "150") < 5


def test_that_every_pool_of_a_venue_is_judged_by_itself() -> None:
    venue = Product({"low": reserves("140"), "right": reserves("150"), "high": reserves("160", 50)})
    sides = {swap.pool.about.address: swap.side for swap in found(venue, "150")}
    assert sides == {"low": Side.BUY, "high": Side.SELL}


def test_that_a_target_beyond_what_a_pool_holds_takes_no_more_than_it_can_fill() -> None:
    venue = Product({"a": reserves("150", 10)})
    (swap,) = found(venue, "1000000", Terms(notional_max=Decimal(10**8)))
    assert swap.base_raw < 10 * 10**9


def test_that_a_pool_too_small_for_a_single_step_is_left_alone() -> None:
    venue = Product({"dust": [3, 1], "empty on one side": [1, 10**12], "real": reserves("140")})
    assert [swap.pool.about.address for swap in found(venue, "150")] == ["real"]
