"""Catching up: a running desk asks the exchange for the minutes that it missed.

    markets heard of → what is missing of the last hours → backfill → store

After a start that is all since the last desk ended, after a lost connection what nobody counted.
The store alone says what is missing, so nothing has to be told of either. Live data goes first: one
market after the other, on a small share of what the exchange allows, and never while a desk starts.
"""

from collections.abc import Callable, Iterable
from typing import Final

import structlog

from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.ingest.backfill import Backfill, Wanted
from quantdesk.ingest.store.model import Market
from quantdesk.ingest.store.rollups import BASE
from quantdesk.sources.limits import Declined

log = structlog.get_logger()

FIRST_S: Final = 60.0
EVERY_S: Final = 300.0
LIVE_MS: Final = 180_000
"""What is so young may be on its way to the store: it is left to the live stream."""
HOURS_MAX: Final = 24
_HOUR_MS: Final = 3_600_000


class CatchUp:
    """Keeps the last `hours` of some markets of one exchange whole; `markets` is asked each time.

    `filled` counts the candles that came that way.
    """

    def __init__(
        self,
        backfill: Backfill,
        *,
        markets: Callable[[], Iterable[Market]],
        hours: int,
        clock: Clock,
    ) -> None:
        assert 0 < hours <= HOURS_MAX, "bounded: the past in bulk is for `quantdesk backfill`"
        self._backfill = backfill
        self._markets = markets
        self._kept_ms = hours * _HOUR_MS
        self._clock = clock
        self._unknown: set[Market] = set()
        self.filled = 0

    async def run(self) -> None:
        """Look every five minutes until cancelled; return when the exchange bars this desk."""
        await self._clock.sleep(FIRST_S)
        while not await self._barred():
            await self._clock.sleep(EVERY_S)

    async def _barred(self) -> bool:
        """Fill what is missing; where something is away, the rest waits for the next look."""
        try:
            for market in sorted(set(self._markets()) - self._unknown):
                await self._fill(market)
        except Unavailable as problem:
            barred = isinstance(problem, Declined) and problem.lasting
            log.warning(
                "catching_up.waiting", code=problem.code, detail=problem.detail, given_up=barred
            )
            return barred
        return False

    async def _fill(self, market: Market) -> None:
        now_ms = self._clock.now_ms()
        wanted = Wanted(market, BASE, now_ms - self._kept_ms, now_ms - LIVE_MS)
        try:
            done = await self._backfill.run(wanted)
        except Refused as problem:
            self._unknown.add(market)
            log.warning("catching_up.refused", market=market, code=problem.code)
            return
        except Corrupt as problem:
            log.error("catching_up.unreadable", market=market, detail=problem.detail)  # noqa: TRY400 - told in its words
            return
        self.filled += done.stored
        if done.missing:
            log.info(
                "catching_up.filled", market=market, stored=done.stored, absent=done.absent,
                missing=done.missing,
            )  # fmt: skip
