"""The journal: moves of many orders committed together, and published once they are true.

Nothing here waits for the disk: moves gather while earlier ones are being committed, and those of
one order become one step. So an order whose routing takes microseconds is inserted as SUBMITTED,
with all its events, and one whose routing takes a second shows every stage as it happens. Whoever
is about to do something that cannot be taken back awaits the future that `move` returns.

At most one step of an order is on its way to the database at any time, so steps neither overtake
nor deadlock each other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, DeskError, Unavailable
from quantdesk.engines.orders.model import Attempt, NewOrder, Order, OrderEvent, Step, event

Commit = Callable[[Sequence[Step]], Awaitable[dict[UUID, UUID]]]
"""Commits steps. Returns, for each order that is now where its step says, its own id; for a new
order whose idempotency key an earlier one holds, that one's id; nothing for orders not ours."""

_RETRY_S = 0.5  # between tries while the database is away


class LeaseLost(Corrupt):
    """The order moved without us: another desk leads it now, or its trader cancelled it."""

    default_code = "order.lease_lost"


class _Gathered:
    """Moves of one order that wait for the next commit."""

    __slots__ = ("attempts", "born", "done", "events", "new", "order", "version_from")

    def __init__(self, order: Order, loop: asyncio.AbstractEventLoop) -> None:
        self.version_from = order.version - 1
        self.order = order
        self.events: list[OrderEvent] = []
        self.attempts: list[Attempt] = []
        self.new: NewOrder | None = None
        self.born: asyncio.Future[UUID] | None = None
        self.done: asyncio.Future[None] = loop.create_future()
        self.done.add_done_callback(_seen)

    def step(self) -> Step:
        events, attempts = tuple(self.events), tuple(self.attempts)
        return Step(self.version_from, self.order, events, attempts, self.new)

    def end(self, stands: UUID | None) -> None:
        """Tell those who wait which order stands now: this one, an earlier one, or none of ours."""
        if stands == self.order.id:
            self._moved(None)
        else:
            self._moved(LeaseLost(f"order {self.order.id} is not ours any more"))
        if self.born is not None and not self.born.done():
            assert stands is not None, "a new order is inserted, or its key is held"
            self.born.set_result(stands)

    def refuse(self, problem: DeskError) -> None:
        """Tell whoever places it why it was not stored, and whoever executes it to let it go."""
        self._moved(LeaseLost(f"order {self.order.id} was not stored"))
        if self.born is not None and not self.born.done():
            self.born.set_exception(problem)

    def fail(self, problem: DeskError) -> None:
        """Tell everybody that this cannot be recorded."""
        self._moved(problem)
        if self.born is not None and not self.born.done():
            self.born.set_exception(problem)

    def _moved(self, problem: DeskError | None) -> None:
        if self.done.done():
            return  # whoever waited was cancelled; the others of the batch still wait
        if problem is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(problem)


