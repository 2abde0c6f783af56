"""Promise: who rehearses switches faults and asks for tokens over the desk, and each is written."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from tests.flow.http.people import Person, database, person
from tests.flow.process.running import LOCALNET, Process, desk, homes

from quantdesk.access.model import Role
from quantdesk.core.assets import ASSETS
from quantdesk.store.pool import Connection

FAULTS = "/api/localnet/faults"
FAUCET = "/api/localnet/faucet"
NOW = {"commitment": "processed"}
STRANGER = "9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu"
SELL = {"pair": "SOL-USDC", "amount": 1, "direction": "SELL"}
HONEST: dict[str, Any] = {
    "on": False, "dropSend": 0.0, "duplicate": 0.0, "delayMs": 0, "staleSlots": 0, "error": None,
    "methods": [], "probability": 1.0, "requests": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def running() -> Iterator[Process]:
    with homes() as folder, desk(folder / "home", *LOCALNET) as started:
        started.start()
        yield started
        assert '"event": "http.unexpected"' not in started.said()


@pytest.fixture(scope="module")
def viewer(running: Process) -> Person:
    return person(running, Role.VIEWER)


@pytest.fixture(autouse=True)
def _honest(running: Process) -> Iterator[None]:
    yield
    assert running.ask("PUT", FAULTS, running.key, {}).status == 200


def told(running: Process) -> dict[str, Any]:
    faults: dict[str, Any] = running.get(FAULTS).body
    faults.pop("hits")
    return faults


def acts(running: Process, action: str) -> list[dict[str, Any]]:
    async def ask(c: Connection) -> list[dict[str, Any]]:
        rows = await c.fetch(
            """select act from acts where act ->> 'action' = $1
               union all select body from audit where body ->> 'action' = $1""",
            action,
        )
        found = [row[0] for row in rows]
        return sorted(found, key=lambda act: act.get("at_ms") or act["at"])

    return database(running, ask)


def rpc(running: Process, method: str, *params: object) -> Any:  # noqa: ANN401 - JSON
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    asked = urllib.request.Request(
        running.told["urls"]["rpc"], body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return json.loads(answer.read())["result"]


def test_that_faults_are_switched_told_and_written(running: Process) -> None:
    before = told(running)
    wanted = {"delayMs": 40, "methods": ["getSlot"], "probability": 0.5, "seed": 7}

    changed = running.ask("PUT", FAULTS, running.key, wanted)
    during = told(running)
    operations = running.get("/api/operations").body["localnet"]
    cleared = running.ask("PUT", FAULTS, running.key, {})

    assert before == HONEST
    assert during == HONEST | {
        "on": True,
        "delayMs": 40,
        "methods": ["getSlot"],
        "probability": 0.5,
    }
    assert {name: changed.body[name] for name in during} == during
    assert operations["faults"]["delayMs"] == 40
    assert operations["slot"] >= operations["confirmedSlot"] >= operations["finalizedSlot"]
    assert operations["ticking"] is True
    assert (cleared.status, told(running)) == (200, HONEST)
    first, second = acts(running, "localnet.faults")[:2]
    assert (first["before"]["delayMs"], first["after"]["delayMs"]) == (0, 40)
    assert (second["before"]["delayMs"], second["after"]["delayMs"]) == (40, 0)
    assert first.get("account_id") or first["account"]


def test_that_an_order_outlives_a_node_that_drops_what_is_sent(running: Process) -> None:
    running.ask("PUT", FAULTS, running.key, {"dropSend": 1})
    order_id = running.post(SELL).body["orderId"]

    def status() -> str:
        found: str = running.get(f"/api/orders/{order_id}").body["status"]
        return found

    running.until(lambda: running.get(FAULTS).body["hits"].get("drop", 0) > 1, "dropped twice")
    assert status() == "SUBMITTED"
    assert running.get("/api/operations").body["queue"]["byStatus"] == {"SUBMITTED": 1}
    running.ask("PUT", FAULTS, running.key, {})
    running.until(lambda: status() == "CONFIRMED", "confirmed once the node is honest")

    assert running.get("/api/operations").body["resends"] > 0


def test_that_the_faucet_gives_sol_and_tokens_to_anybody(running: Process) -> None:
    sol = running.ask("POST", FAUCET, running.key, {"address": STRANGER, "amount": "2.5"})
    given = {
        symbol: running.ask(
            "POST", FAUCET, running.key, {"address": STRANGER, "symbol": symbol.lower()}
        )
        for symbol in ("USDC", "PYUSD", "BTC")
    }
    twice = running.ask(
        "POST", FAUCET, running.key, {"address": STRANGER, "symbol": "USDC", "amount": "0.000001"}
    )

    assert (sol.status, sol.body["symbol"], sol.body["amount"]) == (200, "SOL", "2.5")
    running.until(
        lambda: rpc(running, "getBalance", STRANGER)["value"] == 2_500_000_000, "the SOL landed"
    )
    [seen] = rpc(running, "getSignatureStatuses", [sol.body["txHash"]])["value"]
    assert seen["err"] is None
    assert [each.status for each in (*given.values(), twice)] == [200] * 4
    held = {
        symbol: rpc(running, "getTokenAccountBalance", answer.body["account"], NOW)["value"]
        for symbol, answer in given.items()
    }
    assert {symbol: one["uiAmountString"] for symbol, one in held.items()} == {
        "USDC": "10000.000001",
        "PYUSD": "10000",
        "BTC": "1",
    }
    written = [act["after"] for act in acts(running, "localnet.faucet")]
    assert {"symbol": "SOL", "amount": "2.5"} in written
    assert len(written) == 5


def test_that_a_token_2022_account_of_the_faucet_is_like_those_of_the_chain(
    running: Process,
) -> None:
    mine = running.told["wallet"]
    before = rpc(running, "getTokenAccountsByOwner", mine, {"mint": ASSETS["PYUSD"].mint},
                 {"encoding": "base64"})["value"][0]  # fmt: skip
    given = running.ask("POST", FAUCET, running.key, {"address": STRANGER, "symbol": "PYUSD"})
    read = {"encoding": "base64", **NOW}
    made = rpc(running, "getAccountInfo", given.body["account"], read)["value"]

    assert made["space"] == before["account"]["space"]
    assert made["lamports"] == before["account"]["lamports"]


def test_that_the_desks_own_wallet_sees_what_it_was_given(running: Process) -> None:
    mine = running.told["wallet"]

    def usdt() -> str:
        held = running.get("/api/portfolio").body["holdings"]
        found: str = next(one["amount"] for one in held if one["symbol"] == "USDT")
        return found

    before = usdt()
    running.ask("POST", FAUCET, running.key, {"address": mine, "symbol": "USDT", "amount": "7"})

    running.until(lambda: float(usdt()) == float(before) + 7, "told in the portfolio")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "request.malformed"),
        ({"address": "nowhere"}, 400, "request.malformed"),
        ({"address": "l" * 40}, 422, "wallet.address"),
        ({"address": STRANGER, "symbol": "DOGE"}, 422, "faucet.asset"),
        ({"address": STRANGER, "amount": "0"}, 422, "faucet.amount"),
        ({"address": STRANGER, "amount": "-1"}, 422, "faucet.amount"),
        ({"address": STRANGER, "amount": "10000.1"}, 422, "faucet.amount"),
        ({"address": STRANGER, "amount": "NaN"}, 400, "request.malformed"),
        ({"address": STRANGER, "amount": "1e999999"}, 422, "faucet.amount"),
        ({"address": STRANGER, "amount": "0.0000000001"}, 422, "amount.precision"),
        ({"address": STRANGER, "amount": "1e-99999"}, 422, "amount.precision"),
        ({"address": STRANGER, "amount": "lots"}, 400, "request.malformed"),
        ({"address": STRANGER, "amount": 1}, 400, "request.malformed"),
        ({"address": STRANGER, "to": "me"}, 400, "request.malformed"),
    ],
)
def test_that_the_faucet_is_bounded(
    running: Process, body: dict[str, Any], status: int, code: str
) -> None:
    before = len(acts(running, "localnet.faucet"))

    answer = running.ask("POST", FAUCET, running.key, body)

    assert (answer.status, answer.body["code"]) == (status, code)
    assert len(acts(running, "localnet.faucet")) == before


@pytest.mark.parametrize(
    "body",
    [
        {"dropSend": 1.1},
        {"dropSend": "1"},
        {"delayMs": -1},
        {"delayMs": 600_001},
        {"staleSlots": 32},
        {"requests": 0},
        {"methods": ["x" * 65]},
        {"methods": ["getSlot"] * 101},
        {"error": {"code": 1.5}},
        {"nonsense": 1},
        [],
    ],
)
def test_that_faults_are_bounded_and_refused_whole(running: Process, body: object) -> None:
    running.ask("PUT", FAULTS, running.key, {"staleSlots": 2})

    answer = running.ask("PUT", FAULTS, running.key, body)

    assert (answer.status, answer.body["code"]) == (400, "request.malformed")
    assert told(running)["staleSlots"] == 2


def test_that_who_may_not_trade_may_only_look(running: Process, viewer: Person) -> None:
    seen = running.ask("GET", FAULTS, viewer.keys["all"])
    changed = running.ask("PUT", FAULTS, viewer.keys["all"], {"dropSend": 1})
    given = running.ask("POST", FAUCET, viewer.keys["all"], {"address": STRANGER})

    assert seen.status == 200
    assert (changed.status, changed.body["code"]) == (403, "request.forbidden")
    assert (given.status, given.body["code"]) == (403, "request.forbidden")
    assert told(running) == HONEST
