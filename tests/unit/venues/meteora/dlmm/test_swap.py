"""A swap through the bins never creates value, and says why when it cannot be made."""

from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.oracles.meteora import pools

from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.venues.meteora.dlmm.layout import Volatility
from quantdesk.venues.meteora.dlmm.swap import (
    ONE,
    Fill,
    Pool,
    check_open,
    fee_rate,
    price_of_bin,
    referenced,
    swap_exact_in,
    swap_exact_out,
)

_NUMBERS = pools.Numbers(seed=1, bin_step=10, active_id=-1_610, below=100, above=100, bits=34)
_POOL = pools.decoded(_NUMBERS)
_PAIR = _POOL.pair
_NOW = pools.UPDATED_S + 60
_POOLS = [
    _POOL,
    pools.decoded(replace(_NUMBERS, seed=2, gap=7, only_y=1)),
    pools.decoded(replace(_NUMBERS, seed=3, orders=1, active_id=900, bits=12)),
    pools.decoded(replace(_NUMBERS, seed=4, bin_step=100, active_id=70, hole=1)),
]


@pytest.mark.parametrize("bin_step", [1, 10, 25, 100, 400])
@pytest.mark.parametrize("bin_id", [-500, -71, -1, 1, 69, 500])
def test_prices_a_bin_by_its_power(bin_id: int, bin_step: int) -> None:
    exact = (1 + Fraction(bin_step, 10_000)) ** bin_id * ONE

    assert abs(price_of_bin(bin_id, bin_step) / exact - 1) < Fraction(1, 10**7)


def test_prices_bin_zero_at_one() -> None:
    assert price_of_bin(0, 10) == ONE


def test_refuses_a_price_below_q64() -> None:
    with pytest.raises(Refused) as refusal:
        price_of_bin(-1_200, 400)

    assert refusal.value.code == "bin.unrepresentable"


@pytest.mark.parametrize(
    ("accumulator", "rate"),
    [
        (0, 1_000_000),  # 10,000 * 10 * 10 = 0.1 %
        (10_000, 1_004_000),  # and ceil(40,000 * (10,000 * 10)^2 / 10^11)
        (350_000, 5_900_000),
    ],
)
def test_adds_the_variable_fee(accumulator: int, rate: int) -> None:
    assert fee_rate(_PAIR.fees, accumulator, 10) == rate


def test_caps_the_fee_at_ten_percent() -> None:
    assert fee_rate(replace(_PAIR.fees, base_power=3), 0, 10) == 100_000_000


@pytest.mark.parametrize(
    ("elapsed", "reference", "index_reference"),
    [(29, 7, -1_600), (30, 50_000, -1_610), (599, 50_000, -1_610), (600, 0, -1_610)],
)
def test_lets_volatility_decay(elapsed: int, reference: int, index_reference: int) -> None:
    moved = replace(_PAIR, volatility=Volatility(100_000, 7, -1_600, pools.UPDATED_S))

    volatility = referenced(moved, pools.UPDATED_S + elapsed)

    assert (volatility.reference, volatility.index_reference) == (reference, index_reference)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"enabled": False}, "pool.disabled"),
        ({"gated": True, "activation_point": 100}, None),
        ({"gated": True, "activation_point": 101}, "pool.not_open"),
        ({"gated": True, "opens_by_time": True, "activation_point": 7}, None),
        ({"gated": True, "opens_by_time": True, "activation_point": 8}, "pool.not_open"),
        ({"activation_point": 101}, None),
    ],
)
def test_says_why_a_pair_is_closed(changes: dict[str, object], code: str | None) -> None:
    pair = replace(_PAIR, **changes)  # type: ignore[arg-type]

    with pytest.raises(Unavailable) if code else nullcontext() as error:
        check_open(pair, now_s=7, slot=100)

    if error is not None:
        assert error.value.code == code


def _code(pool: Pool, amount: int, *, exact_in: bool = True) -> str:
    swap = swap_exact_in if exact_in else swap_exact_out
    with pytest.raises(DeskError) as error:
        swap(pool, amount, sell_x=True, now_s=_NOW)
    return error.value.code


