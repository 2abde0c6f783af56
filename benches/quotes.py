"""Exact quotes per second of every kind of pool: one thread, exact in and exact out in turn.

    python -m benches.quotes

Promises: at least 20,000 of a constant product, 5,000 of ranges and bins. Pools are those that a
localnet opens with; a CLMM, of which it has none, is the one with most ranges among its vectors.
Sizes go through one to six ranges or bins, or take a thousandth to a twentieth of a lone hyperbola.
Of a CLMM whose fee rises on the way there is the worst case too: as far as its vectors go at once.
Times are of the CPU.
"""

import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal

from tests.oracles.raydium import clmm_pools

from benches.figures import markdown, table
from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Refused
from quantdesk.core.markets import MARKETS
from quantdesk.localnet import damm_pools, meteora_pools, raydium_pools
from quantdesk.localnet.accounts import SYSTEM_PROGRAM, GenesisAccount, mint
from quantdesk.venues.curves import given
from quantdesk.venues.following import Followed
from quantdesk.venues.meteora.damm_v2.pool import FollowedDammV2
from quantdesk.venues.meteora.dlmm.pool import DlmmFollowed
from quantdesk.venues.port import Pool
from quantdesk.venues.raydium.cpmm.pool import CpmmFollowed

HEADS = ("pool", "quotes/s", "promise", "both curves, µs")
DYNAMIC = "Raydium CLMM, rising fee, all of it"
SECONDS = 1.0
MARKET = MARKETS["SOL-USDC"]
USD = {symbol: Decimal(1) for symbol in ("USDC", "USDT")} | {"SOL": Decimal(150)}
NOW_MS = clmm_pools.NOW_S * 1_000
PARTS = (1_000, 300, 100, 20)
CROSSED = (1, 2, 4, 6)  # ranges or bins that a trade goes through
WHOLE = 0.99


def pools() -> dict[str, tuple[Pool, int]]:
    """Return a pool of every kind, and the quotes per second it promises."""
    price, depth = USD["SOL"], Decimal(3_000_000)
    terms = {"price": price, "depth_usd": depth, "usd": USD}
    mints = [mint(asset, authority=SYSTEM_PROGRAM) for asset in (MARKET.base, MARKET.quote)]
    cpmm = raydium_pools.accounts(MARKET, **terms)  # type: ignore[arg-type]
    dlmm = mints + meteora_pools.accounts(MARKET, **terms)  # type: ignore[arg-type]
    damm = mints + damm_pools.accounts(MARKET, **terms)  # type: ignore[arg-type]
    return {
        "Raydium CPMM": (_opened(CpmmFollowed(raydium_pools.address(MARKET)), cpmm), 20_000),
        "Raydium CLMM": (_longest(dynamic=False), 5_000),
        DYNAMIC: (_longest(dynamic=True), 5_000),
        "Meteora DLMM": (_opened(DlmmFollowed(meteora_pools.address(MARKET)), dlmm), 5_000),
        "Meteora DAMM v2": (_opened(FollowedDammV2(damm_pools.address(MARKET)), damm), 20_000),
    }  # fmt: skip


def _longest(*, dynamic: bool) -> Pool:
    """Return the pool of the vectors whose curves have most pieces, with or without such a fee."""
    drawn = [
        clmm_pools.followed(clmm_pools.accounts(clmm_pools.numbers(pool))).snapshot(now_ms=NOW_MS)
        for pool in clmm_pools.vectors()
        if bool(pool.get("dynamic")) == dynamic
    ]
    return max(drawn, key=lambda pool: min(len(pool.curve(mint)) for mint in pool.about.mints))


def _opened(followed: Followed, accounts: list[GenesisAccount]) -> Pool:
    known: Mapping[str, GenesisAccount] = {account.address: account for account in accounts}
    given: set[str] = set()
    while wanted := [at for at in followed.accounts() if at in known and at not in given]:
        for at in wanted:
            state = AccountState(at, known[at].data, known[at].owner, 1)
            followed.update(state, seen_ms=0)
            given.add(at)
    return followed.snapshot(now_ms=NOW_MS)


def rate(pool: Pool, sizes: Callable[[Pool, str], list[int]]) -> float:
    """Return exact quotes per second, in both directions and both ways."""
    asked = []
    for paid in pool.about.mints:
        for amount in sizes(pool, paid):
            fill = pool.exact_out(paid, amount)
            asked += [(pool.exact_out, paid, amount), (pool.exact_in, paid, fill.paid)]
    began, quotes = time.process_time(), 0
    while (took := time.process_time() - began) < SECONDS:
        for trade, paid, amount in asked:
            trade(paid, amount)
        quotes += len(asked)
    return quotes / took


def _sizes(pool: Pool, paid: str) -> list[int]:
    """Return what the first pieces give; of a lone hyperbola, parts of all it has."""
    curve = list(pool.curve(paid))
    if len(curve) < max(CROSSED):
        return [int(curve[0].price * min(curve[0].depth, curve[0].most)) // part for part in PARTS]
    gives = [given(piece, piece.most) for piece in curve[: max(CROSSED)]]
    return [int(sum(gives[:count]) * WHOLE) for count in CROSSED]


def _whole(pool: Pool, paid: str) -> list[int]:
    """Return about all that the pool gives."""
    return [int(sum(given(piece, piece.most) for piece in pool.curve(paid)) * WHOLE)]


def drawing_us(pool: Pool) -> float:
    """Return the microseconds that drawing the curves of both directions takes."""
    began, times = time.process_time(), 0
    while (took := time.process_time() - began) < SECONDS / 4:
        for paid in pool.about.mints:
            deque(pool.curve(paid), maxlen=0)
        times += 1
    return took / times * 1e6


def main() -> int:
    """Measure and print; 1 when a promise is missed."""
    kept, lines = True, []
    for name, (pool, promised) in pools().items():
        try:
            measured = rate(pool, _whole if name == DYNAMIC else _sizes)
        except Refused as refused:
            print(f"{name}: {refused.detail}")
            return 1
        kept &= measured >= promised
        lines.append((name, f"{measured:,.0f}", f">= {promised:,}", f"{drawing_us(pool):.0f}"))
    print(table(HEADS, lines))
    print("\n" + markdown(HEADS, lines))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
