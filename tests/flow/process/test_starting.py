"""`quantdesk up` starts once per home, says what a person needs, and stops when it is told to."""

import asyncio
import signal
import stat
from collections.abc import Iterator

import aiohttp
import pytest
from tests.flow.process.conftest import Desks
from tests.flow.process.running import (
    LOCALNET,
    PAPER,
    STOP_S,
    Process,
    desk,
    homes,
    printed_keys,
    running,
)

SELL = {"pair": "SOL-USDC", "amount": 1, "direction": "SELL"}


@pytest.fixture(scope="module")
def paper() -> Iterator[Process]:
    with homes() as folder, desk(folder / "home", *PAPER) as started:
        started.start()
        yield started


def test_tells_the_owners_key_once_and_keeps_it_to_the_owner(paper: Process) -> None:
    key_file, desk_file = paper.home / "owner.key", paper.home / "desk.json"

    assert printed_keys(paper.said()) == [paper.key]
    assert key_file.read_text() == f"{paper.key}\n"
    for file in (key_file, desk_file):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(paper.home.stat().st_mode) == 0o700


def test_says_in_desk_json_where_it_is(paper: Process) -> None:
    told = paper.told

    assert {"version", "mode", "pid", "urls", "wallet"} <= set(told)
    assert (told["mode"], told["pid"]) == ("paper", paper.pid)
    assert told["urls"]["api"].startswith("http://127.0.0.1:")


def test_refuses_a_second_desk_in_the_same_home(paper: Process) -> None:
    second = Process(paper.home, *PAPER)
    second.log = paper.home.with_name("second.log")
    second.launch()

    assert second.wait() == 1
    assert "desk.running" in second.said()
    assert paper.url in second.said()
    assert f"kill {paper.pid}" in second.said()
    assert paper.get("/readyz").status == 200


def test_runs_beside_a_desk_of_another_home(paper: Process, desks: Desks) -> None:
    beside = desks("beside", *PAPER)
    beside.start()
    before = len(paper.orders())

    placed = beside.post(SELL)

    assert beside.url != paper.url
    assert beside.key != paper.key
    assert [order["orderId"] for order in beside.orders()] == [placed.body["orderId"]]
    assert len(paper.orders()) == before


@pytest.mark.parametrize("moment", ["setting up the database", "orders"])
def test_stops_in_time_while_it_starts(desks: Desks, moment: str) -> None:
    named = desks("home", *PAPER)
    named.launch()
    named.until(lambda: named.log.exists() and f"s  {moment}" in named.said(), moment)

    assert named.stop(STOP_S) == 0
    assert named.postgres() is None
    assert not (named.home / "desk.json").exists()


def test_leaves_no_chain_behind_when_stopped_while_it_starts(desks: Desks) -> None:
    named = desks("home", *LOCALNET)
    named.launch()
    log = named.home / "localnet.log"
    named.until(log.exists, "a chain that starts")

    assert named.stop(STOP_S) == 0

    named.until_gone(lambda: running(named.home, "quantdesk.localnet"))


def test_leaves_no_database_behind_when_stopped_as_it_comes_up(desks: Desks) -> None:
    named = desks("home", *PAPER)
    named.start()
    assert named.stop() == 0
    named.launch()
    named.until(lambda: named.postgres() is not None, "a database")

    assert named.stop(STOP_S) == 0

    assert named.postgres() is None


def test_goes_on_after_a_stop_with_the_same_key_and_every_order(desks: Desks) -> None:
    named = desks("home", *PAPER[:-1], "paper.latency_ms=60000")
    named.start()
    key = named.key
    placed = [named.post(SELL).body["orderId"] for _ in range(20)]

    assert named.stop(STOP_S) == 0
    assert not (named.home / "desk.json").exists()
    assert named.postgres() is None

    named.flags = PAPER
    named.start()
    assert named.key == key
    assert len(printed_keys(named.said())) == 1
    ended = named.ended(placed)
    assert [order["status"] for order in ended] == ["CONFIRMED"] * 20


@pytest.mark.anyio
async def test_tells_its_streams_to_come_back_and_stops_in_time(desks: Desks) -> None:
    named = desks("home", *PAPER)
    named.start()
    async with aiohttp.ClientSession() as session:
        placed = named.post({**SELL, "limitPrice": 1_000_000}).body["orderId"]
        streams = [f"/ws/orders/{placed}", "/ws/orders"]
        key = {"Authorization": f"Bearer {named.key}"}
        sockets = [await session.ws_connect(named.url + path, headers=key) for path in streams]
        closed = [asyncio.ensure_future(_closed(socket)) for socket in sockets]
        named.signal(signal.SIGTERM)

        assert await asyncio.gather(*closed) == [1012, 1012]
    assert named.wait(STOP_S) == 0


def test_ends_by_ctrl_c_as_by_sigterm(desks: Desks) -> None:
    named = desks("home", *PAPER)
    named.start()
    named.signal(signal.SIGINT)

    assert named.wait(STOP_S) == 0
    assert named.postgres() is None


async def _closed(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    while (await socket.receive(timeout=STOP_S)).type is aiohttp.WSMsgType.TEXT:
        pass
    return socket.close_code
