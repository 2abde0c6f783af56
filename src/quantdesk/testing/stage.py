"""A whole world for orders on hand-moved time: desks that live and die, one database, one chain.

Real Postgres answers in real time while the stage's clock stands still; `run_for` and `run_until`
move the clock from one sleeper to the next, only when nothing is under way. So a story told twice
is the same story.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Final
from uuid import UUID

from quantdesk.bus.memory import Memory
from quantdesk.chains.port import Priority, Wallet
from quantdesk.core.assets import ASSETS
from quantdesk.core.ids import uuid7
from quantdesk.core.markets import Market, Side, market
from quantdesk.core.validity import Validity
from quantdesk.engines.orders.engine import TOPIC, Orders, Placed, Rules
from quantdesk.engines.orders.floor import Floor
from quantdesk.engines.orders.model import Attempt, Order, OrderEvent
from quantdesk.engines.orders.routing import Routing, unbiased
from quantdesk.engines.orders.store import read, write
from quantdesk.guard.check import Approved, Facts, Intent, Limits, check
from quantdesk.store.pool import Pools
from quantdesk.testing.chain import FEE_LAMPORTS, ScriptedChain
from quantdesk.testing.killing import Cut, Life, Ports, wrapped
from quantdesk.testing.steps import SteppedClock
from quantdesk.testing.venue import ScriptedVenue

MODE: Final = "localnet"
START_MS: Final = 1_700_000_000_000
DAY_MS: Final = 86_400_000
_PACKAGE: Final = Path(__file__).parents[1]
_PASSES: Final = 12  # turns of the loop without any effect before the world is held to be at rest
_PRICES: Final = MappingProxyType(
    {"SOL-USDC": [(0.0, Decimal(100))], "BTC-USDC": [(0.0, Decimal(50_000))]}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a trader of the stage asks for; the defaults buy 1 SOL at the market."""

    pair: str = "SOL-USDC"
    side: Side = Side.BUY
    base_raw: int = 1_000_000_000
    slippage_bps: int = 50
    limit_price: Decimal | None = None
    expires_ms: int | None = None
    priority: Priority | None = None
    key: str | None = None
    body_hash: bytes = b"body"


@dataclass(slots=True)
class Desk:
    """One process: its engine, its life, and what it told."""

    orders: Orders
    life: Life
    number: int
    told: list[OrderEvent] = field(default_factory=list)
    starting: asyncio.Task[None] | None = None


