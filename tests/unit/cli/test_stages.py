"""The promise: each state is one line of at most 80 columns that says when, what and why."""

import io
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console, RenderableType

from quantdesk.cli.order import exit_code
from quantdesk.cli.orders import listed
from quantdesk.cli.prices import table
from quantdesk.cli.stages import Stages, outcome
from quantdesk.cli.views import Price
from quantdesk.engines.orders.model import Failure
from quantdesk.engines.orders.wire import EventView, FilledView, OrderView

ID = "01a1fd01-15a2-7ba7-8b95-5d439aeaf546"
SIGNATURE = "2ZfcvcS1" + "z" * 72 + "GfCc5SX1"


def event(status: str, ms: int, version: int, **told: object) -> EventView:
    stamp = f"2026-11-21T07:27:49.{ms:03d}Z"
    facts: dict[str, Any] = {"attempt": 1, **told}
    return EventView(
        order_id=UUID(ID), status=status, timestamp=stamp, version=version, mode="localnet", **facts
    )


LIFE = [
    event("PENDING", 100, 1),
    event("PENDING", 101, 2, waiting="price"),
    event("ROUTING", 110, 3),
    event("BUILDING", 111, 4, execution_price=Decimal(150)),
    event("SUBMITTED", 120, 5, execution_price=Decimal(150), tx_hash=SIGNATURE),
    event("SUBMITTED", 130, 6, execution_price=Decimal(150), tx_hash=SIGNATURE, outcome="unknown"),
    event("ROUTING", 140, 7, attempt=2, waiting="retry"),
    event("SUBMITTED", 150, 8, attempt=2, execution_price=Decimal(151), tx_hash="5" + SIGNATURE),
    event("CONFIRMED", 999, 9, attempt=2, execution_price=Decimal("151.755"), tx_hash=SIGNATURE),
]


def order(status: str = "CONFIRMED", **told: object) -> OrderView:
    facts: dict[str, Any] = {
        "order_id": ID, "pair": "SOL-USDC", "amount": Decimal("10.5"), "direction": "BUY",
        "status": status, "mode": "localnet", "version": 9, "attempt": 2,
        "created_at": LIFE[0].timestamp, "updated_at": LIFE[-1].timestamp, "slippage_bps": 50,
        "logs": LIFE,
    }  # fmt: skip
    return OrderView(**{**facts, **told})


def shown(result: RenderableType, width: int = 80) -> str:
    drawn = io.StringIO()
    Console(file=drawn, width=width).print(result)
    return drawn.getvalue()


def test_a_line_says_when_since_when_and_what_changed() -> None:
    stages = Stages()
    lines = [stages.line(told).plain for told in LIFE]
    assert lines[0].split() == ["PENDING", "07:27:49.100", "0", "ms", "+0", "ms"]
    assert lines[1].endswith("waits for its limit price")
    assert lines[3].split()[2:] == ["11", "ms", "+1", "ms", "@", "150"]
    assert "2ZfcvcS1…GfCc5SX1" in lines[4]
    assert lines[5].endswith("chain silent, same bytes again")
    assert lines[6].endswith("attempt 2  nothing was filled")
    assert lines[8].split()[:6] == ["CONFIRMED", "07:27:49.999", "899", "ms", "+849", "ms"]
    assert "@ 151.755" in lines[8]


def test_no_line_is_wider_than_a_terminal() -> None:
    stages = Stages()
    assert all(len(stages.line(told).plain) <= 80 for told in LIFE)


def test_an_outcome_gives_what_moved_and_both_prices() -> None:
    filled = FilledView("10.5", "1593.4275", 5000, "0")
    price = Decimal("151.755")
    route = {"reason": "a pays most", "poolFees": "3.75"}
    facts: dict[str, Any] = {
        "filled": filled,
        "execution_price": price,
        "tx_hash": SIGNATURE,
        "route": route,
    }
    told = shown(outcome(order(**facts)), 120)
    for fact in (
        "bought       10.5 SOL",
        "paid         1593.4275 USDC",
        "151.755 USDC per SOL, realized",
        "151 USDC per SOL (realized +50.00 bps)",
        "pool fees    3.75 USDC, in the price",
        "network fee  0.000005 SOL, priority included",
        f"signature    {SIGNATURE}\n",
    ):
        assert fact in told


def test_a_resting_order_says_what_for_and_how_long() -> None:
    bounds = {"limit_price": Decimal("140.5"), "expires_at": "2026-11-22T07:27:49.100Z"}
    told = shown(outcome(order("PENDING", waiting="price", **bounds)), 120)
    assert "limit 140.5 USDC, slippage 50 bps" in told
    assert "waits for its limit price, until 2026-11-22 07:27:49 UTC" in told
    assert "rests" not in shown(outcome(order("CANCELLED", **bounds)))


def test_a_failure_gives_its_code_and_whether_to_try_again() -> None:
    failure = Failure("slippage.exceeded", "[the price] moved", retryable=True)
    told = shown(outcome(order("FAILED", error=failure)))
    assert "slippage.exceeded: [the price] moved (placing it again may work)" in told


def test_a_list_fits_80_columns_and_shows_doubt() -> None:
    orders = [order(), order("SUBMITTED", outcome="unknown"), order("PENDING", waiting="price")]
    now_ms = 1_795_246_069_000
    narrow = shown(listed(orders, now_ms=now_ms, wide=False))
    assert all(len(line) <= 80 for line in narrow.splitlines())
    assert "SUBMITTED (unknown)" in narrow
    assert ID not in narrow
    assert narrow.count(ID[-12:]) == 3
    assert ID in shown(listed(orders, now_ms=now_ms, wide=True), 120)


@pytest.mark.parametrize(
    ("status", "has_price"), [("CONFIRMED", True), ("SUBMITTED", True), ("FAILED", False)]
)
def test_what_was_never_filled_is_listed_without_a_price(status: str, has_price: bool) -> None:  # noqa: FBT001
    one = order(status, execution_price=Decimal("151.755"))
    assert ("151.755" in shown(listed([one], now_ms=0, wide=False))) == has_price


@pytest.mark.parametrize(
    ("status", "code"), [("CONFIRMED", 0), ("FAILED", 2), ("CANCELLED", 2), ("SUBMITTED", 3)]
)
def test_the_exit_code_says_how_an_order_ended(status: str, code: int) -> None:
    assert exit_code(order(status)) == code


def test_a_price_is_shown_with_its_age_and_whether_it_is_valid() -> None:
    price = Price("SOL", Decimal("150.000"), "simulated", Decimal("0.045"), 200, valid=True)
    assert shown(table([price])).splitlines()[1].split()[-1] == "valid"
    old = Price("SOL", Decimal(150), "simulated", Decimal(0), 20_000, valid=False)
    assert shown(table([old])).splitlines()[1].rstrip().endswith("stale")
