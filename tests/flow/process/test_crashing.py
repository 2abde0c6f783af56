"""Whatever part is killed, the desk says so, accepted orders wait, and none is lost or doubled."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from tests.flow.process.conftest import Desks
from tests.flow.process.running import LOCALNET, Process, gapless

SELL = {"pair": "SOL-USDC", "amount": 0.5, "direction": "SELL"}
RESTING = {**SELL, "limitPrice": 1_000_000}
LEASE = ("--set", "orders.lease_s=1")
SLOW = ("--mode", "paper", "--source", "simulated", "--set", "paper.latency_ms=1000", *LEASE)


def place(desk: Process, count: int) -> list[str]:
    """Place orders and return the ids that were promised."""
    answers = [desk.post(SELL) for _ in range(count)]
    assert {answer.status for answer in answers} == {201}
    return [answer.body["orderId"] for answer in answers]


def confirmed(desk: Process, ids: list[str]) -> None:
    """Wait until these orders ended, each confirmed once with a whole history."""
    ended = desk.ended(ids)
    assert sorted(order["orderId"] for order in ended) == sorted(ids)
    for order in ended:
        assert order["status"] == "CONFIRMED", order
        assert gapless(order), order
        assert [event["status"] for event in order["logs"]].count("CONFIRMED") == 1


def test_finishes_what_a_killed_desk_had_accepted(desks: Desks) -> None:
    desk = desks("home", *SLOW)
    desk.start()
    key = str(uuid4())
    resting = desk.post(RESTING, key=key).body["orderId"]
    placed = place(desk, 30)
    database = desk.postgres()
    desk.kill()

    desk.start()

    assert database is not None
    assert desk.postgres() == database
    confirmed(desk, placed)
    assert desk.post(RESTING, key=key).body["orderId"] == resting
    assert len(desk.orders()) == 31
    assert desk.get(f"/api/orders/{resting}").body["status"] == "PENDING"


def test_adopts_the_chain_of_a_killed_desk_and_fills_each_order_once(desks: Desks) -> None:
    desk = desks("home", *LOCALNET, *LEASE)
    desk.start()
    wallet = desk.told["wallet"]
    before = desk.get(f"/api/wallets/{wallet}/balances").body["balances"]
    placed = place(desk, 20)
    running = desk.postgres(), desk.localnet()
    desk.kill()

    desk.start()

    assert None not in running
    assert (desk.postgres(), desk.localnet()) == running
    confirmed(desk, placed)
    after = desk.get(f"/api/wallets/{wallet}/balances").body["balances"]
    earned = sum(float(order["filled"]["quote"]) for order in desk.orders())
    assert float(after["USDC"]) - float(before["USDC"]) == pytest.approx(earned, abs=1e-6)


def test_waits_for_a_killed_database_and_goes_on_once_it_is_back(desks: Desks) -> None:
    desk = desks("home", *SLOW)
    desk.start()
    placed = place(desk, 10)
    # Nobody can start it while another holds this, so that the outage lasts as long as we look.
    with held(desk.home / "postgres.lock"):
        _kill(desk.postgres())
        desk.until(lambda: desk.get("/readyz").status == 503, "the database gone")
        assert desk.service("database")["state"] == "Error"
        assert "database." in desk.service("database")["detail"]
        refused = desk.post(SELL)
    assert (refused.status, refused.body["retryable"]) == (503, True)
    assert refused.body["code"].startswith("database.")

    desk.wait_ready()

    confirmed(desk, placed)
    assert desk.post(SELL).status == 201
    assert len(desk.orders()) == 11


def test_keeps_orders_open_while_the_chain_is_gone_and_ends_them_once_it_is_back(
    desks: Desks,
) -> None:
    desk = desks("home", *LOCALNET, *LEASE)
    desk.start()
    placed = place(desk, 5)
    chain = desk.localnet()
    _kill(chain)

    desk.until(lambda: desk.get("/readyz").status == 503, "the chain gone")
    assert desk.service("chain")["state"] == "Error"
    still = {order["orderId"]: order["status"] for order in desk.orders()}
    assert set(still) == set(placed)
    assert "FAILED" not in still.values()
    desk.wait_ready()

    assert desk.localnet() not in {None, chain}
    confirmed(desk, placed)


@contextmanager
def held(lock: Path) -> Iterator[None]:
    """Hold a lock file while the block runs."""
    with lock.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
