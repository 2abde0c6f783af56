"""The kinds of on-chain pools the desk trades with, and how a node finds them; a table.

A node's `getProgramAccounts` takes filters on size and bytes: a pool's account has a size of its
own, mostly a discriminator, and names its two mints at fixed places. Offsets follow from the
layouts in each kind's folder.
"""

from collections.abc import Callable, Iterator
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
    """A kind of pool: `mints_at` are the offsets of its two mints in the pool's account."""

    venue: str
    program: str
    discriminator: bytes
    size: int
    mints_at: tuple[int, int]
    follow: Callable[[str], Followed]


KINDS: Final = (
    Kind("raydium", amm_v4.PROGRAM, b"", amm_v4.POOL_BYTES, (400, 432), AmmV4Followed),
    Kind(
        "raydium", cpmm.PROGRAM, cpmm.POOL_DISCRIMINATOR, cpmm.POOL_BYTES, (168, 200), CpmmFollowed
    ),
    Kind("raydium", clmm.PROGRAM, clmm.POOL_DISCRIMINATOR, clmm.POOL.size, (73, 105), ClmmFollowed),
    Kind("meteora", dlmm.PROGRAM, dlmm.PAIR_DISCRIMINATOR, dlmm.PAIR.size, (88, 120), DlmmFollowed),
    Kind(
        "meteora",
        damm_v2.PROGRAM,
        damm_v2.POOL_DISCRIMINATOR,
        damm_v2.POOL_BYTES,
        (168, 200),
        FollowedDammV2,
    ),
)


class Search(NamedTuple):
    """What to ask a node for: accounts of this size with these bytes at these offsets."""

    kind: Kind
    bytes_at: tuple[tuple[int, bytes], ...]


def searches(one: bytes, other: bytes) -> Iterator[Search]:
    """Yield the searches that find every pool of two mints, whichever of them comes first."""
    for kind in KINDS:
        marked = ((0, kind.discriminator),) if kind.discriminator else ()
        for first, second in ((one, other), (other, one)):
            named = zip(kind.mints_at, (first, second), strict=True)
            yield Search(kind, (*marked, *named))
