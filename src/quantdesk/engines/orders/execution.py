"""One order from PENDING to its end.

The promise lies in the order of four lines: sign, commit the signed bytes, send them, look. Killed
before the commit, nothing was sent and the order is routed afresh. Killed after it, the next desk
finds the bytes and sends those very same ones again, which the chain executes at most once. Only
the chain's proof that they are dead or have reverted leads to another signature.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog

from quantdesk.chains.port import (
    Chain,
    Fate,
    Instruction,
    Receipt,
    Simulation,
    Trade,
    Transaction,
    Wallet,
)
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import Market, market
from quantdesk.core.money import from_raw, written
from quantdesk.engines.orders import retry
from quantdesk.engines.orders.journal import Journal
from quantdesk.engines.orders.model import Attempt, Filled, Order, OrderStatus
from quantdesk.engines.orders.pace import Pace
from quantdesk.engines.orders.paths import Leg
from quantdesk.engines.orders.plans import always
from quantdesk.engines.orders.routed import described
from quantdesk.engines.orders.routing import Choice, Routing, Wanted
from quantdesk.engines.orders.swaps import calls, swaps
from quantdesk.engines.orders.watch import Watch

log = structlog.get_logger()
S = OrderStatus

_REST_S = 0.4  # between looks at the price of a resting order: one slot
_RECEIPT_S = 0.5  # between tries to read a receipt
_LONGEST_MEMO = f"qd:{UUID(int=0)}:3"

CheckPrice = Callable[[Market, Decimal], None]
"""Raises when a route's price may not be traded at: too far from the reference, or none fresh."""


FitsTransaction = Callable[[Trade, Sequence[Instruction]], bool]
"""Says whether a trade by these instructions goes into one transaction."""


def _anything_fits(_: Trade, __: Sequence[Instruction]) -> bool:
    return True


PriorityFee = Callable[[Sequence[Instruction], int], Awaitable[int]]
"""Returns the lamports that instructions of so many compute units would offer for their place."""


async def _no_priority(_: Sequence[Instruction], __: int) -> int:
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Where orders are executed: the venues to route over and the chain they settle on."""

    chain: Chain
    routing: Routing
    wallet: Wallet
    check_price: CheckPrice
    network_fee_lamports: int
    fits: FitsTransaction = _anything_fits
    priority_lamports: PriorityFee = _no_priority


class Execution:
    """Executes orders; one call of `run` per order."""

    def __init__(
        self, *, floor: Floor, journal: Journal, watch: Watch, pace: Pace, clock: Clock
    ) -> None:
        self._floor = floor
        self._journal = journal
        self._watch = watch
        self._pace = pace
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
                if self._is_met(order):
                    order = await self._try(order)
            finally:
                self._pace.finish()

    async def _ready(self, order: Order) -> Order:
        """Wait out the delay of a retry, then for the trader's limit price; some never come."""
        if order.waiting == "retry":
            due_ms = order.updated_ms + round(retry.delay_s(order.attempt) * 1000)
            await self._clock.sleep(max(0, due_ms - self._clock.now_ms()) / 1000)
        if order.limit_price is None:
            return order
        while not self._is_expired(order):
            if self._is_met(order):
                return order
            if order.waiting != "price":
                rests = S.PENDING if order.status is S.PENDING else S.ROUTING
                order = order.moved(rests, at_ms=self._clock.now_ms(), waiting="price")
                await self._journal.move(order)
            await self._clock.sleep(_REST_S)
        late = Refused("its limit price was not met in time", code="order.expired")
        return await self._failed(order, late)

    def _is_expired(self, order: Order) -> bool:
        return order.expires_ms is not None and self._clock.now_ms() >= order.expires_ms

    def _is_met(self, order: Order) -> bool:
        """Return whether the market meets the limit price, at a price that may be traded at."""
        if order.limit_price is None:
            return True
        try:
            choice = self._routed(order)
            self._floor.check_price(choice.wanted.market, choice.price)
        except (Refused, Unavailable):
            return False  # no route, or no fresh reference near it: a pool may be wrong for long
        return choice.meets_limit

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
        try:
            choice = self._choice(order)
            price = choice.price
            if order.status is S.ROUTING:
                order = order.moved(S.BUILDING, at_ms=now_ms(), execution_price=price)
                self._journal.move(order)
            trade = _trade(order, choice.limit_raw, expected_raw=choice.quote_raw)
            steps = swaps(choice, self._floor.wallet)
            transaction = await self._floor.chain.prepare(trade, steps)
        except (Refused, Unavailable) as problem:
            return await self._again(order, problem), None
        attempt = _attempt(order, described(choice, now_ms=now_ms()), transaction, now_ms())
        order = order.moved(
            S.SUBMITTED, at_ms=now_ms(), execution_price=price, tx_hash=transaction.signature
        )
        await self._journal.move(order, attempt=attempt)
        return order, attempt

    async def _settle(self, order: Order, attempt: Attempt) -> Order:
        """Send committed bytes and wait for their fate, however long the chain is silent."""
        transaction = _transaction(attempt)
        try:
            await self._floor.chain.send(transaction)
        except Unavailable as problem:
            log.info("order.send_failed", order_id=str(order.id), code=problem.code)

        def unknown() -> None:
            nonlocal order
            order = order.moved(S.SUBMITTED, at_ms=self._clock.now_ms(), outcome="unknown")
            self._journal.move(order)

        sighting = await self._watch.follow(order.id, transaction, on_silence=unknown)
        fate = sighting.fate.value
        if sighting.fate is not Fate.LANDED:
            return await self._again(order, retry.fallen(sighting), fate=fate)
        trade = _trade(order, attempt.route["limitRaw"])
        receipt = await self._receipt(trade, transaction)
        filled = Filled(receipt.base_raw, receipt.quote_raw, receipt.network_fee_lamports)
        order = order.moved(
            S.CONFIRMED,
            at_ms=self._clock.now_ms(),
            filled=filled,
            execution_price=_realized(order, filled),
        )
        await self._journal.move(order, fate=fate, receipt=_recorded(receipt, trade))
        return order

    async def _receipt(self, trade: Trade, transaction: Transaction) -> Receipt:
        while True:
            try:
                return await self._floor.chain.receipt(trade, transaction)
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
        choice = self._routed(order)
        self._floor.check_price(choice.wanted.market, choice.price)
        return choice

    def _routed(self, order: Order) -> Choice:
        wanted = Wanted(
            market=market(order.pair),
            side=order.side,
            base_raw=order.base_raw,
            slippage_bps=order.slippage_bps,
            limit_price=order.limit_price,
        )
        return routed(self._floor, wanted, now_ms=self._clock.now_ms())


