"""Promise: one order may land by another priority than the desk's, seen and paid by everybody."""

import base64
import json
import subprocess
import sys
from typing import Any

from solders.transaction import VersionedTransaction
from tests.flow.process.conftest import Desks
from tests.flow.process.running import LOCALNET, Process

SELL = {"pair": "SOL-USDC", "amount": 1, "direction": "SELL"}
FLOOR = 10_000
"""Micro-lamports per compute unit that urgent orders offer where nobody else pays anything."""


def paid(desk: Process, order_id: str) -> tuple[int, int]:
    """Return the unit price that an order's transaction offers, and what it paid for its place."""
    [order] = desk.ended([order_id])
    assert order["status"] == "CONFIRMED", order
    [attempt] = desk.get(f"/api/orders/{order_id}/evidence").body["attempts"]
    message = VersionedTransaction.from_bytes(base64.b64decode(attempt["transaction"])).message
    price = int.from_bytes(message.instructions[1].data[1:], "little")
    priority = order["filled"]["networkFeeLamports"] - 5_000
    assert priority == attempt["simulation"]["priorityLamports"]
    return price, priority


def placed(desk: Process, **more: str) -> str:
    answer = desk.post({**SELL, **more})
    assert answer.status == 201, answer
    order_id: str = answer.body["orderId"]
    return order_id


def by_command(desk: Process, *words: str) -> Any:  # noqa: ANN401 - JSON
    said = subprocess.run(
        [sys.executable, "-m", "quantdesk", *words, "--home", str(desk.home), "--json"],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    return json.loads(said.stdout)


def test_an_urgent_order_pays_more_than_an_economic_one_of_the_same_desk(desks: Desks) -> None:
    desk = desks("home", *LOCALNET, "--set", "landing.policy=economy")
    desk.start()
    shown = [desk.preview({**SELL, **more}).body for more in ({}, {"priority": "urgent"})]

    unset, economy = (paid(desk, placed(desk, **more)) for more in ({}, {"priority": "economy"}))
    urgent = placed(desk, priority="urgent")
    price, fee = paid(desk, urgent)

    assert unset == economy == (0, 0)
    assert price == FLOOR
    assert fee > 0
    assert [float(one["fees"]["priority"]) > 0 for one in shown] == [False, True]
    assert [float(one["route"]["callCost"]) > 0 for one in shown] == [False, True]
    order = desk.get(f"/api/orders/{urgent}").body
    assert order["priority"] == "urgent"
    assert float(order["route"]["callCost"]) > 0, "its route was weighed at its own priority"
    assert desk.get(f"/api/orders/{urgent}/evidence").body["intent"]["priority"] == "urgent"

    mismatched = desk.post({**SELL, "priority": "urgent", "quoteId": shown[0]["quoteId"]})
    assert (mismatched.status, mismatched.body["code"]) == (422, "quote.mismatch")
    key = "once"
    assert desk.post({**SELL, "priority": "urgent"}, key=key).status == 201
    assert desk.post({**SELL, "priority": "urgent"}, key=key).status == 200
    assert desk.post(SELL, key=key).body["code"] == "idempotency.conflict"

    ordered = by_command(desk, "order", "sell", "1", "SOL-USDC", "--priority", "urgent")
    assert paid(desk, ordered["orderId"])[0] == FLOOR


def test_no_order_pays_more_than_the_desk_s_cap(desks: Desks) -> None:
    desk = desks("home", *LOCALNET, "--set", "landing.priority_lamports_max=7")
    desk.start()

    price, fee = paid(desk, placed(desk, priority="urgent"))

    assert price < FLOOR
    assert 0 < fee <= 7
