"""The hub says each thing once, no faster than asked, and builds it once for all who hear it."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from tests.unit.hub.wires import HandWire, client

from quantdesk.access.model import Permission
from quantdesk.core.errors import Refused
from quantdesk.hub import lanes
from quantdesk.hub.channels import PACES, RESTART, Channel, pace_of, rows
from quantdesk.hub.client import Client, Limits
from quantdesk.hub.hub import TICK_S, Hub
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Prices:
    """A hub with one channel of prices, set as ingest sets them."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.now: dict[str, Any] = {"BTC": 1, "SOL": 1}
        self.clock = ManualClock()
        channel = Channel(
            name="prices",
            permission=Permission.MARKET_READ,
            keys=lambda: self.now,
            snapshot=self.now.get,
        )
        self.hub = Hub([channel], epoch="e", clock=self.clock, limits=limits or Limits())

    def set(self, key: str, value: object) -> None:
        """Set a price."""
        self.now[key] = value
        self.hub.publish("prices", key, value)

    def join(self, *keys: str, pace: int = 50) -> tuple[HandWire, Client]:
        """Return a client that follows these keys."""
        wire = HandWire()
        joined = client(wire)
        self.hub.enter(joined)
        self.hub.subscribe(joined, "prices", keys or None, pace)
        return wire, joined


def told(wire: HandWire) -> list[tuple[str, int, Any]]:
    """Return key, sequence and value of what a client was told since the last look."""
    return [(m["key"], m["seq"], m.get("d", m.get("snap"))) for m in wire.messages()]


async def test_folds_what_a_tick_brings_into_the_latest() -> None:
    prices = Prices()
    wire, _ = prices.join("SOL")
    told(wire)

    for value in range(100):
        prices.set("SOL", value)
    prices.hub.flush()

    assert told(wire) == [("SOL", 1, 99)]


async def test_tells_a_key_no_faster_than_asked_and_the_first_change_at_once() -> None:
    prices = Prices()
    wire, _ = prices.join("SOL", pace=10)
    told(wire)
    heard = []
    for step in range(100):  # a second
        prices.set("SOL", step)
        prices.hub.flush()
        heard += [step for _ in told(wire)]
        await prices.clock.advance(0.01)

    assert heard[0] == 0
    assert all(10 <= later - step <= 11 for step, later in pairwise(heard))


async def test_says_what_still_waits_for_its_time() -> None:
    prices = Prices()
    wire, _ = prices.join("SOL", pace=1)
    prices.set("SOL", 2)
    assert prices.hub.flush() is False
    prices.set("SOL", 3)
    assert prices.hub.flush() is True
    told(wire)
    await prices.clock.advance(1)

    assert prices.hub.flush() is False
    assert told(wire) == [("SOL", 2, 3)]


async def test_flushes_by_itself_a_tick_after_a_change() -> None:
    prices = Prices()
    wire, _ = prices.join("SOL")
    running = asyncio.ensure_future(prices.hub.run())
    await prices.clock.advance(1)
    told(wire)
    prices.set("SOL", 2)
    await prices.clock.advance(TICK_S / 2)
    assert told(wire) == []

    await prices.clock.advance(TICK_S / 2)

    assert told(wire) == [("SOL", 1, 2)]
    await prices.clock.advance(10)
    assert [m["ch"] for m in wire.messages()] == ["heartbeat"]
    running.cancel()


async def test_builds_a_message_once_for_all_who_hear_it(monkeypatch: pytest.MonkeyPatch) -> None:
    prices, encoded = Prices(), []

    def encode(value: object) -> bytes:
        encoded.append(value)
        return b"%d" % value if isinstance(value, int) else b'"%b"' % str(value).encode()

    monkeypatch.setattr(lanes, "encode", encode)
    wires = [prices.join("SOL")[0] for _ in range(50)]
    for wire in wires:
        wire.written.clear()
    encoded.clear()

    prices.set("SOL", 2)
    prices.set("BTC", 2)
    prices.hub.flush()

    assert encoded == [2]
    first = wires[0].written
    assert all(wire.written[0] is first[0] for wire in wires)


async def test_does_no_work_for_what_nobody_follows() -> None:
    prices = Prices()
    _, joined = prices.join("SOL")
    prices.hub.leave(joined)

    prices.set("SOL", {"not": {"json"}})

    assert prices.hub.flush() is False


