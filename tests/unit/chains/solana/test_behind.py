"""A node that has fallen behind its cluster looks alive, and is not believed until it caught up."""

import asyncio

import pytest
from tests.unit.chains.solana.living import WAIT_S, Stream, next_by_beats, reads, until_read
from tests.unit.chains.solana.scripted import Json, ScriptedNode, Told

from quantdesk.chains.solana.accounts import LiveAccounts
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio


def _falls_behind(node: ScriptedNode) -> asyncio.Event:
    asked = asyncio.Event()

    def health() -> Json:
        asked.set()
        raise Told(-32005, "Node is behind by 300 slots")

    node.says["getHealth"] = health
    return asked


async def test_that_a_node_behind_its_cluster_is_not_followed_until_it_has_caught_up(
    node: ScriptedNode, live: LiveAccounts, stream: Stream, clock: ManualClock
) -> None:
    reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    behind = _falls_behind(node)
    coming = asyncio.ensure_future(next_by_beats(node, stream))
    await until_read(clock, behind)
    async with asyncio.timeout(WAIT_S):
        await clock.asleep(1)  # before it tries again

    assert live.drops > 0
    assert (live.connections, node.connections, coming.done()) == (0, 1, False)

    reads(node, 400, b"a4", b"b")
    node.says["getHealth"] = lambda: "ok"
    await clock.advance(10)

    assert (await coming).data == b"a4"
    assert node.connections == 2


@pytest.mark.parametrize("code", [-32601, -32603, -32005, 429])
async def test_that_a_node_that_does_not_say_how_it_is_is_believed(
    node: ScriptedNode, live: LiveAccounts, stream: Stream, clock: ManualClock, code: int
) -> None:
    def health() -> Json:
        raise Told(code, "no word")

    node.says["getHealth"] = health
    reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    again = reads(node, 90, b"a", b"b2")
    coming = asyncio.ensure_future(next_by_beats(node, stream))
    await until_read(clock, again)

    assert (await coming).data == b"b2"
    assert live.drops == 0
