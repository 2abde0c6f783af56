"""The floors of devnet and mainnet: a wallet on a cluster of others, and rivals of its pools.

Modes are walls. Each has a key of its own; devnet turns away from a mainnet node and from a real
exchange, mainnet from a devnet node; and on mainnet nothing is signed until `quantdesk unlock`.
"""

import os
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from quantdesk.app import node, wallets
from quantdesk.app.aggregator import open_jupiter
from quantdesk.app.background import Background
from quantdesk.app.discovery import Discovery
from quantdesk.app.exchange import is_real, open_binance
from quantdesk.app.opened import Hands, Opened
from quantdesk.app.pools import Ground, Knowledge, open_pools
from quantdesk.app.unlocking import Door, unlocking
from quantdesk.chains.solana.chain import Solana
from quantdesk.chains.solana.keys import Signer, wallet
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.chains.solana.vault import Vault
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused
from quantdesk.core.markets import Market
from quantdesk.engines.orders.floor import CheckPrice, Floor, Holdings
from quantdesk.engines.orders.quality.bias import Bias
from quantdesk.engines.orders.reference import Reference
from quantdesk.ops.health import Probe
from quantdesk.ops.tasks import Tasks
from quantdesk.settings import Settings


@dataclass(frozen=True, slots=True)
class _Purse:
    """Who signs, what a route must pass before, and how the wallet is; time and chance for all."""

    signer: Signer
    check_price: CheckPrice
    probes: Mapping[str, Probe]
    clock: Clock
    jitter: Callable[[], float]


@asynccontextmanager
async def open_cluster(
    settings: Settings,
    home: Path,
    *,
    reference: Reference,
    bias: Bias,
    tasks: Tasks,
    hands: Hands,
) -> AsyncIterator[Opened]:
    """Trade on a cluster of others while the block runs.

    Raises `Refused` (`settings.invalid`, `solana.cluster`, `wallet.missing`, `key.*`), and what
    keeps the node from answering.
    """
    _check(settings)
    clock = reference.clock
    async with AsyncExitStack() as stack:
        background = Background(stack, tasks)
        purse = await _purse(stack, settings, home, reference=reference, hands=hands)
        hands.say("node")
        rpc = await stack.enter_async_context(Rpc(url=settings.solana.rpc_url))
        await node.check_cluster(rpc, settings.mode)
        owner = wallet(str(purse.signer.pubkey()))
        chain = Solana(
            rpc=rpc, keypair=purse.signer, wallet=owner, clock=clock, terms=node.terms(settings)
        )
        hands.say("pools")
        searched = await stack.enter_async_context(node.patient(settings))
        discovery = Discovery(searched, {}, clock=clock)
        await discovery.search()
        opened = await open_pools(
            background,
            Ground(rpc=rpc, ws=node.ws(settings), chain=chain, wallet=owner, discovery=discovery),
            settings=settings,
            knowledge=Knowledge(board=reference.board, check_price=purse.check_price, bias=bias),
            clock=clock,
            jitter=purse.jitter,
        )
        await node.quoting(discovery.venues, clock)
        rivals, probes = await _rivals(
            stack, background, settings, purse=purse, pools=opened.floor, chain=chain
        )
        floors = (opened.floor, *rivals.values())
        yield replace(
            opened,
            floor=replace(opened.floor, rivals=rivals),
            known_balances=lambda: most([floor.holds for floor in floors]),
            probes={**opened.probes, **purse.probes, **probes},
            urls={"rpc": node.shown(settings.solana.rpc_url), "ws": node.shown(node.ws(settings))},
        )


def most(holdings: Sequence[Holdings]) -> Mapping[str, int] | None:
    """Return the most that any one floor holds of each asset: an order is executed on one."""
    known = [held for each in holdings if (held := each()) is not None]
    if not known:
        return None
    return {
        symbol: max(held.get(symbol, 0) for held in known)
        for symbol in {symbol for held in known for symbol in held}
    }


def _check(settings: Settings) -> None:
    node.check_url(settings)
    if settings.mode == "devnet" and is_real(settings.binance):
        raise Refused(
            "binance.url is an exchange with real money; on devnet only a test network's is used",
            code="settings.invalid",
        )


async def _purse(
    stack: AsyncExitStack, settings: Settings, home: Path, *, reference: Reference, hands: Hands
) -> _Purse:
    clock = reference.clock
    jitter = random.Random(os.urandom(8)).random  # noqa: S311 - jitter keeps no secret
    if settings.mode == "devnet":
        return _Purse(wallets.devnet(home, hands.wrapping), reference.check, {}, clock, jitter)
    sealed = wallets.mainnet(home)
    vault = Vault(address=sealed.pubkey, clock=clock)
    stack.callback(vault.lock)
    door = Door(sealed=sealed, vault=vault, clock=clock)
    await stack.enter_async_context(unlocking(home, door))

    def check(market: Market, price: Decimal) -> None:
        vault.check()
        reference.check(market, price)

    return _Purse(vault, check, {"wallet": door.probe}, clock, jitter)


async def _rivals(
    stack: AsyncExitStack,
    background: Background,
    settings: Settings,
    *,
    purse: _Purse,
    pools: Floor,
    chain: Solana,
) -> tuple[dict[str, Floor], dict[str, Probe]]:
    """Return the other floors that are written down, and how those are that are followed."""
    floors: dict[str, Floor] = {}
    probes: dict[str, Probe] = {}
    if settings.jupiter.url and settings.mode == "mainnet":
        floor = await open_jupiter(
            stack, settings.jupiter, pools=pools, chain=chain, signer=purse.signer,
            clock=purse.clock,
        )  # fmt: skip
        floors[floor.name] = floor
    if settings.binance.url:
        exchange = await open_binance(
            stack, background, settings.binance, check_price=purse.check_price, clock=purse.clock,
            jitter=purse.jitter,
        )  # fmt: skip
        floors[exchange.floor.name] = exchange.floor
        probes[exchange.floor.name] = exchange.probe
    return floors, probes
