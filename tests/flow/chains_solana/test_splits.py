"""A split over all five kinds of pools lands leg by leg as simulated, to the base unit."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from solders.keypair import Keypair
from tests.flow.chains_solana.desk import SLOT_MS, Desk
from tests.unit.venues import ground

from quantdesk.chains.port import Trade, Transaction
from quantdesk.chains.solana import keys
from quantdesk.chains.solana.chain import Solana, Terms
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.markets import MARKETS, Side
from quantdesk.engines.orders.quality.model import Entry
from quantdesk.engines.orders.quality.reading import Confirmed, entries
from quantdesk.engines.orders.routed import described
from quantdesk.engines.orders.routing import Choice, Routing, Wanted
from quantdesk.engines.orders.swaps import swaps
from quantdesk.localnet.lookup_table import table_address
from quantdesk.localnet.opening import opening, pools
from quantdesk.localnet.server import serve
from quantdesk.testing.clock import ManualClock
from quantdesk.venues.following import Followed, Pools

pytestmark = pytest.mark.anyio

SOL = MARKETS["SOL-USDC"]
AMOUNT = 2_500 * 10**9
OTHER = 50 * 10**9
USD = {symbol: Decimal(price) for symbol, price in ground.USD.items()}


@dataclass(frozen=True)
class Market:
    """A desk on a localnet with all of its pools, as they stood when it opened."""

    desk: Desk
    venues: Mapping[str, Sequence[Followed]]

    def only(self, address: str) -> "Market":
        """Return the market of one pool."""
        left = {
            name: [one for one in followed if one.address == address]
            for name, followed in self.venues.items()
        }
        return replace(self, venues=left)

    def choice(self, side: Side, amount: int) -> Choice:
        """Return the best route for an amount."""
        wanted = Wanted(SOL, side, amount, slippage_bps=500)
        routing = Routing([Pools(name, followed) for name, followed in self.venues.items()])
        return routing.choose(wanted, now_ms=self.desk.clock.now_ms())

    async def prepared(self, choice: Choice, *, order: int = 1) -> tuple[Trade, Transaction]:
        """Simulate and sign a route."""
        wanted = choice.wanted
        trade = Trade(
            side=wanted.side, base=SOL.base, quote=SOL.quote, base_raw=wanted.base_raw,
            quote_limit_raw=choice.limit_raw, memo=f"qd:{UUID(int=order)}:1",
            expected_quote_raw=choice.quote_raw,
        )  # fmt: skip
        return trade, await self.desk.chain.prepare(trade, swaps(choice, self.desk.wallet))

    async def landed(self, trade: Trade, made: Transaction, choice: Choice) -> list[Entry]:
        """Send it and return its entries in the ledger."""
        desk = self.desk
        await desk.chain.send(made)
        await desk.slots(3)
        receipt = await desk.chain.receipt(trade, made)
        told = made.simulation
        confirmed = Confirmed(
            order_id=UUID(int=1), mode="localnet", account_id=UUID(int=2), pair=SOL.pair,
            side=trade.side, base_raw=trade.base_raw, landed_base_raw=receipt.base_raw,
            landed_raw=receipt.quote_raw, learned_ms=5, signed_ms=4,
            route=described(choice, now_ms=desk.clock.now_ms()), decision={},
            simulation={"quoteRaw": told.quote_raw, "legsQuoteRaw": list(told.legs_quote_raw)},
            receipt={"legsQuoteRaw": list(receipt.legs_quote_raw)},
        )  # fmt: skip
        return entries(confirmed)


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[Market]:
    trader, maker = (Keypair.from_seed(bytes([seed]) * 32) for seed in (1, 2))
    wallet, other = (keys.wallet(str(one.pubkey())) for one in (trader, maker))
    genesis = opening(trader=wallet, maker=other, usd=USD, depth_usd=Decimal(3_000_000))
    clock = ManualClock()
    seen = ground.seen(genesis.accounts)
    venues = pools(SOL)
    for name, followed in venues.items():
        ground.feed(Pools(name, followed), seen)
    net = await serve(
        data_dir=tmp_path, host="127.0.0.1", port=0, slot_ms=SLOT_MS, genesis=genesis, clock=clock
    )
    async with net, Rpc(url=net.rpc_url) as rpc:
        await clock.advance(1)
        terms = Terms(lookup_tables=(table_address(other.address),))
        chain = Solana(rpc=rpc, keypair=trader, wallet=wallet, clock=clock, terms=terms)
        yield Market(Desk(net, clock, rpc, chain, wallet), venues)


@pytest.mark.parametrize("side", Side)
async def test_each_leg_lands_as_it_was_simulated_when_nothing_moved(
    market: Market, side: Side
) -> None:
    choice = market.choice(side, AMOUNT)

    legs = await market.landed(*await market.prepared(choice), choice)

    assert len({(leg.venue, leg.kind) for leg in legs}) == 5, "all kinds of pools"
    assert all(leg.simulated_measured and leg.measured for leg in legs)
    assert [leg.simulated_raw for leg in legs] == [leg.landed_raw for leg in legs]
    assert [leg.quoted_raw for leg in legs] == [leg.landed_raw for leg in legs]


async def test_a_leg_whose_pool_moved_is_told_from_the_others(market: Market) -> None:
    choice = market.choice(Side.SELL, AMOUNT)
    trade, made = await market.prepared(choice)
    moved = choice.route.legs[0].hops[0].pool.about.address
    rival = market.only(moved).choice(Side.SELL, OTHER)
    await market.landed(*await market.prepared(rival, order=2), rival)

    legs = await market.landed(trade, made, choice)

    short = {leg.pool: (leg.simulated_raw or 0) - leg.landed_raw for leg in legs}
    assert len(short) == 5
    assert short.pop(moved) > 0
    assert set(short.values()) == {0}
