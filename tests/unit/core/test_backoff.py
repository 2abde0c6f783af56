"""Waits grow to a bound, are drawn below it, and begin anew after a healthy life."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.backoff import FIRST_S, HEALTHY_S, LONGEST_S, Backoff, full_jitter_s


@given(st.integers(1, 10**6), st.floats(0, 1, exclude_max=True))
def test_that_a_wait_is_never_nothing_nor_past_its_bound(failures: int, drawn: float) -> None:
    assert FIRST_S / 10 <= full_jitter_s(failures, chance=lambda: drawn) <= LONGEST_S


def test_that_bounds_double_until_the_longest() -> None:
    backoff = Backoff(lambda: 1.0)

    assert [backoff.failed() for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


@pytest.mark.parametrize(("drawn", "wait_s"), [(0.0, 0.05), (0.5, 4.025), (1.0, 8.0)])
def test_that_waits_fill_the_whole_room_below_the_bound(drawn: float, wait_s: float) -> None:
    assert full_jitter_s(5, chance=lambda: drawn) == pytest.approx(wait_s)


@pytest.mark.parametrize(("lived_s", "wait_s"), [(HEALTHY_S, 0.5), (HEALTHY_S - 0.1, 4.0)])
def test_that_only_a_healthy_life_begins_anew(lived_s: float, wait_s: float) -> None:
    backoff = Backoff(lambda: 1.0, failures=3)

    assert backoff.failed(lived_s=lived_s) == wait_s


def test_that_an_answer_forgets_the_failures() -> None:
    backoff = Backoff(lambda: 1.0, failures=8)
    backoff.healthy()

    assert backoff.failed() == FIRST_S