def routed(floor: Floor, wanted: Wanted, *, now_ms: int) -> Choice:
    """Return the best route of those that fit one transaction; raises as `Routing.choose`."""

    def fits(legs: Sequence[Leg]) -> bool:
        trade = Trade(
            side=wanted.side,
            base=wanted.market.base,
            quote=wanted.market.quote,
            base_raw=wanted.base_raw,
            quote_limit_raw=0,
            memo=_LONGEST_MEMO,
        )
        return floor.fits(trade, calls(legs, [0] * len(legs), wanted, floor.wallet))

    asking = always if floor.fits is _anything_fits else fits
    return floor.routing.choose(wanted, now_ms=now_ms, fits=asking)


def _trade(order: Order, limit_raw: int, *, expected_raw: int = 0) -> Trade:
    traded = market(order.pair)
    return Trade(
        side=order.side,
        base=traded.base,
        quote=traded.quote,
        base_raw=order.base_raw,
        quote_limit_raw=limit_raw,
        memo=f"qd:{order.id}:{order.attempt}",
        expected_quote_raw=expected_raw,
    )


def _attempt(
    order: Order, route: dict[str, Any], transaction: Transaction, signed_ms: int
) -> Attempt:
    simulation = transaction.simulation
    return Attempt(
        attempt=order.attempt,
        route=route,
        simulation={
            "slot": simulation.slot,
            "computeUnits": simulation.compute_units,
            # Programs write what they like; the database stores no zero bytes in text.
            "logs": [line.replace("\0", "") for line in simulation.logs],
            "baseRaw": simulation.base_raw,
            "quoteRaw": simulation.quote_raw,
            "priorityLamports": simulation.priority_lamports,
        },
        raw=transaction.raw,
        signature=transaction.signature,
        last_valid_height=transaction.last_valid_height,
        signed_ms=signed_ms,
    )


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
    told = {
        "slot": receipt.slot,
        "blockTimeMs": receipt.block_time_ms,
        "base": written(receipt.base_raw, trade.base.decimals),
        "quote": written(receipt.quote_raw, trade.quote.decimals),
        "networkFeeLamports": receipt.network_fee_lamports,
    }
    legs = list(receipt.legs_quote_raw)
    return told | {"legsQuoteRaw": legs} if legs else told
