"""A node that says what it is told, and a connection to it."""

from collections.abc import AsyncIterator

import pytest
from tests.unit.chains.solana.living import Stream
from tests.unit.chains.solana.scripted import ScriptedNode

from quantdesk.chains.solana.accounts import LiveAccounts
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.testing.clock import ManualClock


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def node() -> AsyncIterator[ScriptedNode]:
    scripted = ScriptedNode()
    await scripted.start()
    yield scripted
    await scripted.stop()


@pytest.fixture
async def rpc(node: ScriptedNode) -> AsyncIterator[Rpc]:
    async with Rpc(url=node.url) as connection:
        yield connection


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
