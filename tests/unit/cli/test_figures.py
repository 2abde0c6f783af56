"""The promise: a number on the terminal is the number of the desk, only shorter."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.cli import figures

PRICES = st.decimals("1e-12", "1e12", allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("150.15", "150.15"),
        ("150.1500", "150.15"),
        ("68000", "68000"),
        ("123456789.987", "123456790"),
        ("0.000012345678949", "0.000012345679"),
        ("1E+3", "1000"),
        ("0", "0"),
        ("150.3931251374", "150.39313"),
    ],
)
def test_a_price_keeps_eight_digits_and_no_exponent(value: str, shown: str) -> None:
    assert figures.price(Decimal(value)) == shown


@given(PRICES)
def test_a_shown_price_is_off_by_less_than_a_ten_millionth(value: Decimal) -> None:
    shown = figures.price(value)
    assert "E" not in shown
    assert abs(Decimal(shown) - value) <= value / 10**7


def test_a_difference_is_signed_basis_points() -> None:
    assert figures.bps(Decimal("100.5"), Decimal(100)) == "+50.00 bps"
    assert figures.bps(Decimal("99.99"), Decimal(100)) == "-1.00 bps"


@pytest.mark.parametrize(
    ("ms", "shown"),
    [(199, "0.2 s"), (59_900, "59.9 s"), (60_000, "1 min"), (7_200_000, "2 h"), (9**9, "4 d")],
)
def test_an_age_is_coarser_the_older_it_is(ms: int, shown: str) -> None:
    assert figures.age(ms) == shown


def test_a_time_of_today_has_no_date_and_another_has() -> None:
    now_ms = figures.moment("2026-11-21T00:00:00.500Z")
    assert figures.when("2026-11-21T00:00:00.000Z", now_ms=now_ms) == "00:00:00"
    assert figures.when("2026-11-20T23:59:59.999Z", now_ms=now_ms) == "11-20 23:59"


def test_a_time_keeps_its_milliseconds() -> None:
    assert figures.clock("2026-11-21T07:27:49.005Z") == "07:27:49.005"
    assert figures.moment("1970-01-01T00:00:01.005Z") == 1005


def test_a_signature_shows_both_ends() -> None:
    assert figures.short_signature("abcdefgh" + "x" * 70 + "12345678") == "abcdefgh…12345678"
    assert figures.short_signature("short") == "short"
