"""Prices are watched over a socket: each change at once, through a desk's end and its return."""

import json
import signal
from contextlib import aclosing
from pathlib import Path

import pytest
from aiohttp import web
from tests.flow.cli.desk import Home, Started
from tests.flow.cli.test_client import Hurried, posing

from quantdesk.cli.client import client
from quantdesk.cli.following import Away, Back, Change, follow
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import Refused, Unavailable

HELLO: dict[str, object] = {"ch": "hello", "epoch": "e", "t": "now", "channels": ["prices"]}


def whole(started: Started) -> list[str]:
    """Return the lines that were printed whole."""
    return started.said().rpartition("\n")[0].splitlines()


def test_each_change_is_a_line_for_scripts(desk: Home) -> None:
    watching = desk.start("prices", "--watch", "--json")
    watching.until(lambda: len(whole(watching)) > 3 * len(ASSETS))
    assert watching.end(signal.SIGINT)[0] == 0
    told = [json.loads(line) for line in whole(watching)]
    assert {price["symbol"] for price in told} == set(ASSETS)
    published = [price["publishedAt"] for price in told if price["symbol"] == "SOL"]
    assert published == sorted(set(published))


def test_a_watch_goes_on_when_the_desk_comes_back(home: Home) -> None:
    running = home.up()
    watching = home.start("prices", "--watch")
    watching.until(lambda: "valid" in watching.said())
    running.end(signal.SIGTERM)
    watching.until(lambda: "desk away" in watching.said())
    home.up()
    before = len(watching.said())
    watching.until(lambda: "valid" in watching.said()[before:])
    assert "desk away" not in watching.said().rpartition("asset")[2]
    assert watching.end(signal.SIGINT)[0] == 0
    assert "Traceback" not in watching.said()


def test_a_watch_without_a_desk_says_so(tmp_path: Path) -> None:
    said = Home(tmp_path / "nothing").run("prices", "--watch")
    assert said.code == 1
    assert said.err.startswith("desk.not_running: ")


def test_what_is_the_matter_stands_below_the_sources(home: Home) -> None:
    home.path.mkdir(mode=0o700)
    (home.path / "tapes").write_text("in the way")
    home.up()
    watching = home.start("sources", "--watch")
    watching.until(lambda: "recording.stopped" in watching.said())
    assert watching.end(signal.SIGINT)[0] == 0
    lines = home.run("sources").out.splitlines()
    assert lines[1].split()[:2] == ["simulated", "live"]
    assert any("recording.stopped" in line and "make room" in line for line in lines[2:])


def speaking(asked: list[str], *lives: list[dict[str, object]]) -> web.RouteDef:
    """Return a `/ws` that says these things on its connections, one after another."""
    coming = iter(lives)

    async def handle(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        asked.append(await socket.receive_str())
        for message in next(coming):
            if message == RESYNC:
                asked.append(await socket.receive_str())
            else:
                await socket.send_json(message)
        await socket.close(code=1012)
        return socket

    return web.get("/ws", handle)


RESYNC: dict[str, object] = {"wait for": "resync"}


def said(seq: int, **state: object) -> dict[str, object]:
    return {"ch": "prices", "key": "SOL", "epoch": "e", "seq": seq, "t": "now", **state}


@pytest.mark.anyio
async def test_a_hole_is_closed_and_a_cut_is_followed_by_a_new_beginning(tmp_path: Path) -> None:
    asked: list[str] = []
    first = [
        HELLO,
        said(1, snap=1),
        said(2, d=2),
        said(4, d=4),
        RESYNC,
        said(5, d=5),
        said(5, snap=5),
    ]
    route = speaking(asked, first, [HELLO, said(1, snap=7)])
    heard: list[Change | Away | Back] = []
    async with (
        posing(tmp_path, route),
        client(tmp_path) as desk,
        aclosing(follow(desk, "prices", clock=Hurried())) as coming,
    ):
        async for one in coming:
            heard.append(one)
            if len(heard) == 7:
                break
    told = [int(one.state) if isinstance(one, Change) else type(one) for one in heard]
    assert told == [Back, 1, 2, 5, Away, Back, 7]
    assert [json.loads(text)["op"] for text in asked] == ["subscribe", "resync", "subscribe"]


@pytest.mark.anyio
async def test_a_refusal_ends_the_watch(tmp_path: Path) -> None:
    error: dict[str, object] = {
        "ch": "error", "op": "subscribe", "code": "channel.unknown", "detail": "no prices",
        "retryable": False,
    }  # fmt: skip
    async with posing(tmp_path, speaking([], [HELLO, error])), client(tmp_path) as desk:
        with pytest.raises(Refused, match="no prices"):
            async for _ in follow(desk, "prices", clock=Hurried()):
                pass


@pytest.mark.anyio
async def test_a_desk_that_never_was_there_is_not_waited_for(tmp_path: Path) -> None:
    async with client(tmp_path) as desk:
        with pytest.raises(Unavailable):
            async for _ in follow(desk, "prices", clock=Hurried()):
                pass
