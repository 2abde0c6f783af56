"""A resting order says what it waits for, and no more often than a reader can follow."""

import pytest

from quantdesk.core.errors import Refused, Unavailable
from quantdesk.engines.orders import resting


@pytest.mark.parametrize(
    ("hindrances", "waiting"),
    [
        ([None], None),
        (["liquidity", None], None),
        (["price"], "price"),
        (["liquidity"], "liquidity"),
        (["liquidity", "price"], "price"),
        (["amount", "amount"], "amount"),
        ([], "price"),
    ],
)
def test_waits_for_what_could_still_fill_it(
    hindrances: list[str | None], waiting: str | None
) -> None:
    assert resting.waits_for(hindrances) == waiting


@pytest.mark.parametrize(
    ("problem", "waiting"),
    [
        (Refused("", code="liquidity.insufficient"), "liquidity"),
        (Refused("", code="transaction.too_large"), "liquidity"),
        (Refused("", code="amount.too_small"), "amount"),
        (Refused("", code="price.band"), "price"),
        (Unavailable("", code="price.stale"), "price"),
        (Unavailable("", code="quotes.none"), "price"),
    ],
)
def test_tells_want_of_liquidity_from_want_of_a_price(
    problem: Refused | Unavailable, waiting: str
) -> None:
    assert resting.hindrance(problem) == waiting
