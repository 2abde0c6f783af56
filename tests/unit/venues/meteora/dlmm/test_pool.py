"""A DLMM snapshot trades for either token, at fees that age, and says when it does not."""

from bisect import bisect_left
from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.unit.venues import ground
from tests.unit.venues.meteora.dlmm import world
from tests.unit.venues.meteora.dlmm.world import ACCOUNTS, PAIR, SOL

from quantdesk.core.errors import DeskError
from quantdesk.core.markets import Market
from quantdesk.localnet import meteora_pools
from quantdesk.venues.following import Pools
from quantdesk.venues.meteora.dlmm.swap import swap_exact_in
from quantdesk.venues.port import Fill
from quantdesk.venues.reading import TOKEN_2022

_ONE = 10**9
_BASE, _QUOTE = SOL.base.mint, SOL.quote.mint


def _code(venue: Pools) -> str:
    with pytest.raises(DeskError) as said:
        venue.pools(ground.mints(SOL), now_ms=ground.NOW_MS)
    return said.value.code


def _fee_bps(fill: Fill) -> Decimal:
    return Decimal(fill.fee) * 10_000 / fill.paid


def test_says_what_it_is() -> None:
    about = world.pool(world.ready()).about

    assert (about.venue, about.kind, about.address) == ("meteora", "DLMM", PAIR)
    assert about.mints == (_BASE, _QUOTE)
    assert (about.slot, about.seen_ms) == (ground.SLOT, ground.SLOT * 400)
    assert about.compute_units > 0


def test_trades_below_the_spot_for_one_token_and_above_it_for_the_other() -> None:
    pool = world.pool(world.ready())
    spot = pool.about.spot * 10**3  # 9 decimals of SOL to 6 of USDC

    sale, purchase = pool.exact_in(_BASE, 10 * _ONE), pool.exact_out(_QUOTE, 10 * _ONE)

    assert abs(spot / world.PRICE - 1) < Decimal("0.0005")
    assert Decimal(sale.received) / 10**7 < spot < Decimal(purchase.paid) / 10**7
    assert (sale.paid, purchase.received) == (10 * _ONE, 10 * _ONE)
    assert abs(_fee_bps(sale) - 10) < Decimal("0.01")
    assert abs(_fee_bps(purchase) - 10) < Decimal("0.01")


def test_moves_the_price_more_for_a_larger_size() -> None:
    pool = world.pool(world.ready())

    prices = [pool.exact_out(_QUOTE, size * _ONE).paid / size for size in (1, 1_000, 4_000)]

    assert prices == sorted(prices)
    assert prices[-1] / prices[0] > 1.004


@pytest.mark.parametrize(
    ("count", "measured"), [(2, 45_611), (5, 60_820), (20, 136_507), (100, 547_455)]
)
def test_counts_compute_units_by_the_bins_that_a_swap_takes(count: int, measured: int) -> None:
    """Hold them against what the real program took of swaps through as many bins."""
    pool = world.pool(world.ready())
    amounts = range(1, 39 * 10**12)
    least = bisect_left(
        amounts,
        count,
        key=lambda one: len(swap_exact_in(pool.pool, one, sell_x=True, now_s=pool.now_s).steps),
    )

    fill = pool.exact_in(SOL.base.mint, amounts[least])

    assert measured < pool.about.compute_units + fill.more_units < measured * 1.35


def test_trades_a_pair_whose_tokens_stand_the_other_way_round() -> None:
    inverse = Market(SOL.quote, SOL.base)
    pool = world.pool(world.ready(world.genesis(inverse), meteora_pools.address(inverse)))

    sale, purchase = pool.exact_in(_BASE, 10 * _ONE), pool.exact_out(_QUOTE, 10 * _ONE)

    assert pool.about.mints == (_QUOTE, _BASE)
    assert abs(pool.about.spot / 10**3 * world.PRICE - 1) < Decimal("0.0006")
    assert 198.5 < sale.received / 10**7 < world.PRICE < purchase.paid / 10**7 < 201.5


def test_takes_the_fee_from_what_is_received_where_the_pair_says_so() -> None:
    pool = world.pool(world.ready(world.spoiled(36, "<B", 1)))  # fees in token Y alone

    sale, purchase = pool.exact_in(_BASE, _ONE), pool.exact_in(_QUOTE, 200 * 10**6)

    assert not sale.fee_on_input
    assert abs(Decimal(sale.fee) * 10_000 / (sale.received + sale.fee) - 10) < Decimal("0.01")
    assert purchase.fee_on_input


def test_charges_more_after_the_price_has_moved() -> None:
    volatile = world.spoiled(40, "<I", 300_000)
    recent = ground.changed(volatile[PAIR], 56, "<q", ground.NOW_MS // 1_000 - 60)
    venue = world.ready(volatile | {PAIR: recent})

    assert _fee_bps(world.pool(venue).exact_in(_BASE, _ONE)) > 10
    later = world.pool(venue, now_ms=ground.NOW_MS + 600_000)
    assert abs(_fee_bps(later.exact_in(_BASE, _ONE)) - 10) < Decimal("0.01")


def test_stays_as_it_was_and_is_made_anew_when_something_or_the_second_changes() -> None:
    venue = world.ready()
    before = world.pool(venue)
    fill = before.exact_in(_BASE, _ONE)

    assert world.pool(venue, now_ms=ground.NOW_MS + 999) is before
    assert world.pool(venue, now_ms=ground.NOW_MS + 1_000) is not before
    moved = world.spoiled(world.ACTIVE_ID, "<i", -1_615)
    venue.update(replace(moved[PAIR], slot=11), seen_ms=1)
    assert world.pool(venue).exact_in(_BASE, _ONE) != fill
    assert before.exact_in(_BASE, _ONE) == fill


def test_says_that_it_is_switched_off() -> None:
    assert _code(world.ready(world.spoiled(world.STATUS, "<B", 1))) == "pool.disabled"


def test_waits_for_the_activation_slot() -> None:
    gated = ground.changed(ACCOUNTS[PAIR], world.PAIR_TYPE, "<B", 2)
    gated = ground.changed(gated, world.ACTIVATION_POINT, "<Q", 11)
    venue = world.ready(ACCOUNTS | {PAIR: gated})

    assert _code(venue) == "pool.not_open"
    venue.update(replace(gated, slot=11), seen_ms=1)
    assert world.pool(venue).about.slot == 11


@pytest.mark.parametrize(
    ("paid", "amount", "code"),
    [
        (_BASE, 10**9 * _ONE, "liquidity.insufficient"),
        (_BASE, 1, "amount.too_small"),
        (_BASE, 0, "amount.too_small"),
        (_QUOTE, 10**9 * 10**6, "liquidity.insufficient"),
    ],
)
def test_refuses_what_it_cannot_fill(paid: str, amount: int, code: str) -> None:
    with pytest.raises(DeskError) as said:
        world.pool(world.ready()).exact_in(paid, amount)

    assert said.value.code == code


def test_calls_a_token_it_does_not_hold_our_own_mistake() -> None:
    with pytest.raises(AssertionError):
        world.pool(world.ready()).exact_in(TOKEN_2022, _ONE)
