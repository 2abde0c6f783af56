"""A localnet on which the shipped stories are run; desks are wallets' processes with one key."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tests.flow.chains_solana import counter
from tests.flow.chains_solana.desk import DISK_S, SLOT_MS

from quantdesk.chains.port import Chain, Instruction, Sighting, Trade, Transaction
from quantdesk.chains.solana import keys
from quantdesk.chains.solana.chain import Solana
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import Unavailable
from quantdesk.core.markets import Side
from quantdesk.localnet.genesis import Genesis
from quantdesk.localnet.server import Localnet, serve
from quantdesk.testing.clock import ManualClock

ORDER = "01890a5d-ac96-774b-bcce-b302099a8057"
PAIR = Keypair.from_seed(bytes([1]) * 32)
WALLET = keys.wallet(str(PAIR.pubkey()))
BROUGHT = 150_000_000
_AMOUNT = slice(64, 72)
_SLOT_S = SLOT_MS / 1000


@dataclass
class SolanaWorld:
    """A cluster whose slots tick with the clock, and a counter that sells SOL's worth in USDC."""

    clock: ManualClock
    net: Localnet
    stack: AsyncExitStack
    lost: list[str] = field(default_factory=list)
    hushed: bool = False

    async def desk(self) -> Chain:
        """Start a process with a connection of its own."""
        rpc = await self.stack.enter_async_context(Rpc(url=self.net.rpc_url))
        return _Cut(self, rpc)

    def order(self, attempt: int) -> tuple[Trade, Sequence[Instruction]]:
        """Return a sale of one SOL."""
        memo = f"qd:{ORDER}:{attempt}"
        asked = Trade(Side.SELL, ASSETS["SOL"], ASSETS["USDC"], 10**9, BROUGHT, memo)
        return asked, counter.swap(asked, BROUGHT, WALLET)

    async def pass_time(self, seconds: float) -> None:
        """Let slots pass, and the last of them reach the disk."""
        bank = self.net.node.bank
        until = bank.slot + round(seconds / _SLOT_S)
        while bank.slot < until:
            await self.clock.advance(_SLOT_S)
        async with asyncio.timeout(DISK_S):
            while bank.confirmed_slot < bank.slot - 1:
                await self.clock.advance(0)

    def lose_request(self) -> None:
        """Lose what is sent next on its way to the node."""
        self.lost.append("request")

    def lose_answer(self) -> None:
        """Lose the node's answer to what is sent next."""
        self.lost.append("answer")

    def hush(self, *, on: bool) -> None:
        """Cut whoever looks off the node."""
        self.hushed = on

    def fills(self) -> int:
        """Return how often the sale was paid for."""
        node = self.net.node
        held = node.account(Pubkey.from_string(WALLET.token_accounts["USDC"]), node.bank.slot)
        assert held is not None
        paid = int.from_bytes(bytes(held.data)[_AMOUNT], "little") - counter.CASH
        assert paid % BROUGHT == 0, "a sale is paid for whole"
        return paid // BROUGHT


class _Cut(Solana):
    """A desk whose connection its world may cut."""

    def __init__(self, world: SolanaWorld, rpc: Rpc) -> None:
        super().__init__(rpc=rpc, keypair=PAIR, wallet=WALLET, clock=world.clock)
        self._world = world

    async def send(self, transaction: Transaction) -> None:
        """Send, unless that is lost."""
        lost = self._world.lost.pop() if self._world.lost else ""
        if lost != "request":
            await super().send(transaction)
        if lost:
            raise Unavailable(f"the {lost} was lost", code="rpc.unavailable")

    async def look(self, transactions: Sequence[Transaction]) -> list[Sighting]:
        """Look, unless nobody answers."""
        if self._world.hushed:
            raise Unavailable("nobody answers", code="rpc.unavailable")
        return await super().look(transactions)


@asynccontextmanager
async def solana() -> AsyncIterator[SolanaWorld]:
    """Open a localnet."""
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        genesis = Genesis(accounts=counter.accounts(WALLET))
        net = await serve(
            data_dir=folder, host="127.0.0.1", port=0, slot_ms=SLOT_MS, genesis=genesis, clock=clock
        )
        await stack.enter_async_context(net)
        await clock.advance(1)
        yield SolanaWorld(clock, net, stack)
