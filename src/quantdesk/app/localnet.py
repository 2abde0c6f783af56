"""The localnet floor: real transactions on a chain of our own, with worthless tokens."""

import os
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from decimal import Decimal
from functools import partial
from pathlib import Path

from quantdesk.app.background import background
from quantdesk.app.discovery import discovered
from quantdesk.app.opened import Opened
from quantdesk.chains.port import Chain, Fate, Instruction, Trade, Wallet
from quantdesk.chains.solana.accounts import LiveAccounts
from quantdesk.chains.solana.builder import Size
from quantdesk.chains.solana.chain import Solana, Terms
from quantdesk.chains.solana.fees import Policy
from quantdesk.chains.solana.keys import load, wallet
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Unavailable
from quantdesk.core.markets import MARKETS, Side
from quantdesk.core.money import BPS
from quantdesk.engines.orders.execution import Floor
from quantdesk.engines.orders.quality.bias import Bias
from quantdesk.engines.orders.reference import Reference
from quantdesk.engines.orders.routing import Routing, Rules
from quantdesk.ingest.pools import PoolFeed
from quantdesk.localnet import maker, opening, process
from quantdesk.localnet.lookup_table import table_address
from quantdesk.ops.children import Child, Place
from quantdesk.ops.health import Probe
from quantdesk.ops.keeper import keep
from quantdesk.settings import Settings
from quantdesk.venues.port import Swap, Venue

_START_S = 30.0
_STOP_S = 3.0
_BALANCES_S = 2.0
_TABLES_S = 5.0
_POOLS_S = 10.0
_POLL_S = 0.02
_NETWORK_FEE_LAMPORTS = 5_000
_MAKER_SLACK_BPS = 200  # the maker keeps order; it takes what it gets
_MAKER_S = 20.0
_THROUGH = (ASSETS["USDC"].mint, ASSETS["USDT"].mint)


@asynccontextmanager
async def open_localnet(
    settings: Settings,
    home: Path,
    *,
    reference: Reference,
    bias: Bias,
    clock: Clock,
    say: Callable[[str], None],
) -> AsyncIterator[Opened]:
    """Start or adopt the local chain and trade on it while the block runs."""
    jitter = random.Random(os.urandom(8)).random  # noqa: S311 - jitter keeps no secret
    async with AsyncExitStack() as stack:
        say("local chain")
        process.prepare(home, _usd(reference))
        place = await _started(stack, settings, home, clock)
        rpc = await stack.enter_async_context(Rpc(url=place.rpc))
        trader, chain = _wallet(home / process.WALLET_KEY, rpc, clock, _terms(home, settings))
        venues = await discovered(rpc, opening.pools())
        accounts = LiveAccounts(url=place.ws, rpc=rpc, clock=clock, jitter=jitter)
        background(stack, PoolFeed(accounts=accounts, venues=venues, clock=clock).run())
        balances, room = _Balances(chain, clock), _Room(chain, clock)
        for kept in (balances, room):
            await kept.read()
            background(stack, kept.run())
        say("pools")
        await _trading(venues, clock)
        maintained = maker.Maker(
            venues=venues,
            board=reference.board,
            swap=_Keeper(home, rpc, clock).swap,
            clock=clock,
            chance=jitter,
            terms=maker.Terms(),
        )
        background(stack, maintained.run())
        routing = Routing(
            venues,
            rules=Rules(through=_THROUGH, age_ms_max=settings.guard.pool_age_ms_max),
            heard_ms=lambda: accounts.heard_ms,
            bias=bias.bps,
        )
        yield Opened(
            floor=Floor(
                chain=chain,
                routing=routing,
                wallet=trader,
                check_price=reference.check,
                network_fee_lamports=_NETWORK_FEE_LAMPORTS,
                fits=room.fits,
                priority_lamports=room.priority_lamports,
            ),
            balances=lambda: chain.balances(tuple(ASSETS.values())),
            known_balances=lambda: balances.known,
            probes={"chain": _answers(rpc), "pools": _live(accounts)},
            urls={"rpc": place.rpc, "ws": place.ws},
        )


