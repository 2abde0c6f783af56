"""The promise: a route shows its legs, how far from the best it is, and what else was there."""

import io
from typing import Any

from rich.console import Console

from quantdesk.cli.route import route

ROUTE: dict[str, Any] = {
    "legs": [
        {"name": "meteora DLMM", "venue": "meteora", "pool": "b" * 40, "kind": "DLMM",
         "share": 0.75, "base": "1875", "quote": "282600.1", "feeBps": "10.40"},
        {"name": "raydium CPMM > meteora DLMM via USDT", "venue": "raydium > meteora",
         "pool": "a" * 40 + " > " + "c" * 40, "kind": "CPMM > DLMM",
         "share": 0.25, "base": "625", "quote": "94200.05", "feeBps": "35.00"},
    ],
    "reason": "a split over 2 legs asks 30.54 bps less than meteora DLMM, all fees included",
    "gapBps": "0.01",
    "runnerUp": {"kind": "pool", "name": "meteora DLMM", "quote": "377961.8", "worseBps": "30.54"},
    "alternatives": [
        {"kind": "pool", "name": "meteora DLMM", "quote": "377961.8", "worseBps": "30.54"},
        {"kind": "venue", "name": "raydium alone",
         "error": {"code": "liquidity.insufficient", "detail": "too much"}},
        {"kind": "direct", "name": "direct pools alone", "quote": "376800.15", "worseBps": "0.00"},
    ],
    "quotes": [
        {"venue": "raydium", "kind": "CPMM", "pool": "a" * 40, "slot": 7, "ageMs": 12,
         "error": {"code": "liquidity.insufficient", "detail": "too much"}},
        {"venue": "meteora", "kind": "DLMM", "pool": "b" * 40, "price": "151.18", "slot": 7,
         "amountIn": "377961.8", "feeBps": "12.39", "priceImpactBps": "65.37", "ageMs": 12},
        {"venue": "paper", "error": {"code": "price.stale", "detail": "old"}},
    ],
}  # fmt: skip


def shown(told: dict[str, Any], width: int = 100) -> list[str]:
    drawn = io.StringIO()
    Console(file=drawn, width=width).print(route(told, "USDC"))
    return drawn.getvalue().splitlines()


def test_every_leg_has_its_share_amount_and_price() -> None:
    legs = shown(ROUTE)[1:3]

    assert legs[0].split() == ["meteora", "DLMM", "75.00", "%", "1875", "282600.1", "10.40"]
    assert legs[1].startswith("raydium CPMM > meteora DLMM via USDT")


def test_the_gap_and_what_else_there_was_are_told() -> None:
    lines = shown(ROUTE)

    assert any(line.startswith("gap        0.01 bps") for line in lines)
    assert any(line.split() == ["meteora", "DLMM", "377961.8", "30.54"] for line in lines)
    assert any("raydium alone" in line and "liquidity.insufficient" in line for line in lines)
    assert not any("direct pools alone" in line for line in lines), (
        "the same plan is no alternative"
    )


def test_what_one_transaction_costs_of_the_gap_is_told_where_it_costs_anything() -> None:
    words = "because one transaction holds no more pools"

    assert any(f"0.01 bps of it {words}" in line for line in shown(ROUTE | {"roomBps": "0.01"}))
    assert not any(words in line for line in shown(ROUTE | {"roomBps": "0.00"}))
    assert not any(words in line for line in shown(ROUTE)), "an older route does not say"


def test_each_pool_alone_is_marked_when_it_is_in_the_route() -> None:
    quotes = shown(ROUTE)[-3:]

    assert [line[0] for line in quotes] == ["→", "→", "✗"]
    assert "liquidity.insufficient" in quotes[0]
    assert quotes[1].split()[-4:] == ["151.18", "377961.8", "12.39", "65.37"]
    assert "price.stale" in quotes[2]


def test_a_route_of_one_pool_shows_no_alternatives() -> None:
    told = ROUTE | {"legs": ROUTE["legs"][:1], "alternatives": []}

    assert not any("instead" in line for line in shown(told))
