"""A localnet whose slots tick by hand, and the desk's view of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from solders.keypair import Keypair
from tests.flow.chains_solana import counter

from quantdesk.chains.port import Fate, Receipt, Sighting, Trade, Transaction, Wallet
from quantdesk.chains.solana import keys
from quantdesk.chains.solana.chain import Solana, Terms
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.assets import ASSETS
from quantdesk.core.markets import Side
from quantdesk.localnet.accounts import GenesisAccount
from quantdesk.localnet.genesis import Genesis
from quantdesk.localnet.server import Localnet, serve
from quantdesk.testing.clock import ManualClock

SLOT_MS = 400
DISK_S = 60
SEED = bytes([1]) * 32
"""Of the wallet's key."""


@dataclass(frozen=True)
class Desk:
    """One wallet on a localnet."""

    net: Localnet
    clock: ManualClock
    rpc: Rpc
    chain: Solana
    wallet: Wallet

    async def slots(self, count: int) -> None:
        """Let that many slots pass and the last complete one be confirmed."""
        bank = self.net.node.bank
        until = bank.slot + count
        while bank.slot < until:
            await self.clock.advance(SLOT_MS / 1000)
        async with asyncio.timeout(DISK_S):  # a slot confirms once its journal is on disk
            while bank.confirmed_slot < bank.slot - 1:
                await self.clock.advance(0)

    async def admin(self, method: str, **options: object) -> None:
        """Call a method of the localnet's operator."""
        await self.rpc.ask(method, options, answer=msgspec.Raw)

    async def prepared(self, trade: Trade, quote_raw: int) -> Transaction:
        """Prepare a trade with the counter."""
        return await self.chain.prepare(trade, counter.swap(trade, quote_raw, self.wallet))

    async def fate(self, transaction: Transaction) -> Sighting:
        """Look at one transaction."""
        (sighting,) = await self.chain.look([transaction])
        return sighting

    async def traded(self, trade: Trade, quote_raw: int) -> Receipt:
        """Do a trade and return its receipt."""
        transaction = await self.prepared(trade, quote_raw)
        await self.chain.send(transaction)
        await self.slots(3)
        assert (await self.fate(transaction)).fate is Fate.LANDED
        return await self.chain.receipt(trade, transaction)


def trade(side: Side, pair: str, base_raw: int, limit: int, memo: str = "qd:order:1") -> Trade:
    """Return a trade of a pair such as SOL-USDC."""
    base, quote = pair.split("-")
    return Trade(side, ASSETS[base], ASSETS[quote], base_raw, limit, memo)


@asynccontextmanager
async def opened(
    folder: Path,
    *,
    terms: Terms | None = None,
    more: Sequence[GenesisAccount] = (),
    genesis: Genesis | None = None,
) -> AsyncIterator[Desk]:
    """Start a localnet in a folder and a desk on it.

    It opens with the counter's accounts and `more`, or as `genesis` says.
    """
    keypair = Keypair.from_seed(SEED)
    wallet = keys.wallet(str(keypair.pubkey()))
    clock = ManualClock()
    net = await serve(
        data_dir=folder,
        host="127.0.0.1",
        port=0,
        slot_ms=SLOT_MS,
        genesis=genesis or Genesis(accounts=[*counter.accounts(wallet), *more]),
        clock=clock,
    )
    async with net, Rpc(url=net.rpc_url) as rpc:
        await clock.advance(1)
        chain = Solana(rpc=rpc, keypair=keypair, wallet=wallet, clock=clock, terms=terms or Terms())
        yield Desk(net, clock, rpc, chain, wallet)
