"""Clients in one process, the wallet in another: nobody can tell, whichever of them is killed."""

import asyncio
import urllib.request
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from tests.flow.http.client import SELL, WAIT_S, Client, states
from tests.flow.process.apart import Role
from tests.flow.process.running import gapless
from tests.flow.process.signing import KEY_FILES, LOCALNET, PAPER, SLOW, Signing, signing

from quantdesk.core.markets import MARKETS

PAID = ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"]
RESTING = {**SELL, "limitPrice": 1_000_000}
NO_KEY = "nothing that opens"
CPMM = 'quantdesk_pools{kind="CPMM",state="followed",venue="raydium"}'
ATTEMPTS = 'quantdesk_order_attempts_total{attempt="1"}'


def numbers(of: Role) -> dict[str, float]:
    """Return every number of /metrics by its name and labels."""
    with urllib.request.urlopen(f"{of.url}/metrics", timeout=WAIT_S) as answer:
        text: str = answer.read().decode()
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def place(api: Role, count: int) -> list[str]:
    """Place orders and return the ids that were promised."""
    answers = [api.post(SELL) for _ in range(count)]
    assert {answer.status for answer in answers} == {201}, answers
    return [answer.body["orderId"] for answer in answers]


def confirmed(api: Role, ids: list[str]) -> None:
    """Wait until these orders ended, each confirmed once with a whole history."""
    ended = api.ended(ids)
    assert sorted(order["orderId"] for order in ended) == sorted(ids)
    for order in ended:
        assert order["status"] == "CONFIRMED", order
        assert gapless(order), order
        assert [event["status"] for event in order["logs"]].count("CONFIRMED") == 1


