"""Signing in with a wallet, joined: texts for this desk's names, sessions by the one entrance."""

import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Final

from quantdesk.access.wallets.challenges import Challenges, Machine
from quantdesk.access.wallets.linked import Rules, Wallets
from quantdesk.access.wallets.model import ChainName
from quantdesk.access.wallets.sites import Sites
from quantdesk.access.ways import store as ways
from quantdesk.api.sign_in.holdings import Holdings, Read
from quantdesk.api.sign_in.wallets import WalletRoutes
from quantdesk.app.access import registration
from quantdesk.app.sign_in.joined import Joined
from quantdesk.chains.evm.contract_wallets import ContractWallets
from quantdesk.chains.evm.rpc import Rpc
from quantdesk.ingest.board import Board
from quantdesk.settings import Mode, Settings

_SOLANA: Final[Mapping[Mode, str]] = {
    "paper": "localnet",
    "localnet": "localnet",
    "devnet": "solana:devnet",
    "mainnet": "solana:mainnet",
}
"""The Chain ID that the standard's grammar knows for each."""


def open_wallets(
    stack: AsyncExitStack, joined: Joined, *, board: Board, read: Read | None
) -> tuple[Wallets, WalletRoutes]:
    """Return the wallets of all accounts and their routes, until the stack unwinds.

    `read` tells what a Solana address holds; None where there is no chain.
    """
    machine = Machine(joined.clock, joined.new_id, os.urandom)
    challenges = Challenges(
        pools=joined.pools,
        machine=machine,
        networks={
            ChainName.SOLANA: _SOLANA[joined.settings.mode],
            ChainName.EVM: str(joined.settings.evm.chain_id),
        },
        contracts=_contracts(stack, joined.settings),
        tell=joined.tell,
    )
    wallets = Wallets(
        pools=joined.pools,
        challenges=challenges,
        welcome=joined.access.entrance,
        rules=Rules(registration=registration(joined.settings), other_ways=ways.without_wallets),
        machine=machine,
        tell=joined.tell,
    )

    def price(symbol: str) -> Decimal | None:
        latest = board.latest(symbol)
        return None if latest is None else latest.value

    readers = {} if read is None else {ChainName.SOLANA: read}
    routes = WalletRoutes(
        challenges=challenges,
        wallets=wallets,
        sites=Sites(joined.sites),
        holdings=Holdings(readers=readers, price=price),
        clock=joined.clock,
    )
    return wallets, routes


def _contracts(stack: AsyncExitStack, settings: Settings) -> ContractWallets | None:
    if not settings.evm.rpc_url:
        return None
    rpc = Rpc(url=settings.evm.rpc_url)
    stack.push_async_callback(rpc.close)
    return ContractWallets(rpc, chain_id=settings.evm.chain_id)
