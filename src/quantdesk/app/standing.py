"""Which pools a local chain opened with: one founded by an older desk lacks what was listed since.

listed markets → addresses of their opening pools → one question → those that exist
"""

from collections.abc import Collection, Mapping, Sequence

import structlog

from quantdesk.chains.solana.answers import AccountsAnswer
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError
from quantdesk.core.markets import MARKETS, Market
from quantdesk.localnet import opening
from quantdesk.venues.following import Followed
from quantdesk.venues.port import Venue

log = structlog.get_logger()

_POLL_S = 0.02

Standing = Mapping[str, Mapping[str, Sequence[Followed]]]
"""Pools by venue and pair."""


async def standing(rpc: Rpc) -> Standing:
    """Return the opening pools that exist on this chain; raise as `Rpc.ask` does.

    A pair that has none trades nowhere, and everything else does: it is logged.
    """
    opened = [
        (venue, market.pair, pool)
        for market in MARKETS.values()
        for venue, pools in opening.pools(market).items()
        for pool in pools
    ]
    exists = await _existing(rpc, [pool.address for _, _, pool in opened])
    found: dict[str, dict[str, list[Followed]]] = {}
    for venue, pair, pool in opened:
        if pool.address in exists:
            found.setdefault(venue, {}).setdefault(pair, []).append(pool)
    for pair in sorted(MARKETS.keys() - {pair for pairs in found.values() for pair in pairs}):
        log.warning("pools.none", pair=pair, cure="a fresh --home opens with every listed pair")
    return found


def flat(pools: Standing) -> dict[str, list[Followed]]:
    """Return the pools by venue."""
    return {
        venue: [pool for found in pairs.values() for pool in found]
        for venue, pairs in pools.items()
    }


async def trading(
    venues: Sequence[Venue], pools: Standing, *, clock: Clock, within_s: float
) -> None:
    """Return once every pair that has pools trades, or after `within_s`: orders tell the rest."""
    deadline = clock.monotonic() + within_s
    while clock.monotonic() < deadline:
        if all(_trades(venue, pools.get(venue.name, {}), clock) for venue in venues):
            return
        await clock.sleep(_POLL_S)


async def _existing(rpc: Rpc, addresses: Sequence[str]) -> Collection[str]:
    config = {
        "encoding": "base64",
        "commitment": "processed",
        "dataSlice": {"offset": 0, "length": 0},
    }
    answer = await rpc.ask("getMultipleAccounts", addresses, config, answer=AccountsAnswer)
    told = zip(addresses, answer.value, strict=False)
    return {address for address, account in told if account is not None}


def _trades(venue: Venue, pairs: Collection[str], clock: Clock) -> bool:
    try:
        for pair in pairs:
            venue.pools(_mints(MARKETS[pair]), now_ms=clock.now_ms())
    except DeskError:
        return False
    return True


def _mints(market: Market) -> frozenset[str]:
    return frozenset((market.base.mint, market.quote.mint))
