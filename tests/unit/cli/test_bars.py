"""Promise: every cost is in one bar, and what is shown of times and costs is what was meant."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.cli.bars import bar, histogram, label
from quantdesk.cli.quality import by_venue, moment
from quantdesk.core.errors import Refused
from quantdesk.testing.clock import ManualClock

COSTS = st.lists(st.decimals("-10000", "10000", places=4), min_size=1, max_size=200)


@given(COSTS)
def test_that_every_value_is_in_one_bin(costs: list[Decimal]) -> None:
    bins = histogram(costs)

    assert sum(one.held for one in bins) == len(costs)
    assert len(bins) <= 13
    for one in bins:
        inside = [
            cost
            for cost in costs
            if (one.low is None or one.low <= cost) and (one.high is None or cost < one.high)
        ]
        assert len(inside) == one.held
        assert label(one)


def test_that_bins_are_round_and_far_ones_are_gathered() -> None:
    costs = [Decimal(n) / 100 for n in range(100)] + [Decimal(900), Decimal(-900)]

    bins = histogram(costs)

    assert label(bins[0]).startswith("below ")
    assert label(bins[-1]).endswith(" and more")
    assert label(bins[2]) == "0.1 to 0.2"


def test_that_equal_costs_are_one_bar() -> None:
    (only,) = histogram([Decimal("1.5")] * 3)

    assert (only.held, label(only)) == (3, "1.50 to 1.51")
    assert histogram([]) == []


@pytest.mark.parametrize(
    ("count", "shown"), [(0, ""), (1, "▏"), (50, "████"), (51, "████▏"), (100, "████████")]
)
def test_that_a_bar_is_as_long_as_its_share(count: int, shown: str) -> None:
    assert bar(count, 100, width=8) == shown


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("30m", "2023-11-14T21:43:20.000Z"),
        ("24H", "2023-11-13T22:13:20.000Z"),
        ("7d", "2023-11-07T22:13:20.000Z"),
        ("2023-11-14T22:00:00+01:00", "2023-11-14T21:00:00.000Z"),
        ("2023-11-14", "2023-11-14T00:00:00.000Z"),
    ],
)
def test_that_a_time_is_read_as_people_write_it(typed: str, means: str) -> None:
    assert moment(typed, clock=ManualClock(now_ms=1_700_000_000_000)) == means


@pytest.mark.parametrize("typed", ["yesterday", "", "0h", "-3h", "3 h", "9999999d"])
def test_that_no_time_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(Refused, match="24h") as refused:
        moment(typed, clock=ManualClock())
    assert refused.value.code == "since.unreadable"


def test_that_no_rows_draw_no_bars() -> None:
    assert by_venue([]) == {}
