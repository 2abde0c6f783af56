"""Promise: clients read exact decimal literals, camelCase, and nothing that is not so."""

import json
from decimal import Decimal
from uuid import UUID

import msgspec

from quantdesk.chains.port import Priority
from quantdesk.core.clock import iso
from quantdesk.core.markets import Side
from quantdesk.engines.orders.model import Failure, Filled, Order, OrderStatus, event
from quantdesk.engines.orders.wire import encode, event_view, message_view, order_view

ORDER = Order(
    id=UUID(int=1), mode="paper", account_id=UUID(int=2), pair="SOL-USDC", side=Side.BUY,
    base_raw=10_500_000_000, slippage_bps=50, notional_usd=Decimal(1050),
    created_ms=1_700_000_000_007, updated_ms=1_700_000_000_008,
)  # fmt: skip


def test_that_a_fresh_order_shows_only_what_is_known() -> None:
    shown = json.loads(encode(order_view(ORDER, [event(ORDER)])))

    assert shown["amount"] == 10.5
    assert shown["createdAt"] == "2023-11-14T22:13:20.007Z"
    assert [log["status"] for log in shown["logs"]] == ["PENDING"]
    absent = {"executionPrice", "txHash", "filled", "error", "waiting", "outcome", "limitPrice"}
    assert not absent & set(shown)


def test_that_a_priority_is_told_with_the_terms_and_only_where_it_was_chosen() -> None:
    urgent = msgspec.structs.replace(ORDER, priority=Priority.URGENT)

    def told(order: Order) -> list[dict[str, object]]:
        first = event(order)
        shown = order_view(order, []), message_view(first, mode="paper").terms
        return [json.loads(encode(view)) for view in shown]

    assert [view["priority"] for view in told(urgent)] == ["urgent", "urgent"]
    assert not any("priority" in view for view in told(ORDER))


def test_that_numbers_are_exact_literals_and_realized_amounts_strings() -> None:
    price = Decimal("100.123456789012345678")
    order = ORDER.moved(OrderStatus.ROUTING, at_ms=1)
    order = order.moved(OrderStatus.BUILDING, at_ms=2, execution_price=price)
    order = order.moved(OrderStatus.SUBMITTED, at_ms=3, tx_hash="sig")
    order = order.moved(OrderStatus.CONFIRMED, at_ms=4, filled=Filled(10_500_000_000, 1, 5_000))

    raw = encode(order_view(order, [])).decode()

    assert '"executionPrice":100.123456789012345678' in raw
    assert '"amount":10.5' in raw
    assert json.loads(raw)["filled"] == {
        "base": "10.5", "quote": "0.000001", "networkFeeLamports": 5_000, "platformFee": "0",
    }  # fmt: skip


def test_that_a_failure_is_shown_with_its_code() -> None:
    failed = ORDER.moved(
        OrderStatus.FAILED, at_ms=9, error=Failure("order.expired", "too late", retryable=False)
    )

    shown = json.loads(encode(event_view(event(failed), mode="paper")))

    assert shown["error"] == {"code": "order.expired", "detail": "too late", "retryable": False}
    assert (shown["version"], shown["attempt"], shown["mode"]) == (2, 1, "paper")


def test_that_stamps_keep_their_milliseconds() -> None:
    assert [iso(ms)[-5:] for ms in (1_000, 1_001, 1_999)] == [".000Z", ".001Z", ".999Z"]


def test_that_a_fee_in_a_third_asset_is_told_only_where_it_was_paid() -> None:
    order = ORDER
    for to in (OrderStatus.ROUTING, OrderStatus.BUILDING, OrderStatus.SUBMITTED):
        order = order.moved(to, at_ms=1)
    order = order.moved(OrderStatus.CONFIRMED, at_ms=4, filled=Filled(10_500_000_000, 1, 0))

    def filled(receipt: dict[str, object]) -> dict[str, object]:
        shown = json.loads(encode(order_view(order, [event(order, receipt=receipt)])))
        found: dict[str, object] = shown["filled"]
        return found

    assert filled({"slot": 0, "otherFees": {"BNB": "0.0003"}})["otherFees"] == {"BNB": "0.0003"}
    assert "otherFees" not in filled({"slot": 0})
