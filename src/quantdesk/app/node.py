"""A node of others, devnet's or mainnet's: which one, how it is used, whether its pools quote."""

from collections.abc import Sequence
from typing import Final

from yarl import URL

from quantdesk.chains.port import Priority
from quantdesk.chains.solana.chain import Terms
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Refused
from quantdesk.core.markets import MARKETS
from quantdesk.settings import Settings
from quantdesk.venues.port import Venue

_POOLS_S: Final = 10.0
_POLL_S: Final = 0.05
_SEARCH_S: Final = 20.0
# https://github.com/ChainAgnostic/namespaces/blob/main/solana/caip2.md
_GENESIS: Final = {
    "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d": "mainnet",
    "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG": "devnet",
}


def check_url(settings: Settings) -> None:
    """Raise `Refused` (`settings.invalid`) where the mode's node is not written down."""
    url = URL(settings.solana.rpc_url)
    if url.scheme not in {"http", "https"} or not url.host:
        raise Refused(
            f"mode {settings.mode} needs solana.rpc_url, such as https://HOST",
            code="settings.invalid",
        )


def patient(settings: Settings) -> Rpc:
    """Return the node for searches: each by itself, few at once, and with time to answer.

    They look through all accounts of a program, and orders are not to wait for them.
    """
    return Rpc(url=settings.solana.rpc_url, timeout_s=_SEARCH_S, requests_max=5, batch_max=1)


async def check_cluster(rpc: Rpc, mode: str) -> None:
    """Turn away from the other mode's cluster; a private one, or a fork, is anyone's."""
    genesis = await rpc.ask("getGenesisHash", answer=str)
    if _GENESIS.get(genesis, mode) != mode:
        raise Refused(
            f"solana.rpc_url is a node of {_GENESIS[genesis]}; this desk is in mode {mode}",
            code="solana.cluster",
        )


def terms(settings: Settings) -> Terms:
    """Return how the chain is used, as settings say."""
    landing = settings.landing
    return Terms(
        policy=Priority(landing.policy),
        priority_lamports_max=landing.priority_lamports_max,
        deviation_bps=landing.deviation_bps,
    )


def ws(settings: Settings) -> str:
    """Return where the node tells of changes."""
    told = settings.solana
    return told.ws_url or "ws" + told.rpc_url.removeprefix("http")


def shown(url: str) -> str:
    """Return an address without what may be secret in it."""
    told = URL(url)
    return str(URL.build(scheme=told.scheme, host=told.host or "", port=told.explicit_port))


async def quoting(venues: Sequence[Venue], clock: Clock) -> None:
    """Return once every venue quotes a pair, or after a while: orders say what is missing."""
    deadline = clock.monotonic() + _POOLS_S
    while clock.monotonic() < deadline and not all(_quotes(venue, clock) for venue in venues):
        await clock.sleep(_POLL_S)


def _quotes(venue: Venue, clock: Clock) -> bool:
    for market in MARKETS.values():
        try:
            if venue.pools(frozenset((market.base.mint, market.quote.mint)), now_ms=clock.now_ms()):
                return True
        except DeskError:
            continue
    return False