async def _started(stack: AsyncExitStack, settings: Settings, home: Path, clock: Clock) -> Place:
    child = Child(
        module="quantdesk.localnet",
        args=(str(home), str(settings.localnet.slot_ms), str(settings.localnet.depth_usd)),
        place=home / process.PLACE,
        log=home / "localnet.log",
    )
    stack.push_async_callback(child.stop, clock=clock, within_s=_STOP_S)
    start = partial(child.start, clock=clock, within_s=_START_S)
    place = await start()
    background(stack, keep("localnet", lives=child.lives, start=start, clock=clock))
    return place


def _wallet(path: Path, rpc: Rpc, clock: Clock, terms: Terms) -> tuple[Wallet, Solana]:
    keypair = load(path)
    owner = wallet(str(keypair.pubkey()))
    return owner, Solana(rpc=rpc, keypair=keypair, wallet=owner, clock=clock, terms=terms)


def _terms(home: Path, settings: Settings) -> Terms:
    landing = settings.landing
    return Terms(
        policy=Policy(landing.policy),
        priority_lamports_max=landing.priority_lamports_max,
        deviation_bps=landing.deviation_bps,
        lookup_tables=(table_address(str(load(home / process.MAKER_KEY).pubkey())),),
    )


class _Room:
    """What a route takes of a block: whether it fits one transaction, and what its place costs."""

    def __init__(self, chain: Solana, clock: Clock) -> None:
        self._chain = chain
        self._clock = clock
        self._size: Callable[[Trade, Sequence[Instruction]], Size] | None = None

    async def read(self) -> None:
        self._size = await self._chain.measure()

    async def run(self) -> None:
        while True:
            await self._clock.sleep(_TABLES_S)
            await self.read()

    def fits(self, trade: Trade, steps: Sequence[Instruction]) -> bool:
        return self._size is not None and self._size(trade, steps).fits

    async def priority_lamports(self, steps: Sequence[Instruction], compute_units: int) -> int:
        return await self._chain.priority_lamports(steps, compute_units=compute_units)


def _usd(reference: Reference) -> dict[str, Decimal]:
    latest = {symbol: reference.board.latest(symbol) for symbol in ASSETS}
    return {symbol: price.value for symbol, price in latest.items() if price is not None}


async def _trading(venues: Sequence[Venue], clock: Clock) -> None:
    """Return once every pair trades, or after a while: orders say themselves what is missing."""
    deadline = clock.monotonic() + _POOLS_S
    while clock.monotonic() < deadline and not all(_trades_all(venue, clock) for venue in venues):
        await clock.sleep(_POLL_S)


def _trades_all(venue: Venue, clock: Clock) -> bool:
    try:
        for market in MARKETS.values():
            mints = frozenset((market.base.mint, market.quote.mint))
            venue.pools(mints, now_ms=clock.now_ms())
    except DeskError:
        return False
    return True


class _Balances:
    """The wallet's money as last read; the risk kernel looks at it without waiting."""

    def __init__(self, chain: Chain, clock: Clock) -> None:
        self._chain = chain
        self._clock = clock
        self.known: Mapping[str, int] | None = None

    async def read(self) -> None:
        self.known = await self._chain.balances(tuple(ASSETS.values()))

    async def run(self) -> None:
        while True:
            await self._clock.sleep(_BALANCES_S)
            with suppress(Unavailable):
                await self.read()


class _Keeper:
    """The market maker's own wallet."""

    def __init__(self, home: Path, rpc: Rpc, clock: Clock) -> None:
        self._wallet, self._chain = _wallet(home / process.MAKER_KEY, rpc, clock, Terms())
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


def _answers(rpc: Rpc) -> Probe:
    async def probe() -> str:
        slot = await rpc.ask("getSlot", answer=int)
        return f"slot {slot}"

    return probe


def _live(accounts: LiveAccounts) -> Probe:
    async def probe() -> str:
        if not accounts.connections:
            raise Unavailable("pool states do not arrive", code="pools.silent")
        return "live"

    return probe