def test_refuses_what_the_pool_cannot_fill() -> None:
    everything = sum(bin_.amount_y for array in _POOL.arrays.values() for bin_ in array.bins)

    assert swap_exact_out(_POOL, everything, sell_x=True, now_s=_NOW).amount_out == everything
    assert _code(_POOL, everything + 1, exact_in=False) == "liquidity.insufficient"
    assert _code(_POOL, 1 << 60) == "liquidity.insufficient"


def test_refuses_to_swap_nothing() -> None:
    assert _code(_POOL, 0) == "amount.too_small"
    assert _code(_POOL, -1, exact_in=False) == "amount.too_small"


def test_refuses_amounts_of_more_than_64_bits() -> None:
    cheap = pools.decoded(replace(_NUMBERS, bin_step=4, active_id=-35_000, bits=40))
    everything = sum(bin_.amount_y for array in cheap.arrays.values() for bin_ in array.bins)

    assert _code(cheap, everything, exact_in=False) == "liquidity.insufficient"


def test_says_when_a_bin_array_is_missing() -> None:
    missing = replace(_POOL, arrays={-23: _POOL.arrays[-23]})

    assert swap_exact_in(missing, 1_000, sell_x=True, now_s=_NOW).amount_out == 199
    assert _code(missing, 1 << 40) == "pool.incomplete"


def test_reaches_no_further_than_the_arrays_allowed() -> None:
    reachable = sum(bin_.amount_y for bin_ in _POOL.arrays[-23].bins)
    near = replace(_POOL, arrays_max=1)

    assert swap_exact_out(near, reachable, sell_x=True, now_s=_NOW).amount_out == reachable
    assert _code(near, reachable + 1, exact_in=False) == "liquidity.insufficient"


def _worth_in_y(pool: Pool, fill: Fill, *, sell_x: bool) -> Fraction:
    """Return what the trader lost, each step valued at its bin's price."""
    lost = Fraction(0)
    for step in fill.steps:
        price = Fraction(price_of_bin(step.bin_id, pool.pair.bin_step), ONE)
        x, y = (step.amount_in, -step.amount_out) if sell_x else (-step.amount_out, step.amount_in)
        lost += x * price + y
    return lost


@given(
    pool=st.sampled_from(_POOLS),
    bits=st.integers(0, 42),
    digits=st.integers(0, 1 << 42),
    sell_x=st.booleans(),
    exact_in=st.booleans(),
    elapsed=st.integers(0, 1_000),
)
def test_gives_the_trader_no_value(
    pool: Pool, bits: int, digits: int, *, sell_x: bool, exact_in: bool, elapsed: int
) -> None:
    amount = (digits & ((1 << bits) - 1)) + 1
    now_s = pools.UPDATED_S + elapsed
    try:
        swap = swap_exact_in if exact_in else swap_exact_out
        fill = swap(pool, amount, sell_x=sell_x, now_s=now_s)
    except Refused:
        return

    assert (fill.amount_in if exact_in else fill.amount_out) == amount
    assert _worth_in_y(pool, fill, sell_x=sell_x) >= 0
    assert 0 <= fill.protocol_fee <= fill.fee


@given(amount=st.integers(1, 1 << 40), sell_x=st.booleans())
def test_asks_no_more_for_what_an_exact_payment_bought(amount: int, *, sell_x: bool) -> None:
    try:
        bought = swap_exact_in(_POOL, amount, sell_x=sell_x, now_s=_NOW)
    except Refused:
        return
    if bought.amount_out:
        again = swap_exact_out(_POOL, bought.amount_out, sell_x=sell_x, now_s=_NOW)

        assert again.amount_in <= amount


@given(amount=st.integers(2, 1 << 38), sell_x=st.booleans())
def test_pays_more_for_more(amount: int, *, sell_x: bool) -> None:
    less = swap_exact_in(_POOL, amount // 2, sell_x=sell_x, now_s=_NOW)
    more = swap_exact_in(_POOL, amount, sell_x=sell_x, now_s=_NOW)

    assert less.amount_out <= more.amount_out
