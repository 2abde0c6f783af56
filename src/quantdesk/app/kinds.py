"""The kinds of on-chain pools the desk trades with, and how a node finds them; a table.

A node's `getProgramAccounts` takes filters on size and bytes: a pool's account has a size of its
own, mostly a discriminator, and names its two mints at fixed places. Offsets follow from the
layouts in each kind's folder.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from quantdesk.venues.following import Followed
from quantdesk.venues.meteora.damm_v2 import layout as damm_v2
from quantdesk.venues.meteora.damm_v2.pool import FollowedDammV2
from quantdesk.venues.meteora.dlmm import layout as dlmm
from quantdesk.venues.meteora.dlmm.pool import DlmmFollowed
from quantdesk.venues.raydium.amm_v4 import layout as amm_v4
from quantdesk.venues.raydium.amm_v4.pool import AmmV4Followed
from quantdesk.venues.raydium.clmm import layout as clmm
from quantdesk.venues.raydium.clmm.pool import ClmmFollowed
from quantdesk.venues.raydium.cpmm import layout as cpmm
from quantdesk.venues.raydium.cpmm.pool import CpmmFollowed


class Kind(NamedTuple):
    """A kind of pool.

    `mints_at` are the offsets of its two mints in the pool's account, `vaults_at` is that of its
    two vaults, which stand one behind the other.
    """

    venue: str
    name: str
    program: str
    discriminator: bytes
    size: int
    mints_at: tuple[int, int]
    vaults_at: int
    follow: Callable[[str], Followed]


KINDS: Final = (
    Kind(
        venue="raydium",
        name="AMM v4",
        program=amm_v4.PROGRAM,
        discriminator=b"",
        size=amm_v4.POOL_BYTES,
        mints_at=(400, 432),
        vaults_at=336,
        follow=AmmV4Followed,
    ),
    Kind(
        venue="raydium",
        name="CPMM",
        program=cpmm.PROGRAM,
        discriminator=cpmm.POOL_DISCRIMINATOR,
        size=cpmm.POOL_BYTES,
        mints_at=(168, 200),
        vaults_at=72,
        follow=CpmmFollowed,
    ),
    Kind(
        venue="raydium",
        name="CLMM",
        program=clmm.PROGRAM,
        discriminator=clmm.POOL_DISCRIMINATOR,
        size=clmm.POOL.size,
        mints_at=(73, 105),
        vaults_at=137,
        follow=ClmmFollowed,
    ),
    Kind(
        venue="meteora",
        name="DLMM",
        program=dlmm.PROGRAM,
        discriminator=dlmm.PAIR_DISCRIMINATOR,
        size=dlmm.PAIR.size,
        mints_at=(88, 120),
        vaults_at=152,
        follow=DlmmFollowed,
    ),
    Kind(
        venue="meteora",
        name="DAMM v2",
        program=damm_v2.PROGRAM,
        discriminator=damm_v2.POOL_DISCRIMINATOR,
        size=damm_v2.POOL_BYTES,
        mints_at=(168, 200),
        vaults_at=232,
        follow=FollowedDammV2,
    ),
)


class Search(NamedTuple):
    """What to ask a node for: accounts of this size with these bytes at these offsets."""

    kind: Kind
    bytes_at: tuple[tuple[int, bytes], ...]


def searches(kind: Kind, one: bytes, other: bytes) -> tuple[Search, Search]:
    """Return the searches that find a kind's pools of two mints, whichever of them comes first."""

    def search(first: bytes, second: bytes) -> Search:
        marked = ((0, kind.discriminator),) if kind.discriminator else ()
        return Search(kind, (*marked, *zip(kind.mints_at, (first, second), strict=True)))

    return search(one, other), search(other, one)