class Stage:
    """The world outside of any process. `day` keeps stories apart that share a database."""

    def __init__(self, pools: Pools, *, day: int = 0, chain: ScriptedChain | None = None) -> None:
        self.clock = SteppedClock(now_ms=START_MS + day * DAY_MS)
        self.pools = pools
        self.chain = chain or self.new_chain()
        self.venues = [ScriptedVenue(clock=self.clock, prices=_PRICES)]
        self.desks: list[Desk] = []
        self._buried: list[Desk] = []
        self._desks_made = 0
        self.rules = Rules(mode=MODE, lease_s=3_600.0)
        self.kind: type[Orders] = Orders
        """What the next process does: all, or one of the roles of `engines/orders/taking.py`."""
        self._numbers = itertools.count(1)
        self.account_id = self.new_id()
        self.check_price: Callable[[Market, Decimal], None] = lambda _market, _price: None
        self.rivals_of: Callable[[Life], Mapping[str, Floor]] = lambda _life: {}
        """Other floors of a process; what they do to the world must be its life's."""
        self.bias: Callable[[str, str], Decimal] = unbiased
        """How much worse than quoted the next processes hold that a venue's fills have landed."""
        self._outside = asyncio.all_tasks()

    def new_chain(self) -> ScriptedChain:
        """Return a chain on this stage's clock with a wallet full of everything."""
        held = {symbol: 10_000 * 10**asset.decimals for symbol, asset in ASSETS.items()}
        return ScriptedChain(clock=self.clock, balances=held | {"USDC": 10**13}, valid_blocks=10)

    def new_id(self) -> UUID:
        """Return the next identifier."""
        return uuid7(self.clock.now_ms(), next(self._numbers).to_bytes(10, "big"))

    def desk(self, cut: Cut | None = None, rules: Rules | None = None) -> Desk:
        """Make a process and start its engine."""
        life = Life(cut)
        ports = wrapped(Ports(self.pools, self.chain, Memory(), self.clock), life)
        floor = Floor(
            chain=ports.chain,
            routing=Routing(self.venues, bias=self.bias),
            wallet=Wallet("wallet", dict.fromkeys(ASSETS, "account")),
            check_price=self._check_price,
            network_fee_lamports=FEE_LAMPORTS,
            rivals=self.rivals_of(life),
        )
        orders = self.kind(
            rules=rules or self.rules,
            pools=ports.pools,
            floor=floor,
            bus=ports.bus,
            clock=ports.clock,
            new_id=self.new_id,
        )
        self._desks_made += 1
        desk = Desk(orders, life, self._desks_made)
        ports.bus.listen(TOPIC, desk.told.extend)
        desk.starting = asyncio.get_running_loop().create_task(orders.start())
        self.desks.append(desk)
        return desk

    def approved(self, wish: Wish) -> Approved:
        """Return the risk kernel's approval of a wish."""
        traded = market(wish.pair)
        facts = Facts(
            now_ms=self.clock.now_ms(), base_usd=Decimal(100), price_age_ms=0,
            price_validity=Validity.VALID, prices=(), day_notional_usd=Decimal(0), open_orders=0,
            gives_raw=0,
        )  # fmt: skip
        intent = Intent(
            account_id=self.account_id, market=traded, side=wish.side, base_raw=wish.base_raw,
            slippage_bps=wish.slippage_bps, limit_price=wish.limit_price,
            expires_ms=wish.expires_ms, priority=wish.priority,
        )  # fmt: skip
        return check(intent, limits=Limits(), facts=facts, decision_id=self.new_id())

    def is_first(self, desk: Desk) -> bool:
        """Return whether no other process was there before."""
        return desk.number == 1

    async def place(self, desk: Desk, wish: Wish | None = None) -> Placed:
        """Place an order on a desk."""
        wish = wish or Wish()
        assert desk.starting is not None
        await asyncio.shield(desk.starting)
        return await desk.orders.place(
            self.approved(wish), key=wish.key, body_hash=wish.body_hash if wish.key else b""
        )

    async def rest(self) -> None:
        """Return when no process does anything more without time moving on."""
        quiet = 0
        seen = self._effects()
        while quiet < _PASSES:
            for desk in self.desks:
                await desk.life.rest()
            await self.clock.sleep(0)
            quiet = quiet + 1 if (now := self._effects()) == seen else 0
            seen = now

    async def run_until(self, done: Callable[[], Awaitable[bool]], *, within_s: float) -> bool:
        """Move time on until it is done; return False when that takes longer than `within_s`."""
        end = self.clock.monotonic() + within_s
        await self.rest()
        while not await done():
            if self.clock.monotonic() >= end:
                return False
            await self._step(end)
        return True

    async def run_for(self, seconds: float) -> None:
        """Move time on by so many seconds."""
        end = self.clock.monotonic() + seconds
        await self.rest()
        while self.clock.monotonic() < end:
            await self._step(end)

    async def bury(self, desk: Desk) -> None:
        """Give back what a dead process held, as a server does, and let its leases run out."""
        assert desk.life.dead, "the living are not buried"
        await desk.life.rest()
        for task in tuple(desk.life.hanging):
            task.cancel()
            await asyncio.wait((task,))
        self.desks.remove(desk)
        self._buried.append(desk)  # what still hangs in it is ended with the stage
        await self.expire(desk)

    async def expire(self, desk: Desk) -> None:
        """Let the leases of a desk run out."""
        async with self.pools.write.connection() as c:
            await write.release(c, owner=desk.orders.owner)

    async def clear(self) -> None:
        """End every task that was started on this stage."""
        for desk in self.desks:
            await desk.life.rest()
        mine = {task for task in asyncio.all_tasks() - self._outside if _is_ours(task)}
        for task in mine:
            task.cancel()
        if mine:
            await asyncio.wait(mine, timeout=10)
        for task in mine:
            if task.done() and not task.cancelled():
                task.exception()

    async def all_ended(self) -> bool:
        """Return whether no order of this stage is open."""
        return all(not order.is_open for order in await self.stored())

    async def stored(self) -> list[Order]:
        """Return the orders of this stage as the database has them, oldest first."""
        wanted = read.Filter(account_id=self.account_id, mode=MODE, limit=500)
        async with self.pools.read.connection() as c:
            return (await read.page(c, wanted))[::-1]

    async def events(self, ids: Sequence[UUID]) -> dict[UUID, list[OrderEvent]]:
        """Return what happened to these orders."""
        found: dict[UUID, list[OrderEvent]] = {order_id: [] for order_id in ids}
        async with self.pools.read.connection() as c:
            for event in await read.events(c, ids):
                found[event.order_id].append(event)
        return found

    async def attempts(self, ids: Sequence[UUID]) -> dict[UUID, list[Attempt]]:
        """Return the signed attempts of these orders."""
        async with self.pools.read.connection() as c:
            return await read.attempts(c, ids)

    def _check_price(self, traded: Market, price: Decimal) -> None:
        self.check_price(traded, price)

    async def _step(self, end: float) -> None:
        due = self.clock.next_due()
        self.clock.step_to(end if due is None else min(due, end))
        await self.rest()

    def _effects(self) -> int:
        return sum(len(desk.life.effects) + desk.life.doing for desk in self.desks)


def _is_ours(task: asyncio.Task[object]) -> bool:
    """Return whether a task runs the product's code and is not the one that asks."""
    code = getattr(task.get_coro(), "cr_code", None)
    ours = code is not None and _PACKAGE in Path(code.co_filename).parents
    return ours and task is not asyncio.current_task()
