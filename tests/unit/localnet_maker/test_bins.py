"""Corrections of a pool of bins: it ends in the bin of the target, over gaps and rising fees."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.oracles.meteora import pools

from quantdesk.core.errors import Unavailable
from quantdesk.core.markets import Market, Side
from quantdesk.localnet.maker import Correction, Terms, corrections
from quantdesk.venues.meteora.dlmm import swap as bins
from quantdesk.venues.meteora.dlmm.layout import BINS_PER_ARRAY, BinArray
from quantdesk.venues.meteora.dlmm.pool import DlmmPool
from quantdesk.venues.port import About

_MARKET = pools.MARKET
_ONE = Decimal(bins.ONE)
_NUMBERS = pools.Numbers(seed=1, bin_step=10, active_id=-1_541, below=200, above=200, bits=34)
_TERMS = Terms(notional_max=Decimal(10**7))


def _price(bin_id: int) -> Decimal:
    return bins.price_of_bin(bin_id, 10) / _ONE


def _pool(pool: bins.Pool, now_s: int = pools.UPDATED_S + 60) -> DlmmPool:
    spot = _price(pool.pair.active_id)
    mints = (_MARKET.base.mint, _MARKET.quote.mint)
    about = About("meteora", "a", "DLMM", mints, spot, 0, 0, 0)
    return DlmmPool(about, pool, now_s, None, ((), ()))


def _found(pool: DlmmPool, target: Decimal, terms: Terms = _TERMS) -> list[Correction]:
    return corrections([pool], market=_MARKET, target=target, terms=terms)


def _after(pool: DlmmPool, swap: Correction) -> DlmmPool:
    """Return the pool as the swap leaves it, ten minutes later."""
    sells = swap.side is Side.SELL
    trade = bins.swap_exact_in if sells else bins.swap_exact_out
    fill = trade(pool.pool, swap.base_raw, sell_x=sells, now_s=pool.now_s)
    arrays = dict(pool.pool.arrays)
    for step in fill.steps:
        _move(arrays, step, sells=sells)
    pair = replace(pool.pool.pair, active_id=fill.active_id, volatility=fill.volatility)
    return _pool(replace(pool.pool, pair=pair, arrays=arrays), pool.now_s + 600)


def _move(arrays: dict[int, BinArray], step: bins.Step, *, sells: bool) -> None:
    index, place = divmod(step.bin_id, BINS_PER_ARRAY)
    bin_ = arrays[index].bins[place]
    paid, received = step.amount_in - step.fee, step.amount_out + step.surplus
    x, y = (paid, -received) if sells else (-received, paid)
    moved = replace(bin_, amount_x=bin_.amount_x + x, amount_y=bin_.amount_y + y)
    before, behind = arrays[index].bins[:place], arrays[index].bins[place + 1 :]
    arrays[index] = replace(arrays[index], bins=(*before, moved, *behind))


@pytest.mark.parametrize("moved", ["1.001", "1.0123", "1.05", "0.999", "0.9877", "0.95"])
@pytest.mark.parametrize("control", [0, 40_000])
def test_that_swaps_end_in_the_bin_of_the_target(moved: str, control: int) -> None:
    pool = _pool(pools.decoded(replace(_NUMBERS, control=control)))
    target = pool.about.spot * Decimal(moved)
    rounds = 0
    while swaps := _found(pool, target):
        assert swaps[0].side is (Side.BUY if target > pool.about.spot else Side.SELL)
        pool = _after(pool, swaps[0])
        rounds += 1
        assert rounds <= 3
    assert rounds >= 1
    at = pool.pool.pair.active_id
    # A bin that was emptied stays the active one until the next swap. A next one that is hardly
    # better than the target is left when its own fee is higher than that.
    margin = 1 + Decimal(control) / 10**9
    assert _price(at - 1) < target * margin
    assert target < _price(at + 1) * margin


@pytest.mark.parametrize("side", Side)
def test_that_a_gap_is_not_traded_across_when_the_target_lies_in_it(side: Side) -> None:
    buys = side is Side.BUY
    numbers = replace(_NUMBERS, hole=1, active_id=-1_541 if buys else -1_610)
    whole = _pool(pools.decoded(numbers)).pool  # seventy bins next to the active one are empty
    index, place = divmod(whole.pair.active_id, BINS_PER_ARRAY)
    array = whole.arrays[index]
    own = array.bins[place]
    drained = replace(own, amount_x=0) if buys else replace(own, amount_y=0)
    emptied = (*array.bins[:place], drained, *array.bins[place + 1 :])
    pool = _pool(replace(whole, arrays={**whole.arrays, index: replace(array, bins=emptied)}))
    spot, curve = pool.about.spot, pool.curve(_MARKET.quote.mint if buys else _MARKET.base.mint)
    assert curve[0].price < float(1 / spot if buys else spot) * 0.95
    assert _found(pool, spot * Decimal("1.03" if buys else "0.97")) == []
    assert len(_found(pool, spot * Decimal("1.09" if buys else "0.91"))) == 1


@pytest.mark.parametrize("moved", ["1.01", "0.99"])
def test_that_a_pool_whose_tokens_stand_the_other_way_round_gets_the_same_swap(moved: str) -> None:
    pool, inverse = _pool(pools.decoded(_NUMBERS)), Market(_MARKET.quote, _MARKET.base)
    target = pool.about.spot * Decimal(moved)
    (one,) = _found(pool, target)
    (other,) = corrections([pool], market=inverse, target=1 / target, terms=_TERMS)
    assert {one.side, other.side} == set(Side)
    assert abs(Decimal(one.base_raw) / other.quote_raw - 1) < Decimal("0.0000001")
    assert abs(Decimal(one.quote_raw) / other.base_raw - 1) < Decimal("0.0000001")


@pytest.mark.parametrize(("moved", "notional"), [("1000", 6 * 10**16), ("0.001", 6 * 10**10)])
@pytest.mark.parametrize("seed", range(10))
def test_that_a_target_beyond_all_bins_takes_what_they_hold(
    seed: int, moved: str, notional: int
) -> None:
    pool = _pool(pools.decoded(replace(_NUMBERS, seed=seed, bits=50)))
    terms = Terms(notional_max=Decimal(notional))
    (swap,) = _found(pool, pool.about.spot * Decimal(moved), terms)
    held = [bin_ for array in pool.pool.arrays.values() for bin_ in array.bins]
    if swap.side is Side.BUY:
        left = 1 - Decimal(swap.base_raw) / sum(bin_.amount_x for bin_ in held)
    else:
        left = 1 - Decimal(swap.quote_raw) / sum(bin_.amount_y for bin_ in held)
    assert 0 <= left < Decimal("0.00000001")


def test_that_a_pool_that_is_not_all_read_does_not_keep_others_from_their_correction() -> None:
    whole = _pool(pools.decoded(_NUMBERS))
    unread: Mapping[int, BinArray] = {}
    blind = replace(whole, pool=replace(whole.pool, arrays=unread))
    with pytest.raises(Unavailable):
        blind.exact_in(_MARKET.base.mint, 1_000)
    target = whole.about.spot * Decimal("1.05")
    swaps = corrections([blind, whole], market=_MARKET, target=target, terms=_TERMS)
    assert [swap.pool for swap in swaps] == [whole]
