"""A venue whose pools are accounts on a chain: follows them, and hands out those that trade.

What differs between kinds of pools stands behind `Followed`: which accounts one needs, what their
bytes say, and the snapshot they add up to.
"""

from collections.abc import Sequence
from typing import Protocol

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.venues.port import Pool


class Followed(Protocol):
    """What is known of one pool."""

    @property
    def address(self) -> str:
        """Return the account that names all others."""

    @property
    def mints(self) -> frozenset[str]:
        """Return the tokens it trades; none while it has not been read."""

    def accounts(self) -> tuple[str, ...]:
        """Return the accounts it needs, itself among them; more as they become known."""

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Take in the state of one of them; raise `Corrupt` when it is not what it should be."""

    def snapshot(self, *, now_ms: int) -> Pool:
        """Return the pool as it stands.

        Raises `Refused` or `Unavailable` with the reason why it does not trade.
        """


class Pools:
    """The pools of one venue, of whatever kinds."""

    def __init__(self, name: str, pools: Sequence[Followed]) -> None:
        self._name = name
        self._pools = tuple(pools)
        self._needed_by: dict[str, list[Followed]] = {}
        self._slots: dict[str, int] = {}
        self._index()

    @property
    def name(self) -> str:
        """Return the short name users see."""
        return self._name

    @property
    def followed(self) -> tuple[Followed, ...]:
        """Return what it follows."""
        return self._pools

    def follow(self, pools: Sequence[Followed]) -> None:
        """Follow these pools from now on; what is known of those that stay, stays."""
        self._pools = tuple(pools)
        self._index()

    def accounts(self) -> tuple[str, ...]:
        """Return every account its pools need now."""
        return tuple(self._needed_by)

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Take in one account's new state; older slots and accounts of no pool are ignored.

        Raises `Corrupt`: the pools that need it are out of the market until a good state arrives.
        """
        pools = self._needed_by.get(state.address, ())
        if not pools or state.slot < self._slots.get(state.address, 0):
            return
        self._slots[state.address] = state.slot
        before = [pool.accounts() for pool in pools]
        problems: list[Corrupt] = []
        for pool in pools:
            try:
                pool.update(state, seen_ms=seen_ms)
            except Corrupt as problem:
                problems.append(problem)
        if [pool.accounts() for pool in pools] != before:
            self._index()
        if problems:
            raise problems[0]

    def pools(self, mints: frozenset[str], *, now_ms: int) -> list[Pool]:
        """Return the pools that trade these two tokens now, or raise why none does."""
        trading: list[Pool] = []
        reasons: list[DeskError] = []
        for pool in self._pools:
            if pool.mints != mints:
                continue
            try:
                trading.append(pool.snapshot(now_ms=now_ms))
            except (Refused, Unavailable) as reason:
                reasons.append(reason)
        if trading:
            return trading
        if reasons:
            # While one pool may trade later, waiting is worth it.
            raise max(reasons, key=lambda reason: reason.retryable)
        raise Unavailable(f"{self._name} has no readable pool of this pair", code="pool.gone")

    def _index(self) -> None:
        self._needed_by = {}
        for pool in self._pools:
            for address in pool.accounts():
                self._needed_by.setdefault(address, []).append(pool)
        # An account that is followed anew must not lose to a state from before.
        self._slots = {address: self._slots.get(address, 0) for address in self._needed_by}
