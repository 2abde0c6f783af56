"""Pools kept fresh: account changes on the chain become the state that venues quote from.

An account may be of several venues: pools of all of them depend on the mint of a token.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing

import structlog

from quantdesk.chains.port import Accounts, AccountState
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt
from quantdesk.venues.port import Venue

log = structlog.get_logger()


class PoolFeed:
    """Feeds venues from a live view of the accounts they ask for."""

    def __init__(self, *, accounts: Accounts, venues: Sequence[Venue], clock: Clock) -> None:
        self._accounts = accounts
        self._venues = tuple(venues)
        self._clock = clock
        self.counts: Counter[str] = Counter()
        """updates, one per venue that asked, and unreadable states by code."""

    async def run(self) -> None:
        """Follow whatever the venues ask for until cancelled.

        What they ask for moves: a pool names its vaults, a price leaves its bin arrays, pools come
        and go. Then the stream is opened anew, which also reads every account again.
        """
        while True:
            asking = self._asking()
            unread = set(asking)
            async with aclosing(self._accounts.stream(sorted(asking))) as states:
                async for state in states:
                    if state is not None:
                        for venue in asking[state.address]:
                            self._take(venue, state)
                        unread.discard(state.address)
                    if not unread and self._asking() != asking:
                        break

    def _asking(self) -> dict[str, list[Venue]]:
        asking: dict[str, list[Venue]] = {}
        for venue in self._venues:
            for address in venue.accounts():
                asking.setdefault(address, []).append(venue)
        return asking

    def _take(self, venue: Venue, state: AccountState) -> None:
        try:
            venue.update(state, seen_ms=self._clock.now_ms())
            self.counts["updates"] += 1
        except Corrupt as problem:
            # The venue stops quoting that pool; the others go on.
            self.counts[problem.code] += 1
            log.warning(
                "pool.unreadable", venue=venue.name, address=state.address,
                code=problem.code, detail=problem.detail,
            )  # fmt: skip