class Journal:
    """Group commit of order moves."""

    def __init__(
        self,
        *,
        commit: Commit,
        publish: Callable[[Sequence[OrderEvent]], None],
        clock: Clock,
        parallel: int = 1,
        orders_max: int = 500,
    ) -> None:
        self._commit = commit
        self._publish = publish
        self._clock = clock
        self._free = parallel
        self._orders_max = orders_max
        self._ready: dict[UUID, _Gathered] = {}
        self._held: dict[UUID, _Gathered] = {}
        self._busy: set[UUID] = set()
        self._lost: set[UUID] = set()
        self._flushes: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self.waiting_for_database = False

    def create(self, new: NewOrder) -> asyncio.Future[UUID]:
        """Record a new order; the future ends with the id of the order that stands for it.

        That is an earlier one where both have the same idempotency key. Raises `Unavailable` when
        the database is away: a new order is refused then, and never waits.
        """
        gathered = self._gathered(new.order)
        gathered.new = new
        gathered.born = self._loop.create_future()
        self._record(gathered, event(new.order))
        return gathered.born

    def move(
        self,
        order: Order,
        *,
        attempt: Attempt | None = None,
        fate: str | None = None,
        receipt: dict[str, Any] | None = None,
    ) -> asyncio.Future[None]:
        """Record that the order became this version; the future ends when that is committed.

        `attempt` is a transaction signed for it, `fate` and `receipt` what became of the last one.
        The future raises `LeaseLost` when the order is no longer ours: nothing was recorded and
        nothing more may be done for it.
        """
        gathered = self._gathered(order)
        if order.id in self._lost:
            # An earlier move nobody waited for was lost: this one stands on what never was.
            self._forsake(order.id)
            return gathered.done
        gathered.order = order
        if attempt is not None:
            gathered.attempts.append(attempt)
        self._record(gathered, event(order, fate=fate, receipt=receipt))
        return gathered.done

    def _gathered(self, order: Order) -> _Gathered:
        place = self._held if order.id in self._busy else self._ready
        gathered = place.get(order.id)
        if gathered is None:
            gathered = place[order.id] = _Gathered(order, self._loop)
        return gathered

    def _record(self, gathered: _Gathered, told: OrderEvent) -> None:
        gathered.events.append(told)
        self._start()

    def _start(self) -> None:
        if self._free and self._ready:
            self._free -= 1
            task = self._loop.create_task(self._flush())
            self._flushes.add(task)
            task.add_done_callback(self._flushed)

    def _flushed(self, task: asyncio.Task[None]) -> None:
        self._flushes.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._start()  # one batch failed; what gathered behind it does not wait for another

    def forget(self, order_id: UUID) -> None:
        """Let an order that was lost be led again, from what the database says."""
        self._lost.discard(order_id)

    async def drain(self) -> None:
        """Return once everything recorded so far is committed."""
        while self._flushes:
            await asyncio.wait(self._flushes)

    async def _flush(self) -> None:
        try:
            await asyncio.sleep(0)  # whoever runs in this turn of the loop still gets on
            while self._ready:
                ids = list(self._ready)[: self._orders_max]
                batch = {order_id: self._ready.pop(order_id) for order_id in ids}
                self._busy.update(batch)
                try:
                    await self._flush_batch(batch)
                finally:
                    self._busy.difference_update(ids)
                    self._ready.update(
                        (order_id, self._held.pop(order_id))
                        for order_id in ids
                        if order_id in self._held
                    )
        finally:
            self._free += 1

    async def _flush_batch(self, batch: dict[UUID, _Gathered]) -> None:
        try:
            stands = await self._committed(batch)
        except BaseException as problem:
            if len(batch) > 1 and isinstance(problem, Exception):
                # One that cannot be stored must not take the others with it.
                await self._flush_one_by_one(batch)
                return
            failed = Corrupt(f"moves could not be committed: {problem}", code="order.uncommitted")
            for gathered in batch.values():
                gathered.fail(failed)
            raise
        self._publish([e for i, g in batch.items() if stands.get(i) == i for e in g.events])
        for order_id, gathered in batch.items():
            if stands.get(order_id) != order_id:
                self._lost.add(order_id)
                self._forsake(order_id)
            gathered.end(stands.get(order_id))

    async def _flush_one_by_one(self, batch: dict[UUID, _Gathered]) -> None:
        alone = [self._flush_batch({order_id: gathered}) for order_id, gathered in batch.items()]
        ends = await asyncio.gather(*alone, return_exceptions=True)
        for problem in ends:
            if problem is not None:
                raise problem

    def _forsake(self, order_id: UUID) -> None:
        for place in (self._ready, self._held):
            if order_id in place:
                place.pop(order_id).end(None)

    async def _committed(self, batch: dict[UUID, _Gathered]) -> dict[UUID, UUID]:
        while batch:
            try:
                stands = await self._commit([gathered.step() for gathered in batch.values()])
            except Unavailable as problem:
                self.waiting_for_database = True
                for place in (batch, self._ready):
                    for order_id in [i for i, g in place.items() if g.new is not None]:
                        place.pop(order_id).refuse(problem)
                await self._clock.sleep(_RETRY_S)
            else:
                self.waiting_for_database = False
                return stands
        self.waiting_for_database = False
        return {}


def _seen(done: asyncio.Future[None]) -> None:
    # Not every caller waits for every move; a later one of the same order reports the loss.
    if not done.cancelled():
        done.exception()
