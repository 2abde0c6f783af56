"""A venue whose pools are accounts on a chain: follows them, and hands out those that trade.

What differs between kinds of pools stands behind `Followed`: which accounts one needs, what their
bytes say, and the snapshot they add up to.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.venues.port import Pool

_STEPS_MAX: Final = 8  # in which a pool learns of its accounts; the longest way takes three


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
        self._accounts: tuple[str, ...] = ()
        self._known: dict[str, tuple[AccountState, int]] = {}
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
        self._settle()

    def accounts(self) -> tuple[str, ...]:
        """Return every account its pools need now."""
        return self._accounts

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Take in one account's new state; older slots and accounts of no pool are ignored.

        Raises `Corrupt`: the pools that need it are out of the market until a good state arrives.
        """
        pools = self._needed_by.get(state.address, ())
        known = self._known.get(state.address)
        if not pools or (known and state.slot < known[0].slot):
            return
        self._known[state.address] = (state, seen_ms)
        before = [pool.accounts() for pool in pools]
        problems = [problem for pool in pools if (problem := _told(pool, state, seen_ms))]
        if [pool.accounts() for pool in pools] != before:
            problems += self._settle()
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

    def _settle(self) -> list[Corrupt]:
        """Tell pools what is known already of accounts that they came to need; return the faults.

        Those of several pools change rarely: a config, a mint.
        """
        problems: list[Corrupt] = []
        for _ in range(_STEPS_MAX):
            joined = self._index()
            if not joined:
                break
            for pool, address in joined:
                if problem := _told(pool, *self._known[address]):
                    problems.append(problem)
        return problems

    def _index(self) -> list[tuple[Followed, str]]:
        """Note who needs what; return who came to need what is known."""
        before, self._needed_by = self._needed_by, {}
        for pool in self._pools:
            for address in pool.accounts():
                self._needed_by.setdefault(address, []).append(pool)
        self._accounts = tuple(self._needed_by)
        # An account that is followed anew must not lose to a state from before.
        self._known = {a: known for a, known in self._known.items() if a in self._needed_by}
        return [
            (pool, address)
            for address in self._known
            for pool in self._needed_by[address]
            if pool not in before.get(address, ())
        ]


def _told(pool: Followed, state: AccountState, seen_ms: int) -> Corrupt | None:
    try:
        pool.update(state, seen_ms=seen_ms)
    except Corrupt as problem:
        return problem
    return None
