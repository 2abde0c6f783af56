"""Accounts are read again beside what a node tells: a subscription can die alone."""

import asyncio

import pytest
from tests.unit.chains.solana.living import (
    WAIT_S,
    Stream,
    account,
    next_by_beats,
    next_state,
    reads,
    until_read,
)
from tests.unit.chains.solana.scripted import ScriptedNode

from quantdesk.chains.port import AccountState
from quantdesk.chains.solana.accounts import LiveAccounts
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio


async def test_finds_what_a_dead_subscription_does_not_tell(
    node: ScriptedNode, stream: Stream, clock: ManualClock
) -> None:
    reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    reads(node, 90, b"a", b"b2")  # A stayed as it was

    await clock.advance(30)

    assert await next_by_beats(node, stream) == AccountState("B", b"b2", "x", 90)


async def test_begins_anew_when_a_node_goes_on_not_telling(
    node: ScriptedNode, live: LiveAccounts, stream: Stream, clock: ManualClock
) -> None:
    reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    reads(node, 90, b"a", b"b2")
    await clock.advance(30)
    await next_by_beats(node, stream)
    assert live.drops == 0
    reads(node, 170, b"a", b"b3")
    await clock.advance(30)

    coming = asyncio.ensure_future(next_by_beats(node, stream))
    async with asyncio.timeout(WAIT_S):
        await clock.asleep(1)
    await clock.advance(10)

    assert (await coming).data == b"a"
    assert (node.connections, live.drops) == (2, 1)


async def test_believes_no_reading_that_is_behind_what_was_told(
    node: ScriptedNode, live: LiveAccounts, stream: Stream, clock: ManualClock
) -> None:
    reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    await node.change(2, slot=80, data=account(b"b8"))
    await anext(stream)
    behind = reads(node, 79, b"a", b"b7")
    coming = asyncio.ensure_future(next_by_beats(node, stream))
    await until_read(clock, behind)
    for _ in range(2):
        await until_read(clock, reads(node, 80, b"a", b"b8"))

    await node.change(1, slot=81, data=account(b"a8"))

    assert await coming == AccountState("A", b"a8", "x", 81)
    assert live.drops == 0


async def test_what_was_told_late_is_no_reason_to_begin_anew(
    node: ScriptedNode, live: LiveAccounts, stream: Stream, clock: ManualClock
) -> None:
    reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    reads(node, 90, b"a", b"b2")
    await clock.advance(30)
    await next_by_beats(node, stream)
    await node.change(2, slot=90, data=account(b"b2"))
    assert (await next_state(stream)).data == b"b2"
    reads(node, 170, b"a3", b"b2")
    await clock.advance(30)

    assert await next_by_beats(node, stream) == AccountState("A", b"a3", "x", 170)
    assert live.drops == 0


async def test_gives_a_quiet_account_again_after_ten_minutes(
    node: ScriptedNode, stream: Stream, clock: ManualClock
) -> None:
    reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    await node.change(1, slot=100, data=account(b"a2"))
    await anext(stream)
    reads(node, 1_505, b"a2", b"b")

    await clock.advance(30)

    assert await next_by_beats(node, stream) == AccountState("B", b"b", "x", 1_505)


async def test_a_reading_that_fails_changes_nothing(
    node: ScriptedNode, live: LiveAccounts, stream: Stream, clock: ManualClock
) -> None:
    reads(node, 5, b"a", b"b")
    await anext(stream)
    await anext(stream)
    failing = reads(node, 90, b"a")  # one account of two
    coming = asyncio.ensure_future(next_by_beats(node, stream))
    await until_read(clock, failing)
    await until_read(clock, reads(node, 5, b"a", b"b"))

    await node.change(1, slot=6, data=account(b"a6"))

    assert (await coming).data == b"a6"
    assert live.drops == 0
