"""The live view drops silent sockets, comes back by itself, and never goes back in time."""

import asyncio

import pytest
from tests.unit.chains.solana.living import (
    Stream,
    account,
    reads,
)
from tests.unit.chains.solana.scripted import ScriptedNode

from quantdesk.chains.port import AccountState
from quantdesk.chains.solana.accounts import LiveAccounts
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio


async def _back(states: Stream, clock: ManualClock) -> AccountState | None:
    """Return the next state, letting the pause after a drop pass."""
    coming = asyncio.ensure_future(anext(states))
    await clock.asleep(1)
    await clock.advance(10)
    return await coming


async def test_reads_everything_after_it_subscribed(node: ScriptedNode, stream: Stream) -> None:
    reads(node, 5, b"a", b"b")

    states = [await anext(stream), await anext(stream)]

    assert states == [AccountState("A", b"a", "x", 5), AccountState("B", b"b", "x", 5)]
    assert [method for method, _ in node.asked] == [
        "getHealth",
        "slotSubscribe",
        "accountSubscribe",
        "accountSubscribe",
        "getMultipleAccounts",
    ]


async def test_never_yields_an_older_slot_after_a_newer_one(
    node: ScriptedNode, stream: Stream
) -> None:
    reads(node, 5, b"a", b"b")
    states = [await anext(stream), await anext(stream)]
    await node.change(1, slot=4, data=account(b"old"))
    await node.change(1, slot=7, data=account(b"new"))
    await node.change(1, slot=6, data=account(b"late"))
    await node.change(2, slot=6, data=None)

    states = [await anext(stream), await anext(stream)]

    assert states == [AccountState("A", b"new", "x", 7), AccountState("B", b"", "", 6)]


async def test_drops_a_socket_that_falls_silent_and_reads_all_again(
    node: ScriptedNode, live: LiveAccounts, stream: Stream, clock: ManualClock
) -> None:
    reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    reads(node, 9, b"a2", b"b2")

    state = await _back(stream, clock)

    assert state == AccountState("A", b"a2", "x", 9)
    assert (node.connections, live.drops) == (2, 1)


async def test_yields_nothing_older_after_it_came_back(
    node: ScriptedNode, stream: Stream, clock: ManualClock
) -> None:
    reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    await node.change(2, slot=8, data=account(b"b8"))
    await anext(stream)
    await node.hang_up()
    reads(node, 7, b"a7", b"b7")

    state = await _back(stream, clock)
    await node.change(2, slot=9, data=account(b"b9"))

    assert [state, await anext(stream)] == [
        AccountState("A", b"a7", "x", 7),
        AccountState("B", b"b9", "x", 9),
    ]


async def test_pauses_twice_as_long_after_each_failure_up_to_a_bound(
    node: ScriptedNode, live: LiveAccounts, stream: Stream, clock: ManualClock
) -> None:
    await node.stop()
    coming = asyncio.ensure_future(anext(stream))
    pauses = []
    for _ in range(8):
        await clock.asleep(1)
        before, length = live.drops, 0.0
        while live.drops == before:
            await clock.advance(0.25)
            length += 0.25
            if not clock.sleepers:
                await clock.asleep(1)
        pauses.append(length)
    coming.cancel()
    await asyncio.gather(coming, return_exceptions=True)

    assert pauses == [0.25, 0.5, 1, 2, 4, 8, 10, 10]


async def test_pauses_briefly_again_after_a_connection_that_lived(
    node: ScriptedNode, stream: Stream, clock: ManualClock
) -> None:
    reads(node, 5, b"a", b"b")
    await anext(stream)
    for slot in (6, 7, 8):
        await anext(stream)
        await node.change(1, slot=slot, data=account(b"a"))
        await anext(stream)
        await node.hang_up()
        reads(node, slot, b"a", b"b")
        coming = asyncio.ensure_future(anext(stream))
        await clock.asleep(1)
        await clock.advance(0.25)
        async with asyncio.timeout(60):
            await coming

    assert node.connections == 4


@pytest.mark.parametrize(
    "message",
    [
        7,
        "x",
        {"method": "accountNotification", "params": 5},
        {
            "method": "accountNotification",
            "params": {"subscription": 101, "result": {"context": {"slot": "x"}, "value": None}},
        },
        {
            "method": "accountNotification",
            "params": {
                "subscription": 101,
                "result": {
                    "context": {"slot": 6},
                    "value": {"lamports": 1, "owner": "x", "data": ["!", "base64"]},
                },
            },
        },
    ],
)
async def test_begins_anew_after_a_message_it_cannot_read(
    node: ScriptedNode, live: LiveAccounts, stream: Stream, clock: ManualClock, message: object
) -> None:
    reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    await node.say(message)

    state = await _back(stream, clock)

    assert state == AccountState("A", b"a", "x", 5)
    assert node.connections == 2


async def test_begins_anew_when_a_node_never_answers_its_subscriptions(
    node: ScriptedNode, stream: Stream, clock: ManualClock
) -> None:
    node.subscribes = False
    coming = asyncio.ensure_future(anext(stream))
    await clock.asleep(1)
    node.subscribes = True
    reads(node, 5, b"a", b"b")
    await clock.advance(10)

    assert await coming == AccountState("A", b"a", "x", 5)


async def test_yields_nothing_but_a_sign_of_life_for_a_slot(
    node: ScriptedNode, stream: Stream
) -> None:
    reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    await node.say({"method": "slotNotification", "params": {"subscription": 100, "result": {}}})
    await node.change(1, slot=6, data=account(b"new"))

    assert [await anext(stream), await anext(stream)] == [None, AccountState("A", b"new", "x", 6)]
