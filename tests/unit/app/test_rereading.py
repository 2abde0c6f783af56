"""After an outage of the bus, followers hear what they missed from the store, and nothing twice."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from quantdesk.access.model import Role
from quantdesk.access.policy import ROLES
from quantdesk.app.rereading import Rereading
from quantdesk.core.errors import Unavailable
from quantdesk.core.markets import Side
from quantdesk.engines.orders.model import Order, OrderEvent, OrderStatus
from quantdesk.engines.orders.store.read import Filter
from quantdesk.hub.client import Account, Client
from quantdesk.hub.orders import Following
from quantdesk.testing.clock import ManualClock

ACCOUNT = UUID(int=1)
S = OrderStatus
LIFE = (S.PENDING, S.ROUTING, S.BUILDING, S.SUBMITTED, S.CONFIRMED)


@dataclass
class Store:
    """The truth about orders, and whether it can be asked."""

    told: dict[UUID, list[OrderEvent]] = field(default_factory=dict)
    away: bool = False

    def happen(self, order: int, *, at_ms: int = 1_000) -> OrderEvent:
        """Commit the next state of an order."""
        events = self.told.setdefault(UUID(int=order), [])
        events.append(
            OrderEvent(
                order_id=UUID(int=order), account_id=ACCOUNT, version=len(events) + 1,
                status=LIFE[len(events)], attempt=1, at_ms=at_ms,
            )
        )  # fmt: skip
        return events[-1]

    async def get(self, account_id: UUID, order_id: UUID) -> Order:
        """Return an order."""
        raise AssertionError("nobody asks for one order here")

    async def page(self, wanted: Filter) -> list[Order]:
        """Return an account's orders."""
        if wanted.account_id != ACCOUNT:
            return []
        return [
            Order(
                id=order_id, mode="paper", account_id=ACCOUNT, pair="SOL-USDC", side=Side.BUY,
                base_raw=1, slippage_bps=50, notional_usd=Decimal(1), created_ms=0,
                updated_ms=events[-1].at_ms,
            )
            for order_id, events in self.told.items()
        ]  # fmt: skip

    async def events(self, order_ids: Sequence[UUID]) -> list[OrderEvent]:
        """Return what happened to orders."""
        if self.away:
            raise Unavailable("the database is away", code="database.unavailable")
        return [event for order_id in order_ids for event in self.told.get(order_id, [])]


class Wire:
    """A connection that nothing is written to."""

    congested = False

    def __init__(self) -> None:
        self.relieved: Callable[[], None] = lambda: None

    def write(self, frames: bytes) -> None:
        """Do nothing."""

    def end(self, code: int, reason: str = "") -> None:
        """Do nothing."""

    async def drained(self) -> None:
        """Return."""


@dataclass
class Scene:
    """Followers of a store through streams that may miss something."""

    store: Store = field(default_factory=Store)
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.streams = Rereading(orders=self.store, mode="paper", clock=self.clock)

    def follow(self, key: UUID) -> list[tuple[int, int]]:
        """Return what a new follower of an order or an account hears: order and version."""
        heard: list[tuple[int, int]] = []
        client = Client(Wire(), Account(ACCOUNT, ROLES[Role.OWNER]), bytes_max=1_000)

        def say(event: OrderEvent, _: bytes) -> None:
            heard.append((event.order_id.int, event.version))

        following = Following(key, client, say=say)
        following.begin(self.streams.texts(self.store.told.get(key, [])))
        self.streams.join(following)
        self.following = following
        return heard


async def _missed(at: Scene, since_ms: int = 500) -> None:
    task = asyncio.ensure_future(at.streams.run())
    at.streams.missed(since_ms)
    await at.clock.advance(0)
    task.cancel()


def test_that_followers_of_an_order_and_of_its_account_hear_the_rest_once() -> None:
    async def scene() -> None:
        at = Scene()
        one, account = at.follow(UUID(int=7)), at.follow(ACCOUNT)
        at.streams.take([at.store.happen(7), at.store.happen(7)])
        at.store.happen(7)
        at.store.happen(8)  # an order that nobody here has heard of at all
        at.store.happen(7)
        await _missed(at)
        await _missed(at)
        at.streams.take([at.store.happen(7)])
        assert one == [(7, version) for version in (1, 2, 3, 4, 5)]
        assert sorted(account) == [(7, version) for version in (1, 2, 3, 4, 5)] + [(8, 1)]

    asyncio.run(scene())


def test_that_an_account_does_not_hear_of_orders_that_had_ended_before() -> None:
    async def scene() -> None:
        at = Scene()
        for _ in LIFE:
            at.store.happen(5, at_ms=100)
        account = at.follow(ACCOUNT)
        at.store.happen(6, at_ms=900)
        await _missed(at, since_ms=500)
        assert account == [(6, 1)]

    asyncio.run(scene())


def test_that_a_database_that_is_away_is_asked_again_from_the_earliest_moment() -> None:
    async def scene() -> None:
        at = Scene()
        account = at.follow(ACCOUNT)
        at.store.happen(6, at_ms=300)
        at.store.away = True
        task = asyncio.ensure_future(at.streams.run())
        at.streams.missed(200)
        await at.clock.advance(0.5)
        at.streams.missed(800)
        at.store.away = False
        await at.clock.advance(1)
        task.cancel()
        assert account == [(6, 1)]

    asyncio.run(scene())


def test_that_whoever_left_hears_no_more() -> None:
    async def scene() -> None:
        at = Scene()
        one = at.follow(UUID(int=7))
        at.streams.leave(at.following)
        at.store.happen(7)
        await _missed(at)
        assert one == []

    asyncio.run(scene())
