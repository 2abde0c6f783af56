"""One order from PENDING to its end.

The promise lies in the order of four lines: sign, commit the signed bytes, send them, look. Killed
before the commit, nothing was sent and the order is routed afresh. Killed after it, the next desk
finds the bytes and sends those very same ones again, which the chain executes at most once. Only
the chain's proof that they are dead or have reverted leads to another signature.

While trading is halted nothing new is signed and committed: orders wait where they stand, or are
cancelled where the halt says `all`. What is committed is sent and followed to its end as ever.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

import structlog
from msgspec.structs import replace

from quantdesk.chains.port import Chain, Fate, Receipt, Simulation, Trade, Transaction
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import market
from quantdesk.core.money import from_raw, written
from quantdesk.engines.orders import resting, retry
from quantdesk.engines.orders.floor import Floor, routed
from quantdesk.engines.orders.floors import Floors, Offer, Offers, told
from quantdesk.engines.orders.journal import Journal
from quantdesk.engines.orders.model import Attempt, Filled, Order, OrderStatus
from quantdesk.engines.orders.pace import Pace
from quantdesk.engines.orders.routed import described
from quantdesk.engines.orders.routing import Choice, Wanted
from quantdesk.engines.orders.swaps import swaps
from quantdesk.engines.orders.watch import Watch
from quantdesk.guard.halts import Halts

log = structlog.get_logger()
S = OrderStatus

_REST_S = 0.4  # between looks at the price of a resting order: one slot
_RECEIPT_S = 0.5  # between tries to read a receipt
_GONE_S = 60.0  # between reminders that an order waits for a floor nobody opened


class Execution:
    """Executes orders; one call of `run` per order. `watches` are those of the floors, by name."""

    def __init__(
        self,
        *,
        floor: Floor,
        journal: Journal,
        watches: Mapping[str, Watch],
        pace: Pace,
        halts: Halts,
        clock: Clock,
    ) -> None:
        self._floor = floor
        self._floors = Floors(floor) if floor.rivals else None
        self._by_name = {floor.name: floor, **floor.rivals}
        self._journal = journal
        self._watches = watches
        self._pace = pace
        self._halts = halts
        self._clock = clock

    async def run(self, order: Order, attempt: Attempt | None) -> None:
        """Bring an order from wherever it stands to its end; `attempt` is its last signed one.

        Raises `LeaseLost`, having done nothing more, when the order is no longer ours.
        """
        if order.status is S.SUBMITTED:
            assert attempt is not None, "SUBMITTED is committed with its bytes"
            order = await self._settle(order, attempt)  # in flight already: no turn to wait for
        while order.is_open:
            order = await self._ready(order)
            if not order.is_open:
                return
            await self._pace.start()
            try:
                if self._halts.of(order.account_id) is None and self._waits_for(order) is None:
                    order = await self._try(order)
            finally:
                self._pace.finish()

    async def _ready(self, order: Order) -> Order:
        """Wait out a retry's delay, a halt, then for the limit price; some never come."""
        if order.waiting == "retry":
            due_ms = order.updated_ms + round(retry.delay_s(order.attempt) * 1000)
            await self._clock.sleep(max(0, due_ms - self._clock.now_ms()) / 1000)
        while not self._is_expired(order):
            halt = self._halts.of(order.account_id)
            if halt is not None and halt.scope == "all":
                return await self._cancelled(order)
            waiting = self._waits_for(order) if halt is None else resting.HALT
            if waiting is None:
                return order
            if resting.is_news(order, waiting, now_ms=self._clock.now_ms()):
                order = await self._waiting(order, waiting)
            elif order.limit_price is None:
                await self._halts.changed()
            else:
                await self._clock.sleep(_REST_S)
        return await self._failed(order, resting.late(order))

    async def _waiting(self, order: Order, waiting: str) -> Order:
        rests = S.PENDING if order.status is S.PENDING else S.ROUTING
        now_ms = self._clock.now_ms()
        order = order.moved(rests, at_ms=now_ms, waiting=waiting, execution_price=None)
        await self._journal.move(order)
        return order

    async def _cancelled(self, order: Order) -> Order:
        order = order.moved(S.CANCELLED, at_ms=self._clock.now_ms())
        await self._journal.move(order)
        return order

    def _is_expired(self, order: Order) -> bool:
        if order.limit_price is None or order.expires_ms is None:
            return False
        return self._clock.now_ms() >= order.expires_ms

    def _waits_for(self, order: Order) -> str | None:
        """Return what a limit order waits for; None once it is met at a price to be traded at."""
        if order.limit_price is None:
            return None
        return resting.waits_for([self._hindrance(f, order) for f in self._by_name.values()])

    def _hindrance(self, floor: Floor, order: Order) -> str | None:
        try:
            choice = routed(floor, _wanted(order), now_ms=self._clock.now_ms())
            if not choice.meets_limit:
                return resting.LIQUIDITY if choice.lacks_depth else resting.PRICE
            floor.check_price(choice.wanted.market, choice.price)
        except (Refused, Unavailable) as problem:
            # No route, or no fresh reference near it: a pool may be wrong for long.
            return resting.hindrance(problem)
        return None

    async def _try(self, order: Order) -> Order:
        """Make one attempt; it ends the order or makes another one due."""
        order, attempt = await self._submit(order)
        return order if attempt is None else await self._settle(order, attempt)

    async def _submit(self, order: Order) -> tuple[Order, Attempt | None]:
        """Route, build, sign and commit; nothing is sent yet."""
        now_ms = self._clock.now_ms
        if order.status is S.PENDING:
            order = order.moved(S.ROUTING, at_ms=now_ms())
            self._journal.move(order)
        offers: Offers | None = None
        try:
            if self._floors is not None:
                offers = await self._floors.offers(_wanted(order), now_ms=now_ms())
            choice = self._choice(order) if offers is None else offers.ranked[0].choice
            price = choice.price
            if order.status is S.ROUTING:
                order = order.moved(S.BUILDING, at_ms=now_ms(), execution_price=price)
                self._journal.move(order)
            if offers is None:
                transaction = await self._signed(order, self._floor, choice)
                route = described(choice, now_ms=now_ms())
            else:
                taken, transaction = await self._first_signed(order, offers)
                price, route = taken.choice.price, told(taken, offers, now_ms=now_ms())
        except (Refused, Unavailable) as problem:
            return await self._again(order, problem), None
        if self._halts.of(order.account_id) is not None:
            # Signed, but nobody has the bytes: dropped here, they were never made.
            return await self._waiting(order, resting.HALT), None
        attempt = _attempt(order, route, transaction, now_ms())
        order = order.moved(
            S.SUBMITTED, at_ms=now_ms(), execution_price=price, tx_hash=transaction.signature
        )
        await self._journal.move(order, attempt=attempt)
        return order, attempt

    async def _first_signed(self, order: Order, offers: Offers) -> tuple[Offer, Transaction]:
        """Return the best offer that its floor signs; nothing is sent, so the next may be tried."""
        while True:
            offer = offers.ranked[0]
            try:
                return offer, await self._signed(order, offer.floor, offer.choice)
            except (Refused, Unavailable) as problem:
                log.info("order.floor_failed", floor=offer.floor.name, code=problem.code)
                offers.drop(offer, problem)

    async def _signed(self, order: Order, floor: Floor, choice: Choice) -> Transaction:
        trade = _trade(order, choice.limit_raw)
        pools = [hop.pool for leg in choice.route.legs for hop in leg.hops]
        quoted_slot = max(pool.about.slot for pool in pools)
        trade = replace(trade, expected_quote_raw=choice.quote_raw, quoted_slot=quoted_slot)
        bench = floor.routing.bench
        try:
            transaction = await floor.chain.prepare(trade, swaps(choice, floor.wallet))
        except (Refused, Unavailable) as problem:
            if problem.at is not None:
                now_ms = self._clock.now_ms()
                bench.failed(pools[problem.at], problem.code, now_ms=now_ms)
                if len(bench.playing(choice.seen, now_ms=now_ms)) < len(choice.seen):
                    # Nothing was signed, and the next route does without that pool.
                    raise Unavailable(problem.detail, code=problem.code) from None
            raise
        bench.held(pools)
        return transaction

    async def _settle(self, order: Order, attempt: Attempt) -> Order:
        """Send committed bytes and wait for their fate, however long the chain is silent."""
        name = attempt.route.get("floor", self._floor.name)
        if name not in self._by_name:
            await self._stranded(order, name)
        chain, watch = self._by_name[name].chain, self._watches[name]
        transaction = _transaction(attempt)
        try:
            await chain.send(transaction)
        except Unavailable as problem:
            log.info("order.send_failed", order_id=str(order.id), code=problem.code)

        def unknown() -> None:
            nonlocal order
            order = order.moved(S.SUBMITTED, at_ms=self._clock.now_ms(), outcome="unknown")
            self._journal.move(order)

        sighting = await watch.follow(order.id, transaction, on_silence=unknown)
        fate = sighting.fate.value
        if sighting.fate is not Fate.LANDED:
            return await self._again(order, retry.fallen(sighting), fate=fate)
        trade = _trade(order, attempt.route["limitRaw"])
        receipt = await self._receipt(chain, trade, transaction)
        filled = Filled(receipt.base_raw, receipt.quote_raw, receipt.network_fee_lamports)
        order = order.moved(
            S.CONFIRMED,
            at_ms=self._clock.now_ms(),
            filled=filled,
            execution_price=_realized(order, filled),
        )
        await self._journal.move(order, fate=fate, receipt=_recorded(receipt, trade))
        return order

    async def _stranded(self, order: Order, name: str) -> NoReturn:
        """Wait for good: only the floor that took an order can say what became of it."""
        if order.outcome != "unknown":
            order = order.moved(S.SUBMITTED, at_ms=self._clock.now_ms(), outcome="unknown")
            await self._journal.move(order)
        while True:
            log.error(
                "order.floor_gone", order_id=str(order.id), floor=name,
                cure="write its settings down again and restart: it was sent there",
            )  # fmt: skip
            await self._clock.sleep(_GONE_S)

    async def _receipt(self, chain: Chain, trade: Trade, transaction: Transaction) -> Receipt:
        while True:
            try:
                return await chain.receipt(trade, transaction)
            except Unavailable as problem:
                log.info("order.receipt_missing", code=problem.code, memo=trade.memo)
                await self._clock.sleep(_RECEIPT_S)

    async def _again(self, order: Order, problem: DeskError, *, fate: str | None = None) -> Order:
        """Make another attempt due, or fail; nothing of this one can fill any more."""
        if not retry.is_due(problem, attempt=order.attempt):
            return await self._failed(order, problem, fate=fate)
        log.info("order.retry", order_id=str(order.id), code=problem.code)
        order = order.moved(
            S.ROUTING,
            at_ms=self._clock.now_ms(),
            attempt=order.attempt + 1,
            waiting="retry",
            execution_price=None,
            tx_hash=None,
        )
        await self._journal.move(order, fate=fate)
        return order

    async def _failed(self, order: Order, problem: DeskError, *, fate: str | None = None) -> Order:
        order = order.moved(S.FAILED, at_ms=self._clock.now_ms(), error=retry.failure(problem))
        await self._journal.move(order, fate=fate)
        return order

    def _choice(self, order: Order) -> Choice:
        choice = routed(self._floor, _wanted(order), now_ms=self._clock.now_ms())
        self._floor.check_price(choice.wanted.market, choice.price)
        return choice


