"""A desk on a real local chain with one pool, which changes just before the desk's first send."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path
from uuid import UUID

from solders.keypair import Keypair

from quantdesk.bus.memory import Memory
from quantdesk.chains.port import Fate, Receipt, Sighting, Trade, Transaction, Wallet
from quantdesk.chains.port import Instruction as Call
from quantdesk.chains.solana import keys
from quantdesk.chains.solana.accounts import LiveAccounts
from quantdesk.chains.solana.chain import Solana
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.assets import Asset
from quantdesk.core.clock import Clock, SystemClock
from quantdesk.core.errors import DeskError
from quantdesk.core.ids import NewId, ids
from quantdesk.core.markets import MARKETS, Market, Side
from quantdesk.core.validity import Validity
from quantdesk.engines.orders.engine import TOPIC, Orders, Rules
from quantdesk.engines.orders.floor import Floor
from quantdesk.engines.orders.model import OrderEvent, OrderStatus
from quantdesk.engines.orders.routing import Routing
from quantdesk.guard.check import Approved, Facts, Intent, Limits, check
from quantdesk.ingest.pools import PoolFeed
from quantdesk.localnet.opening import opening
from quantdesk.localnet.server import serve
from quantdesk.sources.simulated import MODELS
from quantdesk.store.pool import Pools as Databases
from quantdesk.venues.following import Followed, Pools
from quantdesk.venues.port import Pool, Swap

SOL = MARKETS["SOL-USDC"]
SLOT_MS = 40
MODE = "localnet"
WAIT_S = 60
_POLL_S = 0.02
_USD = {symbol: model.start for symbol, model in MODELS.items()}
_ENDED = {OrderStatus.CONFIRMED, OrderStatus.FAILED, OrderStatus.CANCELLED}


@dataclass
class Overtaken:
    """The trader's chain; `meanwhile` happens before the first bytes are handed over."""

    chain: Solana
    meanwhile: Callable[[Side], Awaitable[None]]
    prepared: list[Trade] = field(default_factory=list)
    sent: int = 0

    @property
    def poll_s(self) -> float:
        """Return the seconds between looks."""
        return self.chain.poll_s

    async def prepare(self, trade: Trade, instructions: Sequence[Call]) -> Transaction:
        """Build, simulate and sign."""
        self.prepared.append(trade)
        return await self.chain.prepare(trade, instructions)

    async def send(self, transaction: Transaction) -> None:
        """Hand the bytes over, the first ones late."""
        self.sent += 1
        if self.sent == 1:
            await self.meanwhile(self.prepared[0].side)
        await self.chain.send(transaction)

    async def look(self, transactions: Sequence[Transaction]) -> list[Sighting]:
        """Return the fate of each."""
        return await self.chain.look(transactions)

    async def receipt(self, trade: Trade, transaction: Transaction) -> Receipt:
        """Return what moved."""
        return await self.chain.receipt(trade, transaction)

    async def balances(self, assets: Sequence[Asset]) -> dict[str, int]:
        """Return what the wallet holds."""
        return await self.chain.balances(assets)


@dataclass
class Rival:
    """Another wallet, which takes the price away by some hundredths of it."""

    chain: Solana
    wallet: Wallet
    venue: Pools
    clock: Clock
    market: Market
    rpc: Rpc
    worse: Decimal = Decimal("1.03")

    def pool(self) -> Pool:
        """Return the pool as the desk knows it now; raise why it does not trade."""
        mints = frozenset((self.market.base.mint, self.market.quote.mint))
        (pool,) = self.venue.pools(mints, now_ms=self.clock.now_ms())
        return pool

    async def overtake(self, side: Side) -> None:
        """Trade the same way as the desk is about to, and wait until that is on the chain."""
        amount = self._enough(side)
        sells = side is Side.SELL
        limit = 1 if sells else 1 << 62
        base, quote = self.market.base, self.market.quote
        paid, received = (base, quote) if sells else (quote, base)
        accounts = self.wallet.token_accounts
        swap = Swap(
            paid=paid.mint,
            exact_in=sells,
            amount=amount,
            limit=limit,
            owner=self.wallet.address,
            paid_from=accounts[paid.symbol],
            received_in=accounts[received.symbol],
        )
        trade = Trade(side, base, quote, amount, limit, "the rival's")
        made = await self.chain.prepare(trade, [self.pool().instruction(swap)])
        await self.chain.send(made)
        while (await self.chain.look([made]))[0].fate is not Fate.LANDED:
            await self.clock.sleep(_POLL_S)

    def _enough(self, side: Side) -> int:
        """Return how much has to be traded for the average price to be that much worse."""
        pool, amount = self.pool(), 10**9
        first = self._price(pool, side, amount)
        while self._price(pool, side, amount) / first < self.worse:
            amount = amount * 5 // 4
        return amount

    def _price(self, pool: Pool, side: Side, amount: int) -> Decimal:
        if side is Side.SELL:
            return amount / Decimal(pool.exact_in(self.market.base.mint, amount).received)
        return Decimal(pool.exact_out(self.market.quote.mint, amount).paid) / amount


