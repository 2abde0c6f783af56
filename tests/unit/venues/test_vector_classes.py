"""The vectors of each kind of pool hold enough of everything, as tests/oracles/README.md says."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

_TESTS: Final = Path(__file__).parents[2]
_VECTORS: Final = _TESTS / "vectors"
_README: Final = (_TESTS / "oracles" / "README.md").read_text()
_LEAST: Final = 500
_TINY: Final = 1_000
_HUGE: Final = 1 << 48


class _Case(NamedTuple):
    """A case: what is asked for, whether the pool fills it, and whether that leaves its range."""

    exact_in: bool
    amount: int
    filled: bool
    crosses: bool


def _read(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((_VECTORS / f"{name}.json").read_text())


def _rows(name: str) -> Iterator[_Case]:
    for exact_in, amount, *_, answer in _read(name):
        yield _Case(bool(exact_in), int(amount), filled=answer is not None, crosses=False)


def _clmm() -> Iterator[_Case]:
    for pool in _read("raydium_clmm")["pools"]:
        for exact_in, _, amount, _, answer in pool["cases"]:
            # Liquidity changes where an initialized tick is crossed, and only there.
            crosses = answer is not None and answer[3] != pool["liquidity"]
            yield _Case(exact_in, int(amount), filled=answer is not None, crosses=crosses)


def _dlmm() -> Iterator[_Case]:
    for pool in _read("meteora_dlmm")["pools"]:
        for exact_in, _, amount, _, answer in pool["cases"]:
            # A bin holds less than two to the power of its bits and two more.
            most = 1 << (pool["numbers"]["bits"] + 2)
            crosses = answer is not None and max(map(int, answer[:2])) > most
            yield _Case(bool(exact_in), int(amount), filled=answer is not None, crosses=crosses)


def _damm() -> Iterator[_Case]:
    for pool in _read("meteora_damm_v2")["pools"]:
        for exact_in, _, amount, _, answer in pool["cases"]:
            yield _Case(bool(exact_in), int(amount), filled=answer is not None, crosses=False)


_KINDS: Final[dict[str, Callable[[], Iterator[_Case]]]] = {
    "Raydium AMM v4": lambda: _rows("raydium_amm_v4"),
    "Raydium CPMM": lambda: _rows("raydium_cpmm"),
    "Raydium CLMM": _clmm,
    "Meteora DLMM": _dlmm,
    "Meteora DAMM v2": _damm,
}
_IN_PIECES: Final = {"Raydium CLMM", "Meteora DLMM"}


def counted(kind: str) -> tuple[int, ...]:
    """Return how many there are: all, exact in, exact out, tiny, huge, crossing, exhausted."""
    cases = list(_KINDS[kind]())
    exact_in = sum(case.exact_in for case in cases)
    return (
        len(cases),
        exact_in,
        len(cases) - exact_in,
        sum(case.amount <= _TINY for case in cases),
        sum(case.amount >= _HUGE for case in cases),
        sum(case.crosses for case in cases),
        sum(not case.filled for case in cases),
    )


@pytest.mark.parametrize("kind", _KINDS)
def test_that_there_are_enough_of_every_class(kind: str) -> None:
    total, exact_in, exact_out, tiny, huge, crossing, exhausted = counted(kind)
    assert total >= _LEAST
    assert min(exact_in, exact_out) >= total // 3
    assert min(tiny, huge, exhausted) >= 20
    assert crossing >= 100 or kind not in _IN_PIECES


@pytest.mark.parametrize("kind", _KINDS)
def test_that_the_table_says_how_many(kind: str) -> None:
    (row,) = re.findall(rf"^\| {kind} \|(.*)\|$", _README, re.MULTILINE)
    told = [int(cell.replace(",", "")) for cell in row.split("|")[1:]]
    assert told == list(counted(kind))


@pytest.mark.parametrize("folder", ["raydium", "meteora", "meteora_damm"])
def test_that_the_table_says_which_sdk(folder: str) -> None:
    package = json.loads((_TESTS / "oracles" / folder / "package.json").read_text())
    pinned = {**package.get("dependencies", {}), **package.get("devDependencies", {})}
    (sdk,) = [name for name in pinned if name.startswith(("@raydium-io/", "@meteora-ag/"))]
    assert f"`{sdk}` {pinned[sdk]}" in _README
