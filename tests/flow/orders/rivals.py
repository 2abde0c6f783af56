"""A stage with rivals of its pools: an exchange and an aggregator on loopback, on stage time."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

from tests.unit.chains.jupiter.world import API_KEY as JUPITER_KEY
from tests.unit.chains.jupiter.world import PAIR, WALLET

from quantdesk.app.aggregator import floor_of
from quantdesk.bus.memory import Memory
from quantdesk.chains.binance import Binance as BinanceChain
from quantdesk.chains.binance import Client, HmacKey
from quantdesk.chains.jupiter import Client as JupiterClient
from quantdesk.chains.jupiter import Jupiter as JupiterChain
from quantdesk.chains.jupiter.chain import Node, Tried
from quantdesk.chains.port import AccountState, Trade, Wallet
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import DeskError
from quantdesk.core.markets import Market, market
from quantdesk.engines.orders.floor import Floor
from quantdesk.engines.orders.routing import Routing, Rules, Wanted
from quantdesk.store.pool import Pools
from quantdesk.testing.binance import API_KEY, SECRET, Binance
from quantdesk.testing.binance_exchange import Symbol
from quantdesk.testing.jupiter import Jupiter, Ledger
from quantdesk.testing.killing import Life, Ports, wrapped
from quantdesk.testing.stage import Stage
from quantdesk.venues.binance import Binance as BinanceVenue
from quantdesk.venues.port import Pool

SOL = market("SOL-USDC")
FEE_BPS = 10
"""What the exchange takes of every trade."""


class Followed(BinanceVenue):
    """A venue whose book is that of the exchange at the moment it is asked."""

    def __init__(self, server: Binance, barred: Callable[[], DeskError | None]) -> None:
        super().__init__([SOL], barred=barred)
        self._server = server

    def pools(self, mints: frozenset[str], *, now_ms: int) -> list[Pool]:
        """Read the book, then say what it offers."""
        for kind, said in self._server.shapes("SOLUSDC").items():
            state = AccountState(f"binance:{kind}:SOLUSDC", said, "binance", now_ms)
            self.update(state, seen_ms=now_ms)
        return super().pools(mints, now_ms=now_ms)


@dataclass
class ExchangeWorld:
    """A stage whose desks also have an account at an exchange; pools trade at 100."""

    stage: Stage
    server: Binance
    stack: AsyncExitStack

    def quote(self, bid: str, ask: str) -> None:
        """Let the exchange show a hundred SOL on either side."""
        bids, asks = {Decimal(bid): Decimal(100)}, {Decimal(ask): Decimal(100)}
        self.server.list(Symbol("SOL", "USDC", bids=bids, asks=asks))

    def rivals(self, life: Life) -> Mapping[str, Floor]:
        """Return the floor of one process: what it does to the exchange is its life's."""
        client = Client(
            url=self.server.url, clock=self.stage.clock,
            key=HmacKey(api_key=API_KEY, secret=SECRET),
        )  # fmt: skip
        self.stack.push_async_callback(client.close)
        chain = BinanceChain(client=client, clock=self.stage.clock)
        floor = Floor(
            chain=wrapped(Ports(self.stage.pools, chain, Memory(), self.stage.clock), life).chain,
            routing=Routing([Followed(self.server, client.barred)], rules=Rules(legs_max=1)),
            wallet=Wallet("binance", dict.fromkeys(ASSETS, "binance")),
            check_price=self._check,
            network_fee_lamports=0,
            name="binance",
        )
        return {"binance": floor}

    def _check(self, traded: Market, price: Decimal) -> None:
        self.stage.check_price(traded, price)

    def fills(self, order_id: object) -> int:
        """Return how often an order was filled, on the exchange and on chain together."""
        own = str(order_id).replace("-", "")
        there = [o for o in self.server.exchange.orders if o.client_id.startswith(own)]
        return sum(bool(o.executed) for o in there) + len(
            self.stage.chain.fills.get(str(order_id), [])
        )


@asynccontextmanager
async def exchange_world(pools: Pools, *, day: int = 0) -> AsyncIterator[ExchangeWorld]:
    """Open a stage beside an exchange whose clock is not ours."""
    async with AsyncExitStack() as stack:
        stage = Stage(pools, day=day)
        stack.push_async_callback(stage.clear)
        server = await stack.enter_async_context(Binance(clock=stage.clock))
        server.exchange.skew_ms = 7_000
        server.exchange.fund(SOL="1000", USDC="1000000")
        world = ExchangeWorld(stage, server, stack)
        stage.rivals_of = world.rivals
        yield world


@dataclass
class AggregatorWorld:
    """A stage whose desks also sell by Jupiter, which lands on a chain of its own."""

    stage: Stage
    server: Jupiter
    ledger: Ledger
    stack: AsyncExitStack

    def rivals(self, life: Life) -> Mapping[str, Floor]:
        """Return the floor of one process."""
        client = JupiterClient(url=self.server.url, clock=self.stage.clock, api_key=JUPITER_KEY)
        self.stack.push_async_callback(client.close)

        async def trial(_: Trade, raw: bytes) -> Tried:
            return Tried(self.ledger.simulated(raw))

        executes = JupiterChain(
            client=client,
            settles=self.ledger,
            node=Node(trial=trial, newest_height=self.ledger.newest_height),
            keypair=PAIR,
            wallet=WALLET,
        )
        pools = Floor(
            chain=self.ledger, routing=Routing(self.stage.venues), wallet=WALLET,
            check_price=self._check,
            network_fee_lamports=5_000,
        )  # fmt: skip
        floor = floor_of(executes, client, pools=pools, clock=self.stage.clock)
        ports = Ports(self.stage.pools, executes, Memory(), self.stage.clock)
        asks = floor.ask
        assert asks is not None

        async def asked(wanted: Wanted) -> None:
            await life.do("ask", lambda: asks(wanted))

        return {"jupiter": replace(floor, chain=wrapped(ports, life).chain, ask=asked)}

    def _check(self, traded: Market, price: Decimal) -> None:
        self.stage.check_price(traded, price)


@asynccontextmanager
async def aggregator_world(pools: Pools, *, day: int = 0) -> AsyncIterator[AggregatorWorld]:
    """Open a stage beside Jupiter."""
    async with AsyncExitStack() as stack:
        stage = Stage(pools, day=day)
        stack.push_async_callback(stage.clear)
        ledger = Ledger(clock=stage.clock)
        made = Jupiter(clock=stage.clock, ledger=ledger, price=0.1, api_key=JUPITER_KEY)
        server = await stack.enter_async_context(made)
        world = AggregatorWorld(stage, server, ledger, stack)
        stage.rivals_of = world.rivals
        yield world
