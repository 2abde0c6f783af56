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
        self._asked: list[tuple[str, ...]] = []
        self._asking: dict[str, list[Venue]] = {}
        self._latest: dict[str, AccountState] = {}
        self.counts: Counter[str] = Counter()
        """updates, one per venue that asked, and unreadable states by code."""

    async def run(self) -> None:
        """Follow whatever the venues ask for until cancelled.

        What they ask for moves: a pool names its vaults, a price leaves its bin arrays, pools come
        and go. A venue that comes to need what another follows is told of it at once.
        """
        self._ask()
        async with aclosing(self._accounts.stream(lambda: self._asking)) as states:
            async for state in states:
                if state is not None and state.address in self._asking:
                    self._latest[state.address] = state
                    for venue in self._asking[state.address]:
                        self._take(venue, state)
                self._ask()

    def _ask(self) -> None:
        while (asked := [venue.accounts() for venue in self._venues]) != self._asked:
            before, self._asked = self._asking, asked
            self._asking = {}
            for venue, addresses in zip(self._venues, asked, strict=True):
                for address in addresses:
                    self._asking.setdefault(address, []).append(venue)
            self._latest = {a: state for a, state in self._latest.items() if a in self._asking}
            for address, state in self._latest.items():
                for venue in self._asking[address]:
                    if venue not in before.get(address, ()):
                        self._take(venue, state)

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
