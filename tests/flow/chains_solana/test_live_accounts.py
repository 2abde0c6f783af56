"""The live view of accounts starts whole, follows every change, and survives its socket."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from tests.flow.chains_solana import counter
from tests.flow.chains_solana.desk import Desk, trade

from quantdesk.chains.port import Accounts, AccountState
from quantdesk.chains.solana.accounts import LiveAccounts
from quantdesk.core.assets import TOKEN_PROGRAM
from quantdesk.core.markets import Side

pytestmark = pytest.mark.anyio

USDC = counter.address("USDC")
NOWHERE = "11111111111111111111111111111113"


def _live(desk: Desk) -> Accounts:
    return LiveAccounts(url=desk.net.ws_url, rpc=desk.rpc, clock=desk.clock, jitter=lambda: 0.5)


def _amount(state: AccountState) -> int:
    return int.from_bytes(state.data[64:72], "little")


async def test_reads_all_then_follows_changes_in_slot_order(desk: Desk) -> None:
    live = _live(desk)
    stream = live.stream(lambda: [USDC, NOWHERE])
    async with aclosing(stream) as states:
        first = {state.address: state async for state in _take(states, 2)}
        await desk.traded(trade(Side.SELL, "SOL-USDC", 10**6, 1), 150)
        (change,) = [state async for state in _take(states, 1)]

    assert _amount(first[USDC]) == counter.STOCK
    assert (first[NOWHERE].data, first[NOWHERE].owner) == (b"", "")
    assert first[USDC].owner == change.owner == TOKEN_PROGRAM
    assert (change.address, _amount(change)) == (USDC, counter.STOCK - 150)
    assert change.slot > first[USDC].slot


async def _take(
    states: AsyncGenerator[AccountState | None, None], count: int
) -> AsyncGenerator[AccountState, None]:
    """Yield so many states, past the signs of life between them."""
    while count:
        state = await anext(states)
        if state is not None:
            yield state
            count -= 1
