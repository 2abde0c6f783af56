"""The priority fee follows what others pay, up to a cap; the compute limit leaves room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.chains.solana.answers import PrioritizationFee
from quantdesk.chains.solana.fees import COMPUTE_UNITS_MAX, compute_limit, unit_price


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
    assert unit_price(_recent(*fees), percentile=percentile, price_max=1000) == expected


@pytest.mark.parametrize(
    ("used", "asked"),
    [(0, 5_000), (20_000, 25_000), (25_000, 30_000), (100_000, 120_000), (1_300_000, 1_400_000)],
)
def test_asks_for_a_fifth_more_compute_than_was_used(used: int, asked: int) -> None:
    assert compute_limit(used) == asked


@given(st.integers(0, COMPUTE_UNITS_MAX))
def test_never_asks_for_less_than_was_used(used: int) -> None:
    assert used <= compute_limit(used) <= COMPUTE_UNITS_MAX
