"""A node that says what it is told, and a connection to it."""

from collections.abc import AsyncIterator

import pytest
from tests.unit.chains.solana.scripted import ScriptedNode

from quantdesk.chains.solana.rpc import Rpc


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
