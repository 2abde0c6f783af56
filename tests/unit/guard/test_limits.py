"""Promise: what holds is never looser than any source says, and only known limits are read."""

from typing import get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.api.limits import LimitsRequest
from quantdesk.core.errors import Refused
from quantdesk.core.markets import MARKETS
from quantdesk.guard.check import Limits
from quantdesk.guard.limits import (
    EDITABLE,
    Value,
    effective,
    loosens,
    read,
    source_of,
    stricter,
    written,
)

USD = st.decimals("0.01", "1000000000", places=2)
PAIRS = st.frozensets(st.sampled_from(sorted(MARKETS)))
KINDS: dict[str, st.SearchStrategy[Value]] = {
    "pairs": PAIRS,
    "order_notional_usd_max": USD,
    "day_notional_usd_max": USD,
    "open_orders_max": st.integers(1, 1_000_000),
    "slippage_bps_max": st.integers(0, 10_000),
    "price_age_ms_max": st.integers(1, 3_600_000),
    "price_band_bps_max": st.integers(1, 10_000),
}
SOURCE = st.fixed_dictionaries({}, optional=KINDS)
SETTINGS = SOURCE.map(lambda values: Limits(**values))  # type: ignore[arg-type]
NAMED = st.sampled_from(sorted(KINDS)).flatmap(
    lambda name: st.tuples(st.just(name), *[st.none() | KINDS[name]] * 3)
)


def allows(bound: Value | None, what: object) -> bool:
    """Return whether a bound lets something pass: a pair, or a number up to it."""
    if bound is None:
        return True
    return what in bound if isinstance(bound, frozenset) else what <= bound  # type: ignore[operator]


def test_that_every_limit_of_an_order_may_be_edited_and_is_in_the_contract() -> None:
    fixed = {"halted", "halted_by"}
    assert set(EDITABLE) == set(get_type_hints(Limits)) - fixed == set(KINDS)
    assert {f.name for f in msgspec.structs.fields(LimitsRequest)} == {*EDITABLE, "account"}


@given(SETTINGS, SOURCE, SOURCE)
def test_that_what_holds_is_as_strict_as_every_source(
    settings: Limits, desk: dict[str, Value], account: dict[str, Value]
) -> None:
    holds = effective(settings, desk, account)
    for name in EDITABLE:
        value = getattr(holds, name)
        written_down = getattr(settings, name)
        sources = {"settings": written_down, "desk": desk.get(name), "account": account.get(name)}
        for source in sources.values():
            assert not loosens(source, value)
        told = source_of(name, holds, sources)
        assert (told is None) == (value is None)
        if told not in (None, "combined"):
            assert sources[told] == value
        if told == "combined":
            assert name == "pairs"


@given(NAMED, st.data())
def test_that_stricter_allows_what_both_allow(
    named: tuple[str, Value | None, Value | None, Value | None], data: st.DataObject
) -> None:
    name, one, other, _ = named
    what = data.draw(st.sampled_from(sorted(MARKETS)) if name == "pairs" else KINDS[name])
    assert allows(stricter(one, other), what) == (allows(one, what) and allows(other, what))


@given(NAMED, st.data())
def test_that_whatever_lets_more_pass_is_called_looser(
    named: tuple[str, Value | None, Value | None, Value | None], data: st.DataObject
) -> None:
    name, before, after, _ = named
    what = data.draw(st.sampled_from(sorted(MARKETS)) if name == "pairs" else KINDS[name])
    if allows(after, what) and not allows(before, what):
        assert loosens(before, after)
    if not loosens(before, after) and allows(after, what):
        assert allows(before, what)


@given(NAMED)
def test_that_a_limit_is_read_as_it_was_written(
    named: tuple[str, Value | None, Value | None, Value | None],
) -> None:
    name, value, _, _ = named
    if value is not None:
        json = msgspec.json.decode(msgspec.json.encode(written(value)))
        assert read(name, json, of_account=False) == value


WRONG: dict[str, list[object]] = {
    "order_notional_usd_max": [
        *(0, -1, "NaN", "Infinity", "-0.01", "a", True, [], {}, None, 1.5, "1e99", "1e-9"),
        *("1e-99999", "1e99999", 10**400, "1." + "0" * 40 + "1"),
    ],
    "open_orders_max": [0, -1, "5", 1.5, True, None, 10**9],
    "slippage_bps_max": [-1, 10_001],
    "pairs": ["SOL-USDC", ["SOL-EUR"], [["SOL-USDC"]], [1], None, {}],
}


@pytest.mark.parametrize(
    ("name", "told"), [(name, told) for name, values in WRONG.items() for told in values]
)
def test_that_a_wrong_value_is_refused_by_its_name(name: str, told: object) -> None:
    with pytest.raises(Refused) as wrong:
        read(name, told, of_account=False)
    assert wrong.value.code == "limit.invalid"
    assert name in wrong.value.detail


@pytest.mark.parametrize(
    ("name", "of_account"),
    [
        *[(name, False) for name in ("order_notional_max", "halted", "venues")],
        *[(name, True) for name in ("", "price_band_bps_max")],
    ],
)
def test_that_an_unknown_name_is_refused_with_those_that_are_known(
    name: str, *, of_account: bool
) -> None:
    with pytest.raises(Refused) as unknown:
        read(name, 5, of_account=of_account)
    assert unknown.value.code == "limit.unknown"
    assert name in unknown.value.detail
    assert "day_notional_usd_max" in unknown.value.detail
