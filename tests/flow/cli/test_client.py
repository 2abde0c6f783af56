"""The promise: a desk that breaks off costs no order, places none twice, and hides no state.

A server on loopback stands in for a desk that misbehaves, as no real one can be made to on demand.
"""

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import WSCloseCode, web

from quantdesk.cli.client import client
from quantdesk.cli.order import Wish, place
from quantdesk.cli.watching import Away, follow
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.ops import folder

pytestmark = pytest.mark.anyio

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ID = "01a1fd01-15a2-7ba7-8b95-5d439aeaf546"
WISH = Wish("BUY", "10.50", "SOL-USDC", None, 50)
STATES = ("PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED")
PLACED = {"orderId": ID, "status": "PENDING", "mode": "paper"}


class Hurried:
    """A clock whose sleeps take no time, so that minutes of patience pass at once."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now_ms(self) -> int:
        """Return milliseconds since it was made."""
        return round(self._now_s * 1000)

    def now_ns(self) -> int:
        """Return nanoseconds since it was made."""
        return round(self._now_s * 1_000_000_000)

    def monotonic(self) -> float:
        """Return seconds since it was made."""
        return self._now_s

    async def sleep(self, seconds: float) -> None:
        """Return at once, later."""
        self._now_s += seconds


@asynccontextmanager
async def posing(home: Path, *routes: web.RouteDef) -> AsyncIterator[None]:
    """Serve these routes as the desk of a folder."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api = f"http://127.0.0.1:{runner.addresses[0][1]}"
    folder.write(home / folder.DESK, json.dumps({"pid": os.getpid(), "urls": {"api": api}}))
    folder.write(home / folder.OWNER_KEY, "qd_test\n")
    try:
        yield
    finally:
        await runner.cleanup()


def event(version: int) -> dict[str, object]:
    return {
        "orderId": ID,
        "status": STATES[version - 1],
        "timestamp": "2026-11-21T07:27:49.154Z",
        "version": version,
        "attempt": 1,
        "mode": "paper",
    }


def breaking_off(asked: list[tuple[str | None, bytes]], *, times: int) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append((request.headers.get("idempotency-key"), await request.read()))
        if len(asked) <= times:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(PLACED, status=201)

    return handle


async def test_an_order_cut_off_is_asked_for_again_with_the_same_key_and_words(
    tmp_path: Path,
) -> None:
    asked: list[tuple[str | None, bytes]] = []
    route = web.post("/api/orders", breaking_off(asked, times=2))
    async with posing(tmp_path, route), client(tmp_path) as desk:
        told = await place(desk, WISH, key="k1", clock=Hurried())
    assert json.loads(told) == PLACED
    assert asked == [("k1", WISH.body())] * 3


async def test_an_order_nobody_can_vouch_for_says_so_and_gives_the_key(tmp_path: Path) -> None:
    asked: list[tuple[str | None, bytes]] = []
    route = web.post("/api/orders", breaking_off(asked, times=10**6))
    async with posing(tmp_path, route), client(tmp_path) as desk:
        with pytest.raises(Unavailable, match="--key k2") as unclear:
            await place(desk, WISH, key="k2", clock=Hurried())
    assert unclear.value.code == "order.unclear"
    assert 10 < len(asked) < 100


async def test_an_order_is_not_asked_for_again_when_the_desk_refuses(tmp_path: Path) -> None:
    asked = []

    async def stale(request: web.Request) -> web.Response:
        asked.append(request)
        body = {"code": "price.stale", "detail": "old", "status": 503, "retryable": True}
        return web.json_response(body, status=503)

    async with posing(tmp_path, web.post("/api/orders", stale)), client(tmp_path) as desk:
        with pytest.raises(Unavailable, match="old") as refused:
            await place(desk, WISH, key="k3", clock=Hurried())
    assert refused.value.code == "price.stale"
    assert len(asked) == 1


async def test_a_refusal_after_a_cut_does_not_pass_for_an_order_never_placed(
    tmp_path: Path,
) -> None:
    asked: list[tuple[str | None, bytes]] = []
    cut = breaking_off(asked, times=1)

    async def funds_used_up(request: web.Request) -> web.StreamResponse:
        if not asked:
            return await cut(request)
        return web.json_response({"code": "funds.low", "detail": "d", "status": 422}, status=422)

    route = web.post("/api/orders", funds_used_up)
    async with posing(tmp_path, route), client(tmp_path) as desk:
        with pytest.raises(Unavailable, match="may be placed") as unclear:
            await place(desk, WISH, key="k4", clock=Hurried())
    assert unclear.value.code == "order.unclear"


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (422, '{"code":"funds.low","detail":"d","status":422}', Refused, "funds.low"),
        (500, '{"code":"desk.unexpected","detail":"d","status":500}', Corrupt, "desk.unexpected"),
        (502, "<html>bad gateway</html>", Unavailable, "desk.unreadable"),
    ],
)  # fmt: skip
async def test_a_problem_is_the_error_it_was(
    tmp_path: Path, status: int, body: str, kind: type[DeskError], code: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    async with posing(tmp_path, web.get("/x", answer)), client(tmp_path) as desk:
        with pytest.raises(kind) as problem:
            await desk.get("/x")
    assert problem.value.code == code


async def test_a_watch_shows_every_version_once_over_cuts_and_gaps(tmp_path: Path) -> None:
    # Each connection's versions: a cut after 2, then a replay with a hole, then the rest.
    scripts = [[1, 2], [1, 4], [1, 2, 3, 4, 5]]

    async def stream(request: web.Request) -> web.StreamResponse:
        assert request.headers["authorization"] == "Bearer qd_test"
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for version in scripts.pop(0):
            await socket.send_json(event(version))
        await socket.close(code=WSCloseCode.SERVICE_RESTART if scripts else WSCloseCode.OK)
        return socket

    async def order(_: web.Request) -> web.Response:
        logs = [event(version) for version in (1, 2, 3, 4)]
        whole = {"pair": "SOL-USDC", "amount": 1, "direction": "BUY", "slippageBps": 50}
        stamps = dict.fromkeys(("createdAt", "updatedAt"), logs[0]["timestamp"])
        return web.json_response({**event(4), **whole, **stamps, "logs": logs})

    routes = (web.get(f"/ws/orders/{ID}", stream), web.get(f"/api/orders/{ID}", order))
    async with posing(tmp_path, *routes), client(tmp_path) as desk:
        seen = [news async for news in follow(desk, ID, clock=Hurried())]
    versions = [0 if isinstance(news, Away) else news.version for news in seen]
    assert versions == [1, 2, 0, 3, 4, 0, 5]


async def test_a_watch_gives_up_on_a_desk_that_stays_away(tmp_path: Path) -> None:
    clock = Hurried()
    async with client(tmp_path) as desk:
        with pytest.raises(Unavailable) as gone:
            _ = [news async for news in follow(desk, ID, clock=clock)]
    assert gone.value.code == "desk.not_running"
    assert 600 <= clock.monotonic() < 602


async def test_a_watch_of_an_unknown_order_is_refused(tmp_path: Path) -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.close(code=4404)
        return socket

    async with posing(tmp_path, web.get(f"/ws/orders/{ID}", stream)), client(tmp_path) as desk:
        with pytest.raises(Refused) as unknown:
            _ = [news async for news in follow(desk, ID, clock=Hurried())]
    assert unknown.value.code == "order.unknown"
