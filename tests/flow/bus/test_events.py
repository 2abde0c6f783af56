"""Batches of events between processes: each listener hears each once; what is lost is told."""

import struct
from typing import Any

import msgspec
import pytest
from tests.flow.bus.server import NatsServer, running, until
from tests.flow.bus.speaking import SUBJECT, TOPIC, desk, working

from quantdesk.bus.nats.events import WAITING_MAX
from quantdesk.bus.nats.link import FOUND_OUT_S
from quantdesk.core.clock import SystemClock

pytestmark = pytest.mark.anyio


async def test_that_each_listener_hears_each_batch_once_and_in_order(server: NatsServer) -> None:
    ours, theirs = desk(server, 1), desk(server, 2)
    async with running(ours.link, theirs.link):
        with working(ours, theirs):
            await theirs.link.client()
            for number in range(500):
                ours.events.publish(TOPIC, [number, -number])
            assert len(ours.batches) == 500  # at once, whatever NATS does
            await until(lambda: len(theirs.heard) >= 1000, "heard")
            theirs.events.publish(TOPIC, ["answer"])
            await until(lambda: ours.heard[-1] == "answer", "answered")

    told = [each for number in range(500) for each in (number, -number)]
    assert theirs.heard == [*told, "answer"]
    assert ours.heard == [*told, "answer"]
    assert ours.missed == theirs.missed == []
    assert ours.events.counts["sent"] == theirs.events.counts["heard"] == 1000


async def test_that_a_batch_larger_than_a_message_arrives_whole(server: NatsServer) -> None:
    ours, theirs = desk(server, 1), desk(server, 2)
    batch = [f"{number:06d}" + "x" * 2000 for number in range(2000)]
    async with running(ours.link, theirs.link):
        with working(ours, theirs):
            await theirs.link.client()
            ours.events.publish(TOPIC, batch)
            await until(lambda: len(theirs.heard) >= len(batch), "heard")

    assert theirs.heard == batch
    assert theirs.missed == []


async def test_that_an_event_too_large_for_any_message_is_told_as_missed(
    server: NatsServer,
) -> None:
    ours, theirs = desk(server, 1), desk(server, 2)
    async with running(ours.link, theirs.link):
        with working(ours, theirs):
            await theirs.link.client()
            ours.events.publish(TOPIC, ["before"])
            ours.events.publish(TOPIC, ["x" * (2 << 20)])
            ours.events.publish(TOPIC, ["after"])
            await until(lambda: "after" in theirs.heard, "heard")

    assert theirs.heard == ["before", "after"]
    assert ours.events.counts["dropped"] == 1
    assert (theirs.events.counts["missed"], len(theirs.missed)) == (1, 1)


async def test_that_an_outage_holds_nobody_up_and_loses_nothing(server: NatsServer) -> None:
    ours, theirs = desk(server, 1), desk(server, 2)
    async with running(ours.link, theirs.link):
        with working(ours, theirs):
            await theirs.link.client()
            ours.events.publish(TOPIC, [1])
            await until(lambda: theirs.heard == [1], "heard")
            server.kill()
            await until(lambda: not (ours.link.stands or theirs.link.stands), "noticed")
            before_ms = SystemClock().now_ms()
            ours.events.publish(TOPIC, [2, 3])
            assert ours.heard == [1, 2, 3]
            server.start()
            await until(lambda: bool(theirs.missed), "told that something may be missing")
            ours.events.publish(TOPIC, [4])
            await until(lambda: 4 in theirs.heard, "heard again")

    # Whoever published first after the outage may have been heard by nobody: the store is read.
    assert theirs.heard in ([1, 2, 3, 4], [1, 4])
    assert theirs.missed[0] <= before_ms - round(FOUND_OUT_S * 1000) + 1000
    assert ours.heard == [1, 2, 3, 4]


