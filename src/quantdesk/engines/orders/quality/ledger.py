"""The ledger of execution quality: what every fill cost, from its quote to five minutes later.

It listens to the orders engine only to look at the board at the right moment; what filled it reads
from the database, where each confirmed order waits until it is entered. So a desk that was killed
loses nothing but the looks at the board it did not take, and those are told as missing.

Looking and writing are two loops, so that a database that is away costs no markout.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, DeskError, Unavailable
from quantdesk.core.markets import MARKETS, Market
from quantdesk.engines.orders.model import OrderEvent, OrderStatus
from quantdesk.engines.orders.quality import store
from quantdesk.engines.orders.quality.bias import Bias
from quantdesk.engines.orders.quality.model import Entry, Mark, quotient
from quantdesk.engines.orders.quality.reading import entries
from quantdesk.engines.orders.quality.tape import AHEAD_MS, Tape, settled
from quantdesk.ingest.board import Board
from quantdesk.store.pool import Pools

log = structlog.get_logger()

LOOK_S = 0.5
PASS_S = 1.0
_MORE_S = 0.05  # between passes while there is more to do
_CROWD = 50  # fills between two passes that mean the desk is busy: orders go first
_LEARN_MS = 60_000
_SPACING_MS = 100  # between looks at the board, however many orders end
_ORDERS_MAX = 50  # a pass
_DUE_MAX = 200  # a pass
_START: store.Place = (0, UUID(int=0), -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Whose fills are kept, and how old a board's price may be to count."""

    mode: str
    price_age_ms_max: int = 10_000


