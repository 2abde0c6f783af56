"""The ledger of the portfolio: every confirmed order counted once, in the order they filled.

Orders are not held up for it: the statement that confirms one only notes its number. Whoever reads
the portfolio has what waits counted first, a bounded part of it; a loop of passes does the rest.
"""

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog

from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError
from quantdesk.engines.portfolio import store
from quantdesk.engines.portfolio.model import Book, Fill, counted
from quantdesk.engines.portfolio.store import Entry, Key, Place
from quantdesk.store.pool import Pools

log = structlog.get_logger()

PASS_S: Final = 5.0
_MORE_S: Final = 0.05  # between passes while there is more to count
_CROWD_S: Final = 5.0  # the same while the desk is busy: orders go first
_CROWD: Final = 50  # fills between two passes that mean it is
PASS_MAX: Final = 500  # orders a pass


class Portfolio:
    """Keeps the books of all accounts, and tells those of one mode; several desks may do so."""

    def __init__(self, *, mode: str, pools: Pools, clock: Clock) -> None:
        self.mode = mode
        """Whose fills it tells."""
        self.fills = 0
        """Fills this process counted."""
        self._pools = pools
        self._clock = clock
        self._turn = asyncio.Lock()
        self._heard = 0

    def hear(self, fills: int) -> None:
        """Hear that so many orders were confirmed just now: while many are, they go first."""
        self._heard += fills

    async def run(self) -> None:
        """Count what is confirmed until cancelled."""
        while True:
            more = False
            try:
                more = await self.step()
            except DeskError as problem:
                log.warning("portfolio.waits", code=problem.code, detail=problem.detail)
            await self._clock.sleep(self.pause_s(more=more))

    def pause_s(self, *, more: bool) -> float:
        """Return the seconds until the next pass."""
        heard, self._heard = self._heard, 0
        if not more:
            return PASS_S
        return _MORE_S if heard < _CROWD else _CROWD_S

    async def step(self) -> bool:
        """Count the first orders that wait; return whether there may be more.

        Raises `Unavailable` when the database is away: another pass takes up all that was left.
        """
        async with self._turn, self._pools.write.transaction() as c:
            await store.take_turn(c)
            fills = await store.take(c, limit=PASS_MAX)
            if not fills:
                return False
            known = await store.books(c, {_key(fill) for fill in fills})
            entries, kept = _counted(fills, known)
            await store.enter(c, entries, kept)
        self.fills += len(entries)
        return True

    async def books(self, account_id: UUID) -> tuple[dict[str, Book], int]:
        """Return an account's totals by pair, and how many orders of all are still to be counted.

        Raises `Unavailable`.
        """
        await self._catch_up()
        async with self._pools.read.connection() as c:
            return await store.books_of(c, account_id, mode=self.mode), await store.pending(c)

    async def page(
        self, account_id: UUID, *, pair: str | None, before: Place | None, limit: int
    ) -> list[Entry]:
        """Return an account's fills, the newest first; raise `Unavailable`."""
        if before is None:
            await self._catch_up()
        async with self._pools.read.connection() as c:
            return await store.page(
                c, account_id, mode=self.mode, pair=pair, before=before, limit=limit
            )

    async def _catch_up(self) -> None:
        """Count a pass of what waits, so that whoever saw an order confirmed finds its fill."""
        async with self._pools.read.connection() as c:
            waits = await store.pending(c)
        if waits:
            await self.step()


def _counted(fills: Sequence[Fill], known: dict[Key, Book]) -> tuple[list[Entry], dict[Key, Book]]:
    entries: list[Entry] = []
    for fill in fills:
        key = _key(fill)
        known[key], gain = counted(known.get(key, Book()), fill)
        entries.append(Entry(fill, gain))
    return entries, known


def _key(fill: Fill) -> Key:
    return fill.account_id, fill.mode, fill.pair
