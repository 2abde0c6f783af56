"""Which of too many pools are the deepest: read from a node in few questions, then measured.

pools found → the richest vaults → all accounts of those → snapshots → depth near the price

A vault bounds what a pool can pay out, so the richest are looked at first; concentrated liquidity
far from the price shows only in the second look.

What a look at one pair costs: two searches of each kind; of a kind with too many pools the vaults
of `LOOKED_AT_MAX` (8 bytes each), and every account, 17 at most, of `MEASURED_MAX` and of those
that are kept. Accounts are read 100 at a time, one question after the other: some 120 questions
where all kinds have as many pools as are looked at, none where no kind has too many.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final, NamedTuple

from solders.pubkey import Pubkey

from quantdesk.app.kinds import Kind
from quantdesk.chains.solana.reading import Part, read
from quantdesk.chains.solana.rpc import Rpc
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, DeskError
from quantdesk.venues.depth import IDLE, UNREADABLE, Depth, depths
from quantdesk.venues.following import Followed, Pools
from quantdesk.venues.port import Pool

LOOKED_AT_MAX: Final = 1_000
"""Pools of one kind and pair whose vaults are read in one look; where there are more, a search
goes on where the one before it ended, so that after some all have been looked at."""

MEASURED_MAX: Final = 16
"""Pools of one kind and pair that are measured beside those that are kept: twice what is kept."""

_ROUNDS_MAX: Final = 4  # pool → vaults, mints, bitmap → arrays, and a price that moved meanwhile
_COMMITMENT: Final = "confirmed"
_AMOUNT: Final = Part(64, 8)  # of a token account: after mint and owner

Vaults = tuple[bytes, bytes]
"""The addresses of a pool's vaults of base and quote token."""


class Contest(NamedTuple):
    """Pools of one kind and pair: those that were found, and the ones among them that are kept.

    What is kept is always measured, even where it was not found.
    """

    kind: Kind
    found: Mapping[str, Vaults]
    kept: Collection[str]


async def measured(
    rpc: Rpc,
    contests: Sequence[Contest],
    quote: str,
    *,
    clock: Clock,
    looked_at_max: int = LOOKED_AT_MAX,
) -> list[dict[str, Depth]]:
    """Return how deep the richest pools of each contest are, and those that are kept.

    All are of one pair, whose quote token is named; of each contest the first `looked_at_max` that
    were found are looked at. Raises as `Rpc.ask` does.
    """
    finalists = await _finalists(rpc, contests, looked_at_max)
    followed = {
        address: contest.kind.follow(address)
        for contest, addresses in zip(contests, finalists, strict=True)
        for address in addresses
    }
    await _fill(rpc, Pools("candidates", tuple(followed.values())), clock)
    depth = _depths(followed, quote, now_ms=clock.now_ms())
    return [{address: depth[address] for address in addresses} for addresses in finalists]


def richest(held: Mapping[str, tuple[int, int]], *, most: int) -> list[str]:
    """Return at most so many of the pools that hold (base, quote), those first that hold most.

    Each token counts by the pool's share of what all hold of it, which needs no price and lets a
    pool of one side count. Equals stand in the order of their addresses.
    """
    whole = [sum(amounts[side] for amounts in held.values()) or 1 for side in (0, 1)]

    def share(address: str) -> float:
        return sum(amount / all_ for amount, all_ in zip(held[address], whole, strict=True))

    return sorted(held, key=lambda address: (-share(address), address))[:most]


async def _finalists(rpc: Rpc, contests: Sequence[Contest], looked_at_max: int) -> list[list[str]]:
    """Return which pools of each contest are worth a closer look."""
    asked = [
        dict(islice(((a, v) for a, v in c.found.items() if a not in c.kept), looked_at_max))
        for c in contests
    ]
    vaults = [
        key for new in asked if len(new) > MEASURED_MAX for pair in new.values() for key in pair
    ]
    addresses = [str(Pubkey.from_bytes(key)) for key in vaults]
    states = await read(rpc, addresses, commitment=_COMMITMENT, part=_AMOUNT)
    amounts = {
        key: int.from_bytes(state.data, "little") for key, state in zip(vaults, states, strict=True)
    }
    chosen = [
        richest({a: (amounts[v[0]], amounts[v[1]]) for a, v in new.items()}, most=MEASURED_MAX)
        if len(new) > MEASURED_MAX
        else list(new)
        for new in asked
    ]
    return [[*c.kept, *new] for c, new in zip(contests, chosen, strict=True)]


async def _fill(rpc: Rpc, pools: Pools, clock: Clock) -> None:
    """Hand the pools the accounts they ask for, until they ask for nothing new."""
    given: set[str] = set()
    for _ in range(_ROUNDS_MAX):
        wanted = [address for address in pools.accounts() if address not in given]
        for state in await read(rpc, wanted, commitment=_COMMITMENT):
            with suppress(Corrupt):  # it then gives no snapshot
                pools.update(state, seen_ms=clock.now_ms())
            await clock.sleep(0)  # a thousand accounts: orders go first
        given.update(wanted)


def _depths(followed: Mapping[str, Followed], quote: str, *, now_ms: int) -> dict[str, Depth]:
    known: dict[str, Depth] = {}
    trading: dict[str, Pool] = {}
    for address, pool in followed.items():
        try:
            trading[address] = pool.snapshot(now_ms=now_ms)
        except DeskError:
            known[address] = IDLE if pool.mints else UNREADABLE
    return known | dict(zip(trading, depths(list(trading.values()), quote), strict=True))
