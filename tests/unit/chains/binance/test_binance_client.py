"""Promise: budgets are kept, time is the exchange's, and no key is ever told."""

import asyncio
import logging
from contextlib import suppress

import pytest
from solders.keypair import Keypair
from structlog.testing import capture_logs
from tests.unit.chains.binance.world import KEY, World, order, trade, world

from quantdesk.chains.binance import Client, Ed25519Key
from quantdesk.chains.binance.answers import Account, ServerTime
from quantdesk.chains.binance.client import ACCOUNT, DEPTH, TIME
from quantdesk.chains.port import Fate
from quantdesk.core.clock import iso
from quantdesk.core.errors import Unavailable
from quantdesk.testing.binance import API_KEY, CUT, SECRET, Bad, Binance
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio


async def _asks(client: Client) -> None:
    await client.ask(ACCOUNT, answer=Account)


async def _refused(client: Client) -> Unavailable:
    with pytest.raises(Unavailable) as refused:
        await _asks(client)
    return refused.value


async def test_that_a_clock_that_is_wrong_does_not_matter() -> None:
    for skew_ms in (-3_600_000, 3_600_000):
        async with world(skew_ms=skew_ms) as w:
            await _asks(await w.client())


async def test_that_the_time_is_measured_again_when_the_exchange_disagrees() -> None:
    async with world() as w:
        client = await w.client()
        await _asks(client)
        w.exchange.skew_ms = 60_000
        await _asks(client)

        assert w.server.asked["GET /api/v3/time"] == 2


async def test_that_nobody_asks_while_the_exchange_said_to_wait() -> None:
    async with world() as w:
        client = await w.client()
        await _asks(client)
        busy = Bad(status=429, body={"code": -1003, "msg": "Too many"})
        w.server.bad("GET /api/v3/account", busy)
        await _refused(client)
        asked = w.server.asked.total()
        problem = await _refused(client)

        assert problem.code == "exchange.busy"
        assert w.server.asked.total() == asked
        await w.clock.advance(61)
        await _asks(client)


async def test_that_a_firewall_is_left_alone_like_a_ban_and_says_until_when() -> None:
    async with world() as w:
        client = await w.client()
        await _asks(client)
        w.server.bad("GET /api/v3/account", Bad(status=403, body=b"<html>Request blocked"))
        await _refused(client)
        asked = w.server.asked.total()
        problem = await _refused(client)
        told = client.barred()

        assert (problem.code, w.server.asked.total()) == ("exchange.busy", asked)
        assert told is not None
        assert told.detail == problem.detail
        assert "firewall" in problem.detail
        assert iso(w.clock.now_ms() + 300_000) in problem.detail
        await w.clock.advance(299)
        await _refused(client)
        assert w.server.asked.total() == asked
        await w.clock.advance(2)
        assert client.barred() is None
        await _asks(client)


async def test_that_too_many_orders_bar_orders_and_nothing_else() -> None:
    async with world() as w:
        desk = await w.desk()
        sent = await desk.prepare(trade(), order())
        said = {"code": -1015, "msg": "Too many new orders; current limit is 9 orders per 1 DAY."}
        w.server.bad("POST /api/v3/order", Bad(status=429, body=said, retry_after="40000"))
        with pytest.raises(Unavailable):
            await desk.send(sent)
        with pytest.raises(Unavailable) as barred:
            await desk.prepare(trade(attempt=2), order())
        until = iso(w.clock.now_ms() + 40_000_000)
        sighting = await w.settled(desk, sent, within_s=15)

        assert barred.value.code == "exchange.busy"
        assert barred.value.detail.endswith(f"no order is placed there until {until}")
        assert sighting.fate is Fate.DEAD, "what became of orders is still asked"
        assert w.server.asked["POST /api/v3/order/test"] == 1