def _wanted(order: Order) -> Wanted:
    return Wanted(
        market=market(order.pair),
        side=order.side,
        base_raw=order.base_raw,
        slippage_bps=order.slippage_bps,
        limit_price=order.limit_price,
        priority=order.priority,
    )


def _trade(order: Order, limit_raw: int) -> Trade:
    traded = market(order.pair)
    return Trade(
        side=order.side,
        base=traded.base,
        quote=traded.quote,
        base_raw=order.base_raw,
        quote_limit_raw=limit_raw,
        memo=f"qd:{order.id}:{order.attempt}",
        priority=order.priority,
    )


def _attempt(
    order: Order, route: dict[str, Any], transaction: Transaction, signed_ms: int
) -> Attempt:
    return Attempt(
        attempt=order.attempt,
        route=route,
        simulation=_simulated(transaction.simulation),
        raw=transaction.raw,
        signature=transaction.signature,
        last_valid_height=transaction.last_valid_height,
        signed_ms=signed_ms,
    )


def _simulated(simulation: Simulation) -> dict[str, Any]:
    told: dict[str, Any] = {
        "slot": simulation.slot,
        "computeUnits": simulation.compute_units,
        # Programs write what they like; the database stores no zero bytes in text.
        "logs": [line.replace("\0", "") for line in simulation.logs],
        "baseRaw": simulation.base_raw,
        "quoteRaw": simulation.quote_raw,
        "priorityLamports": simulation.priority_lamports,
    }
    if simulation.legs_quote_raw:
        told["legsQuoteRaw"] = list(simulation.legs_quote_raw)
    return told


def _transaction(attempt: Attempt) -> Transaction:
    simulated = attempt.simulation
    return Transaction(
        raw=attempt.raw,
        signature=attempt.signature,
        last_valid_height=attempt.last_valid_height,
        simulation=Simulation(
            simulated["slot"], simulated["computeUnits"], tuple(simulated["logs"])
        ),
    )


def _realized(order: Order, filled: Filled) -> Decimal:
    traded = market(order.pair)
    quote = from_raw(filled.quote_raw, traded.quote.decimals)
    return quote / from_raw(filled.base_raw, traded.base.decimals)


def _recorded(receipt: Receipt, trade: Trade) -> dict[str, Any]:
    told: dict[str, Any] = {
        "slot": receipt.slot,
        "blockTimeMs": receipt.block_time_ms,
        "base": written(receipt.base_raw, trade.base.decimals),
        "quote": written(receipt.quote_raw, trade.quote.decimals),
        "networkFeeLamports": receipt.network_fee_lamports,
    }
    if receipt.legs_quote_raw:
        told["legsQuoteRaw"] = list(receipt.legs_quote_raw)
    if receipt.other_fees:
        told["otherFees"] = {asset: f"{fee:f}" for asset, fee in receipt.other_fees}
    return told
