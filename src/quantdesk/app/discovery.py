"""Which pools the desk follows: those it was told, and the deepest a node finds beside them.

A search that fails, or is cut short, leaves what was followed before it: what is kept changes once,
when all is known. A pool that joins is read by the pool feed and quoted from then on; those that
stay are not touched.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from solders.pubkey import Pubkey

from quantdesk.app.kinds import KINDS, Kind, Search, searches
from quantdesk.app.ranking import LOOKED_AT_MAX, Contest, Vaults, measured
from quantdesk.chains.solana.finding import find
from quantdesk.chains.solana.reading import Part
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Unavailable
from quantdesk.core.markets import MARKETS, Market
from quantdesk.venues.depth import UNREADABLE, Depth, deepest
from quantdesk.venues.following import Followed, Pools

log = structlog.get_logger()

EACH_MAX: Final = 8
"""Pools of one kind and pair: what follows costs subscriptions, a route has six legs at most."""

EVERY_S: Final = 600.0
"""Liquidity moves over hours, and a search asks for some hundred things of a node that may count
them."""

AGAIN_S: Final = 60.0
"""After a search that the node did not answer whole: what limits a rate mostly does so by the
minute."""

_KEY: Final = 32

_Key = tuple[str, str]  # the name of a kind, and a pair


@dataclass(frozen=True, slots=True)
class _Group:
    """Pools of one kind and pair that are followed, and how many there were to choose from."""

    pools: Mapping[str, Followed] = field(default_factory=dict)
    candidates: int = 0
    unreadable: int = 0


class Discovery:
    """Keeps venues at their deepest pools; `known` are pools by venue that always stay."""

    def __init__(
        self,
        rpc: Rpc,
        known: Mapping[str, Sequence[Followed]],
        *,
        clock: Clock,
        looked_at_max: int = LOOKED_AT_MAX,
    ) -> None:
        self._rpc = rpc
        self._clock = clock
        self._looked_at_max = looked_at_max
        self._looks = 0
        self._known = {pool.address: pool for pools in known.values() for pool in pools}
        self._told = {venue: tuple(pools) for venue, pools in known.items()}
        self._groups: dict[_Key, _Group] = {}
        self._unanswered: list[tuple[str, DeskError]] = []
        names = dict.fromkeys((*known, *(kind.venue for kind in KINDS)))
        self.venues = tuple(Pools(name, self._told.get(name, ())) for name in names)

    async def search(self) -> None:
        """Search once; what the node does not answer stays as it was."""
        self._unanswered = []
        self._looks += 1
        groups = dict(self._groups)
        for market in MARKETS.values():
            made = await self._pair(market)
            if not made:  # the node answers none of it, and would have to be waited for each time
                break
            groups |= made
        unanswered = Counter((what, problem.code) for what, problem in self._unanswered)
        for (what, code), pairs in unanswered.items():
            log.warning("pools.unanswered", what=what, code=code, pairs=pairs)
        self._keep(groups)

    async def run(self) -> None:
        """Keep searching until cancelled."""
        while True:
            # A node that does not search at all will not in a minute either.
            soon = any(problem.retryable for _, problem in self._unanswered)
            await self._clock.sleep(AGAIN_S if soon else EVERY_S)
            await self.search()

    def counts(self) -> Iterator[tuple[tuple[str, str, str], int]]:
        """Yield how many pools were found, by venue, kind, and what became of them."""
        totals: Counter[tuple[str, str]] = Counter()
        for (name, _), group in self._groups.items():
            totals[name, "followed"] += len(group.pools)
            totals[name, "left_out"] += group.candidates - len(group.pools)
            totals[name, "unreadable"] += group.unreadable
        for kind in KINDS:
            for state in ("followed", "left_out", "unreadable"):
                yield (kind.venue, kind.name, state), totals[kind.name, state]

    def told(self) -> str:
        """Return in words how many pools are followed, and what the node did not answer."""
        count = sum(len(venue.followed) for venue in self.venues)
        words = f"{count} pools followed, {self._left_out} found and left out"
        if self._unanswered:
            codes = ", ".join(sorted({problem.code for _, problem in self._unanswered}))
            words += f"; the last search was not answered whole ({codes})"
        return words

    async def _pair(self, market: Market) -> dict[_Key, _Group]:
        """Return the groups of a pair as they should be, without those that are not known."""
        found = await asyncio.gather(*(self._found(kind, market) for kind in KINDS))
        contests = [
            Contest(kind, told, self._staying(kind, market, told))
            for kind, told in zip(KINDS, found, strict=True)
            if told is not None
        ]
        crowded = [one for one in contests if len(_candidates(one)) > EACH_MAX]
        groups = {
            (one.kind.name, market.pair): self._group(one, market, _candidates(one))
            for one in contests
            if one not in crowded
        }
        if not crowded:
            return groups
        try:
            looks = await measured(
                self._rpc, [self._next(one) for one in crowded], market.quote.mint,
                clock=self._clock, looked_at_max=self._looked_at_max,
            )  # fmt: skip
        except DeskError as problem:
            self._unanswered.append(("depth", problem))
            return groups
        for one, depths in zip(crowded, looks, strict=True):
            groups[one.kind.name, market.pair] = self._best(one, market, depths)
        return groups

    def _next(self, one: Contest) -> Contest:
        """Return the contest from where the search before has not looked any further."""
        addresses = list(one.found)
        start = (self._looks - 1) * self._looked_at_max % max(1, len(addresses))
        return one._replace(
            found={at: one.found[at] for at in (*addresses[start:], *addresses[:start])}
        )

    async def _found(self, kind: Kind, market: Market) -> dict[str, Vaults] | None:
        """Return the pools of a kind and pair, None when the node does not search for them."""
        base, quote = _key(market.base.mint), _key(market.quote.mint)
        wanted = searches(kind, base, quote)
        try:
            told = await asyncio.gather(*(self._ask(search) for search in wanted))
        except DeskError as problem:
            self._unanswered.append((kind.name, problem))
            return None
        ordered, turned = told
        return ordered | {address: (vaults[1], vaults[0]) for address, vaults in turned.items()}

    async def _ask(self, search: Search) -> dict[str, Vaults]:
        kind = search.kind
        found = await find(
            self._rpc,
            kind.program,
            size=kind.size,
            bytes_at=search.bytes_at,
            part=Part(kind.vaults_at, 2 * _KEY),
        )
        if any(len(told) != 2 * _KEY for told in found.values()):
            raise Unavailable("the node sent other bytes than it was asked", code="rpc.unreadable")
        return {address: (told[:_KEY], told[_KEY:]) for address, told in found.items()}

    def _staying(self, kind: Kind, market: Market, found: Mapping[str, Vaults]) -> list[str]:
        """Return which pools are followed already and are there still.

        A node whose index is behind answers with less than there is: what trades is there.
        """
        group = self._groups.get((kind.name, market.pair), _Group())
        told = [address for address in found if address in self._known]
        kept = [
            address
            for address, pool in group.pools.items()
            if address not in told and (address in found or self._trades(pool))
        ]
        return [*told, *kept]

    def _best(self, one: Contest, market: Market, known: Mapping[str, Depth]) -> _Group:
        told = [address for address in one.kept if address in self._known]
        others = {address: depth for address, depth in known.items() if address not in told}
        best = deepest(others, kept=one.kept, most=EACH_MAX - len(told))
        unreadable = sum(depth == UNREADABLE for depth in known.values())
        group = self._group(one, market, [*told, *best], unreadable=unreadable)
        log.info(
            "pools.ranked", pair=market.pair, kind=one.kind.name, candidates=group.candidates,
            measured=len(known), unreadable=unreadable, followed=len(group.pools),
        )  # fmt: skip
        return group

    def _group(
        self, one: Contest, market: Market, addresses: Sequence[str], *, unreadable: int = 0
    ) -> _Group:
        have = self._groups.get((one.kind.name, market.pair), _Group()).pools
        pools = {
            address: self._known.get(address) or have.get(address) or one.kind.follow(address)
            for address in addresses
        }
        return _Group(pools, len(_candidates(one)), unreadable)

    def _keep(self, groups: dict[_Key, _Group]) -> None:
        venue_of = {kind.name: kind.venue for kind in KINDS}
        before = {pool.address for venue in self.venues for pool in venue.followed}
        self._groups = groups
        for venue in self.venues:
            pools = {pool.address: pool for pool in self._told.get(venue.name, ())}
            for (name, _), group in groups.items():
                if venue_of[name] == venue.name:
                    pools |= group.pools
            venue.follow(tuple(pools.values()))
        after = {pool.address for venue in self.venues for pool in venue.followed}
        tell = log.debug if after == before else log.info
        tell(
            "pools.searched", followed=len(after), joined=len(after - before),
            left=len(before - after), left_out=self._left_out,
        )  # fmt: skip

    @property
    def _left_out(self) -> int:
        return sum(group.candidates - len(group.pools) for group in self._groups.values())

    def _trades(self, pool: Followed) -> bool:
        try:
            pool.snapshot(now_ms=self._clock.now_ms())
        except DeskError:
            return False
        return True


def _candidates(one: Contest) -> list[str]:
    return [*one.kept, *(address for address in one.found if address not in one.kept)]


def _key(mint: str) -> bytes:
    return bytes(Pubkey.from_string(mint))