async def test_that_a_whole_minutes_weight_is_never_used_up_by_reading() -> None:
    async with world() as w:
        w.server.weight_max = 1_000
        client = await w.client()
        client.budget.weight_max = 1_000
        await client.ask(TIME, answer=ServerTime)
        for _ in range(40):
            with suppress(Unavailable):
                await client.ask(DEPTH, {"symbol": "SOLUSDC"}, answer=dict)
        await client.ask(TIME, answer=ServerTime)

        assert w.server.asked["GET /api/v3/depth"] == 13


async def test_that_weight_used_by_others_counts() -> None:
    async with world() as w:
        w.server.weight_max = 100
        client, other = await w.client(), await w.client()
        client.budget.weight_max = other.budget.weight_max = 100
        await _asks(client)
        await _asks(other)
        await _asks(client)
        problem = await _refused(client)

        assert problem.code == "exchange.busy"
        assert w.server.asked["GET /api/v3/account"] == 3


async def _everything_that_goes_wrong(w: World) -> list[str]:
    told = []
    wrong = [
        CUT,
        Bad(status=500, body=b"<html>"),
        Bad(status=401, body={"code": -2015, "msg": "Invalid API-key, IP, or permissions."}),
        Bad(status=400, body={"code": -1022, "msg": "Signature is not valid."}),
        Bad(status=200, body=b"{"),
    ]
    for bad in wrong:
        # A question that was cut is asked once more by the HTTP client itself; an order is not.
        w.server.bad("GET /api/v3/account", *([bad, bad] if bad is CUT else [bad]))
        client = await w.client()
        problem = await _refused(client)
        told += [repr(problem), str(problem.__cause__), repr(client), repr(client.key)]
    nowhere = await w.stack.enter_async_context(
        Client(url="http://127.0.0.1:1", clock=w.clock, key=KEY)
    )
    told.append(repr(await _refused(nowhere)))
    desk = await w.desk()
    w.server.bad("POST /api/v3/order", CUT)
    made = await desk.prepare(trade(), order())
    with pytest.raises(Unavailable) as lost:
        await desk.send(made)
    return [*told, repr(lost.value), repr(made)]


async def test_that_no_key_is_ever_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), capture_logs() as logs:
        async with world() as w:
            told = await _everything_that_goes_wrong(w)
    everything = "\n".join([*told, caplog.text, repr(logs)])

    assert "exchange" in everything or "Binance" in everything
    assert API_KEY not in everything
    assert SECRET not in everything


async def test_that_errors_hold_no_signed_query() -> None:
    async with world() as w:
        client = await w.client()
        w.server.bad("GET /api/v3/account", CUT, CUT)
        problem = await _refused(client)

        assert "signature" not in repr(problem)
        assert problem.__context__ is None or problem.__suppress_context__


async def test_that_a_connection_that_cannot_be_made_is_told_apart() -> None:
    clock = ManualClock()
    async with Client(url="http://127.0.0.1:1", clock=clock, key=KEY) as client:
        with pytest.raises(Unavailable) as refused:
            await client.ask(TIME, answer=ServerTime)

    assert refused.value.code == "exchange.unreachable"


async def test_that_a_silent_exchange_is_not_waited_for_for_ever() -> None:
    async with world() as w:
        client = await w.client(timeout_s=0.05)
        await client.server_ms()
        w.server.bad("GET /api/v3/account", Bad(until=asyncio.Event()))

        assert (await _refused(client)).code == "exchange.unavailable"


async def test_that_an_ed25519_key_signs_what_the_exchange_verifies() -> None:
    pair, clock = Keypair.from_seed(bytes(range(32))), ManualClock()
    async with Binance(clock=clock, public=pair.pubkey()) as server:
        for seed, code in ((bytes(range(32)), ""), (bytes(32), "exchange.unauthorized")):
            key = Ed25519Key(api_key=API_KEY, seed=seed)
            async with Client(url=server.url, clock=clock, key=key) as client:
                if code:
                    assert (await _refused(client)).code == code
                else:
                    await _asks(client)
