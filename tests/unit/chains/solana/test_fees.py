"""The priority fee follows what others pay, within its caps; the compute limit leaves room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.chains.port import Priority
from quantdesk.chains.solana.answers import PrioritizationFee
from quantdesk.chains.solana.fees import (
    COMPUTE_UNITS_MAX,
    Bid,
    affordable,
    bid,
    compute_limit,
    priority_lamports,
    unit_price,
)


def _recent(*fees: int) -> list[PrioritizationFee]:
    return [PrioritizationFee(slot, fee) for slot, fee in enumerate(fees)]


@pytest.mark.parametrize(
    ("fees", "percentile", "expected"),
    [
        ([], 75, 0),
        ([5], 75, 5),
        ([4, 3, 2, 1], 75, 3),
        ([4, 3, 2, 1], 76, 4),
        ([4, 3, 2, 1], 1, 1),
        ([4, 3, 2, 1], 100, 4),
        ([0, 0, 0, 900], 75, 0),
        ([999, 1001], 100, 1000),
        ([-7], 50, 0),
    ],
)
def test_pays_the_percentile_up_to_the_cap(fees: list[int], percentile: int, expected: int) -> None:
    assert unit_price(_recent(*fees), Bid(percentile, 0, 1000)) == expected


@pytest.mark.parametrize(
    ("fees", "expected"), [([], 40), ([0, 0], 40), ([39], 40), ([41], 41), ([99], 50)]
)
def test_pays_at_least_the_floor(fees: list[int], expected: int) -> None:
    assert unit_price(_recent(*fees), Bid(50, 40, 50)) == expected


def test_pays_more_for_more_speed() -> None:
    recent = _recent(*range(0, 100_000, 1_000))

    prices = [unit_price(recent, bid(one, price_min=0, price_max=10**6)) for one in Priority]

    assert prices == [24_000, 74_000, 94_000]


def test_pays_for_speed_even_where_nobody_does_only_when_it_is_urgent() -> None:
    prices = [unit_price((), bid(one, price_min=0, price_max=10**6)) for one in Priority]

    assert prices == [0, 0, 10_000]


def test_never_goes_past_a_cap_below_the_policy_s_floor() -> None:
    assert unit_price((), bid(Priority.URGENT, price_min=0, price_max=7)) == 7
    assert unit_price((), bid(Priority.ECONOMY, price_min=3, price_max=7)) == 3


@given(
    price=st.integers(0, 10**9),
    units=st.integers(0, COMPUTE_UNITS_MAX),
    most=st.integers(0, 10**7),
)
def test_never_costs_more_lamports_than_the_cap(price: int, units: int, most: int) -> None:
    kept = affordable(price, compute_units=units, lamports_max=most)

    assert kept <= price
    assert priority_lamports(kept, compute_units=units) <= most
    if kept < price:  # one more would not have been affordable
        assert (kept + 1) * units > most * 10**6


@pytest.mark.parametrize(
    ("price", "units", "lamports"), [(0, 9, 0), (1, 1, 1), (1_000_000, 60_000, 60_000), (3, 10, 1)]
)
def test_rounds_the_fee_up(price: int, units: int, lamports: int) -> None:
    assert priority_lamports(price, compute_units=units) == lamports


@pytest.mark.parametrize(
    ("used", "asked"),
    [
        (0, 40_000),
        (64_506, 104_506),
        (200_000, 240_000),
        (1_000_000, 1_200_000),
        (1_300_000, 1_400_000),
    ],
)
def test_asks_for_two_ticks_or_a_fifth_more_compute_than_was_used(used: int, asked: int) -> None:
    assert compute_limit(used) == asked


@given(st.integers(0, COMPUTE_UNITS_MAX))
def test_never_asks_for_less_than_was_used(used: int) -> None:
    assert used <= compute_limit(used) <= COMPUTE_UNITS_MAX
