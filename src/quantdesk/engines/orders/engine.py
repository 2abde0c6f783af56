"""The orders engine: the public face, and the loops that keep every order moving.

Starting and recovering are the same thing: an order that nobody leads is claimed and brought to its
end from wherever it stands. A desk leads the orders it leases; leases run out when it dies. Two
desks that believe to lead the same order do no harm: every move compares and sets the version, and
bytes are sent only after their move is committed.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from quantdesk.bus.port import Bus
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.ids import NewId
from quantdesk.engines.orders.execution import Execution
from quantdesk.engines.orders.floor import Floor, no_priority
from quantdesk.engines.orders.journal import Journal, LeaseLost
from quantdesk.engines.orders.model import (
    Attempt,
    NewOrder,
    Order,
    OrderEvent,
    OrderStatus,
    Step,
)
from quantdesk.engines.orders.pace import Pace
from quantdesk.engines.orders.recount import Recount
from quantdesk.engines.orders.store import read, write
from quantdesk.engines.orders.store.stop import cancel_open
from quantdesk.engines.orders.usage import DAY_MS, Usage
from quantdesk.engines.orders.watch import Watch
from quantdesk.guard.check import Approved
from quantdesk.guard.halts import Halts
from quantdesk.store.pool import Pools

log = structlog.get_logger()

Loop = Callable[[], Coroutine[None, None, None]]

TOPIC = "orders"
"""Bus topic of `OrderEvent` batches."""

REST_DEFAULT_MS = 24 * 3_600_000
"""How long a limit order rests when its trader says nothing."""

KEY_DAYS = 7
"""How long an idempotency key is remembered."""

_CLAIM_S = 1.0
_CLAIM_MAX = 500
_STOP_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The engine's settings, and what halts it."""

    mode: str
    lease_s: float = 10.0
    open_max: int = 100_000
    in_flight_max: int = 1_000
    rate_per_minute: int = 0
    halts: Halts = field(default_factory=Halts)


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that stands; `replayed` when an earlier request with the same key made it."""

    order: Order
    replayed: bool


class Orders:
    """Orders of one mode, led by this desk."""

    def __init__(
        self, *, rules: Rules, pools: Pools, floor: Floor, bus: Bus, clock: Clock, new_id: NewId
    ) -> None:
        self.rules = rules
        self.usage = Usage()
        self.recount = Recount(mode=rules.mode, pools=pools, usage=self.usage, clock=clock)
        self.owner = new_id()
        self.pays_priority = floor.priority_lamports is not no_priority
        self._pools = pools
        self._bus = bus
        self._clock = clock
        self._new_id = new_id
        self.journal = Journal(commit=self._commit, publish=self._publish, clock=clock)
        self.watches = {
            name: Watch(chain=one.chain, clock=clock)
            for name, one in {floor.name: floor, **floor.rivals}.items()
        }
        self.watch = self.watches[floor.name]
        self._execution = Execution(
            floor=floor,
            journal=self.journal,
            watches=self.watches,
            pace=Pace(
                in_flight_max=rules.in_flight_max,
                rate_per_minute=rules.rate_per_minute,
                clock=clock,
            ),
            halts=rules.halts,
            clock=clock,
        )
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._loops: list[asyncio.Task[None]] = []
        self.halted = 0
        """Executions and loops that stopped on an error nobody anticipated, and began again."""

    def in_flight(self) -> int:
        """Return how many transactions are sent and of unknown fate, on all floors together."""
        return sum(len(watch) for watch in self.watches.values())

    async def start(self) -> None:
        """Count what is open, then keep every order moving until `stop`."""
        await self.recount.start()
        watching = (watch.run for watch in self.watches.values())
        for loop in (*watching, self._claim_loop, self._renew_loop):
            self._keep(loop, loop())

    async def stop(self) -> None:
        """Stop leading: what is unfinished is left as it stands for the next desk, at once."""
        tasks = [*self._loops, *self._running.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_S)
        try:
            await asyncio.wait_for(self.journal.drain(), _STOP_S)
            async with self._pools.write.connection() as c:
                await write.release(c, owner=self.owner)
        except (TimeoutError, Unavailable):
            log.warning("orders.leases_left", hint="the next desk waits until they run out")

    async def place(
        self, approved: Approved, *, key: str | None = None, body_hash: bytes = b""
    ) -> Placed:
        """Store an approved order and start executing it.

        Raises `Unavailable` (`orders.busy`) past the bound on open orders, `Unavailable` when the
        database is away, `Refused` (`idempotency.conflict`) when the key stands for another body.
        """
        if len(self.usage) >= self.rules.open_max:
            raise Unavailable(
                f"{self.rules.open_max} orders are open; try again later", code="orders.busy"
            )
        if self.journal.waiting_for_database:
            # Behind moves that wait for it, a new order would wait too; its trader must not.
            raise Unavailable("the database is away; try again", code="database.unavailable")
        order = self._new(approved)
        self.usage.opened(order)
        new = NewOrder(order, approved.decision_id, approved.record(), key, body_hash)
        stored = self.journal.create(new)
        # Routing may begin at once; what it decides is committed with the order or after it.
        self._run(order, None)
        try:
            stands = await stored
        except BaseException:
            self.usage.ended(order.id, OrderStatus.FAILED)
            raise
        if stands == order.id:
            return Placed(order, replayed=False)
        self.usage.ended(order.id, OrderStatus.FAILED)
        assert key is not None, "only a key makes a request a replay"
        earlier = await self.replayed(order.account_id, key, body_hash)
        assert earlier is not None, "the key was held a moment ago"
        return earlier

    async def replayed(self, account_id: UUID, key: str, body_hash: bytes) -> Placed | None:
        """Return the order that an earlier request with this idempotency key made.

        Raises `Refused` (`idempotency.conflict`) when that request asked for something else.
        """
        async with self._pools.read.connection() as c:
            held = await read.held_key(c, account_id, key)
        if held is None:
            return None
        order_id, first_hash = held
        if first_hash != body_hash:
            raise Refused(
                f"the idempotency key {key!r} was used for another order",
                code="idempotency.conflict",
            )
        return Placed(await self.get(account_id, order_id), replayed=True)

    async def cancel(self, account_id: UUID, order_id: UUID) -> Order:
        """Cancel an order of which nothing was signed.

        Raises `Refused`: `order.unknown`, or `order.too_late` once it is signed or ended.
        """
        await self.get(account_id, order_id)
        async with self._pools.write.connection() as c:
            cancelled = await write.cancel(
                c, order_id, mode=self.rules.mode, at_ms=self._clock.now_ms()
            )
        order = await self.get(account_id, order_id)
        if cancelled is not None:
            self._publish([cancelled])
        elif order.status is OrderStatus.CANCELLED:
            # An earlier cancel whose answer was lost: nobody was told of it yet.
            self._publish(await self.events([order_id]))
        else:
            raise Refused("it is signed or ended already", code="order.too_late")
        running = self._running.get(order_id)
        if running:
            running.cancel()
        return order

    async def cancel_all(self, account_id: UUID | None = None) -> tuple[list[UUID], list[Order]]:
        """Cancel every order of an account, or of all, of which nothing was signed.

        Return those, and the open ones for which it is too late. The kill switch halts first, so
        that nothing is signed and nothing new comes in meanwhile.
        """
        cancelled: list[UUID] = []
        while events := await self._cancel_some(account_id):
            cancelled += [event.order_id for event in events]
        async with self._pools.read.connection() as c:
            still_open = await read.open_orders(c, mode=self.rules.mode)
        return cancelled, [o for o in still_open if account_id in (None, o.account_id)]

    async def _cancel_some(self, account_id: UUID | None) -> list[OrderEvent]:
        async with self._pools.write.connection() as c:
            events = await cancel_open(
                c, mode=self.rules.mode, account_id=account_id, at_ms=self._clock.now_ms()
            )
        self._publish(events)
        for event in events:
            if running := self._running.get(event.order_id):
                running.cancel()
        return events

    async def get(self, account_id: UUID, order_id: UUID) -> Order:
        """Return an account's order; raise `Refused` (`order.unknown`) if it has none such."""
        async with self._pools.read.connection() as c:
            order = await read.get(c, order_id, mode=self.rules.mode)
        if order is None or order.account_id != account_id:
            raise Refused(f"there is no order {order_id}", code="order.unknown")
        return order

    async def page(self, wanted: read.Filter) -> list[Order]:
        """Return the orders wanted, newest first."""
        async with self._pools.read.connection() as c:
            return await read.page(c, wanted)

    async def events(self, order_ids: Sequence[UUID]) -> list[OrderEvent]:
        """Return everything that happened to these orders, each from its first version."""
        async with self._pools.read.connection() as c:
            return await read.events(c, order_ids)

    async def attempts(self, order_id: UUID) -> list[Attempt]:
        """Return the signed attempts of an order, first to last."""
        async with self._pools.read.connection() as c:
            return (await read.attempts(c, [order_id])).get(order_id, [])

    async def decision(self, order_id: UUID) -> dict[str, object]:
        """Return the approval an order stands on."""
        async with self._pools.read.connection() as c:
            return await read.decision(c, order_id)

    def _new(self, approved: Approved) -> Order:
        intent = approved.intent
        now_ms = self._clock.now_ms()
        expires_ms = intent.expires_ms
        if intent.limit_price is not None and expires_ms is None:
            expires_ms = now_ms + REST_DEFAULT_MS
        return Order(
            id=self._new_id(),
            mode=self.rules.mode,
            account_id=intent.account_id,
            pair=intent.market.pair,
            side=intent.side,
            base_raw=intent.base_raw,
            slippage_bps=intent.slippage_bps,
            notional_usd=approved.notional_usd,
            limit_price=intent.limit_price,
            expires_ms=expires_ms,
            priority=intent.priority,
            created_ms=now_ms,
            updated_ms=now_ms,
        )

    async def _commit(self, steps: Sequence[Step]) -> dict[UUID, UUID]:
        write_pool = self._pools.write
        lend = write_pool.transaction if write.has_keys(steps) else write_pool.connection
        async with lend() as c:
            return await write.commit(c, steps, owner=self.owner, lease_s=self.rules.lease_s)

    def _publish(self, events: Sequence[OrderEvent]) -> None:
        for told in events:
            if told.status in _ENDED:
                self.usage.ended(told.order_id, told.status)
        self._bus.publish(TOPIC, events)

    def _run(self, order: Order, attempt: Attempt | None) -> None:
        task = asyncio.get_running_loop().create_task(self._lead(order, attempt))
        self._running[order.id] = task
        task.add_done_callback(lambda done: self._ran(order.id, done))

    async def _lead(self, order: Order, attempt: Attempt | None) -> None:
        try:
            await self._execution.run(order, attempt)
        except LeaseLost:
            # Whoever leads or ended it may be unable to tell its end: `_tell_ended` finds it.
            log.info("order.lease_lost", order_id=str(order.id))
        finally:
            self.journal.forget(order.id)

    def _ran(self, order_id: UUID, done: asyncio.Task[None]) -> None:
        self._running.pop(order_id, None)
        if not done.cancelled() and (problem := done.exception()) is not None:
            # Its lease runs out and the order is claimed again: it is never left behind.
            self.halted += 1
            log.error("order.halted", order_id=str(order_id), exc_info=problem)

    def _keep(self, loop: Loop, running: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(running)
        self._loops.append(task)
        task.add_done_callback(lambda done: self._kept(loop, done))

    def _kept(self, loop: Loop, done: asyncio.Task[None]) -> None:
        self._loops.remove(done)
        if not done.cancelled() and (problem := done.exception()) is not None:
            # Without its loops a desk would hold its leases and do nothing.
            self.halted += 1
            log.error("orders.loop_halted", loop=loop.__name__, exc_info=problem)
            self._keep(loop, self._later(loop))

    async def _later(self, loop: Loop) -> None:
        await self._clock.sleep(_CLAIM_S)
        await loop()

    async def _claim_loop(self) -> None:
        while True:
            try:
                while await self._claim() == _CLAIM_MAX:
                    pass
                await self._tell_ended()
            except DeskError as problem:
                log.warning("orders.claim_failed", code=problem.code, detail=problem.detail)
            await self._clock.sleep(_CLAIM_S)

    async def _claim(self) -> int:
        rules = self.rules
        async with self._pools.write.connection() as c:
            claimed = await write.claim(
                c, mode=rules.mode, owner=self.owner, lease_s=rules.lease_s, limit=_CLAIM_MAX
            )
            left = [order for order in claimed if order.id not in self._running]
            if not left:
                return len(claimed)
            for order in left:
                self.usage.opened(order)  # before their past is read: none ends in between unseen
            attempts = await read.attempts(c, [order.id for order in left])
            past = await read.events(c, [order.id for order in left])
        log.info("orders.claimed", count=len(left))
        self._publish(past)
        for order in left:
            if order.id in self._running or not self.usage.is_open(order.id):
                continue  # placed here (two leaders of one desk share its lease) or ended meanwhile
            mine = attempts.get(order.id)
            self._run(order, mine[-1] if mine else None)
        return len(claimed)

    async def _tell_ended(self) -> None:
        for order_id, status in await self.recount.ended(led=self._running):
            if not self.usage.is_open(order_id):
                continue  # it was told meanwhile
            log.info("order.ended_unheard", order_id=str(order_id), status=status)
            self._publish(await self.events([order_id]))
            if running := self._running.get(order_id):
                running.cancel()  # the store has it so: its next move would be lost

    async def _renew_loop(self) -> None:
        keys_ms = KEY_DAYS * DAY_MS
        while True:
            await self._clock.sleep(self.rules.lease_s / 3)
            try:
                async with self._pools.write.connection() as c:
                    ids = list(self._running)
                    if ids:
                        await write.renew(c, ids, owner=self.owner, lease_s=self.rules.lease_s)
                    await write.forget_keys(c, before_ms=self._clock.now_ms() - keys_ms)
            except DeskError as problem:
                log.warning("orders.renew_failed", code=problem.code, detail=problem.detail)


_ENDED = frozenset({OrderStatus.CONFIRMED, OrderStatus.FAILED, OrderStatus.CANCELLED})
