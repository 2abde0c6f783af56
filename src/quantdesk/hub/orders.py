"""Order events: who hears of which, in order, each version once, nothing left out.

The bus hands over every batch after its commit. Each event is encoded once; whoever follows its
order or its account gets those bytes. Here nothing is conflated: a client that cannot keep up is
disconnected (1013) and starts over.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol
from uuid import UUID

from quantdesk.engines.orders.model import OPEN, Order, OrderEvent
from quantdesk.engines.orders.store.read import Filter
from quantdesk.engines.orders.wire import encode, message_view
from quantdesk.hub.client import Client
from quantdesk.hub.wire import OVERLOADED

EARLY_MAX = 50_000
"""Events that may come in while those so far are still being read."""

_OPEN_SHOWN_MAX = 500
_ENDED_KEPT = 1_000  # orders whose last event may be published again after it was read


class Log(Protocol):
    """What is known of orders: the engine."""

    async def get(self, account_id: UUID, order_id: UUID) -> Order:
        """Return an account's order; raise `Refused` (`order.unknown`) if it has none such."""

    async def page(self, wanted: Filter) -> list[Order]:
        """Return the orders wanted, newest first."""

    async def events(self, order_ids: Sequence[UUID]) -> list[OrderEvent]:
        """Return everything that happened to these orders, each from its first version."""


Told = tuple[OrderEvent, bytes]
Say = Callable[[OrderEvent, bytes], None]


class Following:
    """What one client hears of an order or an account.

    Until it begins, what comes in is kept: it may or may not be among the events so far. `gap` is
    called when a version is missing; it begins again once it is given all events anew.
    """

    __slots__ = ("_client", "_early", "_ended", "_say", "_versions", "gap", "key")

    def __init__(self, key: UUID, client: Client, *, say: Say) -> None:
        self.key = key
        self.gap: Callable[[], object] | None = None
        self._client = client
        self._say = say
        self._versions: dict[UUID, int] = {}
        self._ended: deque[UUID] = deque()
        self._early: list[Told] | None = []

    def take(self, event: OrderEvent, text: bytes) -> None:
        """Tell an event, unless it was told before."""
        if self._early is not None:
            self._keep(event, text)
        elif self.gap is not None and event.version > self._known(event) + 1:
            # Someone committed without publishing before dying: the store knows.
            self._early = [(event, text)]
            self.gap()
        elif self._is_news(event):
            self._say(event, text)

    def begin(self, so_far: Iterable[Told]) -> None:
        """Tell these events, then those that came in meanwhile, and from now on all that come."""
        early, self._early = self._early or (), None
        for event, text in (*so_far, *early):
            if self._is_news(event):
                self._say(event, text)

    def gather(self, so_far: Iterable[OrderEvent]) -> list[OrderEvent]:
        """Return these events and those that came in meanwhile; from now on tell all that come."""
        early, self._early = self._early or (), None
        return [e for e in (*so_far, *(event for event, _ in early)) if self._is_news(e)]

    def _known(self, event: OrderEvent) -> int:
        return self._versions.get(event.order_id, 0)

    def _is_news(self, event: OrderEvent) -> bool:
        if event.version <= self._known(event):
            return False
        self._versions[event.order_id] = event.version
        if event.status not in OPEN:
            self._ended.append(event.order_id)
        if len(self._ended) > _ENDED_KEPT:
            del self._versions[self._ended.popleft()]
        return True

    def _keep(self, event: OrderEvent, text: bytes) -> None:
        assert self._early is not None
        self._early.append((event, text))
        if len(self._early) > EARLY_MAX:
            self._early = []
            self._client.end(OVERLOADED, "too much happened: come back")


class OrderStreams:
    """Order events by order and by account; this is a listener of the bus."""

    def __init__(self, *, orders: Log, mode: str) -> None:
        self._orders = orders
        self._mode = mode
        self._following: defaultdict[UUID, set[Following]] = defaultdict(set)

    def take(self, events: Sequence[OrderEvent]) -> None:
        """Hand a published batch to whoever follows."""
        for event in events:
            to_order = self._following.get(event.order_id, _NOBODY)
            to_account = self._following.get(event.account_id, _NOBODY)
            if to_order or to_account:
                text = self.text(event)
                for following in (*to_order, *to_account):
                    following.take(event, text)

    def texts(self, events: Iterable[OrderEvent]) -> list[Told]:
        """Return events with their messages."""
        return [(event, self.text(event)) for event in events]

    def text(self, event: OrderEvent) -> bytes:
        """Return an event as the message clients read."""
        return encode(message_view(event, mode=self._mode))

    def join(self, following: Following) -> None:
        """Hand a follower all that happens from now on."""
        self._following[following.key].add(following)

    def leave(self, following: Following) -> None:
        """Hand a follower no more."""
        members = self._following[following.key]
        members.discard(following)
        if not members:
            del self._following[following.key]

    def __len__(self) -> int:
        return sum(map(len, self._following.values()))

    async def of_order(self, account_id: UUID, order_id: UUID) -> list[OrderEvent]:
        """Return all events of an account's order; raise `Refused` (`order.unknown`)."""
        await self._orders.get(account_id, order_id)
        return await self._orders.events([order_id])

    async def of_account(self, account_id: UUID) -> list[OrderEvent]:
        """Return all events of an account's open orders, the newest 500 of them."""
        wanted = Filter(
            account_id=account_id, mode=self._mode, open_only=True, limit=_OPEN_SHOWN_MAX
        )
        orders = await self._orders.page(wanted)
        return await self._orders.events([order.id for order in orders])


_NOBODY: frozenset[Following] = frozenset()
