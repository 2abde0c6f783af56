"""The places where orders settle that the shipped stories are run in."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

import msgspec
from tests.conformance.venues.grounds import MINTS, SOL
from tests.conformance.venues.solana_world import solana
from tests.unit.chains.jupiter.world import world as jupiter

from quantdesk.chains.binance import Binance as BinanceChain
from quantdesk.chains.binance import Client, HmacKey
from quantdesk.chains.paper import Paper
from quantdesk.chains.port import AccountState, Chain, Instruction, Trade, Transaction
from quantdesk.core.errors import Unavailable
from quantdesk.core.markets import Side
from quantdesk.testing.binance import API_KEY, CUT, LOST, SECRET, Binance
from quantdesk.testing.binance_exchange import Symbol
from quantdesk.testing.chain import Fill, Plan, ScriptedChain
from quantdesk.testing.clock import ManualClock
from quantdesk.venues.binance import Binance as BinanceVenue
from quantdesk.venues.port import Swap

ORDER = "01890a5d-ac96-774b-bcce-b302099a8057"
HELD = {"SOL": 10**13, "USDC": 10**13}


def trade(attempt: int) -> Trade:
    """Return a purchase of one SOL for at most 152 USDC."""
    memo = f"qd:{ORDER}:{attempt}"
    return Trade(Side.BUY, SOL.base, SOL.quote, 10**9, 152 * 10**6, memo)


@dataclass
class PaperWorld:
    """Paper, which has no world: its fills are what its desks landed."""

    clock: ManualClock
    sent: set[str]
    lost: bool = False

    async def desk(self) -> Chain:
        """Start a process with a memory of its own."""
        return _Told(self)

    def order(self, attempt: int) -> tuple[Trade, Sequence[Instruction]]:
        """Return the order."""
        data = msgspec.json.encode(Fill(10**9, 151 * 10**6))
        return trade(attempt), [Instruction("paper", (), data)]

    async def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        await self.clock.advance(seconds)

    def lose_request(self) -> None:
        """Lose what is sent next."""
        self.lost = True

    def lose_answer(self) -> None:
        """Lose nothing: nobody answers on paper."""

    def hush(self, *, on: bool) -> None:
        """Hush nobody: on paper nobody is asked."""

    def fills(self) -> int:
        """Return how many different bytes were sent."""
        return len(self.sent)


class _Told(Paper):
    """Paper that tells its world what was sent."""

    def __init__(self, world: PaperWorld) -> None:
        super().__init__(clock=world.clock, latency_ms=400, book=HELD)
        self._world = world

    async def send(self, transaction: Transaction) -> None:
        """Send, or lose it on the way."""
        lost, self._world.lost = self._world.lost, False
        if lost:
            raise Unavailable("lost", code="rpc.unavailable")
        self._world.sent.add(transaction.signature)
        await super().send(transaction)


@dataclass
class ScriptedWorld:
    """The scripted chain, which is a world of its own: desks are connections to it."""

    clock: ManualClock
    chain: ScriptedChain

    async def desk(self) -> Chain:
        """Return a connection."""
        return self.chain

    def order(self, attempt: int) -> tuple[Trade, Sequence[Instruction]]:
        """Return the order."""
        data = msgspec.json.encode(Fill(10**9, 151 * 10**6))
        return trade(attempt), [Instruction("scripted", (), data)]

    async def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        await self.clock.advance(seconds)

    def lose_request(self) -> None:
        """Lose what is sent next."""
        self.chain.fail("send")

    def lose_answer(self) -> None:
        """Take what is sent next and do not say so."""
        self.chain.fail("send", after=True)

    def hush(self, *, on: bool) -> None:
        """Let looks fail, or not any more."""
        if on:
            self.chain.down("look")
        else:
            self.chain.up()

    def fills(self) -> int:
        """Return its fills; whatever a desk must never do is in `faults`."""
        assert not self.chain.faults
        self.chain.catch_up()
        return len(self.chain.fills[ORDER])


@dataclass
class BinanceWorld:
    """An account at an exchange on loopback; desks are processes with nothing in common."""

    clock: ManualClock
    server: Binance
    stack: AsyncExitStack

    async def desk(self) -> Chain:
        """Start a process."""
        key = HmacKey(api_key=API_KEY, secret=SECRET)
        client = Client(url=self.server.url, clock=self.clock, key=key)
        await self.stack.enter_async_context(client)
        return BinanceChain(client=client, clock=self.clock)

    def order(self, attempt: int) -> tuple[Trade, Sequence[Instruction]]:
        """Return the order as the venue makes it from the book as it stands."""
        venue, now_ms = BinanceVenue([SOL]), self.clock.now_ms()
        for kind, said in self.server.shapes("SOLUSDC").items():
            state = AccountState(f"binance:{kind}:SOLUSDC", said, "binance", now_ms)
            venue.update(state, seen_ms=now_ms)
        (pool,) = venue.pools(frozenset(MINTS), now_ms=now_ms)
        asked = trade(attempt)
        swap = Swap(MINTS[1], False, asked.base_raw, asked.quote_limit_raw, "", "", "")  # noqa: FBT003
        return asked, [pool.instruction(swap)]

    async def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        await self.clock.advance(seconds)

    def lose_request(self) -> None:
        """Cut the connection before the next order is read."""
        self.server.bad("POST /api/v3/order", CUT)

    def lose_answer(self) -> None:
        """Cut the connection after the next order was taken."""
        self.server.bad("POST /api/v3/order", LOST)

    def hush(self, *, on: bool) -> None:
        """Cut every request off."""
        self.server.silent = on

    def fills(self) -> int:
        """Return how many of its orders were filled."""
        return sum(bool(order.executed) for order in self.server.exchange.orders)


@asynccontextmanager
async def paper() -> AsyncIterator[PaperWorld]:
    """Open paper."""
    yield PaperWorld(ManualClock(), set())


@asynccontextmanager
async def scripted() -> AsyncIterator[ScriptedWorld]:
    """Open a chain whose bytes die after 20 blocks."""
    clock = ManualClock()
    chain = ScriptedChain(
        clock=clock, balances=HELD, plan_of=lambda _order, _attempt: Plan(), valid_blocks=20
    )
    yield ScriptedWorld(clock, chain)


@asynccontextmanager
async def binance() -> AsyncIterator[BinanceWorld]:
    """Open an exchange whose clock is not ours, and which tells of orders late."""
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(Binance(clock=clock))
        server.exchange.skew_ms = 7_000
        server.exchange.told_after_ms = 4_000
        asks = {Decimal(150): Decimal(400)}
        server.list(Symbol("SOL", "USDC", bids={Decimal(149): Decimal(400)}, asks=asks))
        server.exchange.fund(SOL="1000", USDC="1000000")
        yield BinanceWorld(clock, server, stack)


WORLDS = (paper, scripted, solana, binance, jupiter)
