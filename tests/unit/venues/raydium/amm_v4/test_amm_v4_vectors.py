"""The AMM v4 integers are Raydium's: equal to its SDK's and to the real program's on every vector.

Vectors: tests/oracles/raydium (generate_amm_v4.mjs, ask_amm_v4.py). Two differences are known:
- for an exact output the SDK rounds the price down twice where the program rounds it up;
- the program asked is of June 2025. Until August 2025 (commit 78c6a81 of raydium-amm) a quotient
  below one half was rounded down to nothing, which shows in fees and prices of single units.
"""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from quantdesk.core.errors import Refused
from quantdesk.venues.port import Fill
from quantdesk.venues.raydium.amm_v4.curve import FeeRate, Reserves, exact_input, exact_output

_VECTORS: Final = Path(__file__).parents[4] / "vectors"
_SDK_RATE: Final = FeeRate(25, 10_000)
_UNITS_THE_SDK_FORGETS: Final = range(4)  # two roundings, the first of which the fee enlarges


@pytest.fixture(scope="module")
def sdk() -> list[list[Any]]:
    rows: list[list[Any]] = json.loads((_VECTORS / "raydium_amm_v4.json").read_text())
    return rows


@pytest.fixture(scope="module")
def program() -> list[list[Any]]:
    rows: list[list[Any]] = json.loads((_VECTORS / "raydium_amm_v4_program.json").read_text())[
        "rows"
    ]
    return rows


def _ours(amount: int, reserves: Reserves, rate: FeeRate, *, exact_in: bool) -> Fill | None:
    try:
        return (exact_input if exact_in else exact_output)(amount, reserves, rate)
    except Refused:
        return None


def _as_sdk(row: list[Any]) -> tuple[Fill | None, Fill | None]:
    exact_in, amount, held_in, held_out, said = row
    ours = _ours(int(amount), Reserves(int(held_in), int(held_out)), _SDK_RATE, exact_in=exact_in)
    if said is None:
        return ours, None
    paid, received, fee = map(int, said)
    return ours, Fill(paid, received, fee, fee_on_input=True)


def _as_program(row: list[Any]) -> tuple[int, Reserves, FeeRate]:
    _, token, amount, held, owed, rate, _ = row
    free = [have - owe for have, owe in zip(held, owed, strict=True)]
    return amount, Reserves(free[token], free[1 - token]), FeeRate(*rate)


def _once_rounded_to_nothing(row: list[Any]) -> bool:
    amount, reserves, rate = _as_program(row)
    if row[0]:
        return 0 < amount * rate.numerator * 2 < rate.denominator
    return 0 < reserves.input_raw * amount * 2 < reserves.output_raw - amount


def test_that_the_vectors_cover_both_directions_every_fee_and_refusals(
    sdk: list[list[Any]], program: list[list[Any]]
) -> None:
    everything = {(way, filled) for way in (True, False) for filled in (True, False)}
    assert len(sdk) >= 1_000
    assert {(row[0], bool(row[-1])) for row in sdk} == everything
    assert len(program) >= 500
    assert {(row[0], isinstance(row[-1], list)) for row in program} == everything
    assert {tuple(row[5]) for row in program} >= {(25, 10_000), (0, 1), (9_999, 10_000)}
    assert sum(any(row[4]) and isinstance(row[-1], list) for row in program) >= 100
    assert sum(not _once_rounded_to_nothing(row) for row in program) >= 800


def test_that_every_exact_input_is_the_sdks(sdk: list[list[Any]]) -> None:
    compared = [_as_sdk(row) for row in sdk if row[0]]
    assert [pair for pair in compared if pair[0] != pair[1]] == []
    assert sum(theirs is not None for _, theirs in compared) >= 500


def test_that_an_exact_output_costs_what_the_sdk_says_and_the_units_it_forgets(
    sdk: list[list[Any]],
) -> None:
    compared = [_as_sdk(row) for row in sdk if not row[0]]
    both = [(ours, theirs) for ours, theirs in compared if ours and theirs]
    assert len(both) >= 400
    assert {ours.paid - theirs.paid for ours, theirs in both} <= set(_UNITS_THE_SDK_FORGETS)
    assert not [theirs for ours, theirs in compared if theirs and not ours]


def test_that_every_swap_is_what_the_program_made_of_it(program: list[list[Any]]) -> None:
    wrong = []
    for row in program:
        if _once_rounded_to_nothing(row):
            continue
        ours = _ours(*_as_program(row), exact_in=row[0])
        made = row[-1] if isinstance(row[-1], list) else None
        if made != (ours and [ours.paid, ours.received]):
            wrong.append((row, ours))
    assert wrong == []


def test_that_the_older_rounding_never_gives_less_than_was_quoted(
    program: list[list[Any]],
) -> None:
    for row in filter(_once_rounded_to_nothing, program):
        ours = _ours(*_as_program(row), exact_in=row[0])
        if ours and isinstance(row[-1], list):
            paid, received = row[-1]
            assert paid <= ours.paid
            assert received >= ours.received
