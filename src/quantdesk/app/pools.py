"""The floor of Solana pools: one node, one wallet on it, and the pools that are followed there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

import structlog

from quantdesk.app.background import Background
from quantdesk.app.discovery import Discovery
from quantdesk.app.opened import Opened
from quantdesk.chains.port import Chain, Instruction, Priority, Trade, Wallet
from quantdesk.chains.solana.accounts import LiveAccounts
from quantdesk.chains.solana.builder import Size
from quantdesk.chains.solana.chain import Solana
from quantdesk.chains.solana.fees import COMPUTE_UNITS_MAX
from quantdesk.chains.solana.health import check_abreast
from quantdesk.chains.solana.holdings import holdings
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.assets import ASSETS, Asset
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Unavailable
from quantdesk.engines.orders.floor import CheckPrice, Floor
from quantdesk.engines.orders.quality.bias import Bias
from quantdesk.engines.orders.routing import Routing, Rules
from quantdesk.ingest.board import Board
from quantdesk.ingest.pools import PoolFeed
from quantdesk.ops.health import Probe
from quantdesk.settings import Settings

log = structlog.get_logger()

_BALANCES_S = 2.0
_TABLES_S = 5.0
_NETWORK_FEE_LAMPORTS = 5_000
_NAMED_MAX = 3
_UNITS_AROUND = 50_000  # beside the pools': memo, a new token account, wrapping
_THROUGH = (ASSETS["USDC"].mint, ASSETS["USDT"].mint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a floor of pools stands on; `ws` is where its node tells of changes.

    The pools that `discovery` has found are followed; it goes on searching.
    """

    rpc: Rpc
    ws: str
    chain: Solana
    wallet: Wallet
    discovery: Discovery


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What the desk knows that routes are judged by."""

    board: Board
    check_price: CheckPrice
    bias: Bias


async def open_pools(
    background: Background,
    ground: Ground,
    *,
    settings: Settings,
    knowledge: Knowledge,
    clock: Clock,
    jitter: Callable[[], float],
) -> Opened:
    """Follow the pools, the wallet's money and the room of a block until the stack unwinds."""
    chain, rpc = ground.chain, ground.rpc
    accounts = LiveAccounts(url=ground.ws, rpc=rpc, clock=clock, jitter=jitter)
    venues = ground.discovery.venues
    feed = PoolFeed(accounts=accounts, venues=venues, clock=clock)
    background.begin("pool feed", feed.run)
    background.begin("pool search", ground.discovery.run)
    balances, room = Balances(chain, clock), _Room(chain, clock)
    for name, kept in (("balances", balances), ("block room", room)):
        await kept.read()
        background.begin(name, kept.run)
    routing = Routing(
        venues,
        rules=Rules(through=_THROUGH, age_ms_max=settings.guard.pool_age_ms_max),
        heard_ms=lambda: accounts.heard_ms,
        bias=knowledge.bias.bps,
    )
    floor = Floor(
        chain=chain,
        routing=routing,
        wallet=ground.wallet,
        check_price=knowledge.check_price,
        network_fee_lamports=_NETWORK_FEE_LAMPORTS,
        fits=room.fits,
        priority_lamports=room.priority_lamports,
        call_lamports=chain.call_lamports,
        units_max=COMPUTE_UNITS_MAX - _UNITS_AROUND,
        worth=lambda lamports, asset: worth(knowledge.board, lamports, asset),
        holds=lambda: balances.known,
    )
    return Opened(
        floor=floor,
        balances=lambda: chain.balances(tuple(ASSETS.values())),
        known_balances=lambda: balances.known,
        read=lambda address: holdings(rpc, address, tuple(ASSETS.values())),
        probes={
            "chain": _answers(rpc),
            "pools": _live(
                accounts, ground.discovery, lambda: routing.bench.resting(now_ms=clock.now_ms())
            ),
        },
        found=ground.discovery.counts,
    )


def resting_words(addresses: Sequence[str]) -> str:
    """Return which pools routes go without for now, nothing where there are none."""
    if not addresses:
        return ""
    named = ", ".join(addresses[:_NAMED_MAX])
    more = len(addresses) - _NAMED_MAX
    others = f" and {more} more" if more > 0 else ""
    return f"; left out for a while, since trades with them fail when tried: {named}{others}"


def worth(board: Board, lamports: int, asset: Asset) -> int:
    """Return lamports in base units of an asset at the latest prices; 0 while there are none."""
    sol, other = board.latest("SOL"), board.latest(asset.symbol)
    if sol is None or other is None or not other.value:
        return 0
    exact = Decimal(lamports) * sol.value / other.value
    return int(
        exact.scaleb(asset.decimals - ASSETS["SOL"].decimals).to_integral_value(ROUND_CEILING)
    )


class Balances:
    """The wallet's money as last read; the risk kernel looks at it without waiting."""

    def __init__(self, chain: Chain, clock: Clock, *, every_s: float = _BALANCES_S) -> None:
        self._chain = chain
        self._clock = clock
        self._every_s = every_s
        self.known: Mapping[str, int] | None = None

    async def read(self) -> None:
        """Read it now; raise `Unavailable`."""
        self.known = await self._chain.balances(tuple(ASSETS.values()))

    async def run(self) -> None:
        """Keep reading it until cancelled."""
        while True:
            await self._clock.sleep(self._every_s)
            try:
                await self.read()
            except DeskError as problem:
                log.info("balances.unread", code=problem.code)


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

    async def priority_lamports(
        self, steps: Sequence[Instruction], units: int, priority: Priority | None
    ) -> int:
        return await self._chain.priority_lamports(steps, compute_units=units, priority=priority)


def _answers(rpc: Rpc) -> Probe:
    async def probe() -> str:
        await check_abreast(rpc)
        slot = await rpc.ask("getSlot", answer=int)
        return f"slot {slot}"

    return probe


def _live(accounts: LiveAccounts, discovery: Discovery, resting: Callable[[], list[str]]) -> Probe:
    async def probe() -> str:
        if not accounts.connections:
            raise Unavailable("pool states do not arrive", code="pools.silent")
        return discovery.told() + resting_words(resting())

    return probe