async def test_a_snapshot_is_never_older_than_what_was_told_before_it() -> None:
    prices = Prices()
    prices.join("BTC", "SOL")
    _, gone = prices.join("SOL")
    prices.hub.leave(gone)
    prices.set("SOL", 2)
    prices.hub.flush()
    late, _ = prices.join("SOL")
    assert told(late) == [("SOL", 1, 2)]


async def test_a_snapshot_of_a_key_that_changed_while_nobody_followed_it_is_new() -> None:
    prices = Prices()
    prices.join("BTC")
    _, gone = prices.join("SOL")
    prices.hub.leave(gone)
    prices.set("SOL", 2)
    prices.hub.flush()

    back, _ = prices.join("SOL")

    assert [value for _, _, value in told(back)] == [2]


async def test_a_snapshot_between_two_messages_has_the_number_of_the_last() -> None:
    prices = Prices()
    wire, joined = prices.join("SOL", pace=1)
    prices.set("SOL", 2)
    prices.hub.flush()
    prices.hub.resync(joined, "prices", None)
    prices.set("SOL", 3)
    prices.hub.flush()
    prices.hub.resync(joined, "prices", None)
    await prices.clock.advance(1)
    prices.hub.flush()
    prices.hub.resync(joined, "prices", None)

    assert [n for _, n, _ in told(wire)] == [0, 1, 1, 1, 2, 2]


@pytest.mark.parametrize("keys", [(), ("XRP",)])
async def test_a_new_key_begins_with_its_state_for_those_who_follow_everything(
    keys: tuple[str, ...],
) -> None:
    prices = Prices()
    before, _ = prices.join()
    before.messages()

    prices.set("XRP", 1)
    prices.join(*keys)
    prices.hub.flush()
    prices.set("XRP", 2)
    await prices.clock.advance(1)
    prices.hub.flush()

    heard = [m for m in before.messages() if m["key"] == "XRP"]
    assert [("snap" in m, m.get("d", m.get("snap"))) for m in heard] == [(True, 1), (False, 2)]
    assert heard[1]["seq"] == heard[0]["seq"] + 1


async def test_a_resync_of_one_takes_no_state_from_another() -> None:
    prices = Prices()
    quiet, _ = prices.join()
    _, asking = prices.join()
    quiet.messages()

    prices.set("XRP", 1)
    prices.hub.resync(asking, "prices", None)
    prices.hub.flush()

    assert [m.get("snap") for m in quiet.messages() if m["key"] == "XRP"] == [1]


async def test_a_slow_client_misses_values_but_never_the_last() -> None:
    prices = Prices()
    wire, _ = prices.join("BTC", "SOL")
    told(wire)
    wire.congested = True
    for value in range(100):
        prices.set("SOL", value)
        prices.hub.flush()
        await prices.clock.advance(1)
    assert wire.written == []
    assert prices.hub.conflated == 100

    wire.relieve()

    assert told(wire) == [("SOL", 100, 99)]


async def test_refuses_more_keys_than_a_client_may_follow() -> None:
    prices = Prices(Limits(keys=1))
    wire, joined = prices.join("SOL")
    told(wire)

    for keys in (None, ["BTC"]):
        with pytest.raises(Refused) as refused:
            prices.hub.subscribe(joined, "prices", keys, 50)
        assert refused.value.code == "subscriptions.too_many"

    prices.hub.subscribe(joined, "prices", ["SOL"], 50)
    assert told(wire) == [("SOL", 0, 1)]


@pytest.mark.parametrize(
    ("asked", "given"), [(None, 10), (1, 1), (3, 2), (10, 10), (49, 20), (50, 50), (10**9, 50)]
)
def test_gives_the_fastest_pace_that_is_not_above_what_was_asked(asked: int, given: int) -> None:
    assert pace_of(asked) == given
    assert given in PACES


def test_rows_keep_the_later_of_each_key() -> None:
    merge = rows(lambda row: row[0], at_most=3)

    assert merge([[1, "a"], [2, "b"]], [[2, "c"], [3, "d"]]) == [[1, "a"], [2, "c"], [3, "d"]]
    assert merge([[1, "a"], [2, "b"]], [[3, "c"], [4, "d"]]) is RESTART
    assert merge(RESTART, [[1, "a"]]) is RESTART
    assert merge([[1, "a"]], RESTART) is RESTART
