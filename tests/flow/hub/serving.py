"""The hub behind the desk's own web server and edge, on a loopback port; prices are set by hand."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import aiohttp

from quantdesk.access.keys import Keys, digest, new_key
from quantdesk.access.model import Permission, Role
from quantdesk.api.edge import Edge
from quantdesk.api.pages import pages
from quantdesk.api.server import bind, serving
from quantdesk.core.clock import SystemClock
from quantdesk.core.errors import Refused
from quantdesk.engines.orders.model import Order, OrderEvent, OrderStatus
from quantdesk.engines.orders.store.read import Filter
from quantdesk.hub.channels import Channel
from quantdesk.hub.client import Limits
from quantdesk.hub.hub import Hub
from quantdesk.hub.orders import OrderStreams
from quantdesk.hub.streams import Streams
from quantdesk.telemetry.metrics import Metrics
from quantdesk.testing.principals import key_holder

WAIT_S = 60.0
OWNER, VIEWER, ORDER = UUID(int=1), UUID(int=2), UUID(int=9)


class Log:
    """Orders of which only the events are known."""

    def __init__(self) -> None:
        self.told: list[OrderEvent] = []

    async def get(self, account_id: UUID, order_id: UUID) -> Order:
        """Know none."""
        raise Refused(f"there is no order {order_id} of {account_id}", code="order.unknown")

    async def page(self, wanted: Filter) -> list[Order]:
        """Keep whose orders were asked for."""
        self.asked = wanted
        return []

    async def events(self, order_ids: Sequence[UUID]) -> list[OrderEvent]:
        """Return the events of the account asked for."""
        assert not order_ids
        return [event for event in self.told if event.account_id == self.asked.account_id]


def event(version: int, *, account: UUID = OWNER) -> OrderEvent:
    """Return an event of an order."""
    return OrderEvent(
        order_id=ORDER,
        account_id=account,
        version=version,
        status=OrderStatus.ROUTING,
        attempt=1,
        at_ms=0,
    )


class Served:
    """A hub that serves, with a key for each of two accounts."""

    def __init__(self, epoch: str, limits: Limits) -> None:
        self.prices: dict[str, Any] = {"BTC": "1", "SOL": "2"}
        self.log = Log()
        self.metrics = Metrics()
        self.keys = {"owner": new_key(), "viewer": new_key()}
        channels = [
            Channel(
                name="prices",
                permission=Permission.MARKET_READ,
                keys=lambda: self.prices,
                snapshot=self.prices.get,
            ),
            Channel(
                name="system", permission=Permission.AUDIT_READ, keys=lambda: {"desk"}, snapshot=str
            ),
        ]
        clock = SystemClock()
        self.hub = Hub(channels, epoch=epoch, clock=clock, limits=limits)
        self.orders = OrderStreams(orders=self.log, mode="paper")
        self.streams = Streams(hub=self.hub, orders=self.orders, clock=clock, metrics=self.metrics)
        self.edge = Edge(
            keys=Keys(
                {
                    digest(self.keys["owner"]): key_holder(OWNER),
                    digest(self.keys["viewer"]): key_holder(VIEWER, Role.VIEWER),
                }
            ),
            hot={},
            socket=self.streams.serve,
            pages=pages([], version="1", metrics=self.metrics),
            metrics=self.metrics,
        )
        self.port = 0

    def price(self, key: str, value: object) -> None:
        """Set a price, as ingest does: first the board, then the hub."""
        self.prices[key] = value
        self.hub.publish("prices", key, value)

    @asynccontextmanager
    async def joined(self, role: str = "owner", path: str = "/ws") -> "AsyncIterator[Reader]":
        """Connect while the block runs."""
        headers = {"Authorization": f"Bearer {self.keys.get(role)}"}
        timeout = aiohttp.ClientTimeout(total=WAIT_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.ws_connect(f"http://127.0.0.1:{self.port}{path}", headers=headers) as socket,
        ):
            yield Reader(socket)


class Reader:
    """What one client says and hears."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, **ask: object) -> None:
        """Send a message."""
        await self.socket.send_json(ask)

    async def next(self, ch: str) -> dict[str, Any]:
        """Return the next message of a channel, leaving out others."""
        while True:
            told: dict[str, Any] = await self.socket.receive_json(timeout=WAIT_S)
            if told["ch"] == ch:
                return told

    async def code(self) -> int | None:
        """Return the code that the desk closes with, whatever it says before."""
        while (await self.socket.receive(timeout=WAIT_S)).type is aiohttp.WSMsgType.TEXT:
            pass
        return self.socket.close_code


@asynccontextmanager
async def served(*, epoch: str = "e1", limits: Limits | None = None) -> AsyncIterator[Served]:
    """Serve a hub while the block runs."""
    hub = Served(epoch, limits or Limits())
    bound = bind("127.0.0.1", 0)
    hub.port = bound.getsockname()[1]
    async with serving(hub.edge, bound):
        running = asyncio.ensure_future(hub.hub.run())
        try:
            yield hub
        finally:
            running.cancel()
