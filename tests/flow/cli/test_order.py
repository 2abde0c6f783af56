"""The promise: an order is placed exactly as typed, watched to its end, and the exit code tells."""

import json
import re
import signal
import stat
from pathlib import Path

from tests.flow.cli.desk import Home

STATES = ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def placed(desk: Home, *words: str) -> str:
    said = desk.run("order", *words, "--json")
    assert said.code == 0, said.err
    order_id: str = json.loads(said.out)["orderId"]
    return order_id


def states(said: str) -> list[str]:
    words = [line.split() for line in said.splitlines()]
    known = {*STATES, "FAILED", "CANCELLED"}
    return [line[0] for line in words if line and line[0] in known]


def test_watch_shows_every_state_and_what_came_of_it(desk: Home) -> None:
    said = desk.run("order", "buy", "10.5", "sol/usdc", "--watch")
    assert said.code == 0, said.err
    assert states(said.out) == STATES
    assert "bought       10.5 SOL\n" in said.out
    signature = re.search(r"^signature +(\S+)$", said.out, re.MULTILINE)
    assert signature is not None
    assert len(signature[1]) == len("paper-") + 64
    assert "\x1b" not in said.out + said.err


def test_numbers_reach_the_desk_with_every_digit(desk: Home) -> None:
    order_id = placed(desk, "buy", "0.123456789", "SOL-USDC", "--limit", "1.000000000000000001")
    said = desk.run("orders", "show", order_id, "--json")
    assert '"amount":0.123456789,' in said.out
    assert '"limitPrice":1.000000000000000001,' in said.out
    desk.run("orders", "cancel", order_id)


def test_json_while_watching_is_one_event_per_line(desk: Home) -> None:
    said = desk.run("order", "sell", "1", "SOL-USDC", "--watch", "--json")
    events = [json.loads(line) for line in said.out.splitlines()]
    assert [event["status"] for event in events] == STATES
    assert [event["version"] for event in events] == [1, 2, 3, 4, 5]


def test_the_same_key_places_one_order(desk: Home) -> None:
    words = ("sell", "1", "SOL-USDC", "--key", "once")
    assert placed(desk, *words) == placed(desk, *words)


def test_a_cancelled_order_ends_the_watch_with_2(desk: Home) -> None:
    watching = desk.start("order", "buy", "2", "SOL-USDC", "--limit", "1", "--watch")
    watching.until(lambda: "waits for its limit price" in watching.said())
    assert desk.run("orders", "cancel", "last").out.endswith("is CANCELLED\n")
    assert watching.process.wait(10) == 2
    assert states(watching.said())[-1] == "CANCELLED"


def test_ctrl_c_leaves_the_order_on_and_says_how_to_cancel_it(desk: Home) -> None:
    watching = desk.start("order", "buy", "3", "SOL-USDC", "--limit", "1", "--watch")
    watching.until(lambda: "waits for its limit price" in watching.said())
    code, _ = watching.end(signal.SIGINT)
    assert code == 3
    cancel = re.search(r"quantdesk (orders cancel [0-9a-f]+)", watching.said())
    assert cancel is not None
    assert desk.run(*cancel[1].split()).out.endswith("is CANCELLED\n")


def test_the_watch_survives_a_desk_that_is_killed_and_comes_back(home: Home) -> None:
    first = home.up()
    watching = home.start("order", "buy", "2", "SOL-USDC", "--limit", "1", "--watch")
    watching.until(lambda: "waits for its limit price" in watching.said())
    first.end(signal.SIGKILL)
    home.desk_file.unlink()
    watching.until(lambda: "waiting for the desk" in watching.said())
    home.up()
    home.run("orders", "cancel", "last")
    assert watching.process.wait(20) == 2
    assert states(watching.said()) == ["PENDING", "PENDING", "CANCELLED"]


def test_a_refusal_is_one_line_with_its_code(desk: Home) -> None:
    for words, code in (
        (("buy", "1", "SOL-USDX"), "pair.unknown"),
        (("buy", "99999999", "SOL-USDC"), "limit.order_notional"),
    ):
        said = desk.run("order", *words, "--watch")
        assert said.code == 1
        assert said.out == ""
        assert said.err.startswith(f"{code}: ")
        assert said.err.count("\n") == 1


def test_orders_are_listed_newest_first_and_found_by_their_last_digits(desk: Home) -> None:
    older, newer = (placed(desk, "buy", amount, "BTC-USDC") for amount in ("0.1", "0.2"))
    listed = _ID.findall(desk.run("orders", "--pair", "btc-usdc").out)
    assert listed[:2] == [newer, older]
    shown = desk.run("orders", "show", older[-12:], "--watch")
    assert shown.code == 0
    assert older in shown.out
    only = json.loads(desk.run("orders", "--status", "confirmed", "--limit", "1", "--json").out)
    assert [order["status"] for order in only["orders"]] == ["CONFIRMED"]
    unknown = desk.run("orders", "show", "ffffffffffff")
    assert (unknown.code, unknown.err.split(":")[0]) == (1, "order.unknown")


def test_evidence_is_written_for_its_owner_alone(desk: Home, tmp_path: Path) -> None:
    order_id = placed(desk, "buy", "1", "ETH-USDC")
    desk.run("orders", "show", order_id, "--watch")
    file = tmp_path / "proof.json"
    assert desk.run("orders", "evidence", order_id, "--out", str(file)).code == 0
    proof = json.loads(file.read_text())
    assert proof["intent"]["orderId"] == order_id
    assert proof["realised"]["base"] == "1"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
