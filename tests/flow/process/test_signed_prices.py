"""An order's evidence says by whom its prices are signed, or why they prove nothing."""

from typing import Any

import pytest
from tests.flow.process.conftest import Desks
from tests.flow.process.outside import outside
from tests.flow.process.running import Process

from quantdesk.testing.guardians import SETTING

KNOWN = ("--set", f"sources.wormhole_guardians={SETTING}")


def proofs(desk: Process) -> list[dict[str, Any]]:
    """Return what is said of each message behind the prices of an order that filled."""
    placed = desk.post({"pair": "SOL-USDC", "amount": 1, "direction": "BUY"})
    assert placed.status == 201, placed.body
    [order] = desk.ended([placed.body["orderId"]])
    assert order["status"] == "CONFIRMED", order.get("error")
    prices = desk.get(f"/api/orders/{order['orderId']}/evidence").body["prices"]
    assert {price["symbol"] for price in prices} >= {"SOL", "USDC"}
    return [proof for price in prices for proof in price["proofs"].values()]


@pytest.mark.parametrize(
    ("flags", "signers", "proof", "says"),
    [
        (KNOWN, (0, 2, 3), "proven", "signed by 3 of 4 of Wormhole guardian set 1000"),
        (KNOWN, (0, 2), "invalid", "2 signatures of the 3 it needs"),
        ((), (0, 1, 2), "unknown_signers", "guardian set 1000, which this desk does not know"),
    ],
)
def test_that_evidence_says_by_whom_the_prices_are_signed(
    desks: Desks, flags: tuple[str, ...], signers: tuple[int, ...], proof: str, says: str
) -> None:
    with outside() as others:
        others.hermes.signers = signers
        desk = desks("home", "--mode", "paper", *others.price_flags, *flags)
        desk.start()

        found = proofs(desk)

        assert {one["proof"] for one in found} == {proof}
        assert all(says in one["says"] for one in found)


def test_that_a_set_of_signers_that_cannot_be_read_stops_the_start(desks: Desks) -> None:
    desk = desks("home", "--mode", "paper", "--set", "sources.wormhole_guardians=8:0x12")
    desk.launch()

    assert desk.wait() == 1
    assert "'8:0x12' is no set of signers" in desk.said()
