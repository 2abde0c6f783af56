"""A wallet that trades by Jupiter, and desks that may be killed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from solders.keypair import Keypair

from quantdesk.chains.jupiter import Client, Jupiter
from quantdesk.chains.jupiter.chain import Node, Tried
from quantdesk.chains.port import Chain, Instruction, Trade, Wallet
from quantdesk.core.assets import ASSETS
from quantdesk.core.markets import Side
from quantdesk.testing import jupiter as fake
from quantdesk.testing.clock import ManualClock

ORDER = "01890a5d-ac96-774b-bcce-b302099a8057"
API_KEY = "key-of-the-test"
PAIR = Keypair.from_seed(bytes(range(32)))
WRAPPED = str(Keypair.from_seed(bytes(32)).pubkey())
WALLET = Wallet(str(PAIR.pubkey()), {**dict.fromkeys(ASSETS, "elsewhere"), "SOL": WRAPPED})


def trade(
    *,
    attempt: int = 1,
    side: Side = Side.SELL,
    limit: int = 149_000_000,
    expected: int = 150_000_000,
) -> Trade:
    """Return a sale of one SOL for 149 USDC at least."""
    memo = f"qd:{ORDER}:{attempt}"
    return Trade(side, ASSETS["SOL"], ASSETS["USDC"], 10**9, limit, memo, expected)


@dataclass
class World:
    """A place where orders settle, for the shipped stories too."""

    clock: ManualClock
    ledger: fake.Ledger
    server: fake.Jupiter
    stack: AsyncExitStack
    lost: list[str] = field(default_factory=list)

    async def desk(self) -> Chain:
        """Start a process."""
        client = Client(url=self.server.url, clock=self.clock, api_key=API_KEY)
        await self.stack.enter_async_context(client)

        async def trial(_: Trade, raw: bytes) -> Tried:
            return Tried(self.ledger.simulated(raw), tuple(self.lost))

        node = Node(trial=trial, newest_height=self.ledger.newest_height)
        return Jupiter(client=client, settles=self.ledger, node=node, keypair=PAIR, wallet=WALLET)

    def order(self, attempt: int) -> tuple[Trade, Sequence[Instruction]]:
        """Return the one order."""
        return trade(attempt=attempt), []

    async def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        await self.clock.advance(seconds)

    def lose_request(self) -> None:
        """Lose what is sent next, on both ways."""
        self.server.bad(fake.CUT)
        self.ledger.drops = True

    def lose_answer(self) -> None:
        """Land what is sent next and do not say so."""
        self.server.bad(fake.LOST)

    def hush(self, *, on: bool) -> None:
        """Let the node say nothing."""
        self.ledger.silent = on

    def fills(self) -> int:
        """Return how many different transactions executed."""
        self.ledger.drops = False
        return len(self.ledger.fills)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """Open everything."""
    clock = ManualClock()
    ledger = fake.Ledger(clock=clock)
    async with AsyncExitStack() as stack:
        made = fake.Jupiter(clock=clock, ledger=ledger, api_key=API_KEY)
        server = await stack.enter_async_context(made)
        yield World(clock, ledger, server, stack)
