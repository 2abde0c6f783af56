"""How long orders stay in each state: told of the last minutes, and never by much too high."""

import asyncio
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.ids import uuid7
from quantdesk.engines.orders.model import OrderEvent, OrderStatus
from quantdesk.engines.orders.stages import WHOLE, WINDOW_MS, StageTimes, Times
from quantdesk.testing.clock import ManualClock

S = OrderStatus
ACCOUNT = UUID(int=1)


class World:
    """Stage times, and orders that are told to them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.times = StageTimes(clock=self.clock)
        self.number = 0

    def order(self, born_ms: int) -> UUID:
        """Return the id of an order made then."""
        self.number += 1
        return uuid7(born_ms, self.number.to_bytes(10, "big"))

    def tell(
        self, order_id: UUID, status: S, at_ms: int, *, waiting: str | None = None, version: int = 1
    ) -> None:
        """Tell of an order's next state."""
        told = OrderEvent(
            order_id=order_id, account_id=ACCOUNT, version=version, status=status, attempt=1,
            at_ms=at_ms, waiting=waiting,
        )  # fmt: skip
        self.times.take([told])

    def live(self, *spent_ms: int) -> None:
        """Have an order go through all states, so long in each."""
        at_ms = self.clock.now_ms()
        order_id = self.order(at_ms)
        for status, ms in zip(
            (S.PENDING, S.ROUTING, S.BUILDING, S.SUBMITTED, S.CONFIRMED), (0, *spent_ms),
            strict=True,
        ):  # fmt: skip
            at_ms += ms
            self.tell(order_id, status, at_ms)

    def pass_ms(self, ms: int) -> None:
        """Move time on."""
        asyncio.run(self.clock.advance(ms / 1000))

    def of(self, stage: str) -> Times:
        """Return the times of a stage."""
        return next(each for each in self.times.told() if each.stage == stage)


def test_that_each_state_counts_from_its_event_to_the_next() -> None:
    world = World()
    world.live(1, 2, 3, 25)

    told = {each.stage: (each.count, each.p50_ms) for each in world.times.told()}
    assert told == {
        "PENDING": (1, 1),
        "ROUTING": (1, 2),
        "BUILDING": (1, 3),
        "SUBMITTED": (1, 25),
        WHOLE: (1, 31),
    }


def test_that_nothing_is_told_before_there_is_an_order() -> None:
    assert all(
        (each.count, each.p50_ms, each.max_ms) == (0, None, None) for each in World().times.told()
    )


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=60))
def test_that_quantiles_are_those_of_the_times_and_at_most_a_sixteenth_too_high(
    spent: list[int],
) -> None:
    world = World()
    for ms in spent:
        world.live(0, 0, 0, ms)

    told, ordered = world.of("SUBMITTED"), sorted(spent)
    assert told.count == len(spent)
    for percent, found in ((50, told.p50_ms), (95, told.p95_ms), (100, told.max_ms)):
        exact = ordered[-(-len(ordered) * percent // 100) - 1]
        assert found is not None
        assert exact <= found <= exact * 17 / 16


def test_that_waiting_for_a_price_is_not_the_desks_time() -> None:
    world = World()
    start_ms = world.clock.now_ms()
    order_id = world.order(start_ms)
    world.tell(order_id, S.PENDING, start_ms, waiting="price")
    world.tell(order_id, S.ROUTING, start_ms + 3_600_000)
    world.tell(order_id, S.BUILDING, start_ms + 3_600_007)
    world.tell(order_id, S.CONFIRMED, start_ms + 3_600_010)

    assert world.of("PENDING").count == 0
    assert world.of(WHOLE).count == 0
    assert world.of("ROUTING").p50_ms == 7


def test_that_a_silent_chain_does_not_begin_the_state_anew() -> None:
    world = World()
    start_ms = world.clock.now_ms()
    order_id = world.order(start_ms)
    world.tell(order_id, S.SUBMITTED, start_ms)
    world.tell(order_id, S.SUBMITTED, start_ms + 10)
    world.tell(order_id, S.CONFIRMED, start_ms + 15)

    assert (world.of("SUBMITTED").count, world.of("SUBMITTED").p50_ms) == (1, 15)


def test_that_old_windows_are_forgotten() -> None:
    world = World()
    world.live(1, 1, 1, 1)
    world.pass_ms(WINDOW_MS)
    world.live(2, 2, 2, 2)
    assert world.of(WHOLE).count == 2

    world.pass_ms(WINDOW_MS)
    assert world.of(WHOLE).count == 1
    world.live(3, 3, 3, 3)
    world.pass_ms(2 * WINDOW_MS)
    assert world.of(WHOLE).count == 0


def test_that_ended_orders_are_let_go() -> None:
    world = World()
    for _ in range(100):
        world.live(1, 1, 1, 1)

    assert not world.times._entered
    assert not world.times._rested
