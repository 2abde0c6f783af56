"""Promise: amounts survive the way in and out to the last unit, identifiers sort by time."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.clock import iso, unix_ms, utc
from quantdesk.core.errors import Refused
from quantdesk.core.ids import first_id, ids, uuid7
from quantdesk.core.money import BPS, ceil_div, from_raw, share_bps, to_raw

MS = st.integers(0, 4_000_000_000_000)
NOISE = st.binary(min_size=10, max_size=10)


@given(st.integers(0, 2**64), st.integers(0, 18))
def test_that_base_units_come_back_exactly(raw: int, decimals: int) -> None:
    assert to_raw(from_raw(raw, decimals), decimals) == raw


@given(st.integers(0, 2**64))
def test_that_decimals_are_plain_and_without_idle_zeros(raw: int) -> None:
    text = f"{from_raw(raw, 9):f}"
    assert "E" not in text
    assert "." not in text or text[-1] != "0"


def test_that_a_finer_amount_is_refused() -> None:
    with pytest.raises(Refused) as fine:
        to_raw(Decimal("0.0000001"), 6)
    assert fine.value.code == "amount.precision"
    assert fine.value.detail.startswith("0.0000001 is finer"), "as it was written, without exponent"


@pytest.mark.parametrize("amount", ["1e-99999", "0." + "1" * 99_999])
def test_that_a_refusal_is_no_longer_than_a_line(amount: str) -> None:
    with pytest.raises(Refused) as fine:
        to_raw(Decimal(amount), 6)
    assert fine.value.code == "amount.precision"
    assert len(fine.value.detail) < 100


@given(st.integers(0, 2**64), st.integers(1, 2**64))
def test_that_division_rounds_up(numerator: int, denominator: int) -> None:
    up = ceil_div(numerator, denominator)
    assert (up - 1) * denominator < numerator <= up * denominator


def test_that_a_share_is_rounded_down() -> None:
    assert (share_bps(1, 3), share_bps(3, 3), BPS) == (3_333, 10_000, 10_000)


@given(MS, NOISE, NOISE)
def test_that_identifiers_sort_by_their_time(ms: int, some: bytes, other: bytes) -> None:
    made = uuid7(ms, some)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == ms
    assert first_id(ms) < made < uuid7(ms + 1, other)


def test_that_the_machine_makes_different_ones() -> None:
    new = ids(lambda: 1)
    assert len({new() for _ in range(100)}) == 100
    assert isinstance(new(), UUID)


@given(MS)
def test_that_milliseconds_survive_datetimes(ms: int) -> None:
    assert unix_ms(utc(ms)) == ms
    assert iso(ms).endswith(f".{ms % 1000:03d}Z")