async def followed(parts: Signing) -> None:
    """Place an order and see every state of it, once and in order, on both kinds of stream."""
    timeout = aiohttp.ClientTimeout(total=WAIT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        client = Client(parts.api, session)
        async with client.stream("/ws/orders") as account:
            order_id = await client.placed(SELL)
            async with client.stream(f"/ws/orders/{order_id}") as one:
                told = await one.rest()
                assert one.socket.close_code == 1000
            live = [await account.next() for _ in PAID]
    assert states(told) == states(live) == PAID
    assert [event["version"] for event in live] == [1, 2, 3, 4, 5]
    assert {event["orderId"] for event in live} == {order_id}


def test_that_orders_are_refused_until_a_worker_has_said_whose_wallet_it_is(database: str) -> None:
    with signing(database, *PAPER) as parts:
        parts.hear()
        api = parts.api
        api.launch()
        api.until(lambda: "no worker has ever signed" in api.said(), "waiting")
        api.until((api.home / "desk.json").exists, "known")
        refused = api.post(SELL)
        assert (refused.status, refused.body["code"]) == (503, "worker.absent")
        assert refused.body["retryable"]
        assert api.get("/healthz").status == 200
        assert api.get("/readyz").status == 503

        parts.first.start()
        api.wait_ready()

        asyncio.run(followed(parts))
        told = api.get("/api/system").body
        assert (told["roles"], told["wallet"]) == (["api"], "paper")
        assert parts.first.told["roles"] == ["worker"]
        for path in ("/api/system", "/api/orders", "/api/openapi.json"):
            assert parts.first.get(path).body["code"] == "request.not_found"
        assert parts.first.post(SELL).body["code"] == "request.not_found"
        assert numbers(parts.first)[ATTEMPTS] == 1
        assert ATTEMPTS not in numbers(api)


def test_that_the_api_process_cancels_what_a_worker_leads_and_counts_what_is_open(
    database: str,
) -> None:
    with signing(database, *PAPER) as parts:
        parts.start()
        api, key = parts.api, str(uuid4())
        resting = api.post(RESTING, key=key)
        order_id = resting.body["orderId"]
        waits = lambda: api.get(f"/api/orders/{order_id}").body.get("waiting") == "price"  # noqa: E731
        api.until(waits, "led by the worker")
        assert api.post(RESTING, key=key).body["orderId"] == order_id
        assert numbers(api)["quantdesk_orders_open"] == 1
        assert numbers(parts.first)["quantdesk_orders_open"] == 1

        gone = api.ask("DELETE", f"/api/orders/{order_id}", api.key)

        assert (gone.status, gone.body["status"]) == (200, "CANCELLED")
        for part in (api, parts.first):
            part.until(lambda p=part: numbers(p)["quantdesk_orders_open"] == 0, "let go of")  # type: ignore[misc]
        confirmed(api, place(api, 3))
        api.until(lambda: numbers(api)["quantdesk_orders_open"] == 0, "counted out")


def test_that_two_workers_share_orders_and_double_none(database: str) -> None:
    with signing(database, *PAPER) as parts:
        parts.start(workers=2)
        confirmed(parts.api, place(parts.api, 200))
        done = [numbers(worker).get(ATTEMPTS, 0) for worker in (parts.first, parts.second)]
        assert sum(done) == 200
        assert min(done) > 0, "each did some"


def test_that_a_killed_worker_loses_nothing_and_a_killed_api_stops_nobody(database: str) -> None:
    with signing(database, *SLOW) as parts:
        parts.start()
        api = parts.api
        placed = place(api, 20)
        parts.first.kill()
        later = place(api, 5)  # taken while nobody signs
        shown = [api.get(f"/api/orders/{order_id}").body["status"] for order_id in later]
        assert set(shown) == {"PENDING"}
        parts.until_told("worker")

        parts.first.start()

        confirmed(api, [*placed, *later])
        left = place(api, 10)
        api.kill()
        worker = parts.first
        worker.until(lambda: numbers(worker)["quantdesk_orders_open"] == 0, "done without clients")
        api.start()
        confirmed(api, left)
        assert len(api.orders()) == 35


def test_that_real_transactions_are_signed_where_the_key_is_and_nowhere_else(
    database: str,
) -> None:
    with signing(database, *LOCALNET) as parts:
        parts.hear()
        for name in KEY_FILES:  # whoever opened one would not start, or would seal it
            (parts.api.home / name).write_text(NO_KEY)
        parts.first.start()
        parts.api.start()
        api, worker = parts.api, parts.first
        wallet = api.told["wallet"]
        assert wallet == worker.told["wallet"]
        asyncio.run(followed(parts))
        preview = api.preview(SELL)
        assert preview.status == 200
        assert preview.body["route"]["legs"]
        for part in (api, worker):
            assert numbers(part)[CPMM] == len(MARKETS)
            assert part.service("pools")["detail"].endswith("pools followed, 0 found and left out")
        before = api.get(f"/api/wallets/{wallet}/balances").body["balances"]
        sold = len(api.orders())

        placed = place(api, 20)
        worker.kill()
        worker.start()
        confirmed(api, placed)

        after = api.get(f"/api/wallets/{wallet}/balances").body["balances"]
        told = [order for order in api.orders() if order["orderId"] in placed]
        earned = sum(float(order["filled"]["quote"]) for order in told)
        assert float(after["USDC"]) - float(before["USDC"]) == pytest.approx(earned, abs=1e-6)
        assert len(api.orders()) == sold + 20
        assert {(api.home / name).read_text() for name in KEY_FILES} == {NO_KEY}
        assert (worker.home / "wallet.key").exists()
        own = [(part.home / "master.key").read_bytes() for part in (api, worker)]
        assert own[0] != own[1], "what opens the secrets of clients opens no wallet"

        assert worker.stop() == 0
        parts.until_told("worker")
        worker.start()
        api.wait_ready()  # the chain is where it was
        confirmed(api, place(api, 1))


def test_that_a_worker_of_another_wallet_is_turned_away(database: str) -> None:
    with signing(database, *LOCALNET) as parts:
        parts.ingest.start()
        parts.first.start()
        parts.second.launch()
        assert parts.second.wait() != 0
        assert "another worker signs for another wallet" in parts.second.said()


@pytest.mark.parametrize("role", ["api", "worker"])
def test_that_a_role_apart_says_what_it_lacks(folder: Path, role: str) -> None:
    alone = Role(folder / role, role, "--mode", "paper")
    alone.launch()
    assert alone.wait() != 0
    assert "set database_url and nats_url" in alone.said()
