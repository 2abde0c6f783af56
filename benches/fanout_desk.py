"""What the desk serves WebSockets with, alone in a process, fed at a steady rate.

    python -m benches.fanout_desk --rate 1000 --keys 100

The edge, the hub and the streams are the desk's own; prices are made here, and there are no
orders. Prints `{"port": N, "header": …}` once it listens; ends on SIGTERM.
"""

import argparse
import asyncio
import gc
import signal
from collections.abc import Sequence
from uuid import UUID

import msgspec
import uvloop

from quantdesk.access.keys import Keys, digest, new_key
from quantdesk.access.model import Permission, Role
from quantdesk.api.edge import Edge
from quantdesk.api.pages import pages
from quantdesk.api.server import bind, serving
from quantdesk.core.clock import SystemClock
from quantdesk.core.errors import Refused
from quantdesk.engines.orders.model import Order, OrderEvent
from quantdesk.engines.orders.store.read import Filter
from quantdesk.hub.channels import Channel
from quantdesk.hub.client import Limits
from quantdesk.hub.hub import Hub
from quantdesk.hub.orders import OrderStreams
from quantdesk.hub.streams import Streams
from quantdesk.telemetry.metrics import Metrics
from quantdesk.testing.principals import key_holder

STEP_S = 0.001


class _NoOrders:
    async def get(self, account_id: UUID, order_id: UUID) -> Order:
        raise Refused(f"there is no order {order_id} of {account_id}", code="order.unknown")

    async def page(self, wanted: Filter) -> list[Order]:  # noqa: ARG002 - there are none
        return []

    async def events(self, order_ids: Sequence[UUID]) -> list[OrderEvent]:  # noqa: ARG002 - as above
        return []


async def serve(rate: int, keys: int) -> None:
    """Serve until told to stop."""
    clock, metrics, key = SystemClock(), Metrics(), new_key()
    known: dict[str, object] = {f"A{number}": None for number in range(keys)}
    prices = Channel(
        name="prices", permission=Permission.MARKET_READ, keys=lambda: known, snapshot=known.get
    )
    hub = Hub([prices], epoch="bench", clock=clock, limits=Limits(clients=5_000))
    streams = Streams(
        hub=hub, orders=OrderStreams(orders=_NoOrders(), mode="paper"), clock=clock, metrics=metrics
    )
    edge = Edge(
        keys=Keys({digest(key): key_holder(UUID(int=1), Role.VIEWER)}),
        hot={},
        socket=streams.serve,
        pages=pages([], version="bench", metrics=metrics),
        metrics=metrics,
    )
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    bound = bind("127.0.0.1", 0)
    _spare_the_collector()
    async with serving(edge, bound), asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(hub.run()), tasks.create_task(_feed(hub, known, rate))]
        header = f"Authorization: Bearer {key}"
        told = {"port": bound.getsockname()[1], "header": header}
        print(msgspec.json.encode(told).decode(), flush=True)
        await stopped.wait()
        for task in running:
            task.cancel()


def _spare_the_collector() -> None:
    """Collect as rarely as the desk does (`app/desk.py`)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


async def _feed(hub: Hub, known: dict[str, object], rate: int) -> None:
    clock, names, told = SystemClock(), list(known), 0
    began = clock.monotonic()
    while True:
        due = int((clock.monotonic() - began) * rate)
        for number in range(told, due):
            name = names[number % len(names)]
            known[name] = price = {
                "symbol": name,
                "value": f"{150 + number % 100 / 100}",
                "source": "binance",
                "confidence": "0.01",
                "ageMs": 3,
                "validity": "valid",
                "sentNs": clock.now_ns(),
            }
            hub.publish("prices", name, price)
        told = due
        await clock.sleep(STEP_S)


def main() -> None:
    """Serve what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m benches.fanout_desk")
    parser.add_argument("--rate", type=int, required=True, help="prices per second")
    parser.add_argument("--keys", type=int, required=True, help="over how many assets")
    asked = parser.parse_args()
    uvloop.run(serve(asked.rate, asked.keys))


if __name__ == "__main__":
    main()
