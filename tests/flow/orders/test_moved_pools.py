"""Promise: a pool that moves between quote and landing costs nothing but the fee of the failure.

The chain itself refuses the trade by its bound, and a fresh quote fills it. Real programs, real
chain; a rival's trade lands between the desk's signature and its send.
"""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.flow.orders.moving import SOL, Rival, World, opened
from tests.unit.venues import minted

from quantdesk.core.assets import TOKEN_2022
from quantdesk.core.markets import MARKETS, Market, Side
from quantdesk.engines.orders.model import OrderStatus
from quantdesk.localnet import amm_pools, clmm_pools, damm_pools, meteora_pools, raydium_pools
from quantdesk.store.pool import Pools as Databases
from quantdesk.venues.following import Followed
from quantdesk.venues.meteora.damm_v2.pool import FollowedDammV2
from quantdesk.venues.meteora.dlmm.pool import DlmmFollowed
from quantdesk.venues.raydium.amm_v4.pool import AmmV4Followed
from quantdesk.venues.raydium.clmm.pool import ClmmFollowed
from quantdesk.venues.raydium.cpmm.pool import CpmmFollowed
from quantdesk.venues.transfer_fee import TransferFee

pytestmark = pytest.mark.anyio
S = OrderStatus
PYUSD = MARKETS["PYUSD-USDC"]

_KINDS: dict[str, tuple[Callable[[str], Followed], Callable[[Market], str], dict[Side, int]]] = {
    "CPMM": (CpmmFollowed, raydium_pools.address, {Side.SELL: 6005, Side.BUY: 6005}),
    "CLMM": (ClmmFollowed, clmm_pools.address, {Side.SELL: 6023, Side.BUY: 6023}),
    "AMM v4": (AmmV4Followed, amm_pools.address, {Side.SELL: 30, Side.BUY: 30}),
    "DLMM": (DlmmFollowed, meteora_pools.address, {Side.SELL: 6003, Side.BUY: 6104}),
    "DAMM v2": (FollowedDammV2, damm_pools.address, {Side.SELL: 6002, Side.BUY: 6002}),
}
"""How each kind is followed, where its pool is, and the number of its program's refusal.

It is that of "past the bound"; a price that has left the ticks a trade named says so before that.
"""
_TAXED = {"CPMM": 6005, "CLMM": 6018, "DLMM": 6003, "DAMM v2": 6002}
"""Those that take Token-2022 tokens, and their number for "past the bound" of a sale."""
_RAISED = TransferFee(bps=100, most=minted.U64_MAX)


async def _fee_raised(rival: Rival, _side: Side) -> None:
    """Let the issuer of PYUSD take a hundredth of every transfer from now on."""
    data = minted.mint(_RAISED, decimals=PYUSD.base.decimals)
    account = {"data": base64.b64encode(data).decode(), "owner": TOKEN_2022}
    await rival.rpc.ask("localnet_setAccount", PYUSD.base.mint, account, answer=msgspec.Raw)


async def _overtaken(world: World, side: Side, base_raw: int, number: int) -> tuple[int, int]:
    """Let one order be overtaken and filled; return what its quotes were, in the quote asset."""
    events = await world.ended(side, base_raw)
    order_id = events[0].order_id
    first, second = await world.orders.attempts(order_id)
    order = await world.orders.get(world.account_id, order_id)
    answer: dict[str, Any] = await world.rpc.ask(
        "getSignatureStatuses",
        [first.signature, second.signature],
        {"searchTransactionHistory": True},
        answer=dict,
    )
    assert [event.status for event in events] == [
        *(S.PENDING, S.ROUTING, S.BUILDING, S.SUBMITTED),
        *(S.ROUTING, S.BUILDING, S.SUBMITTED, S.CONFIRMED),
    ]
    assert (first.outcome, second.outcome) == ("REVERTED", "LANDED")
    failed, landed = (status["err"] for status in answer["value"])
    assert failed["InstructionError"][1] == {"Custom": number}
    assert landed is None
    quotes = [attempt.route["expectedQuoteRaw"] for attempt in (first, second)]
    assert order.filled is not None
    assert (order.filled.base_raw, order.filled.quote_raw) == (base_raw, quotes[1])
    return quotes[0], quotes[1]


@pytest.mark.parametrize("side", [Side.SELL, Side.BUY], ids=str)
@pytest.mark.parametrize("kind", _KINDS)
async def test_that_a_trade_the_pool_has_left_fails_on_chain_and_fills_at_a_fresh_quote(
    pools: Databases, tmp_path: Path, kind: str, side: Side
) -> None:
    follow, at, numbers = _KINDS[kind]

    async with opened(tmp_path, pools, follow(at(SOL))) as world:
        first, second = await _overtaken(world, side, 2 * 10**9, numbers[side])

    worse = second / first if side is Side.BUY else first / second
    assert worse > 1.005, "the fresh quote is past the bound of the first"


@pytest.mark.parametrize("kind", _TAXED)
async def test_that_a_fee_on_transfers_that_rises_after_the_quote_is_bounded_and_then_counted(
    pools: Databases, tmp_path: Path, kind: str
) -> None:
    follow, at, _ = _KINDS[kind]

    async with opened(
        tmp_path, pools, follow(at(PYUSD)), market=PYUSD, meanwhile=_fee_raised
    ) as world:
        first, second = await _overtaken(world, Side.SELL, 10**9, _TAXED[kind])

    assert second / first == pytest.approx(0.99, abs=1e-4)
