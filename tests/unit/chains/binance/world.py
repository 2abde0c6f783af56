"""An account at a Binance on loopback, and desks that trade through it and may be killed."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from quantdesk.chains.binance import Binance as Chain
from quantdesk.chains.binance import Client, HmacKey
from quantdesk.chains.binance.chain import Terms
from quantdesk.chains.binance.requests import Asked
from quantdesk.chains.port import Fate, Instruction, Sighting, Trade, Transaction
from quantdesk.core.assets import ASSETS
from quantdesk.core.markets import Side
from quantdesk.testing.binance import API_KEY, SECRET, Binance
from quantdesk.testing.binance_exchange import Exchange, Symbol
from quantdesk.testing.clock import ManualClock

ORDER = "01890a5d-ac96-774b-bcce-b302099a8057"
POST = "POST /api/v3/order"
FIND = "GET /api/v3/order"
KEY = HmacKey(api_key=API_KEY, secret=SECRET)


@dataclass
class World:
    """Where desks trade; one that is not used any more was killed."""

    clock: ManualClock
    server: Binance
    stack: AsyncExitStack
    terms: Terms = field(default_factory=Terms)

    @property
    def exchange(self) -> Exchange:
        """Return what the server serves."""
        return self.server.exchange

    async def client(self, *, timeout_s: float = 5.0, key: HmacKey = KEY) -> Client:
        """Return a connection that ends with the world."""
        made = Client(url=self.server.url, clock=self.clock, key=key, timeout_s=timeout_s)
        return await self.stack.enter_async_context(made)

    async def desk(self, *, timeout_s: float = 5.0, terms: Terms | None = None) -> Chain:
        """Start a process that trades."""
        client = await self.client(timeout_s=timeout_s)
        return Chain(client=client, clock=self.clock, terms=terms or self.terms)

    async def settled(self, desk: Chain, made: Transaction, *, within_s: float = 120) -> Sighting:
        """Look and send again as the engine does, until the fate is known."""
        for _ in range(int(within_s)):
            (sighting,) = await desk.look([made])
            if sighting.fate is not Fate.UNSEEN:
                return sighting
            await desk.send(made)
            await self.clock.advance(1)
        return Sighting(Fate.UNSEEN)


@asynccontextmanager
async def world(*, skew_ms: int = 0) -> AsyncIterator[World]:
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        exchange = Exchange(clock=clock, skew_ms=skew_ms)
        server = await stack.enter_async_context(Binance(clock=clock, exchange=exchange))
        server.list(
            Symbol(
                "SOL",
                "USDC",
                bids={Decimal("149.99"): Decimal(40), Decimal("149.90"): Decimal(400)},
                asks={Decimal("150.01"): Decimal(40), Decimal("150.10"): Decimal(400)},
            )
        )
        exchange.fund(SOL="1000", USDC="1000000", BNB="10")
        yield World(clock, server, stack)


def trade(side: Side = Side.BUY, *, attempt: int = 1, base: int = 10, limit: int = 1_510) -> Trade:
    sol, usdc = ASSETS["SOL"], ASSETS["USDC"]
    memo = f"qd:{ORDER}:{attempt}"
    return Trade(side, sol, usdc, base * 10**9, limit * 10**6, memo)


def order(
    side: Side = Side.BUY,
    *,
    quantity: str = "10.011",
    price: str = "150.80",
    worst: str | None = None,
    symbol: str = "SOLUSDC",
) -> list[Instruction]:
    worst = worst or ("150.01" if side is Side.BUY else "149.99")
    asked = Asked(symbol, side.value, quantity, price, worst)
    return [Instruction("binance", (), msgspec.json.encode(asked))]
