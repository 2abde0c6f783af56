"""A venue of constant-product pools whose reserves a test sets, and swaps move."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from tests.unit.venues import ground
from tests.unit.venues.raydium.cpmm import world

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Unavailable
from quantdesk.core.markets import MARKETS, Market, Side
from quantdesk.core.money import BPS
from quantdesk.localnet.maker import Correction
from quantdesk.venues.port import About, Pool
from quantdesk.venues.raydium.cpmm import curve
from quantdesk.venues.raydium.cpmm.pool import CpmmPool

SOL: Final = MARKETS["SOL-USDC"]
_READ = ground.one(world.ready(SOL), SOL)
assert isinstance(_READ, CpmmPool)
_LIKE: Final = _READ
_BASE: Final = _LIKE.pool.mints.index(SOL.base.mint)
_RATES: Final = curve.FeeRates(2_500, 0, 120_000, 40_000, creator_on_input=True)


def reserves(price: str, sol: int = 10_000) -> list[int]:
    """Return base and quote, in base units, of a pool of that price."""
    return [sol * 10**9, int(sol * Decimal(price) * 10**6)]


@dataclass
class Product:
    """Pools of one market, by name: base and quote in base units; 25 bps of fee go elsewhere."""

    held: dict[str, list[int]]
    market: Market = SOL
    slot: int = 1
    name: str = "product"

    def accounts(self) -> tuple[str, ...]:
        """Return nothing: pools move by `take`."""
        return ()

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Take in nothing."""

    def pools(self, mints: frozenset[str], *, now_ms: int) -> list[Pool]:
        """Return every pool; raise `Unavailable` (`pool.gone`) for another market."""
        if mints != ground.mints(self.market):
            raise Unavailable("no pool", code="pool.gone")
        return [self._pool(name, now_ms) for name in self.held]

    def take(self, swap: Correction) -> None:
        """Make a swap."""
        pool = self.held[swap.pool.about.address]
        if swap.side is Side.SELL:
            trade = curve.exact_input(swap.base_raw, curve.Reserves(*pool), _RATES)
            assert trade.output_raw == swap.quote_raw
            base, quote = trade.curve_input, -trade.curve_output
        else:
            trade = curve.exact_output(swap.base_raw, curve.Reserves(*pool[::-1]), _RATES)
            assert trade.input_raw == swap.quote_raw
            base, quote = -trade.curve_output, trade.curve_input
        pool[0], pool[1] = pool[0] + base, pool[1] + quote
        self.slot += 1

    def off_bps(self, name: str, target: str) -> Decimal:
        """Return how far a pool's price is from a target."""
        base, quote = self.held[name]
        mid = (Decimal(quote) / base).scaleb(SOL.base.decimals - SOL.quote.decimals)
        return abs(mid - Decimal(target)) * BPS / Decimal(target)

    def _pool(self, name: str, now_ms: int) -> Pool:
        base, quote = self.held[name]
        ordered = (quote, base) if _BASE else (base, quote)
        about = About(
            venue=self.name,
            address=name,
            kind="CPMM",
            mints=_LIKE.about.mints,
            spot=Decimal(ordered[1]) / ordered[0],
            compute_units=0,
            slot=self.slot,
            seen_ms=now_ms,
        )
        return replace(_LIKE, about=about, reserves=ordered)
