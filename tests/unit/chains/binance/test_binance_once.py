"""Promise: whatever becomes of an order's one post, and whoever dies over it, it fills once."""

import asyncio
from contextlib import suppress

import pytest
from tests.unit.chains.binance.world import POST, World, order, trade, world

from quantdesk.chains.port import Chain, Fate, Transaction
from quantdesk.core.errors import Unavailable
from quantdesk.testing.binance import CUT, LOST, TIMEOUT, Bad

pytestmark = pytest.mark.anyio

_ANSWERS = {
    "all well": None,
    "request lost": CUT,
    "answer lost": LOST,
    "stuck inside": Bad(queues=True, status=504, body=TIMEOUT),
    "500, done": Bad(takes=True, status=500, body=b""),
    "500, not done": Bad(status=500, body=b""),
    "garbage, done": Bad(takes=True, status=200, body=b"{"),
    "firewall, done": Bad(takes=True, status=403, body=b"<html>", retry_after="1"),
    "firewall, not done": Bad(status=403, body=b"<html>"),
    "refused": Bad(status=400, body={"code": -1015, "msg": "Too many new orders."}),
}


@pytest.mark.parametrize("killed", ["never", "before the post", "in it", "after its answer"])
@pytest.mark.parametrize("told_after_ms", [0, 50_000])
@pytest.mark.parametrize("answer", _ANSWERS)
async def test_that_whatever_is_lost_and_whoever_dies_an_order_fills_once(
    answer: str, told_after_ms: int, killed: str
) -> None:
    async with world(skew_ms=-40_000) as w:
        desk = await w.desk()
        w.exchange.told_after_ms = told_after_ms
        if (bad := _ANSWERS[answer]) is not None:
            w.server.bad(POST, bad)
        made = await desk.prepare(trade(), order())
        if killed != "before the post":
            sending = asyncio.ensure_future(desk.send(made))
            if killed == "in it":
                await w.server.came(POST)
                sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        if killed != "never":
            desk = await w.desk()
        await w.clock.advance(5)
        w.server.drain()
        fates = [await _followed(w, desk, made)]
        while fates[-1] is not Fate.LANDED and len(fates) < 3:
            await w.clock.advance(60)  # for as long as no order may be placed
            made = await desk.prepare(trade(attempt=len(fates) + 1), order())
            fates.append(await _followed(w, desk, made))
        await w.clock.advance(100)

        assert fates[-1] is Fate.LANDED
        assert not w.exchange.doubled
        assert sum(bool(each.executed) for each in w.exchange.orders) == 1


async def _followed(w: World, desk: Chain, made: Transaction) -> Fate:
    """Send and look as the engine does, whatever is answered."""
    for _ in range(600):
        with suppress(Unavailable):
            await desk.send(made)
        with suppress(Unavailable):
            (sighting,) = await desk.look([made])
            if sighting.fate is not Fate.UNSEEN:
                return sighting.fate
        await w.clock.advance(1)
    return Fate.UNSEEN
