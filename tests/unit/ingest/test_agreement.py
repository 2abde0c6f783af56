"""The middle is of what agrees; who is far off is left out, and nobody is when nobody can tell."""

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.ingest.agreement import agree

PRICES = st.lists(st.floats(1e-12, 1e12), min_size=1, max_size=9)


@pytest.mark.parametrize(
    ("values", "kept", "middle", "bps"),
    [
        ([100.0], (0,), (0,), None),
        ([100.0, 105.0], (0, 1), (0, 1), 487.8),
        ([100.0, 105.0, 100.1], (0, 2), (0, 2), 10.0),
        ([105.0, 100.0, 100.1, 100.2], (1, 2, 3), (2,), 20.0),
        ([100.0, 100.4, 100.2], (0, 2, 1), (2,), 39.9),
        ([100.0, 100.0, 105.0, 105.0], (0, 1, 2, 3), (1, 2), 487.8),
        ([100.0, 100.0, 100.0, 101.0], (0, 1, 2), (1,), 0.0),
    ],
)
def test_that_the_middle_is_of_those_that_agree(
    values: list[float], kept: tuple[int, ...], middle: tuple[int, ...], bps: float | None
) -> None:
    found = agree(values)
    assert (found.kept, found.middle) == (kept, middle)
    assert found.bps == (None if bps is None else pytest.approx(bps, abs=0.1))


@given(PRICES)
def test_that_at_least_half_are_kept_and_the_middle_lies_among_them(values: list[float]) -> None:
    found = agree(values)
    assert len(found.kept) * 2 >= len(values)
    assert set(found.middle) <= set(found.kept)
    inside = [values[position] for position in found.kept]
    at = sum(values[position] for position in found.middle) / len(found.middle)
    assert at == pytest.approx(median(inside))


@given(PRICES, st.floats(1.2, 100.0))
def test_that_one_liar_among_three_honest_sources_is_left_out(
    values: list[float], factor: float
) -> None:
    truth = values[0]
    found = agree([truth, truth * factor, truth * 1.0001, truth * 0.9999])
    assert 1 not in found.kept
    assert found.bps == pytest.approx(2.0, abs=0.1)
