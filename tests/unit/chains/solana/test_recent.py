"""Lookup tables are shared while fresh; they outlive a short silence of the node, never a long."""

import asyncio
from base64 import b64encode

import pytest
from tests.unit.chains.solana.scripted import ScriptedNode, Told
from tests.unit.chains.solana.tabled import address, addresses, data

from quantdesk.chains.solana.recent import LookupTables
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.chains.solana.tables import TABLE_PROGRAM
from quantdesk.core.errors import Unavailable
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio

NAMED = (address(1), address(2))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tables(rpc: Rpc, clock: ManualClock) -> LookupTables:
    return LookupTables(rpc=rpc, clock=clock, addresses=NAMED)


def _reads(node: ScriptedNode, *counts: int | None) -> None:
    def account(count: int) -> object:
        raw = b64encode(data(addresses(count))).decode()
        return {"lamports": 1, "owner": TABLE_PROGRAM, "data": [raw, "base64"]}

    value = [None if count is None else account(count) for count in counts]
    node.says["getMultipleAccounts"] = lambda *_: {"context": {"slot": 9}, "value": value}


def _fails(node: ScriptedNode, code: int = -32005) -> None:
    def fails(*_: object) -> None:
        raise Told(code)

    node.says["getMultipleAccounts"] = fails


async def _counts(tables: LookupTables) -> dict[str, int]:
    return {one.address: len(one.entries) for one in await tables.get()}


async def test_asks_once_for_everyone_while_fresh(
    node: ScriptedNode, tables: LookupTables, clock: ManualClock
) -> None:
    _reads(node, 3, 5)

    found = await asyncio.gather(*(_counts(tables) for _ in range(5)))
    await clock.advance(19)
    _reads(node, 4, 5)
    still = await _counts(tables)
    await clock.advance(1)

    assert found == [{NAMED[0]: 3, NAMED[1]: 5}] * 5
    assert still == found[0]
    assert await _counts(tables) == {NAMED[0]: 4, NAMED[1]: 5}
    assert node.count("getMultipleAccounts") == 2


async def test_uses_the_others_when_one_is_gone(node: ScriptedNode, tables: LookupTables) -> None:
    _reads(node, None, 5)

    assert await _counts(tables) == {NAMED[1]: 5}


async def test_asks_nothing_when_none_is_named(
    node: ScriptedNode, rpc: Rpc, clock: ManualClock
) -> None:
    assert await LookupTables(rpc=rpc, clock=clock, addresses=()).get() == ()
    assert node.asked == []


@pytest.mark.parametrize("code", [-32005, -32602])
async def test_uses_what_it_knows_for_a_minute_at_most(
    node: ScriptedNode, tables: LookupTables, clock: ManualClock, code: int
) -> None:
    _reads(node, 3, 5)
    await tables.get()
    _fails(node, code)

    for _ in range(2):
        await clock.advance(20)
        assert await _counts(tables) == {NAMED[0]: 3, NAMED[1]: 5}
    await clock.advance(20)
    with pytest.raises(Unavailable):
        await tables.get()
    _reads(node, 3, 6)
    assert await _counts(tables) == {NAMED[0]: 3, NAMED[1]: 6}


@pytest.mark.parametrize("counts", [(3,), (3, 4, 5)])
async def test_trusts_no_answer_of_another_length(
    node: ScriptedNode, tables: LookupTables, counts: tuple[int, ...]
) -> None:
    _reads(node, *counts)

    with pytest.raises(Unavailable) as caught:
        await tables.get()

    assert caught.value.code == "rpc.unreadable"
