"""A CPMM snapshot trades the program's integers, and says which state of the pool they are from."""

from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.unit.venues import ground
from tests.unit.venues.raydium.cpmm import world
from tests.unit.venues.raydium.cpmm.world import BTC, POOL, SOL

from quantdesk.core.errors import Refused
from quantdesk.core.markets import Market
from quantdesk.venues.following import Pools
from quantdesk.venues.port import Fill, Pool
from quantdesk.venues.raydium.cpmm import curve, layout
from quantdesk.venues.raydium.cpmm.pool import CpmmPool
from quantdesk.venues.reading import token_account

_RATES = curve.FeeRates(2_500, 0, 120_000, 40_000, creator_on_input=True)


def _held(market: Market) -> tuple[int, int]:
    pool, genesis = world.layout_of(market), world.genesis(market)
    first, second = (
        token_account(genesis[vault], mint=mint, owner=layout.AUTHORITY).amount
        for vault, mint in zip(pool.vaults, pool.mints, strict=True)
    )
    return (first, second) if pool.mints[0] == market.base.mint else (second, first)


def _pool(venue: Pools, market: Market = BTC) -> CpmmPool:
    pool: Pool = ground.one(venue, market)
    assert isinstance(pool, CpmmPool)
    return pool


def _spot(pool: Pool, market: Market = BTC) -> Decimal:
    """Return quote per base, in whole tokens."""
    raw = pool.about.spot if pool.about.mints[0] == market.base.mint else 1 / pool.about.spot
    return raw.scaleb(market.base.decimals - market.quote.decimals)


@pytest.mark.parametrize("market", world.EACH_MARKET, ids=lambda market: market.pair)
def test_that_a_trade_is_the_programs_own_integers(market: Market) -> None:
    pool, amount = _pool(world.ready(market), market), 10**market.base.decimals // 10
    base, quote = _held(market)

    sold = curve.exact_input(amount, curve.Reserves(base, quote), _RATES)
    bought = curve.exact_output(amount, curve.Reserves(quote, base), _RATES)

    assert pool.exact_in(market.base.mint, amount) == Fill(
        amount, sold.output_raw, sold.trade_fee, fee_on_input=True
    )
    assert pool.exact_out(market.quote.mint, amount) == Fill(
        bought.input_raw, amount, bought.trade_fee, fee_on_input=True
    )


@pytest.mark.parametrize("market", world.EACH_MARKET, ids=lambda market: market.pair)
def test_that_the_spot_is_the_price_before_fees(market: Market) -> None:
    assert abs(_spot(_pool(world.ready(market), market), market) / ground.price(market) - 1) < (
        Decimal("0.000001")
    )


def test_that_a_pool_says_what_it_is() -> None:
    about = _pool(world.ready(BTC)).about

    assert (about.venue, about.kind, about.address) == ("raydium", "CPMM", POOL)
    assert about.mints == world.layout_of().mints
    assert (about.slot, about.seen_ms) == (ground.SLOT, ground.SLOT * 400)
    assert about.compute_units > 0


def test_that_fee_and_price_of_a_trade_add_up_to_the_curve() -> None:
    pool = _pool(world.ready(SOL), SOL)  # 20,000 SOL and 3,000,000 USDC
    sold = pool.exact_in(SOL.base.mint, 200 * 10**9)
    bought = pool.exact_out(SOL.quote.mint, 200 * 10**9)

    assert sold.fee == 5 * 10**8  # 0.25 % of 200 SOL
    # 199.5 SOL reach the curve, which 20,199.5 SOL then share.
    assert abs(sold.received - Decimal("199.5") * 3 * 10**12 / Decimal("20199.5")) < 1
    assert abs(bought.paid - Decimal(200 * 3 * 10**12) / 19_800 / Decimal("0.9975")) < 3
    assert abs(bought.fee - bought.paid / 400) < 1


