"""Prices as texts become the floats that `float()` makes of them, however they are written."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.ingest.rules import floats

DECIMALS = st.from_regex(r"[0-9]{1,25}\.[0-9]{1,25}", fullmatch=True)
WRITTEN = st.one_of(
    *(DECIMALS, st.integers(0, 1 << 200).map(str), st.floats().map(str), st.text(max_size=8)),
    st.text("0123456789.eE+-_ infaNty\n\u0663", max_size=12),
)


def plainly(one: str, other: str) -> tuple[float, float] | None:
    """Return what `float()` says of two texts, None where it refuses either."""
    try:
        return float(one), float(other)
    except ValueError:
        return None


@given(WRITTEN, WRITTEN)
def test_that_texts_are_the_floats_that_python_makes_of_them(one: str, other: str) -> None:
    wanted = plainly(one, other)
    if wanted is None:
        with pytest.raises(ValueError):  # noqa: PT011 - the very error of `float()`
            floats(one, other)
        return
    for got, expected in zip(floats(one, other), wanted, strict=True):
        assert got == expected or (math.isnan(got) and math.isnan(expected))


@pytest.mark.parametrize(
    "text",
    [
        *("61837.63000000", "0.1", "007.5", "1.", ".5", "1e400", "1e-400", "-0", "nan", "inf"),
        *("9007199254740993", "0.500000000000000166533453693773481063544750213623046875", "1_0"),
        *("\u0663", " 1 ", "1" * 400, "2.2250738585072011e-308", "179769313486231580793e289"),
    ],
)
def test_that_no_way_to_write_a_number_changes_it(text: str) -> None:
    assert repr(floats(text, "1")[0] + 0.0) == repr(float(text) + 0.0)  # zero has no sign
