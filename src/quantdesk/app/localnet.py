"""The localnet floor: real transactions on a chain of our own, with worthless tokens."""

import os
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from decimal import Decimal
from functools import partial
from pathlib import Path

from quantdesk.app.background import background
from quantdesk.app.opened import Opened
from quantdesk.chains.port import Chain, Fate, Trade, Wallet
from quantdesk.chains.solana.accounts import LiveAccounts
from quantdesk.chains.solana.chain import Solana
from quantdesk.chains.solana.keys import load, wallet
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Unavailable
from quantdesk.core.markets import MARKETS, Side
from quantdesk.core.money import BPS
from quantdesk.engines.orders.execution import Floor
from quantdesk.engines.orders.reference import Reference
from quantdesk.ingest.pools import PoolFeed
from quantdesk.localnet import maker, meteora_pools, process, raydium_pools
from quantdesk.ops.children import Child
from quantdesk.ops.health import Probe
from quantdesk.ops.keeper import keep
from quantdesk.settings import Settings
from quantdesk.venues.meteora.venue import Meteora
from quantdesk.venues.port import Quote, Swap, Venue
from quantdesk.venues.raydium.venue import Raydium

_START_S = 30.0
_STOP_S = 3.0
_BALANCES_S = 2.0
_POOLS_S = 10.0
_POLL_S = 0.02
_NETWORK_FEE_LAMPORTS = 5_000
_MAKER_SLACK_BPS = 200  # the maker keeps order; it takes what it gets
_MAKER_S = 20.0


@asynccontextmanager
async def open_localnet(
    settings: Settings,
    home: Path,
    *,
    reference: Reference,
    clock: Clock,
    say: Callable[[str], None],
) -> AsyncIterator[Opened]:
    """Start or adopt the local chain and trade on it while the block runs."""
    jitter = random.Random(os.urandom(8)).random  # noqa: S311 - jitter keeps no secret
    async with AsyncExitStack() as stack:
        say("local chain")
        process.prepare(home, _usd(reference))
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
        rpc = await stack.enter_async_context(Rpc(url=place.rpc))
        trader, chain = _wallet(home / process.WALLET_KEY, rpc, clock)
        markets = tuple(MARKETS.values())
        venues: tuple[Venue, ...] = (
            Raydium([raydium_pools.address(market) for market in markets]),
            Meteora([meteora_pools.address(market) for market in markets]),
        )
        accounts = LiveAccounts(url=place.ws, rpc=rpc, clock=clock, jitter=jitter)
        background(stack, PoolFeed(accounts=accounts, venues=venues, clock=clock).run())
        balances = _Balances(chain, clock)
        await balances.read()
        background(stack, balances.run())
        say("pools")
        await _quoting(venues, clock)
        keeper = _Keeper(home, rpc, venues, clock)
        maintained = maker.Maker(
            venues=venues,
            board=reference.board,
            swap=keeper.swap,
            clock=clock,
            chance=jitter,
            terms=maker.Terms(),
        )
        background(stack, maintained.run())
        yield Opened(
            floor=Floor(
                chain=chain,
                venues=venues,
                wallet=trader,
                check_price=reference.check,
                network_fee_lamports=_NETWORK_FEE_LAMPORTS,
            ),
            balances=lambda: chain.balances(tuple(ASSETS.values())),
            known_balances=lambda: balances.known,
            probes={"chain": _answers(rpc), "pools": _live(accounts)},
            urls={"rpc": place.rpc, "ws": place.ws},
        )


def _wallet(path: Path, rpc: Rpc, clock: Clock) -> tuple[Wallet, Solana]:
    keypair = load(path)
    owner = wallet(str(keypair.pubkey()))
    return owner, Solana(rpc=rpc, keypair=keypair, wallet=owner, clock=clock)


def _usd(reference: Reference) -> dict[str, Decimal]:
    latest = {symbol: reference.board.latest(symbol) for symbol in ASSETS}
    return {symbol: price.value for symbol, price in latest.items() if price is not None}


async def _quoting(venues: Sequence[Venue], clock: Clock) -> None:
    """Return once every pool quotes, or after a while: orders say themselves what is missing."""
    deadline = clock.monotonic() + _POOLS_S
    while clock.monotonic() < deadline and not all(_quotes_all(venue, clock) for venue in venues):
        await clock.sleep(_POLL_S)


def _quotes_all(venue: Venue, clock: Clock) -> bool:
    try:
        for market in MARKETS.values():
            one = 10**market.base.decimals // 100
            venue.quotes(market, Side.SELL, one, now_ms=clock.now_ms())
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

    def __init__(self, home: Path, rpc: Rpc, venues: Sequence[Venue], clock: Clock) -> None:
        self._wallet, self._chain = _wallet(home / process.MAKER_KEY, rpc, clock)
        self._venues = {venue.name: venue for venue in venues}
        self._clock = clock

    async def swap(self, quote: Quote) -> None:
        """Take a quote; raise `DeskError` when it was not taken."""
        slack = _MAKER_SLACK_BPS if quote.side is Side.BUY else -_MAKER_SLACK_BPS
        limit_raw = quote.quote_raw * (BPS + slack) // BPS
        trade = Trade(
            side=quote.side,
            base=quote.market.base,
            quote=quote.market.quote,
            base_raw=quote.base_raw,
            quote_limit_raw=limit_raw,
            memo="maker",
        )
        accounts = self._wallet.token_accounts
        swap = Swap(
            quote=quote,
            limit_raw=limit_raw,
            owner=self._wallet.address,
            base_account=accounts[quote.market.base.symbol],
            quote_account=accounts[quote.market.quote.symbol],
        )
        transaction = await self._chain.prepare(trade, self._venues[quote.venue].instructions(swap))
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
