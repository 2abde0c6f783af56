"""What holds of every DAMM v2 pool: more buys more, nobody gains by turning round, curves fit."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.oracles.meteora_damm import pools
from tests.oracles.meteora_damm.pools import MINT_A, MINT_B, Numbers

from quantdesk.core.errors import Refused
from quantdesk.venues.meteora.damm_v2 import layout
from quantdesk.venues.meteora.damm_v2.curve import PIECES_MAX, Range
from quantdesk.venues.meteora.damm_v2.pool import DammV2Pool
from quantdesk.venues.port import Fill, Piece

_MINTS = st.sampled_from([MINT_A, MINT_B])
_FEES = st.one_of(
    st.tuples(st.just("time"), st.integers(100_000, 990_000_000)),
    st.tuples(st.just("time"), st.integers(10**7, 10**9 - 1), st.just(value=True),
              st.integers(1, 500), st.just(60), st.integers(1, 100)),
    st.tuples(st.just("price"), st.just(400_000_000), st.booleans(), st.integers(1, 100),
              st.integers(1, 500), st.just(86_400), st.integers(1, 100)),
)  # fmt: skip
_POOLS = st.builds(
    Numbers,
    seed=st.integers(0, 1_000),
    price_ppm=st.integers(10_000, 10**9),
    bits=st.integers(30, 55),
    below_bps=st.sampled_from([0, 1, 100, 5_000, 9_900]),
    above_bps=st.sampled_from([0, 1, 100, 5_000, 90_000]),
    fee_mode=st.sampled_from([0, 1, 2]),
    fee=_FEES,
    dynamic=st.none()
    | st.tuples(st.just(14_460_000), st.integers(0, 5_000), st.integers(0, 10**7)),
    initial_bps=st.integers(2_000, 12_000),
    fee_version=st.sampled_from([0, 1]),
    compounding_bps=st.integers(1, 10_000),
)
_LIMITED = st.builds(
    Numbers,
    seed=st.integers(0, 1_000),
    bits=st.integers(30, 55),
    above_bps=st.sampled_from([0, 100, 5_000]),
    fee_version=st.sampled_from([0, 1]),
    dynamic=st.none()
    | st.tuples(st.just(14_460_000), st.integers(0, 5_000), st.integers(0, 14_460_000)),
    fee_mode=st.just(layout.FEE_IN_B),
    fee=st.tuples(st.just("limiter"), st.integers(100_000, 100_000_000), st.integers(1, 2_000),
                  st.just(3_600), st.integers(1_001, 9_900), st.integers(1, 1 << 40)),
)  # fmt: skip
_LATER = st.integers(0, 100_000)
_PARTS = st.integers(1, 1 << 20)
"""What part of the pool an amount is, in 2^-20."""


def _other(mint: str) -> str:
    return MINT_B if mint == MINT_A else MINT_A


def _size(pool: DammV2Pool, mint: str, parts: int) -> int:
    return max(1, int(pool.directions[0].liquidity.virtual()[mint == MINT_B]) * parts >> 20)


def _try(pool: DammV2Pool, paid: str, amount: int, *, exact_in: bool = True) -> Fill:
    try:
        return pool.exact_in(paid, amount) if exact_in else pool.exact_out(paid, amount)
    except Refused:
        assume(condition=False)
        raise


@given(_POOLS, _LATER, _MINTS, _PARTS, _PARTS)
def test_that_paying_more_brings_no_less(
    numbers: Numbers, later: int, paid: str, parts: int, more: int
) -> None:
    pool = pools.snapshot(pools.pool(numbers), later=later)
    less = _size(pool, paid, parts)

    few = _try(pool, paid, less)
    many = _try(pool, paid, less + _size(pool, paid, more))

    assert many.received >= few.received


@given(_POOLS, _LATER, _MINTS, _PARTS)
def test_that_wanting_one_more_costs_no_less(
    numbers: Numbers, later: int, paid: str, parts: int
) -> None:
    pool = pools.snapshot(pools.pool(numbers), later=later)
    amount = _size(pool, _other(paid), parts)

    one = _try(pool, paid, amount, exact_in=False)
    two = _try(pool, paid, amount + 1, exact_in=False)

    assert two.paid >= one.paid


@given(_POOLS, _LATER, _MINTS, _PARTS)
def test_that_what_an_exact_output_costs_buys_at_least_that_output(
    numbers: Numbers, later: int, paid: str, parts: int
) -> None:
    pool = pools.snapshot(pools.pool(numbers), later=later)
    fill = _try(pool, paid, _size(pool, _other(paid), parts), exact_in=False)

    assert _try(pool, paid, fill.paid).received >= fill.received


@given(_LIMITED, _PARTS)
def test_that_under_a_limiter_the_two_ways_differ_by_less_than_the_grain_of_the_rate(
    numbers: Numbers, parts: int
) -> None:
    # The program turns the limiter's fee into a whole number of 10^-9 and back, in either way. With
    # a dynamic fee besides, its two ways differ by more: exact out finds a smaller average rate.
    pool = pools.snapshot(pools.pool(replace(numbers, dynamic=None)))
    fill = _try(pool, MINT_B, _size(pool, MINT_A, parts), exact_in=False)

    short = fill.received - _try(pool, MINT_B, fill.paid).received

    assert short <= 2 + 2 * fill.paid // 10**9


@given(_POOLS, _LATER, _MINTS, _PARTS)
def test_that_turning_round_never_gains(
    numbers: Numbers, later: int, paid: str, parts: int
) -> None:
    pool = pools.snapshot(pools.pool(numbers), later=later)
    there = _try(pool, paid, _size(pool, paid, parts))

    back = _try(pool, _other(paid), there.received)

    assert back.received <= there.paid


@given(_POOLS, _LATER, _MINTS, _PARTS)
def test_that_turning_round_after_the_price_moved_never_gains(
    numbers: Numbers, later: int, paid: str, parts: int
) -> None:
    made = pools.pool(replace(numbers, fee_mode=layout.FEE_ON_OUTPUT))
    pool = pools.snapshot(made, later=later)
    there = _try(pool, paid, _size(pool, paid, parts))
    spread = pool.directions[0].liquidity
    assert isinstance(spread, Range)
    price = spread.after_input(there.paid, a_to_b=paid == MINT_A)
    reserve_a, reserve_b = replace(spread, sqrt_price=price).reserves()

    moved = replace(made, sqrt_price=price, reserves=(reserve_a + 1, reserve_b + 1))
    back = _try(pools.snapshot(moved, later=later), _other(paid), there.received)

    assert back.received <= there.paid


@given(_POOLS, _LATER, _MINTS, st.lists(_PARTS, min_size=1, max_size=4))
def test_that_the_curve_tells_what_exact_in_brings(
    numbers: Numbers, later: int, paid: str, parts: list[int]
) -> None:
    pool = pools.snapshot(pools.pool(numbers), later=later)
    pieces = pool.curve(paid)

    assert len(pieces) == 1
    for part in parts:
        _compare(pool, paid, pieces, int(pieces[0].most * part) >> 20)


@given(_LIMITED, _PARTS)
def test_that_the_curve_follows_a_limiter_up_its_slope(numbers: Numbers, parts: int) -> None:
    pool = pools.snapshot(pools.pool(numbers))
    pieces = pool.curve(MINT_B)

    assert len(pieces) > 1 or numbers.fee[5] > pieces[0].most
    whole = min(int(sum(piece.most for piece in pieces)), (1 << 64) - 1)
    _compare(pool, MINT_B, pieces, whole * parts >> 20)


@given(st.integers(1, 1 << 40))
def test_that_a_limiter_is_drawn_flat_where_the_cap_is_below_its_slope(reference: int) -> None:
    fee = ("limiter", 480_000_000, 10, 3_600, 9_900, reference)
    numbers = Numbers(
        seed=1,
        fee_mode=layout.FEE_IN_B,
        fee=fee,
        fee_version=0,
        dynamic=(1 << 24, 1 << 20, 1 << 21),
    )
    pool = pools.snapshot(pools.pool(numbers))
    pieces = pool.curve(MINT_B)

    assert len(pieces) == 1
    _compare(pool, MINT_B, pieces, int(pieces[0].most / 1e6))


@given(_LIMITED)
def test_that_the_price_never_rises_along_the_pieces(numbers: Numbers) -> None:
    pieces = pools.snapshot(pools.pool(numbers)).curve(MINT_B)

    ends = [piece.price / (1 + piece.most / piece.depth) ** 2 for piece in pieces]
    for end, following in zip(ends, pieces[1:], strict=False):
        assert end >= following.price * (1 - 1e-12)


@given(_POOLS, _LATER, _MINTS)
def test_that_the_end_of_the_curve_can_be_paid_and_no_more(
    numbers: Numbers, later: int, paid: str
) -> None:
    pool = pools.snapshot(pools.pool(numbers), later=later)
    assume(numbers.fee_mode != layout.COMPOUNDING)

    _check_end(pool, paid)


@given(
    st.integers(0, 1_000),
    st.integers(30, 55),
    st.tuples(st.integers(100_000, 100_000_000), st.integers(1, 2_000), st.integers(1_001, 9_900)),
    st.integers(2, 200),
)
def test_that_the_end_of_a_limited_curve_can_be_paid_and_no_more(
    seed: int, bits: int, rates: tuple[int, int, int], stretches: int
) -> None:
    cliff, increment_bps, max_bps = rates
    fee = ("limiter", cliff, increment_bps, 3_600, max_bps, (1 << bits) // stretches)
    numbers = Numbers(seed, bits=bits, above_bps=5_000, fee_mode=layout.FEE_IN_B, fee=fee)
    pool = pools.snapshot(pools.pool(numbers))

    assert 1 <= len(pool.curve(MINT_B)) < PIECES_MAX
    _check_end(pool, MINT_B)


def _check_end(pool: DammV2Pool, paid: str) -> None:
    most = sum(piece.most for piece in pool.curve(paid))
    assume(most < 1e18)
    assert pool.exact_in(paid, int(most * (1 - 1e-9))).received

    # Under a limiter at most two units and 10^-9 are left undrawn, before a fee of up to 99 %.
    with pytest.raises(Refused) as refusal:
        pool.exact_in(paid, int(most * (1 + 1e-6)) + 1_000)
    assert refusal.value.code == "liquidity.insufficient"


def _compare(pool: DammV2Pool, paid: str, pieces: Sequence[Piece], amount: int) -> None:
    assume(amount > 0)
    received = _try(pool, paid, amount).received
    assume(min(amount, received) > 10**7)  # else one base unit is worth more than 10^-7

    assert abs(_drawn(pieces, amount) - received) <= received * 1e-6


def _drawn(pieces: Sequence[Piece], amount: float) -> float:
    received = 0.0
    for piece in pieces:
        used = min(amount, piece.most)
        received += piece.price * used / (1 + used / piece.depth)
        amount -= used
    return received
