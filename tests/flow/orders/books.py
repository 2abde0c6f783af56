"""What the tests of the ledger share: a board that is told prices, and orders filled by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from quantdesk.core.clock import iso
from quantdesk.core.markets import Side
from quantdesk.core.prices import Reading
from quantdesk.engines.orders.model import (
    Attempt,
    Filled,
    NewOrder,
    Order,
    OrderEvent,
    OrderStatus,
    Step,
    event,
)
from quantdesk.engines.orders.quality.bias import Bias
from quantdesk.engines.orders.quality.ledger import Books, Ledger
from quantdesk.engines.orders.quality.model import HORIZONS, Entry
from quantdesk.engines.orders.quality.store import Filter
from quantdesk.engines.orders.store import write
from quantdesk.ingest.board import Board
from quantdesk.store.pool import Pools
from quantdesk.testing.killing import Life, Ports, wrapped
from quantdesk.testing.stage import MODE, Stage

AGE_MS_MAX = 10_000
NAMES = [horizon.name for horizon in HORIZONS]
_LEASE_S = 3_600.0


@dataclass(slots=True, kw_only=True)
class Trade:
    """An order to be filled by hand; amounts in base units, the legs as a route has them."""

    pair: str = "SOL-USDC"
    side: Side = Side.BUY
    base_raw: int = 1_000_000_000
    landed_raw: int = 100_300_000
    legs: Sequence[dict[str, Any]] = field(default_factory=lambda: [leg("raydium", "1", "100")])
    route: dict[str, Any] = field(default_factory=dict)
    simulation: dict[str, Any] = field(default_factory=dict)
    prices: Sequence[dict[str, Any]] = ()
    account_id: UUID | None = None
    receipt: dict[str, Any] | None = None
    over_raw: int = 0
    """Base received beyond what was asked, as where only whole lots are bought."""
    learned_after_ms: int = 0
    """How long after it landed a desk learned of it."""


def leg(venue: str, base: str, quote: str, *, share: str = "1") -> dict[str, Any]:
    """Return a leg as a route has it; amounts are decimal strings."""
    return {
        "venue": venue, "pool": f"{venue}:pool", "kind": "cpmm", "share": share,
        "base": base, "quote": quote,
    }  # fmt: skip


SPLIT = Trade(
    legs=[leg("raydium", "0.6", "60", share="0.6"), leg("meteora", "0.4", "40.1", share="0.4")],
    route={"expectedQuoteRaw": 100_100_000},
    simulation={"quoteRaw": 100_200_001},
    landed_raw=100_300_001,
)


class World:
    """A stage with a board beside it, and whoever keeps the books."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.board = Board()
        self.say("USDC", 1)

    def say(self, symbol: str, price: float | str) -> None:
        """Let the source say a price in dollars now."""
        now_ms = self.stage.clock.now_ms()
        said = Reading("told", symbol, Decimal(str(price)), Decimal(0), now_ms)
        self.board.take(said, now_ms)

    def ledger(self, life: Life | None = None, pools: Pools | None = None) -> Ledger:
        """Start to keep books; `life` counts the effects."""
        ports = Ports(pools or self.stage.pools, self.stage.chain, None, self.stage.clock)  # type: ignore[arg-type]
        if life is not None:
            ports = wrapped(ports, life)
        books = Books(mode=MODE, price_age_ms_max=AGE_MS_MAX)
        return Ledger(
            books=books, pools=ports.pools, board=self.board, clock=ports.clock, bias=Bias()
        )

    async def live(self, ledger: Ledger, seconds: float, *, price: float | None = None) -> None:
        """Let time go by in steps of a second while the board talks and the ledger works."""
        for _ in range(round(seconds)):
            await self.stage.run_for(1)
            self.say("USDC", 1)
            if price is not None:
                self.say("SOL", price)
            ledger.look()
            await ledger.step()

    async def fill(self, trade: Trade | None = None, *, ledger: Ledger | None = None) -> UUID:
        """Store an order and its fill, and tell the ledger as the engine does; return its id."""
        trade = trade or Trade()
        order, events = await self._confirmed(trade)
        if ledger is not None:
            ledger.take(events)
        return order.id

    def crowd(self, fills: int) -> list[OrderEvent]:
        """Return what the engine tells when that many orders fill at once."""
        filled = OrderEvent(
            order_id=self.stage.new_id(), account_id=self.stage.account_id, version=5,
            status=OrderStatus.CONFIRMED, attempt=1, at_ms=self.stage.clock.now_ms(),
        )  # fmt: skip
        return [filled] * fills

    async def _confirmed(self, trade: Trade) -> tuple[Order, Sequence[OrderEvent]]:
        stage = self.stage
        now_ms, owner = stage.clock.now_ms(), stage.new_id()
        born = Order(
            id=stage.new_id(), mode=MODE, account_id=trade.account_id or stage.account_id,
            pair=trade.pair, side=trade.side, base_raw=trade.base_raw, slippage_bps=50,
            notional_usd=Decimal(100), created_ms=now_ms, updated_ms=now_ms,
        )  # fmt: skip
        decision = {
            "verdict": "APPROVED", "decidedAt": iso(now_ms), "prices": list(trade.prices),
        }  # fmt: skip
        landed_ms = now_ms - trade.learned_after_ms
        receipt = trade.receipt or {"blockTimeMs": landed_ms}
        sent = born.moved(OrderStatus.ROUTING, at_ms=now_ms)
        sent = sent.moved(OrderStatus.BUILDING, at_ms=now_ms)
        sent = sent.moved(OrderStatus.SUBMITTED, at_ms=now_ms)
        filled = Filled(trade.base_raw + trade.over_raw, trade.landed_raw, 5_000)
        done = sent.moved(OrderStatus.CONFIRMED, at_ms=now_ms, filled=filled)
        attempt = Attempt(
            attempt=1, route={"legs": list(trade.legs), **trade.route},
            simulation={"slot": 1, "computeUnits": 1, "logs": [], **trade.simulation},
            raw=b"raw", signature=str(born.id), last_valid_height=1, signed_ms=landed_ms,
        )  # fmt: skip
        new = NewOrder(born, stage.new_id(), decision)
        steps = (
            Step(0, sent, (event(born), event(sent)), (attempt,), new),
            Step(sent.version, done, (event(done, receipt=receipt),), ()),
        )
        for step in steps:
            async with stage.pools.write.connection() as c:
                await write.commit(c, [step], owner=owner, lease_s=_LEASE_S)
        return done, steps[-1].events

    def wanted(self, **which: Any) -> Filter:  # noqa: ANN401 - the fields of a filter
        """Return a filter on the stage's account."""
        return Filter(**{"account_id": self.stage.account_id, "mode": MODE, "limit": 500, **which})

    async def entries(self, ledger: Ledger, **which: Any) -> list[Entry]:  # noqa: ANN401
        """Return what the books hold."""
        return await ledger.page(self.wanted(**which))

    async def unread(self) -> list[str | None]:
        """Return what is still to be read, each with its problem."""
        async with self.stage.pools.read.connection() as c:
            rows = await c.fetch("select problem from execution_unread order by order_id")
        return [row["problem"] for row in rows]


def said(entry: Entry) -> dict[str, Decimal | str | None]:
    """Return the prices of an entry's marks, or why they are missing, by name."""
    return {
        name: mark.missing or mark.price for name, mark in zip(NAMES, entry.marks, strict=False)
    }
