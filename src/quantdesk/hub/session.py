"""A client of `/ws`: what it says, and what each of its messages does.

The hub carries channels; order events, which must not be lost, come from the order streams and are
numbered here, for this client.
"""

from collections.abc import Sequence

from quantdesk.access.model import Permission
from quantdesk.core.bucket import Bucket
from quantdesk.core.clock import Clock, iso
from quantdesk.core.errors import DeskError, Refused
from quantdesk.engines.orders.model import OrderEvent
from quantdesk.hub.asks import Ask, Ping, Resync, Subscribe, Unsubscribe, answer, ask_of, refusal
from quantdesk.hub.channels import pace_of
from quantdesk.hub.client import Client
from quantdesk.hub.frames import frame
from quantdesk.hub.hub import HEARTBEAT_S, Hub
from quantdesk.hub.lanes import encode
from quantdesk.hub.orders import Following, OrderStreams
from quantdesk.hub.wire import POLICY

ORDERS = "orders"


class Session:
    """One client's conversation."""

    def __init__(self, client: Client, *, hub: Hub, streams: OrderStreams, clock: Clock) -> None:
        limits = hub.limits
        self._client = client
        self._hub = hub
        self._streams = streams
        self._clock = clock
        self._malformed_cost = limits.malformed_cost
        self._allowance = Bucket(capacity=limits.burst, per_s=limits.messages_per_s)
        hub.enter(client)
        self._orders: Following | None = None
        self._sequence = 0
        self._epoch = encode(hub.epoch)

    def greet(self) -> None:
        """Tell a client where it is."""
        told = {
            "ch": "hello",
            "epoch": self._hub.epoch,
            "t": iso(self._clock.now_ms()),
            "channels": [*self._hub.channels(self._client), ORDERS],
            "heartbeatMs": round(HEARTBEAT_S * 1000),
            "keysMax": self._hub.limits.keys,
        }
        self._client.send(frame(encode(told)))

    async def hear(self, text: str | None) -> None:
        """Do what a message asks, and answer it; None is one that is no text."""
        ask: Ask | None = None
        try:
            if text is None:
                raise Refused("send text, not binary", code="message.malformed")
            ask = ask_of(text)
            if self._may(1.0):
                await self._do(ask)
        except DeskError as problem:
            if ask is not None or self._may(self._malformed_cost):
                self._client.send(frame(refusal(problem, ask)))

    def leave(self) -> None:
        """End all it follows."""
        self._hub.leave(self._client)
        self._leave_orders()

    def _may(self, cost: float) -> bool:
        if not self._allowance.take(cost, self._clock.monotonic()):
            return True
        self._client.end(POLICY, "too many messages")
        return False

    async def _do(self, ask: Ask) -> None:
        if isinstance(ask, Ping):
            self._say(ask, {"t": iso(self._clock.now_ms())})
        elif ask.ch == ORDERS:
            await self._do_orders(ask)
        else:
            self._do_channel(ask)

    def _do_channel(self, ask: Subscribe | Unsubscribe | Resync) -> None:
        hub, client = self._hub, self._client
        match ask:
            case Subscribe():
                pace = pace_of(ask.hz)
                keys = hub.subscribe(client, ask.ch, ask.keys, pace)
                followed = None if keys is None else sorted(keys)
                self._say(ask, {"channel": ask.ch, "keys": followed, "hz": pace})
            case Unsubscribe():
                hub.unsubscribe(client, ask.ch, ask.keys)
                self._say(ask, {"channel": ask.ch})
            case Resync():
                resent = hub.resync(client, ask.ch, ask.keys)
                self._say(ask, {"channel": ask.ch, "keys": sorted(resent)})

    async def _do_orders(self, ask: Subscribe | Unsubscribe | Resync) -> None:
        if ask.keys is not None:
            raise Refused("orders are all of yours: leave keys out", code="key.unknown")
        if isinstance(ask, Unsubscribe | Resync) and self._orders is None:
            raise Refused("orders is not followed", code="subscription.unknown")
        if isinstance(ask, Unsubscribe):
            self._leave_orders()
        else:
            await self._follow_orders()
        self._say(ask, {"channel": ORDERS})

    async def _follow_orders(self) -> None:
        if Permission.ORDERS_READ not in self._client.account.may:
            raise Refused(
                f"{ORDERS} needs the permission {Permission.ORDERS_READ}", code="channel.forbidden"
            )
        self._leave_orders()
        account_id = self._client.account.id
        following = Following(account_id, self._client, say=self._tell_order)
        self._streams.join(following)
        try:
            so_far = await self._streams.of_account(account_id)
        except DeskError:
            self._streams.leave(following)
            raise
        self._orders = following
        self._tell_orders(following.gather(so_far))

    def _leave_orders(self) -> None:
        if self._orders is not None:
            self._streams.leave(self._orders)
            self._orders = None

    def _tell_orders(self, events: Sequence[OrderEvent]) -> None:
        told = b",".join(self._streams.text(event) for event in events)
        self._client.send(frame(b'%b,"snap":[%b]}' % (self._head(), told)))

    def _tell_order(self, _: OrderEvent, text: bytes) -> None:
        self._sequence += 1
        self._client.send(frame(b'%b,"d":%b}' % (self._head(), text)))

    def _head(self) -> bytes:
        t = iso(self._clock.now_ms()).encode()
        return b'{"ch":"orders","epoch":%b,"seq":%d,"t":"%b"' % (self._epoch, self._sequence, t)

    def _say(self, ask: Ask, told: dict[str, object]) -> None:
        self._client.send(frame(answer(ask, told)))
