"""A client that does not read costs a bounded amount of memory, and then its stream."""

from uuid import UUID

import msgspec
import pytest

from quantdesk.engines.orders.model import OrderEvent, OrderStatus
from quantdesk.hub.subscribers import QUEUE_MAX, Subscribers

pytestmark = pytest.mark.anyio

ORDER, ACCOUNT, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def event(version: int, order_id: UUID = ORDER) -> OrderEvent:
    return OrderEvent(
        order_id=order_id,
        account_id=ACCOUNT,
        version=version,
        status=OrderStatus.ROUTING,
        attempt=1,
        at_ms=0,
    )


async def test_hands_each_event_to_its_order_and_its_account() -> None:
    subscribers = Subscribers(mode="paper")
    to_order, to_account = subscribers.join(ORDER), subscribers.join(ACCOUNT)

    subscribers.take([event(1), event(1, OTHER), event(2)])

    assert [told.version for told, _ in await to_order.unread()] == [1, 2]
    assert [told.order_id for told, _ in await to_account.unread()] == [ORDER, OTHER, ORDER]


async def test_says_the_same_words_to_everybody() -> None:
    subscribers = Subscribers(mode="paper")
    first, second = subscribers.join(ORDER), subscribers.join(ACCOUNT)

    subscribers.take([event(1)])

    [(_, text)], [(_, again)] = await first.unread(), await second.unread()
    assert text is again
    assert msgspec.json.decode(text) == {
        "orderId": str(ORDER),
        "status": "ROUTING",
        "timestamp": "1970-01-01T00:00:00.000Z",
        "version": 1,
        "attempt": 1,
        "mode": "paper",
    }


async def test_bounds_what_it_keeps_for_a_client_that_does_not_read() -> None:
    subscribers = Subscribers(mode="paper")
    slow, quick = subscribers.join(ORDER), subscribers.join(ORDER)
    batch = [event(version) for version in range(1, QUEUE_MAX + 1)]
    subscribers.take(batch)
    assert not slow.lagging
    assert len(await quick.unread()) == QUEUE_MAX

    subscribers.take(batch[:5])

    assert slow.lagging
    assert len(await slow.unread()) == QUEUE_MAX
    assert await slow.unread() == []
    assert not quick.lagging
    assert len(await quick.unread()) == 5


async def test_forgets_whoever_leaves() -> None:
    subscribers = Subscribers(mode="paper")
    gone, stays = subscribers.join(ORDER), subscribers.join(ORDER)

    subscribers.leave(gone)
    subscribers.take([event(1)])

    assert len(subscribers) == 1
    assert len(await stays.unread()) == 1
    subscribers.leave(stays)
    assert len(subscribers) == 0
