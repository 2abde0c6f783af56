"""The CPMM's integers are Raydium's: equal to its SDK on every vector, and never against the pool.

Vectors: tests/oracles/raydium. One difference is known and is the SDK's: for exact input with the
creator's fee on the input it rounds two fees up where the program rounds their sum up once.
"""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.errors import Refused
from quantdesk.venues.raydium.cpmm.curve import (
    RATE_ONE,
    FeeRates,
    Reserves,
    Trade,
    exact_input,
    exact_output,
)

_VECTORS: Final = Path(__file__).parents[4] / "vectors" / "raydium_cpmm.json"
_U64: Final = (1 << 64) - 1


def _rates(row: list[Any]) -> FeeRates:
    trade, creator, protocol, fund = row[4]
    return FeeRates(trade, creator, protocol, fund, creator_on_input=row[5])


def _ours(row: list[Any]) -> Trade | None:
    ask = exact_input if row[0] else exact_output
    try:
        return ask(int(row[1]), Reserves(int(row[2]), int(row[3])), _rates(row))
    except Refused:
        return None


def _theirs(row: list[Any]) -> Trade | None:
    return Trade(*map(int, row[6])) if row[6] else None


def _rounds_differently(row: list[Any]) -> bool:
    rates = _rates(row)
    return bool(row[0] and rates.creator_on_input and rates.creator)


@pytest.fixture(scope="module")
def vectors() -> list[list[Any]]:
    rows: list[list[Any]] = json.loads(_VECTORS.read_text())
    return rows


def test_that_the_vectors_cover_both_directions_every_fee_and_refusals(
    vectors: list[list[Any]],
) -> None:
    assert len(vectors) >= 500
    assert {(row[0], row[5], bool(row[6])) for row in vectors} == {
        (way, on_input, filled)
        for way in (True, False)
        for on_input in (True, False)
        for filled in (True, False)
    }
    assert sum(not _rounds_differently(row) for row in vectors) >= 1_000


def test_that_every_vector_of_the_sdk_is_met(vectors: list[list[Any]]) -> None:
    wrong = [row for row in vectors if not _rounds_differently(row) and _ours(row) != _theirs(row)]
    assert wrong == []


def test_that_the_sdk_is_at_most_one_unit_of_fee_away_where_it_rounds_twice(
    vectors: list[list[Any]],
) -> None:
    compared = 0
    for row in filter(_rounds_differently, vectors):
        ours, theirs = _ours(row), _theirs(row)
        if ours is None or theirs is None:
            continue
        compared += 1
        assert ours.curve_input - theirs.curve_input in {0, 1}
        assert ours.output_raw >= theirs.output_raw
    assert compared >= 50


_AMOUNTS = st.integers(1, _U64) | st.integers(1, 1_000)
_SHARES = st.integers(0, RATE_ONE // 2)


@st.composite
def _questions(draw: st.DrawFn) -> tuple[int, Reserves, FeeRates]:
    trade = draw(st.integers(1, RATE_ONE - 1) | st.just(2_500))
    creator = draw(st.integers(0, RATE_ONE - 1 - trade) | st.just(0))
    rates = FeeRates(trade, creator, draw(_SHARES), draw(_SHARES), draw(st.booleans()))
    return draw(_AMOUNTS), Reserves(draw(_AMOUNTS), draw(_AMOUNTS)), rates


@given(_questions())
def test_that_exact_input_leaves_the_pool_no_poorer(
    question: tuple[int, Reserves, FeeRates],
) -> None:
    amount, reserves, rates = question
    try:
        trade = exact_input(amount, reserves, rates)
    except Refused:
        return  # nothing happens
    _check_books(trade, reserves, rates)
    assert trade.input_raw == amount


@given(_questions())
def test_that_exact_output_is_paid_for_in_full(
    question: tuple[int, Reserves, FeeRates],
) -> None:
    amount, reserves, rates = question
    try:
        trade = exact_output(amount, reserves, rates)
    except Refused:
        return  # nothing happens
    _check_books(trade, reserves, rates)
    assert trade.output_raw == amount
    assert trade.input_raw <= _U64


@given(_questions())
def test_that_what_exact_output_costs_buys_at_least_that_much(
    question: tuple[int, Reserves, FeeRates],
) -> None:
    amount, reserves, rates = question
    try:
        cost = exact_output(amount, reserves, rates).input_raw
    except Refused:
        return
    if cost:
        assert exact_input(cost, reserves, rates).output_raw >= amount


def _check_books(trade: Trade, reserves: Reserves, rates: FeeRates) -> None:
    """Every unit is somewhere, and the product of the reserves has not fallen."""
    on_input = trade.creator_fee if rates.creator_on_input else 0
    assert trade.input_raw == trade.curve_input + trade.trade_fee + on_input
    assert trade.curve_output == trade.output_raw + trade.creator_fee - on_input
    assert trade.protocol_fee + trade.fund_fee <= trade.trade_fee
    after = (reserves.input_raw + trade.curve_input) * (reserves.output_raw - trade.curve_output)
    assert after >= reserves.input_raw * reserves.output_raw


@pytest.mark.parametrize(
    ("amount", "reserves", "trade", "code"),
    [
        (1, Reserves(10**9, 10**9), 2_500, "amount.too_small"),
        (10**6, Reserves(0, 10**9), 2_500, "liquidity.insufficient"),
        (10**6, Reserves(10**9, 0), 2_500, "liquidity.insufficient"),
        (10**6, Reserves(10**9, 10**9), 0, "pool.unsupported"),
        (10**6, Reserves(10**9, 10**9), RATE_ONE, "pool.unsupported"),
    ],
)
def test_that_an_impossible_exact_input_is_refused_by_name(
    amount: int, reserves: Reserves, trade: int, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        exact_input(amount, reserves, FeeRates(trade, 0, 0, 0, creator_on_input=True))
    assert refused.value.code == code


@pytest.mark.parametrize("amount", [10**9, 10**9 + 1, _U64])
def test_that_an_exact_output_of_the_whole_reserve_is_refused(amount: int) -> None:
    with pytest.raises(Refused) as refused:
        exact_output(
            amount, Reserves(10**9, 10**9), FeeRates(2_500, 0, 0, 0, creator_on_input=True)
        )
    assert refused.value.code == "liquidity.insufficient"


@pytest.mark.parametrize(("held", "fits"), [(_U64, True), (_U64 + 1, False)])
def test_that_a_price_of_64_bits_is_the_last_that_can_be_paid(held: int, *, fits: bool) -> None:
    rates, reserves = FeeRates(0, 0, 0, 0, creator_on_input=False), Reserves(held, 2)
    if fits:
        assert exact_output(1, reserves, rates).input_raw == _U64
    else:
        with pytest.raises(Refused):
            exact_output(1, reserves, rates)
