"""One order, live, however often the desk goes away and comes back.

The stream of an order begins with every state so far, so coming back is connecting again and
passing over what was seen. A hole in the versions is filled from the order's own log.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import msgspec

from quantdesk.cli.client import Client
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.engines.orders.model import OPEN, OrderStatus
from quantdesk.engines.orders.wire import EventView, OrderView

_AGAIN_S = 0.5
_AWAY_S = 600.0  # a desk that stays away longer is not coming back by itself

_event = msgspec.json.Decoder(EventView).decode
_order = msgspec.json.Decoder(OrderView).decode


@dataclass(frozen=True, slots=True)
class Away:
    """The desk does not answer now; the order's truth waits in its database."""

    detail: str


async def read_order(desk: Client, order_id: str) -> OrderView:
    """Return an order as it stands; raises as `Client.get`."""
    return _order(await desk.get(f"/api/orders/{order_id}"))


async def follow(desk: Client, order_id: str, *, clock: Clock) -> AsyncGenerator[EventView | Away]:
    """Yield every version of an order once and in order, to its last; `Away` when the desk goes.

    Raises `Refused` (`order.unknown`) and, when the desk stays away for ten minutes, `Unavailable`.
    """
    version = 0
    away_from: float | None = None
    while True:
        try:
            async with aclosing(_news(desk, order_id, after=version)) as coming:
                async for event in coming:
                    version, away_from = event.version, None
                    yield event
                    if is_last(event):
                        return
        except Unavailable as problem:
            if away_from is None:
                away_from = clock.monotonic()
                yield Away(problem.detail)
            elif clock.monotonic() - away_from > _AWAY_S:
                raise
        await clock.sleep(_AGAIN_S)


def is_last(event: EventView | OrderView) -> bool:
    """Return whether nothing can follow."""
    return OrderStatus(event.status) not in OPEN


async def _news(desk: Client, order_id: str, *, after: int) -> AsyncGenerator[EventView]:
    async with aclosing(desk.stream(f"/ws/orders/{order_id}")) as stream:
        async for text in stream:
            event = _event(text)
            if event.version == after + 1:
                after += 1
                yield event
            elif event.version > after:
                for missed in (await read_order(desk, order_id)).logs:
                    if missed.version > after:
                        after = missed.version
                        yield missed