async def test_that_what_was_sent_again_is_heard_once(server: NatsServer) -> None:
    ours, theirs = desk(server, 1), desk(server, 2)
    async with running(ours.link, theirs.link):
        with working(theirs):
            client = await ours.link.client()
            await theirs.link.client()
            head = struct.pack(">16sQI", b"\x01" * 16, 0, 3)
            body = head + msgspec.msgpack.encode([1, 2, 3])
            await client.publish(SUBJECT, body)
            await client.publish(SUBJECT, body)
            longer = struct.pack(">16sQI", b"\x01" * 16, 2, 2) + msgspec.msgpack.encode([3, 4])
            await client.publish(SUBJECT, longer)
            await until(lambda: 4 in theirs.heard, "heard")

    assert theirs.heard == [1, 2, 3, 4]
    assert theirs.events.counts["again"] == 4
    assert theirs.missed == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff" * 40,
        struct.pack(">16sQI", b"\x01" * 16, 0, 2) + msgspec.msgpack.encode([1]),
        struct.pack(">16sQI", b"\x01" * 16, 0, 1) + b"\xc1",
    ],
)
async def test_that_garbage_is_counted_and_told_as_missed(server: NatsServer, body: bytes) -> None:
    ours, theirs = desk(server, 1), desk(server, 2)
    async with running(ours.link, theirs.link):
        client = await ours.link.client()
        await theirs.link.client()
        await client.publish(SUBJECT, body)
        await until(lambda: bool(theirs.missed), "told")

    assert theirs.heard == []
    assert theirs.events.counts["unreadable"] == 1


async def test_that_what_waits_is_bounded_and_the_oldest_goes(server: NatsServer) -> None:
    server.kill()
    ours = desk(server, 1)
    batch = list(range(WAITING_MAX // 4))
    for _ in range(6):
        ours.events.publish(TOPIC, batch)

    assert ours.events.waiting == WAITING_MAX
    assert ours.events.counts["dropped"] == 2 * len(batch)
    assert len(ours.heard) == 6 * len(batch)


async def test_that_a_process_that_stops_says_its_last_word(server: NatsServer) -> None:
    ours, theirs = desk(server, 1), desk(server, 2)
    async with running(theirs.link):
        await theirs.link.client()
        async with running(ours.link):
            await ours.link.client()
            ours.events.publish(TOPIC, ["last"])
            await ours.events.drain()
        await until(lambda: theirs.heard == ["last"], "heard")


async def test_that_a_listener_that_left_hears_no_more(server: NatsServer) -> None:
    ours, theirs = desk(server, 1), desk(server, 2)
    left: list[Any] = []
    leave = theirs.events.listen(TOPIC, left.extend)
    async with running(ours.link, theirs.link):
        with working(ours, theirs):
            await theirs.link.client()
            ours.events.publish(TOPIC, [1])
            await until(lambda: theirs.heard == [1], "heard")
            leave()
            ours.events.publish(TOPIC, [2])
            await until(lambda: theirs.heard == [1, 2], "heard")

    assert left == [1]


async def test_that_a_last_word_that_was_lost_is_told(server: NatsServer) -> None:
    ours, theirs = desk(server, 1), desk(server, 2)
    async with running(ours.link, theirs.link):
        with working(ours, theirs):
            await theirs.link.client()
            ours.events.publish(TOPIC, [1])
            await until(lambda: theirs.heard == [1], "heard")
            heard_ms = SystemClock().now_ms()
            ours.events.publish(TOPIC, ["x" * (2 << 20)])  # no message takes it, and none follows
            await until(lambda: bool(theirs.missed), "told")

    assert theirs.heard == [1]
    assert theirs.events.counts["missed"] == 1
    assert theirs.missed[0] <= heard_ms - round(FOUND_OUT_S * 1000)


async def test_that_whoever_joins_is_told_that_there_was_a_past(server: NatsServer) -> None:
    ours, theirs = desk(server, 1), desk(server, 2)
    async with running(ours.link):
        with working(ours, theirs):
            ours.events.publish(TOPIC, [1])
            await until(lambda: ours.events.counts["sent"] == 1, "sent")
            joined_ms = SystemClock().now_ms()
            async with running(theirs.link):
                await until(lambda: bool(theirs.missed), "told")
                ours.events.publish(TOPIC, [2])
                await until(lambda: theirs.heard == [2], "heard")

    assert len(theirs.missed) == 1
    assert 0 <= theirs.missed[0] + round(FOUND_OUT_S * 1000) - joined_ms < 60_000
    assert theirs.events.counts["missed"] == 0
