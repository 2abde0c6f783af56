"""Which pools the desk follows: those a node finds for the listed pairs, and those it was told."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from solders.pubkey import Pubkey

from quantdesk.app.kinds import Search, searches
from quantdesk.chains.solana.finding import find
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.errors import DeskError
from quantdesk.core.markets import MARKETS
from quantdesk.venues.following import Followed, Pools

log = structlog.get_logger()

_EACH_MAX: Final = 8  # pools of one kind and pair: what follows costs subscriptions


async def discovered(rpc: Rpc, known: Mapping[str, Sequence[Followed]]) -> tuple[Pools, ...]:
    """Return the venues with their pools: the known ones, and what the node finds beside them.

    A node that does not search leaves the known ones.
    """
    pools: defaultdict[str, dict[str, Followed]] = defaultdict(dict)
    for venue, followed in known.items():
        pools[venue] = {pool.address: pool for pool in followed}
    wanted = [
        search
        for market in MARKETS.values()
        for search in searches(_key(market.base.mint), _key(market.quote.mint))
    ]
    for search, addresses in zip(
        wanted, await asyncio.gather(*(_found(rpc, one) for one in wanted)), strict=True
    ):
        have = pools[search.kind.venue]
        for address in addresses[:_EACH_MAX]:
            if address not in have:
                have[address] = search.kind.follow(address)
    return tuple(Pools(venue, tuple(have.values())) for venue, have in pools.items())


async def _found(rpc: Rpc, search: Search) -> list[str]:
    kind = search.kind
    try:
        found = await find(rpc, kind.program, size=kind.size, bytes_at=search.bytes_at)
    except DeskError as problem:
        log.warning("pools.not_searched", program=kind.program, code=problem.code)
        return []
    if len(found) > _EACH_MAX:
        log.warning("pools.too_many", program=kind.program, found=len(found), kept=_EACH_MAX)
    return found


def _key(mint: str) -> bytes:
    return bytes(Pubkey.from_string(mint))
