"""Order events reach whoever follows, in order, each version once, however they come in."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
import pytest
from tests.unit.hub.wires import HandWire, client

from quantdesk.engines.orders.model import Order, OrderEvent, OrderStatus
from quantdesk.engines.orders.store.read import Filter
from quantdesk.hub import orders
from quantdesk.hub.orders import Following, OrderStreams

ORDER, ACCOUNT, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


class NoLog:
    """Knows nothing."""

    async def get(self, account_id: UUID, order_id: UUID) -> Order:
        """Never be asked."""
        raise AssertionError(account_id, order_id)

    async def page(self, wanted: Filter) -> list[Order]:
        """Never be asked."""
        raise AssertionError(wanted)

    async def events(self, order_ids: Sequence[UUID]) -> list[OrderEvent]:
        """Never be asked."""
        raise AssertionError(order_ids)


def event(
    version: int, order_id: UUID = ORDER, status: OrderStatus = OrderStatus.ROUTING
) -> OrderEvent:
    return OrderEvent(
        order_id=order_id, account_id=ACCOUNT, version=version, status=status, attempt=1, at_ms=0
    )


class Heard:
    """A follower, and what it was told."""

    def __init__(self, streams: OrderStreams, key: UUID) -> None:
        self.wire = HandWire()
        self.told: list[tuple[OrderEvent, bytes]] = []
        self.following = Following(
            key, client(self.wire), say=lambda event, text: self.told.append((event, text))
        )
        streams.join(self.following)

    def versions(self) -> list[int]:
        """Return the versions it was told."""
        return [event.version for event, _ in self.told]


@pytest.fixture
def streams() -> OrderStreams:
    return OrderStreams(orders=NoLog(), mode="paper")


def test_hands_each_event_to_its_order_and_its_account_in_the_same_words(
    streams: OrderStreams,
) -> None:
    to_order, to_account = Heard(streams, ORDER), Heard(streams, ACCOUNT)
    for each in (to_order, to_account):
        each.following.begin([])

    streams.take([event(1), event(1, OTHER), event(2)])

    assert to_order.versions() == [1, 2]
    assert [told.order_id for told, _ in to_account.told] == [ORDER, OTHER, ORDER]
    text = to_order.told[0][1]
    assert text is to_account.told[0][1]
    assert msgspec.json.decode(text) == {
        "orderId": str(ORDER),
        "status": "ROUTING",
        "timestamp": "1970-01-01T00:00:00.000Z",
        "version": 1,
        "attempt": 1,
        "mode": "paper",
    }


def test_tells_once_what_was_read_and_came_in_meanwhile(streams: OrderStreams) -> None:
    heard = Heard(streams, ACCOUNT)
    streams.take([event(2), event(3), event(1, OTHER)])
    assert heard.told == []

    heard.following.begin(streams.texts([event(1), event(2)]))
    streams.take([event(3), event(4)])

    assert heard.versions() == [1, 2, 3, 1, 4]


def test_gathers_what_was_read_and_came_in_meanwhile_for_a_snapshot(streams: OrderStreams) -> None:
    heard = Heard(streams, ACCOUNT)
    streams.take([event(2), event(3)])

    snapshot = heard.following.gather([event(1), event(2)])
    streams.take([event(3), event(4)])

    assert [each.version for each in snapshot] == [1, 2, 3]
    assert heard.versions() == [4]


def test_does_not_tell_an_end_again_that_was_read_before_it_was_published(
    streams: OrderStreams,
) -> None:
    heard = Heard(streams, ACCOUNT)
    end = event(2, status=OrderStatus.CONFIRMED)

    heard.following.begin(streams.texts([event(1), end]))
    streams.take([event(1), end])

    assert heard.versions() == [1, 2]


def test_asks_for_all_anew_when_a_version_is_missing(streams: OrderStreams) -> None:
    heard, gaps = Heard(streams, ORDER), []
    heard.following.gap = lambda: gaps.append(heard.versions())
    heard.following.begin(streams.texts([event(1)]))

    streams.take([event(3), event(4)])
    assert gaps == [[1]]
    heard.following.begin(streams.texts([event(1), event(2), event(3)]))
    streams.take([event(5)])

    assert heard.versions() == [1, 2, 3, 4, 5]


def test_goes_on_where_even_the_store_does_not_know_a_version(streams: OrderStreams) -> None:
    heard, gaps = Heard(streams, ORDER), []
    heard.following.gap = lambda: gaps.append(1)
    heard.following.begin([])
    streams.take([event(2)])
    heard.following.begin([])

    assert heard.versions() == [2]
    assert len(gaps) == 1


def test_bounds_what_may_come_in_before_it_begins(
    streams: OrderStreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "EARLY_MAX", 3)
    heard = Heard(streams, ORDER)

    streams.take([event(version) for version in range(1, 4)])
    assert heard.wire.ended is None
    streams.take([event(4)])

    assert heard.wire.ended is not None
    assert heard.wire.ended[0] == 1013


def test_forgets_whoever_leaves(streams: OrderStreams) -> None:
    gone, stays = Heard(streams, ORDER), Heard(streams, ORDER)
    for each in (gone, stays):
        each.following.begin([])

    streams.leave(gone.following)
    streams.take([event(1)])

    assert (gone.versions(), stays.versions()) == ([], [1])
    assert len(streams) == 1
    streams.leave(stays.following)
    assert len(streams) == 0
