"""Trades over Raydium's AMM v4 and CLMM land on the localnet as they were quoted, to the unit.

opening → pools read over RPC → route → calls → simulated and signed → landed → receipt; over a pool
alone, across ticks, and as one leg of a split over pools of several programs.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple

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
from quantdesk.localnet import amm_pools, clmm_pools
from quantdesk.localnet.genesis import Genesis
from quantdesk.localnet.lookup_table import table_address
from quantdesk.localnet.opening import opening, pools
from quantdesk.venues.following import Followed, Pools
from quantdesk.venues.raydium.amm_v4 import layout as amm_v4
from quantdesk.venues.raydium.amm_v4.pool import AmmV4Followed
from quantdesk.venues.raydium.clmm import layout as clmm
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


class _Kind(NamedTuple):
    """A kind of pool, where its pools come from, and its program."""

    pools: ModuleType
    follow: Callable[[str], Followed]
    program: str

    def of(self, market: Market) -> list[Followed]:
        """Return what follows the one pool of a market."""
        return [self.follow(self.pools.address(market))]


_AMM_V4: Final = _Kind(amm_pools, AmmV4Followed, amm_v4.PROGRAM)
_CLMM: Final = _Kind(clmm_pools, ClmmFollowed, clmm.PROGRAM)
_KINDS: Final = pytest.mark.parametrize("kind", [_AMM_V4, _CLMM], ids=["AMM v4", "CLMM"])
_TRADES: Final = [
    (_AMM_V4, "SOL-USDC", 10**9 * 250 + 7),
    (_AMM_V4, "SOL-USDT", 10**9 + 1),
    (_AMM_V4, "BTC-USDC", 10**8 + 3),
    (_CLMM, "SOL-USDC", 10**9 + 7),
    (_CLMM, "SOL-USDT", 10**9 * 600 + 1),  # crosses ticks
    (_CLMM, "BTC-USDC", 10**8 * 2 + 3),
    (_CLMM, "USDT-USDC", 10**6 * 70_000 + 1),  # whose quote asset is token 0
    (_CLMM, "PYUSD-USDC", 10**6 * 900),
]


def _genesis() -> Genesis:
    return opening(trader=_WALLET, maker=_MAKER, usd=_USD, depth_usd=Decimal(5_000_000))


@pytest.fixture
async def net(tmp_path: Path) -> AsyncIterator[Desk]:
    terms = Terms(lookup_tables=(table_address(_MAKER.address),))
    async with opened(tmp_path, genesis=_genesis(), terms=terms) as fresh:
        yield fresh


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
        memo="qd:kind:1",
    )
    instructions = calls(choice.route.legs, leg_limits(choice), wanted, net.wallet)
    return trade, await net.chain.prepare(trade, instructions)


def _programs(net: Desk, choice: Choice) -> set[str]:
    made = calls(choice.route.legs, leg_limits(choice), choice.wanted, net.wallet)
    return {call.program for call in made}


async def _landed(net: Desk, choice: Choice) -> Receipt:
    trade, transaction = await _prepared(net, choice)
    await net.chain.send(transaction)
    await net.slots(3)
    return await net.chain.receipt(trade, transaction)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(("kind", "pair", "base_raw"), _TRADES)
async def test_lands_what_was_quoted(
    net: Desk, kind: _Kind, pair: str, base_raw: int, side: Side
) -> None:
    market = MARKETS[pair]
    wanted = Wanted(market=market, side=side, base_raw=base_raw, slippage_bps=0)
    choice = await _chosen(net, wanted, kind.of(market))
    assert _programs(net, choice) == {kind.program}
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
    programs = _programs(net, choice)
    assert programs >= {_AMM_V4.program, _CLMM.program}
    assert len(programs) >= 3

    receipt = await _landed(net, choice)

    assert (receipt.base_raw, receipt.quote_raw) == (wanted.base_raw, choice.quote_raw)


@_KINDS
@pytest.mark.parametrize("side", list(Side))
async def test_a_price_that_moved_past_the_limit_is_refused_by_the_program(
    net: Desk, kind: _Kind, side: Side
) -> None:
    market = MARKETS["SOL-USDC"]
    wanted = Wanted(market=market, side=side, base_raw=10**11, slippage_bps=0)
    stale = await _chosen(net, wanted, kind.of(market))
    await _landed(net, stale)

    with pytest.raises(Unavailable) as caught:
        await _prepared(net, stale)

    assert caught.value.code == "slippage.exceeded"
    fresh = await _chosen(net, wanted, kind.of(market))
    worse = fresh.quote_raw - stale.quote_raw
    assert worse > 0 if side is Side.BUY else worse < 0
    assert (await _landed(net, fresh)).quote_raw == fresh.quote_raw


@_KINDS
async def test_a_chain_founded_before_them_is_traded_on_without_them(
    tmp_path: Path, kind: _Kind
) -> None:
    whole = _genesis()
    unknown = {
        account.address
        for market in MARKETS.values()
        for account in kind.pools.accounts(
            market,
            price=_USD[market.base.symbol] / _USD[market.quote.symbol],
            depth_usd=Decimal(1_000),
            usd=_USD,
        )
    }
    older = replace(
        whole,
        accounts=[account for account in whole.accounts if account.address not in unknown],
        programs={at: file for at, file in whole.programs.items() if at != kind.program},
    )

    async with opened(tmp_path, genesis=older) as net:
        found = await standing(net.rpc)

    assert len(older.accounts) == len(whole.accounts) - len(unknown)
    assert set(found["raydium"]) == set(found["meteora"]) == set(MARKETS)
    raydium = [pool for pools in found["raydium"].values() for pool in pools]
    assert raydium
    assert not any(type(pool) is kind.follow for pool in raydium)
