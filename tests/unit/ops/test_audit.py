"""An audit finds every way in which books can be wrong, and nothing in books that are right."""

from decimal import Decimal
from uuid import UUID

import pytest

from quantdesk.engines.orders.wire import EventView, FilledView, OrderView
from quantdesk.ops.audit import Findings, _Line, differences, fills_by_order, judged
from quantdesk.ops.drill import RECOVERY_S, Report

A, B = "00000000-0000-7000-8000-00000000000a", "00000000-0000-7000-8000-00000000000b"
OPENING = {"SOL": Decimal(10), "USDC": Decimal(1000)}


def order(
    order_id: str, status: str = "CONFIRMED", *, versions: tuple[int, ...] = (1, 2)
) -> OrderView:
    """Return an order that sold 2 SOL for 300 USDC, as the desk tells it."""
    time = "2026-01-01T00:00:00.000Z"
    filled = FilledView("2", "300", 5_000, "0") if status == "CONFIRMED" else None
    told = UUID(order_id)
    logs = [EventView(told, "PENDING", time, version, 1, "paper") for version in versions]
    return OrderView(order_id, "SOL-USDC", Decimal(2), "SELL", status, "paper", 2, 1, time, time,
                     50, logs, filled=filled)  # fmt: skip


def found(
    orders: list[OrderView], accepted: dict[str, str], fills: dict[str, int] | None
) -> tuple[int, int, int, bool]:
    findings = judged(orders, accepted, fills=fills, off={})
    return findings.duplicates, findings.lost, findings.torn, findings.ok


@pytest.mark.parametrize("fills", [{A: 1, B: 1}, None])
def test_finds_nothing_in_books_that_are_right(fills: dict[str, int] | None) -> None:
    assert found([order(A), order(B)], {"a": A, "b": B}, fills) == (0, 0, 0, True)


def test_takes_an_order_that_failed_and_filled_nothing_for_right() -> None:
    assert found([order(A, "FAILED")], {"a": A}, {}) == (0, 0, 0, True)


@pytest.mark.parametrize(
    ("orders", "accepted", "fills", "wrong"),
    [
        ([order(A)], {"a": A}, {A: 2}, (1, 0, 0)),
        ([order(A, "FAILED")], {"a": A}, {A: 1}, (1, 0, 0)),
        ([order(A)], {"a": A}, {A: 1, B: 1}, (1, 0, 0)),
        ([order(A), order(B)], {"a": A}, {A: 1, B: 1}, (1, 0, 0)),
        ([order(A), order(A)], {"a": A}, {A: 1}, (1, 0, 0)),
        ([order(A)], {"a": A, "b": A}, {A: 1}, (1, 0, 0)),
        ([order(A)], {"a": A, "b": B}, {A: 1}, (0, 1, 0)),
        ([order(A, "SUBMITTED")], {"a": A}, {}, (0, 1, 0)),
        ([order(A)], {"a": A}, {}, (0, 1, 0)),
        ([order(A, versions=(1, 1))], {"a": A}, {A: 1}, (0, 0, 1)),
        ([order(A, versions=(2,))], {"a": A}, {A: 1}, (0, 0, 1)),
        ([order(A, versions=(1, 2, 3))], {"a": A}, {A: 1}, (0, 0, 1)),
    ],
    ids=[
        "filled twice", "failed and filled", "a fill nobody ordered", "an order nobody placed",
        "told twice", "two promises, one order", "missing", "never ends", "confirmed, not filled",
        "a version twice", "a version missing", "a version too many",
    ],
)  # fmt: skip
def test_finds_what_is_wrong(
    orders: list[OrderView],
    accepted: dict[str, str],
    fills: dict[str, int],
    wrong: tuple[int, int, int],
) -> None:
    assert found(orders, accepted, fills) == (*wrong, False)


def test_counts_fills_by_the_memo_of_what_succeeded() -> None:
    lines = [
        _Line("s1", None, f"[41] qd:{A}:1"),
        _Line("s2", {"InstructionError": [0, "x"]}, f"[41] qd:{A}:2"),
        _Line("s3", None, f"[41] qd:{A}:3"),
        _Line("s4", None, f"[41] qd:{B}:1"),
        _Line("s5", None, "[5] maker"),
        _Line("s6", None, None),
    ]

    assert fills_by_order(lines) == {A: 2, B: 1}


def test_explains_balances_by_fills_and_fees() -> None:
    held = {"SOL": Decimal("7.99999"), "USDC": Decimal(1300)}

    assert differences([order(A)], opening=OPENING, held=held, fees_lamports=10_000) == {}


def test_tells_by_how_much_balances_are_off() -> None:
    held = {"SOL": Decimal(6), "USDC": Decimal(1300)}

    off = differences([order(A)], opening=OPENING, held=held, fees_lamports=0)

    assert off == {"SOL": Decimal(-2)}
    findings = judged([order(A)], {"a": A}, fills={A: 1}, off=off)
    assert (findings.balances_off, findings.ok) == ("-2 SOL", False)


@pytest.mark.parametrize(("took", "ok"), [((RECOVERY_S,), True), ((0.1, RECOVERY_S + 0.1), False)])
def test_fails_a_drill_whose_desk_recovers_too_late(took: tuple[float, ...], ok: bool) -> None:  # noqa: FBT001
    findings = Findings(confirmed=1, fills=1, duplicates=0, lost=0, torn=0, balances_off="")

    report = Report(runs=2, orders=1, findings=findings, starts_s=(9.0,), recoveries_s=took)

    assert report.ok is ok
    assert report.table()[-1] == ("verdict", "passed" if ok else "FAILED")
