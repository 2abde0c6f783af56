"""Every venue that asks for an account is told of it, and what venues ask for is followed."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Sequence

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt
from quantdesk.ingest.pools import PoolFeed
from quantdesk.testing.clock import ManualClock
from quantdesk.venues.following import Pools
from quantdesk.venues.port import Pool, Venue
from quantdesk.venues.raydium.cpmm.pool import CpmmFollowed


class _Chain:
    """Yields what is wanted, and what comes to be; then one more change of each, and hangs up.

    In between it may do something and give a sign of life.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.at_rest: Callable[[], None] | None = None

    async def stream(
        self, wanted: Callable[[], Collection[str]]
    ) -> AsyncGenerator[AccountState | None, None]:
        async for state in self._new(wanted):
            yield state
        if self.at_rest is not None:
            self.at_rest()
            yield None
            async for state in self._new(wanted):
                yield state
        for address in [*wanted()]:
            yield AccountState(address, b"data", "owner", 100)
        raise asyncio.CancelledError

    async def _new(
        self, wanted: Callable[[], Collection[str]]
    ) -> AsyncGenerator[AccountState, None]:
        known = {address for asked in self.asked for address in asked}
        while new := sorted(set(wanted()) - known):
            self.asked.append(tuple(new))
            known |= set(new)
            for address in new:
                yield AccountState(address, b"data", "owner", len(self.asked))


class _Venue:
    """Asks for accounts, and for more once it has seen all of them."""

    def __init__(self, name: str, first: Sequence[str], then: Sequence[str] = ()) -> None:
        self.name = name
        self.seen: list[tuple[str, int]] = []
        self._first, self._then = tuple(first), tuple(then)

    def accounts(self) -> tuple[str, ...]:
        knows = {address for address, _ in self.seen} >= set(self._first)
        return (*self._first, *self._then) if knows else self._first

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        self.seen.append((state.address, state.slot))
        if state.address == "broken":
            raise Corrupt("broken", code="account.unreadable")

    def pools(self, mints: frozenset[str], *, now_ms: int) -> list[Pool]:
        return []


def _fed(chain: _Chain, *venues: Venue) -> PoolFeed:
    async def run() -> PoolFeed:
        feed = PoolFeed(accounts=chain, venues=venues, clock=ManualClock())
        try:
            await feed.run()
        except asyncio.CancelledError:
            return feed
        raise AssertionError("a feed runs until it is cancelled")

    return asyncio.run(run())


def test_that_each_venue_that_asks_for_an_account_is_handed_its_state() -> None:
    one, other = _Venue("one", ["mint", "pool 1"]), _Venue("other", ["mint", "pool 2"])
    chain = _Chain()
    feed = _fed(chain, one, other)
    assert chain.asked == [("mint", "pool 1", "pool 2")]
    assert one.seen == [("mint", 1), ("pool 1", 1), ("mint", 100), ("pool 1", 100)]
    assert other.seen == [("mint", 1), ("pool 2", 1), ("mint", 100), ("pool 2", 100)]
    assert feed.counts["updates"] == 8


def test_that_what_one_venue_cannot_read_is_still_handed_to_the_next() -> None:
    one, other = _Venue("one", ["broken"]), _Venue("other", ["broken"])
    feed = _fed(_Chain(), one, other)
    assert one.seen == other.seen == [("broken", 1), ("broken", 100)]
    assert feed.counts == {"account.unreadable": 4}


def test_that_what_a_venue_comes_to_need_is_asked_for_beside_what_it_has() -> None:
    venue = _Venue("one", ["pool"], then=["vault"])
    chain = _Chain()
    _fed(chain, venue)
    assert chain.asked == [("pool",), ("vault",)]
    assert venue.seen == [("pool", 1), ("vault", 2), ("pool", 100), ("vault", 100)]


def test_that_a_venue_that_comes_to_need_what_another_already_follows_is_told_of_it() -> None:
    one, other = _Venue("one", ["mint"]), _Venue("other", ["pool"], then=["mint"])
    chain = _Chain()
    _fed(chain, one, other)
    assert chain.asked == [("mint", "pool")]
    assert other.seen == [("pool", 1), ("mint", 1), ("mint", 100), ("pool", 100)]


def test_that_what_a_venue_comes_to_follow_is_asked_for_though_nothing_changes() -> None:
    venue = Pools("raydium", [CpmmFollowed("one")])
    chain = _Chain()
    chain.at_rest = lambda: venue.follow([*venue.followed, CpmmFollowed("new")])
    _fed(chain, venue)
    assert chain.asked == [("one",), ("new",)]
