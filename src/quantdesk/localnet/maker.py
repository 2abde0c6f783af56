"""The localnet's market maker: real swaps that keep every pool near the board's price.

It keeps order, not a profit. `corrections` decides, pure; `Maker` follows the board and hands each
correction to a `swap` that `app.py` joined with a chain and a wallet.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import structlog

from quantdesk.core.backoff import Chance, full_jitter_s
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import MARKETS, Market, Side
from quantdesk.core.money import BPS
from quantdesk.ingest.board import Board
from quantdesk.venues.curves import until
from quantdesk.venues.port import Fill, Pool, Venue

log = structlog.get_logger()

SIZE_STEPS = 100_000  # the finest correction is this part of the largest one
REST_S = 1.0  # after a first failure, at most
SETTLE_S = 5.0
"""The longest the maker waits to see the state that its own swap left."""
_SHORT = 1 - 1e-9  # a curve is in floats: of all that a pool holds it may tell a unit too much


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How the maker works: `notional_max` bounds one swap, in the market's quote asset.

    A pool is left alone while it is less than `deviation_bps_min` off, and everything while the
    board's prices are older than `age_ms_max`.
    """

    notional_max: Decimal = Decimal(250_000)
    deviation_bps_min: Decimal = Decimal(5)
    in_flight_max: int = 4
    age_ms_max: int = 10_000
    markets: tuple[Market, ...] = tuple(MARKETS.values())


class Correction(NamedTuple):
    """A swap that takes a pool to the board's price, in base units of base and quote."""

    pool: Pool
    market: Market
    side: Side
    base_raw: int
    quote_raw: int


def corrections(
    pools: Sequence[Pool], *, market: Market, target: Decimal, terms: Terms
) -> list[Correction]:
    """Return, for each pool that is off, the swap that takes its price to `target`, or nearest.

    `target` is quote per base. A pool is left alone when it is near enough or when hardly anything
    would move it; a fee that rises on the way ends the swap early.
    """
    assert target > 0
    wanted = (correction(pool, market=market, target=target, terms=terms) for pool in pools)
    return [swap for swap in wanted if swap is not None]


def correction(pool: Pool, *, market: Market, target: Decimal, terms: Terms) -> Correction | None:
    """Return the swap that takes one pool to `target`, None when there is none."""
    raw = target.scaleb(market.quote.decimals - market.base.decimals)
    spot = pool.about.spot if pool.about.mints[0] == market.base.mint else 1 / pool.about.spot
    if abs(spot - raw) * BPS < terms.deviation_bps_min * raw:
        return None
    side = Side.BUY if spot < raw else Side.SELL
    most_raw = int(terms.notional_max / target * 10**market.base.decimals)
    step_raw = max(1, most_raw // SIZE_STEPS)
    try:
        base_raw = min(most_raw, _base_until(pool, market, side, raw, step_raw))
        if base_raw < step_raw:
            return None
        if side is Side.BUY:
            quote_raw = pool.exact_out(market.quote.mint, base_raw).paid
        else:
            quote_raw = pool.exact_in(market.base.mint, base_raw).received
    except (Refused, Unavailable):
        return None
    return Correction(pool, market, side, base_raw, quote_raw)


def _base_until(pool: Pool, market: Market, side: Side, raw: Decimal, step_raw: int) -> int:
    # The price before fees is to reach the target; a curve has them in. A bin or tick range at the
    # price may be empty on this side, so its first piece does not tell what they are: a step does.
    if side is Side.SELL:
        kept = _kept(pool.exact_in(market.base.mint, step_raw))
        takes, _ = until(pool.curve(market.base.mint), kept * float(raw))
        return int(takes * _SHORT)
    kept = _kept(pool.exact_out(market.quote.mint, step_raw))
    _, gives = until(pool.curve(market.quote.mint), kept / float(raw))
    return int(gives * _SHORT)


def _kept(fill: Fill) -> float:
    whole = fill.paid if fill.fee_on_input else fill.received + fill.fee
    return 1 - fill.fee / whole


@dataclass(slots=True)
class _Pool:
    """What the maker remembers of a pool it traded with."""

    busy: bool = False
    slot: int = -1
    settled_by: float = 0.0
    failures: int = 0
    rest_until: float = 0.0


class Maker:
    """Follows the board and corrects the pools of some venues.

    `counts` holds swaps, failures, crowded (left for later: too many in flight) and blind (the
    board or the venue had nothing to go by).
    """

    def __init__(
        self,
        *,
        venues: Sequence[Venue],
        board: Board,
        swap: Callable[[Correction], Awaitable[object]],
        clock: Clock,
        chance: Chance,
        terms: Terms,
    ) -> None:
        """`swap` returns once the correction was made and raises `DeskError` when it was not."""
        self._venues = tuple(venues)
        self._board = board
        self._swap = swap
        self._clock = clock
        self._chance = chance
        self._terms = terms
        self._pools: dict[str, _Pool] = {}
        self.counts: Counter[str] = Counter()

    async def run(self) -> None:
        """Correct pools at every change of the board until cancelled."""
        with self._board.changes() as changes:
            async with asyncio.TaskGroup() as swaps:
                async for changed in changes:
                    for market in self._terms.markets:
                        if changed & {market.base.symbol, market.quote.symbol}:
                            self._correct(market, swaps)

    def _correct(self, market: Market, swaps: asyncio.TaskGroup) -> None:
        now_ms = self._clock.now_ms()
        for venue in self._venues:
            try:
                target = self._target(market, now_ms)
                mints = frozenset((market.base.mint, market.quote.mint))
                pools = venue.pools(mints, now_ms=now_ms)
                wanted = corrections(pools, market=market, target=target, terms=self._terms)
            except DeskError as problem:
                self.counts["blind"] += 1
                log.debug("maker.blind", pair=market.pair, venue=venue.name, code=problem.code)
                continue
            for swap in wanted:
                self._begin(swap, swaps)

    def _target(self, market: Market, now_ms: int) -> Decimal:
        for asset in (market.base, market.quote):
            self._board.fresh(asset.symbol, now_ms=now_ms, age_ms_max=self._terms.age_ms_max)
        return self._board.price(market.base.symbol, market.quote.symbol)

    def _begin(self, swap: Correction, swaps: asyncio.TaskGroup) -> None:
        pool = self._pools.setdefault(swap.pool.about.address, _Pool())
        now = self._clock.monotonic()
        # After a swap the pool is looked at again only in a state that can show it.
        unsettled = swap.pool.about.slot <= pool.slot and now < pool.settled_by
        if pool.busy or unsettled or now < pool.rest_until:
            return
        if sum(other.busy for other in self._pools.values()) >= self._terms.in_flight_max:
            self.counts["crowded"] += 1
            return
        pool.busy = True
        swaps.create_task(self._take(swap, pool))

    async def _take(self, swap: Correction, pool: _Pool) -> None:
        try:
            await self._swap(swap)
        except DeskError as problem:
            pool.failures += 1
            wait_s = full_jitter_s(pool.failures, chance=self._chance, first_s=REST_S)
            pool.rest_until = self._clock.monotonic() + wait_s
            self.counts["failures"] += 1
            log.warning(
                "maker.failed", pair=swap.market.pair, venue=swap.pool.about.venue,
                code=problem.code, detail=problem.detail, retry_s=round(wait_s, 1),
            )  # fmt: skip
        else:
            pool.failures = 0
            pool.slot = swap.pool.about.slot
            pool.settled_by = self._clock.monotonic() + SETTLE_S
            self.counts["swaps"] += 1
        finally:
            pool.busy = False