class Ledger:
    """Keeps the books of one mode; several desks may keep the same."""

    def __init__(
        self, *, books: Books, pools: Pools, board: Board, clock: Clock, bias: Bias
    ) -> None:
        self.bias = bias
        self.unreadable = 0
        """Orders set aside because their route could not be read."""
        self._books = books
        self._pools = pools
        self._board = board
        self._clock = clock
        self._tape = Tape()
        self._past = _START
        self._ahead = True  # whether fills may be dated later than now: a clock was set back
        self._learned_ms: int | None = None
        self._fills = 0

    @property
    def mode(self) -> str:
        """Return whose fills it keeps."""
        return self._books.mode

    def take(self, events: Sequence[OrderEvent]) -> None:
        """Look at the board when orders fill; a listener of the bus."""
        fills = sum(event.status is OrderStatus.CONFIRMED for event in events)
        self._fills += fills
        if fills:
            last_ms = self._tape.last_ms
            if last_ms is None or abs(self._clock.now_ms() - last_ms) >= _SPACING_MS:
                self.look()

    def look(self) -> None:
        """Note what the board says of every pair now."""
        now_ms = self._clock.now_ms()
        sample = {pair: self._said(traded, now_ms) for pair, traded in MARKETS.items()}
        if self._tape.add(sample, at_ms=now_ms):
            self._ahead = True

    async def run(self) -> None:
        """Keep the books until cancelled."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._look_loop())
            loops.create_task(self._write_loop())

    async def step(self) -> bool:
        """Make one pass of bounded work; return whether there is more to do at once.

        Raises `Unavailable` when the database is away: another pass takes up all that was left.
        """
        more_orders = await self._enter()
        more_marks = await self._settle()
        if self._ahead:
            self._ahead = await self._give_up()
        await self._learn()
        return more_orders or more_marks

    def pause_s(self, *, more: bool) -> float:
        """Return the seconds until the next pass; while orders crowd in, they go first."""
        fills, self._fills = self._fills, 0
        return _MORE_S if more and fills < _CROWD else PASS_S

    async def page(self, wanted: store.Filter) -> list[Entry]:
        """Return the entries wanted, the latest fill first."""
        async with self._pools.read.connection() as c:
            return await store.page(c, wanted)

    async def tallies(self, wanted: store.Filter) -> list[store.Tally]:
        """Return what the latest of the entries wanted came to, by venue and pair."""
        async with self._pools.read.connection() as c:
            return await store.tallies(c, wanted)

    async def _enter(self) -> bool:
        async with self._pools.read.connection() as c:
            unread = await store.unread(c, mode=self._books.mode, limit=_ORDERS_MAX)
        if not unread:
            return False
        found: list[Entry] = []
        problems: dict[UUID, str] = {}
        now_ms = self._clock.now_ms()
        for confirmed in unread:
            try:
                legs = entries(confirmed)
            except Corrupt as problem:
                problems[confirmed.order_id] = problem.detail
            else:
                found += (settled(leg, self._tape, now_ms=now_ms) for leg in legs)
        readable = [order.order_id for order in unread if order.order_id not in problems]
        async with self._pools.write.connection() as c:
            if readable:
                await store.enter(c, found, read=readable)
            if problems:
                await store.set_aside(c, problems)
        self._tell(problems)
        return len(unread) == _ORDERS_MAX

    async def _give_up(self) -> bool:
        """Mark what a clock that was wrong has dated later than now; return whether more is."""
        now_ms = self._clock.now_ms()
        async with self._pools.read.connection() as c:
            found = await store.ahead(
                c, mode=self._books.mode, after_ms=now_ms + AHEAD_MS, limit=_DUE_MAX
            )
        await self._write(found, now_ms=now_ms)
        return len(found) == _DUE_MAX

    async def _settle(self) -> bool:
        now_ms = self._clock.now_ms()
        async with self._pools.read.connection() as c:
            due = await store.due(
                c, mode=self._books.mode, now_ms=now_ms, after=self._past, limit=_DUE_MAX
            )
        await self._write(due, now_ms=now_ms)
        # Those that wait for a price must not stand in the way of those behind them.
        is_full = len(due) == _DUE_MAX
        self._past = _place(due[-1]) if is_full else _START
        return is_full

    async def _write(self, due: Sequence[Entry], *, now_ms: int) -> None:
        """Write the marks that are known by now."""
        known = [(was, settled(was, self._tape, now_ms=now_ms)) for was in due]
        changed = [(was, entry) for was, entry in known if entry.marks != was.marks]
        if changed:
            async with self._pools.write.connection() as c:
                await store.settle(c, changed)

    async def _learn(self) -> None:
        now_ms = self._clock.now_ms()
        if self._learned_ms is not None and abs(now_ms - self._learned_ms) < _LEARN_MS:
            return
        async with self._pools.read.connection() as c:
            self.bias.learn(await store.groups(c, mode=self._books.mode))
        self._learned_ms = now_ms

    async def _look_loop(self) -> None:
        while True:
            self.look()
            await self._clock.sleep(LOOK_S)

    async def _write_loop(self) -> None:
        while True:
            more = False
            try:
                more = await self.step()
            except DeskError as problem:
                log.warning("ledger.waits", code=problem.code, detail=problem.detail)
            await self._clock.sleep(self.pause_s(more=more))

    def _said(self, traded: Market, now_ms: int) -> Mark:
        board, age_ms_max = self._board, self._books.price_age_ms_max
        symbols = (traded.base.symbol, traded.quote.symbol)
        try:
            base, quote = (board.fresh(s, now_ms=now_ms, age_ms_max=age_ms_max) for s in symbols)
        except Unavailable as problem:
            return Mark(missing=problem.code)
        return Mark(
            price=quotient(base.value, quote.value),
            at_ms=now_ms,
            age_ms=max(board.age_ms(symbol, now_ms=now_ms) for symbol in symbols),
            source=" / ".join(dict.fromkeys((base.reading.source, quote.reading.source))),
        )

    def _tell(self, problems: dict[UUID, str]) -> None:
        self.unreadable += len(problems)
        for detail in problems.values():
            log.error("ledger.unreadable", detail=detail)


def _place(entry: Entry) -> store.Place:
    assert entry.next_due_ms is not None, "what is due has something to come"
    return entry.next_due_ms, entry.order_id, entry.leg
