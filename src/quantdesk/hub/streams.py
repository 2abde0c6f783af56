"""Every WebSocket of the desk: `/ws`, `/ws/orders` and `/ws/orders/{id}`, one mechanism.

The connection's task reads and waits; what is sent goes straight to the connection (`Wire`).
`/ws/orders/{id}` tells every state so far, then every next one, and closes with 1000 after the
last; `/ws/orders` tells all of an account's, beginning with those that are open.
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from quantdesk.access.model import Permission, Principal
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError
from quantdesk.engines.orders.model import OPEN, OrderEvent
from quantdesk.hub.client import Account, Client
from quantdesk.hub.frames import frame
from quantdesk.hub.hub import Hub
from quantdesk.hub.orders import Following, OrderStreams
from quantdesk.hub.session import Session
from quantdesk.hub.wire import (
    DONE,
    EXTENSION,
    FORBIDDEN,
    OVERLOADED,
    RESTART,
    UNKNOWN,
    Receive,
    Scope,
)
from quantdesk.telemetry.metrics import Metrics

Serve = Callable[[Client, Receive], Awaitable[None]]


class Streams:
    """Serves WebSockets that the edge has accepted."""

    def __init__(self, *, hub: Hub, orders: OrderStreams, clock: Clock, metrics: Metrics) -> None:
        self._hub = hub
        self._orders = orders
        self._clock = clock
        self._metrics = metrics
        self._clients: set[Client] = set()

    async def serve(self, principal: Principal, scope: Scope, receive: Receive, _: object) -> bool:
        """Serve one socket to its end; return False when there is no stream at its path."""
        stream = self._stream(scope["path"])
        if stream is None:
            return False
        limits = self._hub.limits
        account = Account(principal.account_id, principal.may)
        client = Client(scope["extensions"][EXTENSION], account, bytes_max=limits.outbound_bytes)
        if len(self._clients) >= limits.clients:
            client.end(OVERLOADED, "too many clients: come back later")
            return True
        if stream != self._talk and Permission.ORDERS_READ not in principal.may:
            client.end(FORBIDDEN, f"this needs the permission {Permission.ORDERS_READ}")
            return True
        self._clients.add(client)
        try:
            await stream(client, receive)
        finally:
            self._clients.discard(client)
            if client.dropped:
                self._metrics.sockets_dropped.inc()
        return True

    def close(self) -> None:
        """Tell every client to come back: the desk is stopping."""
        for client in tuple(self._clients):
            client.end(RESTART)

    def __len__(self) -> int:
        return len(self._clients)

    def _stream(self, path: str) -> Serve | None:
        if path == "/ws":
            return self._talk
        if path == "/ws/orders":
            return self._account
        try:
            order_id = UUID(path.removeprefix("/ws/orders/"))
        except ValueError:
            return None
        return lambda client, receive: self._order(client, order_id, receive)

    async def _talk(self, client: Client, receive: Receive) -> None:
        session = Session(client, hub=self._hub, streams=self._orders, clock=self._clock)
        session.greet()
        try:
            while (message := await receive())["type"] != "websocket.disconnect":
                await session.hear(message.get("text"))
                await client.wire.drained()
        finally:
            session.leave()

    async def _account(self, client: Client, receive: Receive) -> None:
        def say(_: OrderEvent, text: bytes) -> None:
            client.send(frame(text))

        async def read() -> None:
            so_far = await self._orders.of_account(client.account.id)
            following.begin(self._orders.texts(so_far))

        following = Following(client.account.id, client, say=say)
        await self._follow(client, following, read, receive)

    async def _order(self, client: Client, order_id: UUID, receive: Receive) -> None:
        def say(event: OrderEvent, text: bytes) -> None:
            client.send(frame(text))
            if event.status not in OPEN:
                client.end(DONE)

        async def read() -> None:
            so_far = await self._orders.of_order(client.account.id, order_id)
            following.begin(self._orders.texts(so_far))

        following = Following(order_id, client, say=say)
        async with asyncio.TaskGroup() as again:
            following.gap = lambda: again.create_task(_or_close(client, read))
            await self._follow(client, following, read, receive)

    async def _follow(
        self,
        client: Client,
        following: Following,
        read: Callable[[], Awaitable[None]],
        receive: Receive,
    ) -> None:
        self._orders.join(following)
        try:
            await _or_close(client, read)
            while (await receive())["type"] != "websocket.disconnect":
                pass  # clients have nothing to say on these streams
        finally:
            self._orders.leave(following)


async def _or_close(client: Client, read: Callable[[], Awaitable[None]]) -> None:
    try:
        await read()
    except DeskError as problem:
        client.end(UNKNOWN if problem.code == "order.unknown" else OVERLOADED, problem.detail)
