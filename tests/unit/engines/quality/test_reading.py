"""Promise: every route ever stored becomes entries that add up, or is said to be unreadable."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.errors import Corrupt
from quantdesk.core.markets import Side
from quantdesk.engines.orders.quality.model import price
from quantdesk.engines.orders.quality.reading import Confirmed, entries, portions

LEG = {"venue": "raydium", "pool": "A", "kind": "cpmm", "share": "1", "base": "1", "quote": "100"}
OTHER = {**LEG, "venue": "meteora", "pool": "B", "kind": "dlmm"}


def _confirmed(route: dict[str, Any], **changes: Any) -> Confirmed:  # noqa: ANN401 - fields
    told = {
        "order_id": UUID(int=1), "mode": "paper", "account_id": UUID(int=2), "pair": "SOL-USDC",
        "side": Side.BUY, "base_raw": 10**9, "landed_base_raw": 10**9, "landed_raw": 100_200_000,
        "learned_ms": 5, "signed_ms": 4, "route": route, "simulation": {}, "receipt": {},
        "decision": {},
        **changes,
    }  # fmt: skip
    return Confirmed(**told)


def test_that_a_leg_is_read_as_it_is_written() -> None:
    (entry,) = entries(_confirmed({"legs": [LEG], "expectedQuoteRaw": 100_000_000}))

    assert (entry.leg, entry.legs) == (0, 1)
    assert (entry.venue, entry.pool, entry.kind) == ("raydium", "A", "cpmm")
    assert (entry.base_raw, entry.quoted_raw, entry.landed_raw) == (10**9, 10**8, 100_200_000)
    assert (entry.quoted_price, entry.landed_price) == (Decimal(100), Decimal("100.2"))
    assert entry.simulated_price is None


@pytest.mark.parametrize("name", ["amountIn", "amountOut"])
def test_that_routes_of_earlier_desks_are_read_from_their_quotes(name: str) -> None:
    quotes = [
        {"venue": "meteora", "error": {"code": "pool.gone", "detail": "-"}},
        {"venue": "raydium", "pool": "B", name: "7"},
        {"venue": "raydium", "pool": "A", name: "99.5"},
    ]
    leg = {"venue": "raydium", "pool": "A", "share": 1}

    (entry,) = entries(_confirmed({"legs": [leg], "quotes": quotes}))

    assert (entry.quoted_raw, entry.base_raw, entry.kind) == (99_500_000, 10**9, "")


@pytest.mark.parametrize("told", [100_150_000, "100150000"])
def test_that_a_simulation_that_says_its_amount_is_kept(told: object) -> None:
    (entry,) = entries(_confirmed({"legs": [LEG]}, simulation={"quoteRaw": told}))

    assert entry.simulated_price == Decimal("100.15")


@pytest.mark.parametrize(
    ("signed_ms", "block_ms", "landed_ms"),
    [
        (99_000, 97_000, 100_000),  # learned at once: no clock but the desk's is needed
        (98_000, 99_000, 100_000),
        (60_000, 61_000, 61_000),  # learned long after, by a desk that was away
        (60_000, 59_400, 60_000),  # blocks tell whole seconds
        (60_000, 3_660_000, 100_000),  # an exchange's clock, an hour ahead
        (60_000, 0, 100_000),  # not told
        (None, 61_000, 100_000),
    ],
)
def test_that_a_fill_learned_of_late_landed_when_its_chain_says(
    signed_ms: int | None, block_ms: int, landed_ms: int
) -> None:
    told = {"signed_ms": signed_ms, "learned_ms": 100_000, "receipt": {"blockTimeMs": block_ms}}
    (entry,) = entries(_confirmed({"legs": [LEG]}, **told))

    assert entry.landed_ms == landed_ms


def test_that_legs_that_bring_a_little_more_than_asked_are_held_to_the_order() -> None:
    legs = [{**LEG, "base": "0.75", "quote": "75"}, {**OTHER, "base": "0.250001", "quote": "25"}]

    first, second = entries(_confirmed({"legs": legs, "expectedQuoteRaw": 100_000_000}))

    assert first.base_raw + second.base_raw == 10**9
    assert 249_999_000 < second.base_raw < 250_001_000
    assert (first.quoted_raw, second.quoted_raw) == (75_000_000, 25_000_000)


def test_that_legs_land_as_the_receipt_says() -> None:
    route = {"legs": [{**LEG, "base": "0.75", "quote": "75"}, {**OTHER, "base": "0.25"}]}
    landed = _confirmed(route).landed_raw

    told = entries(_confirmed(route, receipt={"legsQuoteRaw": [landed - 7, 7]}))
    shared = entries(_confirmed(route, receipt={"legsQuoteRaw": [landed, 7]}))

    assert [(entry.landed_raw, entry.measured) for entry in told] == [(landed - 7, True), (7, True)]
    assert [entry.measured for entry in shared] == [False, False], "parts must add up"
    assert sum(entry.landed_raw for entry in shared) == landed


def test_that_legs_are_simulated_as_the_node_says() -> None:
    route = {"legs": [{**LEG, "base": "0.75", "quote": "75"}, {**OTHER, "base": "0.25"}]}

    def read(*legs: int, total: int = 100_100_000) -> list[tuple[int | None, bool]]:
        told = {"quoteRaw": total, "legsQuoteRaw": list(legs)}
        found = entries(_confirmed(route, simulation=told))
        return [(entry.simulated_raw, entry.simulated_measured) for entry in found]

    shared = [(42_900_000, False), (57_200_000, False)]
    assert read(100_099_993, 7) == [(100_099_993, True), (7, True)]
    assert read(100_099_993, 8) == shared, "parts must add up"
    assert read(100_099_993, 6, 1) == shared, "one for each leg"
    assert read() == shared, "as desks stored it that knew no parts"


@pytest.mark.parametrize(
    ("simulation", "measured"), [({}, False), ({"quoteRaw": None}, False), ({"quoteRaw": 5}, True)]
)
def test_that_the_only_leg_shares_with_nobody(
    simulation: dict[str, Any], *, measured: bool
) -> None:
    (entry,) = entries(_confirmed({"legs": [LEG]}, simulation=simulation))

    assert (entry.simulated_measured, entry.measured) == (measured, True)


def test_that_a_path_through_a_third_token_is_one_leg() -> None:
    # As engines/orders/routed.py writes it: amounts of the pair, names of both pools.
    path = {**LEG, "venue": "raydium > meteora", "pool": "A > B", "kind": "clmm > dlmm"}

    (entry,) = entries(_confirmed({"legs": [path]}))

    assert (entry.venue, entry.kind) == ("raydium > meteora", "clmm > dlmm")


@pytest.mark.parametrize(
    ("route", "changes"),
    [
        ({}, {}),
        ({"legs": [{**LEG, "quote": "much"}]}, {}),
        ({"legs": [{**LEG, "quote": "NaN"}]}, {}),
        ({"legs": [{**LEG, "quote": "Infinity"}]}, {}),
        ({"legs": [{**LEG, "quote": "-1"}]}, {}),
        ({"legs": [{**LEG, "quote": "0.0000001"}]}, {}),
        ({"legs": [{**LEG, "quote": "9" * 30}]}, {}),
        ({"legs": [{**LEG, "share": None}]}, {}),
        ({"legs": [{"venue": "raydium", "pool": "A", "share": 1}], "quotes": []}, {}),
        ({"legs": [7]}, {}),
        ({"legs": 7}, {}),
        ({"legs": []}, {}),
        ({"legs": [{**LEG, "share": "-1", "base": None}]}, {}),
        ({"legs": [{"venue": "raydium", "pool": "A", "share": 1}], "quotes": [7]}, {}),
        ({"legs": [LEG], "expectedQuoteRaw": "x"}, {}),
        ({"legs": [LEG]}, {"simulation": {"quoteRaw": 2**63}}),
        ({"legs": [LEG]}, {"simulation": {"quoteRaw": 5, "legsQuoteRaw": ["many"]}}),
        ({"legs": [LEG, OTHER]}, {"simulation": {"quoteRaw": 5, "legsQuoteRaw": [7, -2]}}),
        ({"legs": [LEG]}, {"pair": "DOGE-USDC"}),
        ({"legs": [LEG]}, {"decision": {"prices": [{}, {}], "decidedAt": "now"}}),
    ],
)
def test_that_what_cannot_be_read_is_said_to_be_so(
    route: dict[str, Any], changes: dict[str, Any]
) -> None:
    with pytest.raises(Corrupt) as refused:
        entries(_confirmed(route, **changes))

    assert refused.value.code == "ledger.unreadable"


RAW = st.integers(0, 2**63 - 1)


@given(RAW, st.lists(RAW, min_size=1, max_size=8))
def test_that_portions_add_up_and_are_off_by_less_than_one(total: int, weights: list[int]) -> None:
    parts = portions(total, weights)

    assert sum(parts) == total
    assert all(part >= 0 for part in parts)
    if whole := sum(weights):
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part * whole - total * weight) < whole


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=5), st.integers(1, 10**15))
def test_that_all_legs_add_up_to_the_order(quotes: list[int], landed: int) -> None:
    legs = [{**LEG, "base": "0.1", "quote": f"{Decimal(q).scaleb(-6):f}"} for q in quotes]
    base = 10**8 * len(legs)
    confirmed = _confirmed(
        {"legs": legs, "expectedQuoteRaw": sum(quotes)}, base_raw=base, landed_base_raw=base,
        landed_raw=landed,
    )  # fmt: skip

    found = entries(confirmed)

    assert [entry.quoted_raw for entry in found] == quotes
    assert sum(entry.landed_raw for entry in found) == landed
    assert sum(entry.landed_base_raw for entry in found) == base


@pytest.mark.parametrize(
    ("pair", "base", "quote", "shown"),
    [
        ("SOL-USDC", 10**9, 150_250_000, "150.25"),
        ("BTC-USDC", 10**8, 50_000 * 10**6, "50000"),
        ("SOL-USDC", 3 * 10**9, 10**6, "0.3333333333333333"),
        ("USDT-USDC", 10**6, 999_900, "0.9999"),
    ],
)
def test_that_a_price_is_quote_per_base(pair: str, base: int, quote: int, shown: str) -> None:
    assert f"{price(pair, base, quote):f}" == shown


def test_that_there_is_no_price_of_nothing() -> None:
    assert price("SOL-USDC", 0, 5) is None
    (entry,) = entries(_confirmed({"legs": [LEG]}))
    assert msgspec.structs.replace(entry, landed_base_raw=0).landed_price is None
