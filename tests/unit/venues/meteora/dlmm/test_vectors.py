"""A swap is quoted to the last unit as the official SDK quotes it."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.oracles.meteora import pools

from quantdesk.core.errors import Refused
from quantdesk.venues.meteora.dlmm.swap import Fill, swap_exact_in, swap_exact_out

_FILE = Path(__file__).parents[4] / "vectors" / "meteora_dlmm.json"
_POOLS: list[dict[str, Any]] = json.loads(_FILE.read_text())["pools"]


_decoded = cache(pools.decoded)


def _fill(pool: dict[str, Any], case: list[Any]) -> Fill:
    exact_in, sell_x, amount, seconds, _ = case
    swap = swap_exact_in if exact_in else swap_exact_out
    return swap(
        _decoded(pools.numbers(pool["numbers"])),
        int(amount),
        sell_x=bool(sell_x),
        now_s=pools.UPDATED_S + seconds,
    )


@pytest.mark.parametrize("pool", _POOLS, ids=lambda pool: f"pool {pool['numbers']['seed']}")
def test_equals_every_vector_of_the_sdk(pool: dict[str, Any]) -> None:
    for case in pool["cases"]:
        expected = case[-1]
        if expected is None:
            with pytest.raises(Refused) as refusal:
                _fill(pool, case)
            assert refusal.value.code == "liquidity.insufficient", case
            continue

        fill = _fill(pool, case)

        # The SDK forgets the fee of a step that pays nothing but the fee; the program keeps it.
        forgotten = sum(step.fee for step in fill.steps if step.fee == step.amount_in)
        # It reports a surplus of two or more as the protocol's; the program leaves it unaccounted.
        surplus = sum(step.surplus for step in fill.steps if step.surplus > 1)
        protocol_fee = fill.protocol_fee + surplus - forgotten
        ours = (fill.amount_in, fill.amount_out, fill.fee - fill.protocol_fee, protocol_fee)
        assert ours == tuple(map(int, expected)), case


def test_covers_crossings_exhaustion_and_more_than_500_cases() -> None:
    cases = [(pool, case) for pool in _POOLS for case in pool["cases"]]
    filled = [_fill(pool, case) for pool, case in cases if case[-1] is not None]

    assert len(cases) >= 500
    assert len(filled) < len(cases)
    assert sum(len(fill.steps) > 70 for fill in filled) >= 10
    assert sum(len(fill.steps) == 1 for fill in filled) >= 50
    assert sum(fill.surplus > 0 for fill in filled) >= 5
    assert sum(not fill.fee_on_input for fill in filled) >= 10
