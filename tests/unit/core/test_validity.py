"""Promise: a validity is the worst of what is known, and one table says what each action takes."""

import pytest

from quantdesk.core.errors import Unavailable
from quantdesk.core.validity import (
    TOLERATES,
    Action,
    Bounds,
    Validity,
    allows,
    of_age,
    of_agreement,
    of_confidence,
    of_swing,
    unfit,
)

# Written out: a pair that changes must be changed here too. Rows: worst to best; columns: an action
# may (1) or may not (0) go by it.
ACTIONS = (Action.QUOTE, Action.OPEN, Action.MARGIN, Action.LIQUIDATE, Action.DISPLAY)
MAY = {
    Validity.CORRUPT: (0, 0, 0, 0, 0),
    Validity.TOO_VOLATILE: (0, 0, 0, 0, 1),
    Validity.DISAGREES: (0, 0, 0, 0, 1),
    Validity.TOO_UNCERTAIN: (0, 0, 0, 1, 1),
    Validity.STALE_FOR_MARGIN: (0, 0, 0, 1, 1),
    Validity.CLOSED: (0, 0, 1, 1, 1),
    Validity.QUARANTINED: (0, 0, 1, 1, 1),
    Validity.STALE: (0, 0, 1, 1, 1),
    Validity.STRAINED: (0, 1, 1, 1, 1),
    Validity.VALID: (1, 1, 1, 1, 1),
}


@pytest.mark.parametrize("validity", Validity)
@pytest.mark.parametrize(("column", "action"), list(enumerate(ACTIONS)))
def test_that_each_action_takes_what_the_table_says(
    validity: Validity, column: int, action: Action
) -> None:
    assert allows(action, validity) is bool(MAY[validity][column])


def test_that_every_action_and_validity_is_in_the_tables() -> None:
    assert set(TOLERATES) == set(Action) == set(ACTIONS)
    assert list(MAY) == sorted(Validity), "worst to best"


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("validity", Validity)
def test_that_a_refusal_names_both(action: Action, validity: Validity) -> None:
    if allows(action, validity):
        with pytest.raises(AssertionError):
            unfit("the price of BTC", validity, action)
        return
    error = unfit("the price of BTC", validity, action)
    assert isinstance(error, Unavailable)
    assert error.code.startswith(("price.", "market."))
    assert validity.name in error.detail
    assert action in error.detail


EDGES = [
    (of_age, 5_000, Validity.VALID, Validity.STRAINED),
    (of_age, 10_000, Validity.STRAINED, Validity.STALE),
    (of_age, 60_000, Validity.STALE, Validity.STALE_FOR_MARGIN),
    (of_confidence, 50, Validity.VALID, Validity.STRAINED),
    (of_confidence, 200, Validity.STRAINED, Validity.TOO_UNCERTAIN),
    (of_agreement, 50, Validity.VALID, Validity.STRAINED),
    (of_agreement, 100, Validity.STRAINED, Validity.DISAGREES),
]


@pytest.mark.parametrize(("of", "bound", "at", "past"), EDGES)
def test_that_bounds_hold_to_the_unit(of, bound, at, past) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    assert of(bound) is at
    assert of(bound + 1) is past


def test_that_a_price_may_be_five_times_its_mean_and_no_more() -> None:
    assert of_swing(5.0) is of_swing(0.2) is Validity.VALID
    assert of_swing(5.01) is of_swing(0.199) is Validity.TOO_VOLATILE


def test_that_a_desk_may_want_fresher_or_older_prices() -> None:
    assert of_age(2_000, Bounds(age_trade_ms=1_000)) is Validity.STALE
    assert of_age(90_000, Bounds(age_trade_ms=100_000)) is Validity.STRAINED
    assert of_age(1, Bounds(age_trade_ms=1)) is Validity.VALID
    assert of_age(2, Bounds(age_trade_ms=1)) is Validity.STALE


def test_that_a_figure_that_is_none_is_worst() -> None:
    nan = float("nan")
    assert of_confidence(nan) is Validity.TOO_UNCERTAIN
    assert of_agreement(nan) is Validity.DISAGREES
    assert of_swing(nan) is Validity.TOO_VOLATILE
