"""Order streams over WebSocket: every state so far, then every next one, in order and without gap.

`/ws/orders/{id}` follows one order and closes with 1000 after its last state; `/ws/orders` follows
all of the caller's, beginning with those that are open. Bare ASGI: this is a hot path.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any
from uuid import UUID

from quantdesk.core.errors import DeskError
from quantdesk.engines.orders.engine import Orders
from quantdesk.engines.orders.model import OPEN, OrderEvent
from quantdesk.engines.orders.store.read import Filter
from quantdesk.hub.subscribers import Subscriber, Subscribers
from quantdesk.telemetry.metrics import Metrics

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

DONE = 1000
RESTART = 1012
OVERLOADED = 1013
NOT_SIGNED_IN = 4401
UNKNOWN_ORDER = 4404

_OPEN_SHOWN_MAX = 500


class Sockets:
    """Serves the order streams."""

    def __init__(self, *, orders: Orders, subscribers: Subscribers, metrics: Metrics) -> None:
        self._orders = orders
        self._subscribers = subscribers
        self._metrics = metrics
        self._streams: set[asyncio.Task[int]] = set()

    async def order(
        self, account_id: UUID, order_id: UUID, *, receive: Receive, send: Send
    ) -> None:
        """Stream one order of an account to an accepted socket, and close it."""
        await self._serve(self._one(account_id, order_id, send), receive, send)

    async def account(self, account_id: UUID, *, receive: Receive, send: Send) -> None:
        """Stream all orders of an account to an accepted socket until either side ends it."""
        await self._serve(self._all(account_id, send), receive, send)

    def close(self) -> None:
        """Tell every client to come back: the desk is stopping."""
        for stream in self._streams:
            stream.cancel()

    async def _serve(self, stream: Coroutine[Any, Any, int], receive: Receive, send: Send) -> None:
        streaming = asyncio.ensure_future(stream)
        leaving = asyncio.ensure_future(_left(receive))
        self._streams.add(streaming)
        try:
            await asyncio.wait({streaming, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if leaving.done() and not streaming.done():
                streaming.cancel()
                return
            code = RESTART if streaming.cancelled() else streaming.result()
            await send({"type": "websocket.close", "code": code})
        finally:
            leaving.cancel()
            streaming.cancel()
            self._streams.discard(streaming)

    async def _one(self, account_id: UUID, order_id: UUID, send: Send) -> int:
        subscriber = self._subscribers.join(order_id)
        try:
            await self._orders.get(account_id, order_id)
            return await self._follow(order_id, subscriber, send)
        except DeskError as problem:
            return UNKNOWN_ORDER if problem.code == "order.unknown" else OVERLOADED
        finally:
            self._subscribers.leave(subscriber)

    async def _follow(self, order_id: UUID, subscriber: Subscriber, send: Send) -> int:
        version = 0
        news = await self._orders.events([order_id])
        while True:
            for event in news:
                if event.version <= version:
                    continue
                version = event.version
                await send({"type": "websocket.send", "text": self._subscribers.text(event)})
                if event.status not in OPEN:
                    return DONE
            if subscriber.lagging:
                return self._dropped()
            news = [event for event, _ in await subscriber.unread()]
            if news and news[0].version > version + 1:
                # Someone committed without publishing before dying: the store knows.
                news = await self._orders.events([order_id])

    async def _all(self, account_id: UUID, send: Send) -> int:
        subscriber = self._subscribers.join(account_id)
        try:
            seen: dict[UUID, int] = {}
            for event in await self._open(account_id):
                seen[event.order_id] = event.version
                await send({"type": "websocket.send", "text": self._subscribers.text(event)})
            while not subscriber.lagging:
                for event, text in await subscriber.unread():
                    if seen and event.version <= seen.get(event.order_id, 0):
                        continue
                    await send({"type": "websocket.send", "text": text})
            return self._dropped()
        except DeskError:
            return OVERLOADED
        finally:
            self._subscribers.leave(subscriber)

    async def _open(self, account_id: UUID) -> list[OrderEvent]:
        wanted = Filter(
            account_id=account_id,
            mode=self._orders.rules.mode,
            open_only=True,
            limit=_OPEN_SHOWN_MAX,
        )
        orders = await self._orders.page(wanted)
        return await self._orders.events([order.id for order in orders])

    def _dropped(self) -> int:
        self._metrics.sockets_dropped.inc()
        return OVERLOADED


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass  # clients have nothing to say on these streams
