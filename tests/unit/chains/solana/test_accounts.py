"""The live view drops silent sockets, comes back by itself, and never goes back in time."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

import pytest
from tests.unit.chains.solana.scripted import ScriptedNode

from quantdesk.chains.port import AccountState
from quantdesk.chains.solana.accounts import LiveAccounts
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio

Stream = AsyncGenerator[AccountState | None, None]


def _account(data: bytes) -> dict[str, Any]:
    return {"lamports": 1, "owner": "x", "data": [b64encode(data).decode(), "base64"]}


def _reads(node: ScriptedNode, slot: int, *accounts: bytes) -> asyncio.Event:
    """Let the node read these from now on; what is returned is set once it was asked."""
    value, asked = [_account(data) for data in accounts], asyncio.Event()

    def read(*_: object) -> dict[str, Any]:
        asked.set()
        return {"context": {"slot": slot}, "value": value}

    node.says["getMultipleAccounts"] = read
    return asked


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def live(node: ScriptedNode, rpc: Rpc, clock: ManualClock) -> LiveAccounts:
    return LiveAccounts(
        url=node.url.replace("http", "ws"), rpc=rpc, clock=clock, jitter=lambda: 1, silence_s=0.2
    )


@pytest.fixture
async def stream(live: LiveAccounts) -> AsyncIterator[Stream]:
    states = live.stream(lambda: ["A", "B"])
    yield states
    await states.aclose()


async def _back(states: Stream, clock: ManualClock) -> AccountState | None:
    """Return the next state, letting the pause after a drop pass."""
    coming = asyncio.ensure_future(anext(states))
    await clock.asleep(1)
    await clock.advance(10)
    return await coming


async def test_reads_everything_after_it_subscribed(node: ScriptedNode, stream: Stream) -> None:
    _reads(node, 5, b"a", b"b")

    states = [await anext(stream), await anext(stream)]

    assert states == [AccountState("A", b"a", "x", 5), AccountState("B", b"b", "x", 5)]
    assert [method for method, _ in node.asked] == [
        "slotSubscribe",
        "accountSubscribe",
        "accountSubscribe",
        "getMultipleAccounts",
    ]


async def test_never_yields_an_older_slot_after_a_newer_one(
    node: ScriptedNode, stream: Stream
) -> None:
    _reads(node, 5, b"a", b"b")
    states = [await anext(stream), await anext(stream)]
    await node.change(1, slot=4, data=_account(b"old"))
    await node.change(1, slot=7, data=_account(b"new"))
    await node.change(1, slot=6, data=_account(b"late"))
    await node.change(2, slot=6, data=None)

    states = [await anext(stream), await anext(stream)]

    assert states == [AccountState("A", b"new", "x", 7), AccountState("B", b"", "", 6)]


async def test_drops_a_socket_that_falls_silent_and_reads_all_again(
    node: ScriptedNode, live: LiveAccounts, stream: Stream, clock: ManualClock
) -> None:
    _reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    _reads(node, 9, b"a2", b"b2")

    state = await _back(stream, clock)

    assert state == AccountState("A", b"a2", "x", 9)
    assert (node.connections, live.drops) == (2, 1)


async def test_yields_nothing_older_after_it_came_back(
    node: ScriptedNode, stream: Stream, clock: ManualClock
) -> None:
    _reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    await node.change(2, slot=8, data=_account(b"b8"))
    await anext(stream)
    await node.hang_up()
    _reads(node, 7, b"a7", b"b7")

    state = await _back(stream, clock)
    await node.change(2, slot=9, data=_account(b"b9"))

    assert [state, await anext(stream)] == [
        AccountState("A", b"a7", "x", 7),
        AccountState("B", b"b9", "x", 9),
    ]


_WAIT_S = 5
_BEAT = {"jsonrpc": "2.0", "method": "slotNotification", "params": {"subscription": 1, "result": 1}}


async def _next_by_beats(node: ScriptedNode, states: Stream) -> AccountState:
    """Return the next state of a node that says nothing but that it lives."""
    coming = asyncio.ensure_future(_next(states))
    async with asyncio.timeout(_WAIT_S):
        while not coming.done():
            with suppress(ConnectionResetError):  # it hung up
                await node.say(_BEAT)
            for _ in range(20):
                await asyncio.sleep(0)
    return await coming


async def _next(states: Stream) -> AccountState:
    """Return the next state, past the signs of life before it."""
    while (state := await anext(states)) is None:
        pass
    return state


async def _until_read(clock: ManualClock, *readings: asyncio.Event) -> None:
    """Let time pass until each was asked for; one begins when the one before is judged."""
    async with asyncio.timeout(_WAIT_S):
        for asked in readings:
            while not asked.is_set():
                await clock.advance(30)


async def test_finds_what_a_dead_subscription_does_not_tell(
    node: ScriptedNode, stream: Stream, clock: ManualClock
) -> None:
    _reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    _reads(node, 90, b"a", b"b2")  # A stayed as it was

    await clock.advance(30)

    assert await _next_by_beats(node, stream) == AccountState("B", b"b2", "x", 90)


async def test_begins_anew_when_a_node_goes_on_not_telling(
    node: ScriptedNode, live: LiveAccounts, stream: Stream, clock: ManualClock
) -> None:
    _reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    _reads(node, 90, b"a", b"b2")
    await clock.advance(30)
    await _next_by_beats(node, stream)
    assert live.drops == 0
    _reads(node, 170, b"a", b"b3")
    await clock.advance(30)

    coming = asyncio.ensure_future(_next_by_beats(node, stream))
    async with asyncio.timeout(_WAIT_S):
        await clock.asleep(1)
    await clock.advance(10)

    assert (await coming).data == b"a"
    assert (node.connections, live.drops) == (2, 1)


async def test_believes_no_reading_that_is_behind_what_was_told(
    node: ScriptedNode, live: LiveAccounts, stream: Stream, clock: ManualClock
) -> None:
    _reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    await node.change(2, slot=80, data=_account(b"b8"))
    await anext(stream)
    behind = _reads(node, 79, b"a", b"b7")
    coming = asyncio.ensure_future(_next_by_beats(node, stream))
    await _until_read(clock, behind)
    for _ in range(2):
        await _until_read(clock, _reads(node, 80, b"a", b"b8"))

    await node.change(1, slot=81, data=_account(b"a8"))

    assert await coming == AccountState("A", b"a8", "x", 81)
    assert live.drops == 0


async def test_what_was_told_late_is_no_reason_to_begin_anew(
    node: ScriptedNode, live: LiveAccounts, stream: Stream, clock: ManualClock
) -> None:
    _reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    _reads(node, 90, b"a", b"b2")
    await clock.advance(30)
    await _next_by_beats(node, stream)
    await node.change(2, slot=90, data=_account(b"b2"))
    assert (await _next(stream)).data == b"b2"
    _reads(node, 170, b"a3", b"b2")
    await clock.advance(30)

    assert await _next_by_beats(node, stream) == AccountState("A", b"a3", "x", 170)
    assert live.drops == 0


async def test_gives_a_quiet_account_again_after_ten_minutes(
    node: ScriptedNode, stream: Stream, clock: ManualClock
) -> None:
    _reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    await node.change(1, slot=100, data=_account(b"a2"))
    await anext(stream)
    _reads(node, 1_505, b"a2", b"b")

    await clock.advance(30)

    assert await _next_by_beats(node, stream) == AccountState("B", b"b", "x", 1_505)


async def test_a_reading_that_fails_changes_nothing(
    node: ScriptedNode, live: LiveAccounts, stream: Stream, clock: ManualClock
) -> None:
    _reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    failing = _reads(node, 90, b"a")  # one account of two
    coming = asyncio.ensure_future(_next_by_beats(node, stream))
    await _until_read(clock, failing)
    await _until_read(clock, _reads(node, 5, b"a", b"b"))

    await node.change(1, slot=6, data=_account(b"a6"))

    assert (await coming).data == b"a6"
    assert live.drops == 0


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
    _reads(node, 5, b"a", b"b")
    await anext(stream)
    for slot in (6, 7, 8):
        await anext(stream)
        await node.change(1, slot=slot, data=_account(b"a"))
        await anext(stream)
        await node.hang_up()
        _reads(node, slot, b"a", b"b")
        coming = asyncio.ensure_future(anext(stream))
        await clock.asleep(1)
        await clock.advance(0.25)
        async with asyncio.timeout(2):
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
    _reads(node, 5, b"a", b"b")
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
    _reads(node, 5, b"a", b"b")
    await clock.advance(10)

    assert await coming == AccountState("A", b"a", "x", 5)


async def test_yields_nothing_but_a_sign_of_life_for_a_slot(
    node: ScriptedNode, stream: Stream
) -> None:
    _reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    await node.say({"method": "slotNotification", "params": {"subscription": 100, "result": {}}})
    await node.change(1, slot=6, data=_account(b"new"))

    assert [await anext(stream), await anext(stream)] == [None, AccountState("A", b"new", "x", 6)]


async def test_what_comes_to_be_wanted_joins_on_the_same_connection(
    node: ScriptedNode, live: LiveAccounts
) -> None:
    wanted = ["A", "B"]
    async with aclosing(live.stream(lambda: wanted)) as stream:
        _reads(node, 5, b"a", b"b")
        await anext(stream)
        await anext(stream)
        _reads(node, 6, b"c")
        wanted = ["A", "C"]

        joined = await _next_by_beats(node, stream)
        await node.change(1, slot=7, data=_account(b"a2"))
        changed = await _next(stream)

    assert [joined, changed] == [
        AccountState("C", b"c", "x", 6),
        AccountState("A", b"a2", "x", 7),
    ]
    assert (node.connections, live.drops) == (1, 0)
    assert node.asked[4:] == [
        ("accountUnsubscribe", [102]),
        ("accountSubscribe", ["C", {"encoding": "base64", "commitment": "confirmed"}]),
        ("getMultipleAccounts", [["C"], {"encoding": "base64", "commitment": "confirmed"}]),
    ]


async def test_those_followed_are_told_of_while_others_join(
    node: ScriptedNode, live: LiveAccounts
) -> None:
    wanted = ["A", "B"]
    async with aclosing(live.stream(lambda: wanted)) as stream:
        _reads(node, 5, b"a", b"b")
        await anext(stream)
        await anext(stream)
        node.subscribes = False  # it takes its time to say that it tells of the new one
        wanted = ["A", "B", "C"]
        await node.change(1, slot=7, data=_account(b"a2"))
        changed = await _next(stream)
        assert node.count("getMultipleAccounts") == 1

        _reads(node, 8, b"c")
        await node.say({"id": 3, "result": 103})
        joined = await _next_by_beats(node, stream)
        await node.change(3, slot=9, data=_account(b"c2"))

        assert changed == AccountState("A", b"a2", "x", 7)
        assert joined == AccountState("C", b"c", "x", 8)
        assert await _next(stream) == AccountState("C", b"c2", "x", 9)


async def test_what_is_wanted_again_is_given_though_the_node_is_behind(
    node: ScriptedNode, live: LiveAccounts
) -> None:
    wanted = ["A", "B"]
    async with aclosing(live.stream(lambda: wanted)) as stream:
        _reads(node, 50, b"a", b"b")
        await anext(stream)
        await anext(stream)
        wanted = ["A"]
        await node.change(1, slot=51, data=_account(b"a2"))
        await _next(stream)
        await node.say(_BEAT)
        await anext(stream)
        _reads(node, 40, b"b-old")
        wanted = ["A", "B"]

        assert await _next_by_beats(node, stream) == AccountState("B", b"b-old", "x", 40)
