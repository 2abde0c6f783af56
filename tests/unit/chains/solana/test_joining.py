"""What is wanted may change: accounts join and leave on the same connection."""

from contextlib import aclosing

import pytest
from tests.unit.chains.solana.living import BEAT, account, next_by_beats, next_state, reads
from tests.unit.chains.solana.scripted import ScriptedNode

from quantdesk.chains.port import AccountState
from quantdesk.chains.solana.accounts import LiveAccounts

pytestmark = pytest.mark.anyio


async def test_what_comes_to_be_wanted_joins_on_the_same_connection(
    node: ScriptedNode, live: LiveAccounts
) -> None:
    wanted = ["A", "B"]
    async with aclosing(live.stream(lambda: wanted)) as stream:
        reads(node, 5, b"a", b"b")
        await anext(stream)
        await anext(stream)
        reads(node, 6, b"c")
        wanted = ["A", "C"]

        joined = await next_by_beats(node, stream)
        await node.change(1, slot=7, data=account(b"a2"))
        changed = await next_state(stream)

    assert [joined, changed] == [
        AccountState("C", b"c", "x", 6),
        AccountState("A", b"a2", "x", 7),
    ]
    assert (node.connections, live.drops) == (1, 0)
    assert node.asked[5:] == [
        ("accountUnsubscribe", [102]),
        ("accountSubscribe", ["C", {"encoding": "base64", "commitment": "confirmed"}]),
        ("getMultipleAccounts", [["C"], {"encoding": "base64", "commitment": "confirmed"}]),
    ]


async def test_those_followed_are_told_of_while_others_join(
    node: ScriptedNode, live: LiveAccounts
) -> None:
    wanted = ["A", "B"]
    async with aclosing(live.stream(lambda: wanted)) as stream:
        reads(node, 5, b"a", b"b")
        await anext(stream)
        await anext(stream)
        node.subscribes = False  # it takes its time to say that it tells of the new one
        wanted = ["A", "B", "C"]
        await node.change(1, slot=7, data=account(b"a2"))
        changed = await next_state(stream)
        assert node.count("getMultipleAccounts") == 1

        reads(node, 8, b"c")
        await node.say({"id": 3, "result": 103})
        joined = await next_by_beats(node, stream)
        await node.change(3, slot=9, data=account(b"c2"))

        assert changed == AccountState("A", b"a2", "x", 7)
        assert joined == AccountState("C", b"c", "x", 8)
        assert await next_state(stream) == AccountState("C", b"c2", "x", 9)


async def test_what_is_wanted_again_is_given_though_the_node_is_behind(
    node: ScriptedNode, live: LiveAccounts
) -> None:
    wanted = ["A", "B"]
    async with aclosing(live.stream(lambda: wanted)) as stream:
        reads(node, 50, b"a", b"b")
        await anext(stream)
        await anext(stream)
        wanted = ["A"]
        await node.change(1, slot=51, data=account(b"a2"))
        await next_state(stream)
        await node.say(BEAT)
        await anext(stream)
        reads(node, 40, b"b-old")
        wanted = ["A", "B"]

        assert await next_by_beats(node, stream) == AccountState("B", b"b-old", "x", 40)


async def test_what_leaves_and_is_back_before_the_node_has_answered_is_read(
    node: ScriptedNode, live: LiveAccounts
) -> None:
    wanted = ["A", "B"]
    async with aclosing(live.stream(lambda: wanted)) as stream:
        reads(node, 5, b"a", b"b")
        await anext(stream)
        await anext(stream)
        node.subscribes = False
        for slot, now in enumerate((["A", "B", "C"], ["A", "B"], ["A", "B", "C"]), start=7):
            wanted = now
            await node.change(1, slot=slot, data=account(b"a"))
            await next_state(stream)

        reads(node, 20, b"c")
        await node.say({"id": 3, "result": 103})

        assert await next_by_beats(node, stream) == AccountState("C", b"c", "x", 20)
    assert [method for method, _ in node.asked].count("accountSubscribe") == 3


async def test_an_end_of_telling_that_the_node_refuses_ends_nothing_else(
    node: ScriptedNode, live: LiveAccounts
) -> None:
    wanted = ["A", "B"]
    async with aclosing(live.stream(lambda: wanted)) as stream:
        reads(node, 5, b"a", b"b")
        await anext(stream)
        await anext(stream)
        wanted = ["A"]
        await node.change(1, slot=6, data=account(b"a1"))
        await next_state(stream)
        await node.say({"id": 3, "error": {"code": -32602, "message": "Invalid subscription id."}})
        await node.change(1, slot=7, data=account(b"a2"))

        assert await next_state(stream) == AccountState("A", b"a2", "x", 7)
    assert (node.connections, live.drops) == (1, 0)
