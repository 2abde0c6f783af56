"""Trades routed over CLMM pools land on the localnet as they were quoted, to the unit.

opening → pools read over RPC → route → calls → simulated and signed → landed → receipt; over the
CLMM pool alone, across ticks, and as one leg of a split over pools of several programs.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest
from solders.keypair import Keypair
from tests.flow.chains_solana.desk import SEED, Desk, opened

from quantdesk.app.standing import standing
from quantdesk.chains.port import AccountState, Receipt, Trade, Transaction
from quantdesk.chains.solana import keys
from quantdesk.chains.solana.answers import AccountsAnswer
from quantdesk.chains.solana.chain import Terms
from quantdesk.core.errors import Unavailable
from quantdesk.core.markets import MARKETS, Market, Side
from quantdesk.engines.orders.routing import Choice, Routing, Wanted, leg_limits
from quantdesk.engines.orders.swaps import calls
from quantdesk.localnet import clmm_pools
from quantdesk.localnet.genesis import Genesis
from quantdesk.localnet.lookup_table import table_address
from quantdesk.localnet.opening import opening, pools
from quantdesk.venues.following import Followed, Pools
from quantdesk.venues.raydium.clmm.layout import PROGRAM
from quantdesk.venues.raydium.clmm.pool import ClmmFollowed

pytestmark = pytest.mark.anyio

_USD: Final = {
    symbol: Decimal(price)
    for symbol, price in {
        "SOL": "150",
        "USDC": "1",
        "USDT": "1",
        "BTC": "60000",
        "ETH": "3000",
        "PYUSD": "1",
    }.items()
}
_WALLET: Final = keys.wallet(str(Keypair.from_seed(SEED).pubkey()))
_MAKER: Final = keys.wallet(str(Keypair.from_seed(bytes([2]) * 32).pubkey()))
_TRADES: Final = [
    ("SOL-USDC", 10**9 + 7),
    ("SOL-USDT", 10**9 * 600 + 1),  # crosses ticks
    ("BTC-USDC", 10**8 * 2 + 3),
    ("USDT-USDC", 10**6 * 70_000 + 1),  # whose quote asset is token 0
    ("PYUSD-USDC", 10**6 * 900),
]


def _genesis() -> Genesis:
    return opening(trader=_WALLET, maker=_MAKER, usd=_USD, depth_usd=Decimal(5_000_000))


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Desk]:
    terms = Terms(lookup_tables=(table_address(_MAKER.address),))
    async with opened(tmp_path, genesis=_genesis(), terms=terms) as fresh:
        yield fresh


def _clmm(market: Market) -> list[Followed]:
    return [ClmmFollowed(clmm_pools.address(market))]


async def _chosen(net: Desk, wanted: Wanted, follow: Sequence[Followed]) -> Choice:
    """Return the route over these pools, as the node shows them now."""
    venue, given = Pools("raydium", list(follow)), set[str]()
    while addresses := [at for at in venue.accounts() if at not in given]:
        told = await net.rpc.ask(
            "getMultipleAccounts",
            addresses,
            {"encoding": "base64", "commitment": "confirmed"},
            answer=AccountsAnswer,
        )
        for address, account in zip(addresses, told.value, strict=True):
            assert account is not None
            state = AccountState(address, account.bytes(), account.owner, told.context.slot)
            venue.update(state, seen_ms=net.clock.now_ms())
            given.add(address)
    return Routing([venue]).choose(wanted, now_ms=net.clock.now_ms())


async def _prepared(net: Desk, choice: Choice) -> tuple[Trade, Transaction]:
    wanted, market = choice.wanted, choice.wanted.market
    trade = Trade(
        side=wanted.side,
        base=market.base,
        quote=market.quote,
        base_raw=wanted.base_raw,
        quote_limit_raw=choice.limit_raw,
        memo="qd:clmm:1",
    )
    instructions = calls(choice.route.legs, leg_limits(choice), wanted, net.wallet)
    return trade, await net.chain.prepare(trade, instructions)


async def _landed(net: Desk, choice: Choice) -> Receipt:
    trade, transaction = await _prepared(net, choice)
    await net.chain.send(transaction)
    await net.slots(3)
    return await net.chain.receipt(trade, transaction)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(("pair", "base_raw"), _TRADES, ids=[pair for pair, _ in _TRADES])
async def test_lands_what_was_quoted(net: Desk, pair: str, base_raw: int, side: Side) -> None:
    market = MARKETS[pair]
    wanted = Wanted(market=market, side=side, base_raw=base_raw, slippage_bps=0)
    choice = await _chosen(net, wanted, _clmm(market))
    before = await net.chain.balances([market.quote])

    receipt = await _landed(net, choice)

    after = await net.chain.balances([market.quote])
    moved = after[market.quote.symbol] - before[market.quote.symbol]
    assert (receipt.base_raw, receipt.quote_raw) == (base_raw, choice.quote_raw)
    assert moved == (-choice.quote_raw if side is Side.BUY else choice.quote_raw)
    fair = _USD[market.base.symbol] / _USD[market.quote.symbol]
    assert abs(choice.price / fair - 1) < Decimal("0.01")


@pytest.mark.parametrize("side", list(Side))
async def test_a_split_over_pools_of_several_programs_lands_in_one_transaction(
    net: Desk, side: Side
) -> None:
    market = MARKETS["SOL-USDC"]
    wanted = Wanted(market=market, side=side, base_raw=10**9 * 3_000, slippage_bps=0)
    every = [pool for venue in pools(market).values() for pool in venue]
    choice = await _chosen(net, wanted, every)
    programs = {
        call.program for call in calls(choice.route.legs, leg_limits(choice), wanted, net.wallet)
    }
    assert PROGRAM in programs
    assert len(programs) >= 3

    receipt = await _landed(net, choice)

    assert (receipt.base_raw, receipt.quote_raw) == (wanted.base_raw, choice.quote_raw)


@pytest.mark.parametrize("side", list(Side))
async def test_a_price_that_moved_past_the_limit_is_refused_by_the_program(
    net: Desk, side: Side
) -> None:
    market = MARKETS["SOL-USDC"]
    wanted = Wanted(market=market, side=side, base_raw=10**11, slippage_bps=0)
    stale = await _chosen(net, wanted, _clmm(market))
    await _landed(net, stale)

    with pytest.raises(Unavailable) as caught:
        await _prepared(net, stale)

    assert caught.value.code == "slippage.exceeded"
    fresh = await _chosen(net, wanted, _clmm(market))
    worse = fresh.quote_raw - stale.quote_raw
    assert worse > 0 if side is Side.BUY else worse < 0
    assert (await _landed(net, fresh)).quote_raw == fresh.quote_raw


async def test_a_chain_founded_before_them_is_traded_on_without_them(tmp_path: Path) -> None:
    whole = _genesis()
    unknown = {
        account.address
        for market in MARKETS.values()
        for account in clmm_pools.accounts(
            market, price=Decimal(1), depth_usd=Decimal(1_000), usd=_USD
        )
    }
    older = replace(
        whole,
        accounts=[account for account in whole.accounts if account.address not in unknown],
        programs={at: file for at, file in whole.programs.items() if at != PROGRAM},
    )

    async with opened(tmp_path, genesis=older) as net:
        found = await standing(net.rpc)

    assert set(found["raydium"]) == set(found["meteora"]) == set(MARKETS)
    raydium = [pool for pools in found["raydium"].values() for pool in pools]
    assert raydium
    assert not any(isinstance(pool, ClmmFollowed) for pool in raydium)
