"""The localnet's market maker: real swaps that keep every pool near the board's price.

It keeps order, not a profit. `corrections` decides, pure; `Maker` follows the board and hands each
correction to a `swap` that `app.py` joined with a chain and a wallet.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import partial

import structlog

from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Refused
from quantdesk.core.markets import MARKETS, Market, Side
from quantdesk.core.money import BPS
from quantdesk.ingest.board import Board
from quantdesk.sources.patience import Chance, delay_s
from quantdesk.venues.port import Quote, Venue

log = structlog.get_logger()

Offers = Callable[[Side, int], Sequence[Quote]]
"""The quotes of one market of one venue for a side and a size in base units."""

SIZE_STEPS = 100_000  # the finest correction is this part of the largest one
SETTLE_S = 5.0
"""The longest the maker waits to see the state that its own swap left."""
_DIGITS = 60


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


def corrections(offers: Offers, *, market: Market, target: Decimal, terms: Terms) -> list[Quote]:
    """Return, for each pool that is off, the quote that takes its price to `target`, or nearest.

    `target` is quote per base. A pool gets no quote when it is near enough, when the bounded size
    is below one step, or when its next unit already lies beyond the target.
    """
    assert target > 0
    with localcontext(prec=_DIGITS):
        unit = Decimal(10) ** market.base.decimals
        step_raw = max(1, int(terms.notional_max / target * unit) // SIZE_STEPS)
        found = []
        for pool in _asked(offers, Side.SELL, step_raw):
            if abs(pool.mid - target) * BPS < terms.deviation_bps_min * target:
                continue
            side = Side.BUY if pool.mid < target else Side.SELL
            search = _Search(offers, pool.pool, side, target, step_raw)
            steps = search.steps()
            quote = search.quote(steps * step_raw) if steps else None
            if quote is not None:
                found.append(quote)
        return found


@dataclass(frozen=True, slots=True)
class _Search:
    offers: Offers
    pool: str
    side: Side
    target: Decimal
    step_raw: int

    def steps(self) -> int:
        """Return the largest size, in steps, that does not take the pool past the target."""
        if not self._is_past(SIZE_STEPS):
            return SIZE_STEPS
        short, past = 0, SIZE_STEPS
        while past - short > 1:
            middle = (short + past) // 2
            if self._is_past(middle):
                past = middle
            else:
                short = middle
        return short

    def quote(self, base_raw: int) -> Quote | None:
        offered = _asked(self.offers, self.side, base_raw)
        return next((quote for quote in offered if quote.pool == self.pool), None)

    def _is_past(self, steps: int) -> bool:
        # The price after a size is what the next step would cost, fees left out: it needs no
        # knowledge of the pool's curve.
        before = self._cost(steps * self.step_raw)
        after = self._cost((steps + 1) * self.step_raw)
        if before is None or after is None:
            return True
        price = (after - before) / self.step_raw
        return price > self.target if self.side is Side.BUY else price < self.target

    def _cost(self, base_raw: int) -> Decimal | None:
        if not base_raw:
            return Decimal(0)
        quote = self.quote(base_raw)
        if quote is None:
            return None
        impact = quote.impact_bps if self.side is Side.BUY else -quote.impact_bps
        return base_raw * quote.mid * (1 + impact / BPS)


def _asked(offers: Offers, side: Side, base_raw: int) -> Sequence[Quote]:
    try:
        return offers(side, base_raw)
    except Refused:  # no pool can fill that much
        return ()


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
        swap: Callable[[Quote], Awaitable[object]],
        clock: Clock,
        chance: Chance,
        terms: Terms,
    ) -> None:
        """`swap` returns once the quote was taken and raises `DeskError` when it was not."""
        self._venues = tuple(venues)
        self._board = board
        self._swap = swap
        self._clock = clock
        self._chance = chance
        self._terms = terms
        self._pools: dict[tuple[str, str], _Pool] = {}
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
                wanted = corrections(
                    partial(venue.quotes, market, now_ms=now_ms),
                    market=market,
                    target=target,
                    terms=self._terms,
                )
            except DeskError as problem:
                self.counts["blind"] += 1
                log.debug("maker.blind", pair=market.pair, venue=venue.name, code=problem.code)
                continue
            for quote in wanted:
                self._begin(quote, swaps)

    def _target(self, market: Market, now_ms: int) -> Decimal:
        for asset in (market.base, market.quote):
            self._board.fresh(asset.symbol, now_ms=now_ms, age_ms_max=self._terms.age_ms_max)
        return self._board.price(market.base.symbol, market.quote.symbol)

    def _begin(self, quote: Quote, swaps: asyncio.TaskGroup) -> None:
        pool = self._pools.setdefault((quote.venue, quote.pool), _Pool())
        now = self._clock.monotonic()
        # After a swap the pool is looked at again only in a state that can show it.
        unsettled = quote.slot <= pool.slot and now < pool.settled_by
        if pool.busy or unsettled or now < pool.rest_until:
            return
        if sum(other.busy for other in self._pools.values()) >= self._terms.in_flight_max:
            self.counts["crowded"] += 1
            return
        pool.busy = True
        swaps.create_task(self._take(quote, pool))

    async def _take(self, quote: Quote, pool: _Pool) -> None:
        try:
            await self._swap(quote)
        except DeskError as problem:
            pool.failures += 1
            wait_s = delay_s(pool.failures, chance=self._chance)
            pool.rest_until = self._clock.monotonic() + wait_s
            self.counts["failures"] += 1
            log.warning(
                "maker.failed", pair=quote.market.pair, venue=quote.venue, code=problem.code,
                detail=problem.detail, retry_s=round(wait_s, 1),
            )  # fmt: skip
        else:
            pool.failures = 0
            pool.slot = quote.slot
            pool.settled_by = self._clock.monotonic() + SETTLE_S
            self.counts["swaps"] += 1
        finally:
            pool.busy = False
