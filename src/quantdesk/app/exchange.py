"""Binance spot as a rival of the pools: an account of its own, books that are followed.

order book ─▶ ingest ─▶ venue ─▶ routing          user data stream ─▶ wakes the chain's looks
"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import structlog
from yarl import URL

from quantdesk.app.background import Background
from quantdesk.app.pools import Balances
from quantdesk.chains.binance import Binance, Client, Ed25519Key, HmacKey, LiveBooks, Reports
from quantdesk.chains.binance.signing import Key, seed
from quantdesk.chains.port import Wallet
from quantdesk.core import secret_file
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Refused
from quantdesk.core.markets import Market, market
from quantdesk.engines.orders.floor import CheckPrice, Floor
from quantdesk.engines.orders.routing import Routing, Rules
from quantdesk.ingest.pools import PoolFeed
from quantdesk.ops.health import Probe
from quantdesk.settings import BinanceSettings
from quantdesk.venues.binance import Binance as BinanceVenue

log = structlog.get_logger()

NAME = "binance"
_BALANCES_S = 10.0
_REAL = ("binance.com", "binance.us", "binance.je")
_PEM = b"-----BEGIN"


@dataclass(frozen=True, slots=True)
class Exchange:
    """The floor, and how it is."""

    floor: Floor
    probe: Probe


async def open_binance(
    stack: AsyncExitStack,
    background: Background,
    settings: BinanceSettings,
    *,
    check_price: CheckPrice,
    clock: Clock,
    jitter: Callable[[], float],
) -> Exchange:
    """Return the floor; it is followed until the stack unwinds.

    An exchange that does not answer keeps no desk from starting: orders go elsewhere. Raises
    `Refused` (`settings.invalid`, `key.*`).
    """
    client = Client(url=settings.url, clock=clock, key=_key(settings))
    await stack.enter_async_context(client)
    chain = Binance(client=client, clock=clock)
    venue = BinanceVenue([_listed(pair) for pair in settings.pairs], barred=client.barred)
    books = LiveBooks(url=settings.ws_url, client=client, clock=clock, jitter=jitter)
    feed = PoolFeed(accounts=books, venues=[venue], clock=clock)
    background.begin("binance books", feed.run)
    if settings.reports_url:
        reports = Reports(url=settings.reports_url, client=client, clock=clock, wake=chain.wake)
        background.begin("binance reports", reports.run)
    balances = Balances(chain, clock, every_s=_BALANCES_S)
    try:
        await balances.read()
    except DeskError as problem:
        log.warning("balances.unread", floor=NAME, code=problem.code, detail=problem.detail)
    background.begin("binance balances", balances.run)
    floor = Floor(
        chain=chain,
        routing=Routing([venue], rules=Rules(legs_max=1)),
        wallet=Wallet(NAME, dict.fromkeys(ASSETS, NAME)),
        check_price=check_price,
        network_fee_lamports=0,
        name=NAME,
        holds=lambda: balances.known,
    )
    return Exchange(floor, _live(books, client))


def is_real(settings: BinanceSettings) -> bool:
    """Return whether orders sent there would be filled with real money."""
    host = URL(settings.url).host or ""
    return any(host == name or host.endswith(f".{name}") for name in _REAL)


def _key(settings: BinanceSettings) -> Key:
    needed = {"ws_url": settings.ws_url, "key": settings.key, "secret_file": settings.secret_file}
    missing = [f"binance.{name}" for name, value in needed.items() if not value]
    if missing:
        raise Refused(f"binance.url also needs {', '.join(missing)}", code="settings.invalid")
    content = secret_file.read(Path(settings.secret_file).expanduser())
    if content.lstrip().startswith(_PEM):
        return Ed25519Key(api_key=settings.key, seed=seed(content))
    try:
        return HmacKey(api_key=settings.key, secret=content.decode("ascii").strip())
    except UnicodeDecodeError:
        raise Refused(f"{settings.secret_file} holds no secret", code="key.unreadable") from None


def _listed(pair: str) -> Market:
    try:
        return market(pair)
    except Refused as problem:
        raise Refused(f"binance.pairs: {problem.detail}", code="settings.invalid") from None


def _live(books: LiveBooks, client: Client) -> Probe:
    async def probe() -> str:
        if barred := client.barred():
            return f"{barred.detail}; orders go elsewhere"
        return "live" if books.connections else "away: orders go elsewhere"

    return probe
