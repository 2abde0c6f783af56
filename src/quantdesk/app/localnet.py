"""The localnet floor: real transactions on a chain of our own, with worthless tokens."""

import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path

from solders.keypair import Keypair

from quantdesk.app import wallets
from quantdesk.app.background import Background
from quantdesk.app.discovery import Discovery
from quantdesk.app.localnet_operator import LocalnetOperator
from quantdesk.app.opened import Hands, Opened
from quantdesk.app.pools import Ground, Knowledge, open_pools
from quantdesk.app.standing import flat, standing, trading
from quantdesk.chains.port import Fate, Priority, Trade, Wallet
from quantdesk.chains.solana.chain import Solana, Terms
from quantdesk.chains.solana.keys import wallet
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.core.markets import Side
from quantdesk.core.money import BPS
from quantdesk.engines.orders.quality.bias import Bias
from quantdesk.engines.orders.reference import Reference
from quantdesk.localnet import maker, process
from quantdesk.localnet.lookup_table import table_address
from quantdesk.ops.children import Child, Place
from quantdesk.ops.keeper import keep
from quantdesk.ops.tasks import Tasks
from quantdesk.settings import Settings
from quantdesk.venues.port import Swap

_START_S = 30.0
_STOP_S = 3.0
_POOLS_S = 10.0
_MAKER_SLACK_BPS = 200  # the maker keeps order; it takes what it gets
_MAKER_S = 20.0


@asynccontextmanager
async def open_localnet(
    settings: Settings,
    home: Path,
    *,
    reference: Reference,
    bias: Bias,
    tasks: Tasks,
    hands: Hands,
) -> AsyncIterator[Opened]:
    """Start or adopt the local chain and trade on it while the block runs."""
    jitter = random.Random(os.urandom(8)).random  # noqa: S311 - jitter keeps no secret
    clock = reference.clock
    async with AsyncExitStack() as stack:
        background = Background(stack, tasks)
        hands.say("local chain")
        trader_key, maker_key = wallets.localnet(home, hands.wrapping)
        process.prepare(home, _usd(reference))
        child = await _child(settings, home, clock, port=hands.port)
        place = await _started(stack, background, child, clock)
        rpc = await stack.enter_async_context(Rpc(url=place.rpc))
        terms = _terms(maker_key, settings)
        trader, chain = _wallet(trader_key, rpc, clock, terms)
        pools = await standing(rpc)
        discovery = Discovery(rpc, flat(pools), clock=clock)
        await discovery.search()
        ground = Ground(rpc=rpc, ws=place.ws, chain=chain, wallet=trader, discovery=discovery)
        opened = await open_pools(
            background,
            ground,
            settings=settings,
            knowledge=Knowledge(board=reference.board, check_price=reference.check, bias=bias),
            clock=clock,
            jitter=jitter,
        )
        hands.say("pools")
        await trading(discovery.venues, pools, clock=clock, within_s=_POOLS_S)
        maintained = maker.Maker(
            venues=discovery.venues,
            board=reference.board,
            swap=_Keeper(maker_key, rpc, clock).swap,
            clock=clock,
            chance=jitter,
            terms=maker.Terms(),
        )
        background.begin("market maker", maintained.run)
        operator = LocalnetOperator(await stack.enter_async_context(Rpc(url=place.rpc)))
        yield replace(
            opened,
            urls={"rpc": place.rpc, "ws": place.ws},
            tables=terms.lookup_tables,
            operator=operator,
        )


async def _child(settings: Settings, home: Path, clock: Clock, *, port: int) -> Child:
    """Return the localnet's process, started at a port if it can be had, else still to start."""

    def named(at: int) -> Child:
        return Child(
            module="quantdesk.localnet",
            args=(str(home), str(settings.localnet.slot_ms), str(settings.localnet.depth_usd)),
            place=home / process.PLACE,
            log=home / "localnet.log",
            port=at,
        )

    if port:
        child = named(port)
        with suppress(Unavailable):  # another program has it by now
            await child.start(clock=clock, within_s=_START_S)
            return child
    return named(0)


async def _started(
    stack: AsyncExitStack, background: Background, child: Child, clock: Clock
) -> Place:
    stack.push_async_callback(child.stop, clock=clock, within_s=_STOP_S)
    start = partial(child.start, clock=clock, within_s=_START_S)
    place = await start()
    kept = partial(keep, "localnet", lives=child.lives, start=start, clock=clock)
    background.begin("localnet keeper", kept)
    return place


def _wallet(keypair: Keypair, rpc: Rpc, clock: Clock, terms: Terms) -> tuple[Wallet, Solana]:
    owner = wallet(str(keypair.pubkey()))
    return owner, Solana(rpc=rpc, keypair=keypair, wallet=owner, clock=clock, terms=terms)


def _terms(maker_key: Keypair, settings: Settings) -> Terms:
    landing = settings.landing
    return Terms(
        policy=Priority(landing.policy),
        priority_lamports_max=landing.priority_lamports_max,
        deviation_bps=landing.deviation_bps,
        lookup_tables=(table_address(str(maker_key.pubkey())),),
    )


def _usd(reference: Reference) -> dict[str, Decimal]:
    latest = {symbol: reference.board.latest(symbol) for symbol in ASSETS}
    return {symbol: price.value for symbol, price in latest.items() if price is not None}


class _Keeper:
    """The market maker's own wallet."""

    def __init__(self, keypair: Keypair, rpc: Rpc, clock: Clock) -> None:
        self._wallet, self._chain = _wallet(keypair, rpc, clock, Terms())
        self._clock = clock

    async def swap(self, wanted: maker.Correction) -> None:
        """Make a correction; raise `DeskError` when it was not made."""
        market, buys = wanted.market, wanted.side is Side.BUY
        slack = _MAKER_SLACK_BPS if buys else -_MAKER_SLACK_BPS
        limit_raw = wanted.quote_raw * (BPS + slack) // BPS
        trade = Trade(
            side=wanted.side,
            base=market.base,
            quote=market.quote,
            base_raw=wanted.base_raw,
            quote_limit_raw=limit_raw,
            memo="maker",
        )
        accounts = self._wallet.token_accounts
        paid, received = (market.quote, market.base) if buys else (market.base, market.quote)
        swap = Swap(
            paid=paid.mint,
            exact_in=not buys,
            amount=wanted.base_raw,
            limit=limit_raw,
            owner=self._wallet.address,
            paid_from=accounts[paid.symbol],
            received_in=accounts[received.symbol],
        )
        transaction = await self._chain.prepare(trade, [wanted.pool.instruction(swap)])
        await self._chain.send(transaction)
        deadline = self._clock.monotonic() + _MAKER_S
        while self._clock.monotonic() < deadline:
            [sighting] = await self._chain.look([transaction])
            if sighting.fate is Fate.LANDED:
                return
            if sighting.fate is not Fate.UNSEEN:
                raise Unavailable(sighting.detail, code=sighting.code or "blockhash.expired")
            await self._clock.sleep(self._chain.poll_s)
        raise Unavailable("the maker's swap was not seen in time", code="maker.unseen")
