"""Who listens to which orders, and the bounded queue each of them reads from."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Sequence
from uuid import UUID

from quantdesk.engines.orders.model import OrderEvent
from quantdesk.engines.orders.wire import encode, event_view

QUEUE_MAX = 50_000
"""Messages a client may lag behind before it is disconnected."""


class Subscriber:
    """One client's unread messages, oldest first."""

    __slots__ = ("_arrived", "_unread", "key", "lagging")

    def __init__(self, key: UUID) -> None:
        self.key = key
        self._unread: deque[tuple[OrderEvent, str]] = deque()
        self._arrived = asyncio.Event()
        self.lagging = False

    def push(self, event: OrderEvent, text: str) -> None:
        """Add a message; past the bound the client is marked as lagging and gets no more."""
        if len(self._unread) >= QUEUE_MAX:
            self.lagging = True
        if not self.lagging:
            self._unread.append((event, text))
        self._arrived.set()

    async def unread(self) -> list[tuple[OrderEvent, str]]:
        """Return what gathered since the last call, waiting for at least one message."""
        while not self._unread and not self.lagging:
            self._arrived.clear()
            await self._arrived.wait()
        gathered = list(self._unread)
        self._unread.clear()
        return gathered


class Subscribers:
    """Order events by order or account, each encoded once however many listen."""

    def __init__(self, *, mode: str) -> None:
        self._mode = mode
        self._listening: defaultdict[UUID, set[Subscriber]] = defaultdict(set)

    def take(self, events: Sequence[OrderEvent]) -> None:
        """Hand a published batch to whoever listens; this is the bus listener."""
        for event in events:
            to_order = self._listening.get(event.order_id, _NOBODY)
            to_account = self._listening.get(event.account_id, _NOBODY)
            if to_order or to_account:
                text = self.text(event)
                for subscriber in (*to_order, *to_account):
                    subscriber.push(event, text)

    def text(self, event: OrderEvent) -> str:
        """Return an event as the message clients read."""
        return encode(event_view(event, mode=self._mode)).decode()

    def join(self, key: UUID) -> Subscriber:
        """Listen to an order, or to all orders of an account, from now on."""
        subscriber = Subscriber(key)
        self._listening[key].add(subscriber)
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """Hand no more messages to a client."""
        members = self._listening[subscriber.key]
        members.discard(subscriber)
        if not members:
            del self._listening[subscriber.key]

    def __len__(self) -> int:
        return sum(map(len, self._listening.values()))


_NOBODY: frozenset[Subscriber] = frozenset()