def test_that_the_smallest_trades_round_against_the_trader() -> None:
    pool = _pool(world.ready(SOL), SOL)

    assert pool.exact_out(SOL.quote.mint, 1).paid == 2
    with pytest.raises(Refused) as refused:
        pool.exact_in(SOL.base.mint, 5)
    assert refused.value.code == "amount.too_small"


@pytest.mark.parametrize("amount", [50 * 10**8, 50 * 10**8 + 1, (1 << 64) - 1])
def test_that_more_than_the_pool_holds_cannot_be_bought(amount: int) -> None:
    with pytest.raises(Refused) as refused:
        _pool(world.ready(BTC)).exact_out(BTC.quote.mint, amount)
    assert refused.value.code == "liquidity.insufficient"


def test_that_a_snapshot_is_as_old_as_the_oldest_state_in_it() -> None:
    venue, genesis, (base, quote) = world.ready(BTC), world.genesis(), world.vaults()
    venue.update(replace(genesis[base], slot=30), seen_ms=30_000)
    assert _pool(venue).about.slot == ground.SLOT
    venue.update(replace(genesis[quote], slot=25), seen_ms=25_000)
    venue.update(replace(genesis[POOL], slot=40), seen_ms=40_000)
    about = _pool(venue).about
    assert (about.slot, about.seen_ms) == (25, 25_000)


def test_that_a_snapshot_stays_as_it_was_and_is_made_anew_only_after_a_change() -> None:
    venue, (_, vault) = world.ready(BTC), world.vaults()
    before = _pool(venue)
    fill = before.exact_in(BTC.base.mint, 10**6)
    assert _pool(venue) is before
    half = ground.changed(world.genesis()[vault], 64, "<Q", 10**12)
    venue.update(replace(half, slot=11), seen_ms=5_000)
    assert _spot(_pool(venue)) == 20_000
    assert before.exact_in(BTC.base.mint, 10**6) == fill
    assert _spot(before) == 60_000


def test_that_fees_owed_are_no_liquidity() -> None:
    venue = world.ready(BTC)
    owed = ground.changed(world.genesis()[POOL], 341, "<4Q", *(10**9,) * 4)
    venue.update(ground.changed(owed, 397, "<2Q", 10**9, 10**9), seen_ms=1)
    base, quote = 50 * 10**8 - 3 * 10**9, 3 * 10**12 - 3 * 10**9
    assert abs(_spot(_pool(venue)) / (Decimal(quote * 100) / base) - 1) < Decimal("1e-20")
    trade = curve.exact_input(10**6, curve.Reserves(base, quote), _RATES)
    assert _pool(venue).exact_in(BTC.base.mint, 10**6).received == trade.output_raw


@pytest.mark.parametrize("mode", range(3))
@pytest.mark.parametrize("token", range(2))
def test_that_the_creators_fee_is_part_of_the_trade_once_the_pool_takes_it(
    mode: int, token: int
) -> None:
    venue, genesis, pool = world.ready(BTC), world.genesis(), world.layout_of()
    paid, amount = pool.mints[token], 10**9
    plain = _pool(venue).exact_in(paid, amount)
    venue.update(ground.changed(genesis[pool.config], 108, "<Q", 500), seen_ms=1)
    assert _pool(venue).exact_in(paid, amount) == plain
    venue.update(ground.changed(genesis[POOL], 389, "<BB", mode, 1), seen_ms=4_000)
    charged = _pool(venue).exact_in(paid, amount)
    assert charged.received < plain.received
    assert charged.fee_on_input
    # 0.25 % and 0.05 %, told in the token paid in; impact makes the second a little dearer.
    assert abs(Decimal(charged.fee) / amount / Decimal("0.003") - 1) < Decimal("0.001")


@pytest.mark.parametrize("exact_out", [False, True])
def test_that_a_token_of_another_pool_is_our_own_mistake(*, exact_out: bool) -> None:
    pool = _pool(world.ready(BTC))
    with pytest.raises((AssertionError, ValueError)):
        (pool.exact_out if exact_out else pool.exact_in)(SOL.base.mint, 10**6)
