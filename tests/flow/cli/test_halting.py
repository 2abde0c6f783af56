"""Promise: one word stops the desk at once, a typed phrase lets it go on; limits hold at once."""

import json
import signal

import pytest
from tests.flow.cli.desk import Home


@pytest.fixture
def running(home: Home) -> Home:
    home.up("--set", "paper.latency_ms=20", "--set", "guard.order_notional_usd_max=5000")
    return home


def place(desk: Home, amount: str = "1") -> tuple[int, str]:
    said = desk.run("order", "sell", amount, "SOL-USDC", "--json")
    return said.code, said.out + said.err


def test_halting_resuming_and_restarting(running: Home) -> None:
    resting = running.run("order", "buy", "1", "SOL-USDC", "--limit", "1", "--json")
    order_id = json.loads(resting.out)["orderId"]

    halted = running.run("halt", "--all", "--reason", "a bad feed")
    assert halted.code == 0, halted.err
    assert "1 orders cancelled, 0 go on" in halted.out
    code, said = place(running)
    assert code == 1
    assert "trading.halted" in said
    assert "a bad feed" in said
    assert "CANCELLED" in running.run("orders", "show", order_id, "--json").out

    running.started[0].end(signal.SIGTERM)
    running.up("--set", "paper.latency_ms=20", "--set", "guard.order_notional_usd_max=5000")
    assert place(running)[0] == 1, "a restart lifts nothing"

    wrong = running.run("resume", "--confirm", "please")
    assert wrong.code == 1
    assert "trading.unconfirmed" in wrong.err
    lifted = running.run("resume", "--confirm", "resume trading on paper")
    assert lifted.code == 0, lifted.err
    assert "goes on" in lifted.out
    assert place(running)[0] == 0


def test_limits_are_shown_set_and_refused_by_name(running: Home) -> None:
    shown = running.run("limits")
    assert shown.code == 0, shown.err
    line = next(one for one in shown.out.splitlines() if one.startswith("order_notional"))
    assert line.split() == ["order_notional_usd_max", "5000", "settings", "5000", "none", "none"]

    done = running.run("limits", "set", "order_notional_usd_max=100.5", "pairs=sol-usdc", "--json")
    assert done.code == 0, done.err
    holds = {one["name"]: one["value"] for one in json.loads(done.out)["limits"]}
    assert holds["order_notional_usd_max"] == "100.5"
    assert holds["pairs"] == ["SOL-USDC"]
    code, said = place(running)
    assert code == 1
    assert "limit.order_notional" in said

    assert running.run("limits", "set", "order_notional_usd_max=none").code == 0
    assert place(running)[0] == 0
    for words, named in (
        ("order_notional_max=5", "order_notional_max"),
        ("open_orders_max=many", "open_orders_max"),
        ("order_notional_usd_max=5001", "quantdesk.toml"),
        ("nonsense", "NAME=VALUE"),
    ):
        refused = running.run("limits", "set", words)
        assert refused.code == 1
        assert named in refused.err