Meanwhile = Callable[[Rival, Side], Awaitable[None]]
"""What happens between the signature of a trade of this side and its send."""


@dataclass
class World:
    """The desk and everything around it."""

    orders: Orders
    chain: Overtaken
    rpc: Rpc
    clock: Clock
    told: list[OrderEvent]
    account_id: UUID
    rival: Rival
    new_id: NewId

    async def ended(self, side: Side, base_raw: int) -> list[OrderEvent]:
        """Place an order and return all its events once it has ended."""
        placed = await self.orders.place(self._approved(side, base_raw))
        await self._until(lambda event: event.status in _ENDED)
        return await self.orders.events([placed.order.id])

    async def waits_for(self, side: Side, base_raw: int, limit_price: Decimal) -> str | None:
        """Place a limit order and return what it first waits for; None when it ends instead."""
        await self.orders.place(self._approved(side, base_raw, limit_price))
        return await self._until(lambda event: bool(event.waiting) or event.status in _ENDED)

    async def _until(self, holds: Callable[[OrderEvent], bool]) -> str | None:
        async with asyncio.timeout(WAIT_S):
            while not (found := [event for event in self.told if holds(event)]):
                await self.clock.sleep(_POLL_S)
        self.told.clear()
        return found[0].waiting

    def _approved(self, side: Side, base_raw: int, limit_price: Decimal | None = None) -> Approved:
        intent = Intent(
            account_id=self.account_id, market=self.rival.market, side=side, base_raw=base_raw,
            slippage_bps=50, limit_price=limit_price, expires_ms=None,
        )  # fmt: skip
        facts = Facts(
            now_ms=self.clock.now_ms(), base_usd=Decimal(100), price_age_ms=0,
            price_validity=Validity.VALID, prices=(), day_notional_usd=Decimal(0), open_orders=0,
            gives_raw=0,
        )  # fmt: skip
        return check(intent, limits=Limits(), facts=facts, decision_id=self.new_id())


@asynccontextmanager
async def opened(
    folder: Path,
    databases: Databases,
    followed: Followed,
    *,
    market: Market = SOL,
    meanwhile: Meanwhile = Rival.overtake,
) -> AsyncIterator[World]:
    """Start a localnet, follow one of its pools, and run a desk that is overtaken once."""
    clock = SystemClock()
    pairs = [Keypair.from_seed(bytes([n]) * 32) for n in (1, 2)]
    wallets = [keys.wallet(str(pair.pubkey())) for pair in pairs]
    genesis = opening(trader=wallets[0], maker=wallets[1], usd=_USD, depth_usd=Decimal(5_000_000))
    net = await serve(
        data_dir=folder, host="127.0.0.1", port=0, slot_ms=SLOT_MS, genesis=genesis, clock=clock
    )
    async with net, Rpc(url=net.rpc_url) as rpc:
        chains = [
            Solana(rpc=rpc, keypair=pair, wallet=own, clock=clock)
            for pair, own in zip(pairs, wallets, strict=True)
        ]
        venue = Pools("pools", [followed])
        live = LiveAccounts(url=net.ws_url, rpc=rpc, clock=clock, jitter=lambda: 0.5)
        feed = PoolFeed(accounts=live, venues=[venue], clock=clock)
        following = asyncio.ensure_future(feed.run())
        rival = Rival(chains[1], wallets[1], venue, clock, market, rpc)
        await _trading(rival)
        chain, bus, new_id = (
            Overtaken(chains[0], partial(meanwhile, rival)),
            Memory(),
            ids(clock.now_ms),
        )
        floor = Floor(
            chain=chain,
            routing=Routing([venue], heard_ms=lambda: live.heard_ms),
            wallet=wallets[0],
            check_price=lambda _market, _price: None,
            network_fee_lamports=5_000,
        )
        orders = Orders(
            rules=Rules(mode=MODE), pools=databases, floor=floor, bus=bus, clock=clock,
            new_id=new_id,
        )  # fmt: skip
        told: list[OrderEvent] = []
        bus.listen(TOPIC, told.extend)
        await orders.start()
        try:
            yield World(orders, chain, rpc, clock, told, new_id(), rival, new_id)
        finally:
            await orders.stop()
            following.cancel()
            await asyncio.wait([following])


async def _trading(rival: Rival) -> None:
    async with asyncio.timeout(WAIT_S):
        while not _trades(rival):
            await rival.clock.sleep(_POLL_S)


def _trades(rival: Rival) -> bool:
    try:
        rival.pool()
    except DeskError:
        return False
    return True
