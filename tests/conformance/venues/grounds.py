"""The venues that the shipped suite is run against, as the desk would find them."""

import json
from collections.abc import Callable
from decimal import Decimal
from types import ModuleType

from tests.unit.venues import ground

from quantdesk.chains.port import AccountState
from quantdesk.core.markets import MARKETS
from quantdesk.localnet import amm_pools, clmm_pools, damm_pools, meteora_pools, raydium_pools
from quantdesk.testing.binance_exchange import Symbol, info
from quantdesk.testing.venue_suite import Ground
from quantdesk.venues.binance import Binance
from quantdesk.venues.following import Followed, Pools
from quantdesk.venues.meteora.damm_v2.pool import FollowedDammV2
from quantdesk.venues.meteora.dlmm.pool import DlmmFollowed
from quantdesk.venues.paper import Paper
from quantdesk.venues.port import Venue
from quantdesk.venues.raydium.amm_v4.pool import AmmV4Followed
from quantdesk.venues.raydium.clmm.pool import ClmmFollowed
from quantdesk.venues.raydium.cpmm.pool import CpmmFollowed

SOL = MARKETS["SOL-USDC"]
MINTS = (SOL.base.mint, SOL.quote.mint)
SIZES = {
    SOL.base.mint: [10**n for n in (7, 8, 9, 10, 11, 12)],
    SOL.quote.mint: [150 * 10**n for n in (5, 6, 7, 8, 9)],
}
LARGER = {mint: sizes[1:] for mint, sizes in SIZES.items()}


def paper() -> Ground:
    """Return the board's price for any size."""

    def make() -> Venue:
        return Paper(price=lambda _pair, now_ms: (Decimal("150.25"), 7, now_ms))

    return Ground(make=make, mints=MINTS, now_ms=ground.NOW_MS, sizes=SIZES)


def raydium_amm_v4() -> Ground:
    """Return the localnet's constant product pool of the oldest kind."""
    return _localnet("raydium", amm_pools, AmmV4Followed)


def raydium_cpmm() -> Ground:
    """Return the localnet's constant product pool."""
    return _localnet("raydium", raydium_pools, CpmmFollowed)


def raydium_clmm() -> Ground:
    """Return the localnet's pool of ranges."""
    return _localnet("raydium", clmm_pools, ClmmFollowed, grain=20)  # every range crossed rounds


def meteora_dlmm() -> Ground:
    """Return the localnet's pool of bins."""
    return _localnet(
        "meteora", meteora_pools, DlmmFollowed, grain=300
    )  # every bin crossed rounds once


def meteora_damm_v2() -> Ground:
    """Return the localnet's pool over one range of prices."""
    return _localnet("meteora", damm_pools, FollowedDammV2)


def _localnet(
    venue: str, pools: ModuleType, follow: Callable[[str], Followed], *, grain: int = 1
) -> Ground:
    made = pools.accounts(
        SOL, price=ground.price(SOL), depth_usd=Decimal(1_000_000), usd=ground.USD
    )
    return Ground(
        make=lambda: Pools(venue, [follow(pools.address(SOL))]),
        mints=MINTS,
        now_ms=ground.NOW_MS,
        sizes=SIZES,
        states=(*ground.seen(made).values(), *ground.minted(SOL).values()),
        grain=dict.fromkeys(MINTS, grain),
    )


def binance() -> Ground:
    """Return an order book of 150 levels a side."""
    symbol = Symbol("SOL", "USDC")
    levels = [(Decimal(n) / 100, Decimal(3 + n % 17) / 2) for n in range(1, 151)]
    bids = [[f"{150 - off:.8f}", f"{held:.8f}"] for off, held in levels]
    asks = [[f"{150 + off:.8f}", f"{held:.8f}"] for off, held in levels]
    none = dict.fromkeys(("maker", "taker", "buyer", "seller"), "0.00000000")
    shapes = {
        "book": {"lastUpdateId": 160, "bids": bids, "asks": asks},
        "rules": info(symbol),
        "fees": {
            "symbol": "SOLUSDC",
            "standardCommission": {**none, "taker": "0.00100000"},
            "specialCommission": none,
            "taxCommission": none,
        },
    }
    seen_ms = 10_000
    states = [
        AccountState(f"binance:{kind}:SOLUSDC", json.dumps(said).encode(), "binance", seen_ms)
        for kind, said in shapes.items()
    ]
    return Ground(
        make=lambda: Binance([SOL]),
        mints=MINTS,
        now_ms=seen_ms,
        sizes={
            SOL.base.mint: LARGER[SOL.base.mint][:4],
            SOL.quote.mint: LARGER[SOL.quote.mint][:3],
        },
        states=states,
        grain={SOL.base.mint: 3 * 10**6, SOL.quote.mint: 3 * 151_500},  # of lots of 0.001 SOL
    )


GROUNDS = (
    paper,
    raydium_amm_v4,
    raydium_cpmm,
    raydium_clmm,
    meteora_dlmm,
    meteora_damm_v2,
    binance,
)
"""Every venue the desk has, but Jupiter: that one knows only the sizes it was asked for, so it has
no curve and no price of another size to hold against it."""
