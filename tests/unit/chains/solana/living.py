"""What tests of the live view share: a node that reads and tells, and waiting for what it tells."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

from tests.unit.chains.solana.scripted import ScriptedNode

from quantdesk.chains.port import AccountState
from quantdesk.testing.clock import ManualClock

Stream = AsyncGenerator[AccountState | None, None]

WAIT_S = 60
BEAT = {"jsonrpc": "2.0", "method": "slotNotification", "params": {"subscription": 1, "result": 1}}


def account(data: bytes) -> dict[str, Any]:
    """Return an account as the node tells it."""
    return {"lamports": 1, "owner": "x", "data": [b64encode(data).decode(), "base64"]}


def reads(node: ScriptedNode, slot: int, *accounts: bytes) -> asyncio.Event:
    """Let the node read these from now on; what is returned is set once it was asked."""
    value, asked = [account(data) for data in accounts], asyncio.Event()

    def read(*_: object) -> dict[str, Any]:
        asked.set()
        return {"context": {"slot": slot}, "value": value}

    node.says["getMultipleAccounts"] = read
    return asked


async def next_by_beats(node: ScriptedNode, states: Stream) -> AccountState:
    """Return the next state of a node that says nothing but that it lives."""
    coming = asyncio.ensure_future(next_state(states))
    async with asyncio.timeout(WAIT_S):
        while not coming.done():
            with suppress(ConnectionResetError):  # it hung up
                await node.say(BEAT)
            for _ in range(20):
                await asyncio.sleep(0)
    return await coming


async def next_state(states: Stream) -> AccountState:
    """Return the next state, past the signs of life before it."""
    while (state := await anext(states)) is None:
        pass
    return state


async def until_read(clock: ManualClock, *readings: asyncio.Event) -> None:
    """Let time pass until each was asked for; one begins when the one before is judged."""
    async with asyncio.timeout(WAIT_S):
        for asked in readings:
            while not asked.is_set():
                await clock.advance(30)
