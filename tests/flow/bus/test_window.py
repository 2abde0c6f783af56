"""The messages of the last minutes: in one order, acknowledged, and never in a reader's way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from nats.aio.client import Client
from tests.flow.bus.server import NatsServer, link, running, until

from quantdesk.bus.nats.link import Link
from quantdesk.bus.nats.window import PULLED, Window
from quantdesk.core.errors import Unavailable

pytestmark = pytest.mark.anyio
STREAM = "test_frames"


def window(one: Link, **bounds: int) -> Window:
    return Window(one, name=STREAM, subject="test.frames", **bounds)


@asynccontextmanager
async def two(server: NatsServer, **bounds: int) -> AsyncIterator[tuple[Window, Window, Client]]:
    ours, theirs = link(server), link(server)
    async with running(ours, theirs):
        yield window(ours, **bounds), window(theirs, **bounds), await ours.client()


async def add(to: Window, *numbers: int) -> None:
    for number in numbers:
        await to.add(b"%d" % number, name=f"n{number}")


async def read(of: Window, count: int, *, skip: bool = False) -> list[int]:
    """Return that many messages; the last of them is not acknowledged."""
    found: list[int] = []
    async with aclosing(of.follow(skip=skip)) as letters:
        async for letter in letters:
            found.append(int(letter.body))
            if len(found) == count:
                break
    return found


async def test_that_a_reader_that_joins_gets_what_is_kept_and_then_what_comes(
    server: NatsServer,
) -> None:
    async with two(server) as (ours, theirs, _):
        await add(ours, *range(3 * PULLED + 5))
        waiting: list[int] = []
        found: list[int] = []
        async with aclosing(theirs.follow()) as letters:
            async for letter in letters:
                found.append(int(letter.body))
                waiting.append(letter.waiting)
                if len(found) == 3 * PULLED + 5:
                    await add(ours, 1000)
                if found[-1] == 1000:
                    break

    assert found == [*range(3 * PULLED + 5), 1000]
    assert waiting == [*range(3 * PULLED + 4, -1, -1), 0]


async def test_that_what_is_taken_is_acknowledged(server: NatsServer) -> None:
    async with two(server) as (ours, theirs, client):
        await add(ours, *range(10))
        async with aclosing(theirs.follow()) as letters:
            found = [int((await anext(letters)).body) for _ in range(10)]
            consumers = await client.jetstream().consumers_info(STREAM)
            assert consumers[0].num_ack_pending == 10  # the tenth is not taken before it is done
            eleventh = asyncio.ensure_future(anext(letters))
            while True:
                [consumer] = await client.jetstream().consumers_info(STREAM)
                if consumer.ack_floor and consumer.ack_floor.consumer_seq == 10:
                    break
            await add(ours, 10)
            found.append(int((await eleventh).body))

    assert found == list(range(11))
    assert consumer.num_ack_pending == 0


async def test_that_a_message_added_twice_is_kept_once(server: NatsServer) -> None:
    async with two(server) as (ours, theirs, _):
        first = await ours.add(b"1", name="same")
        again = await ours.add(b"1", name="same")
        await add(ours, 2)

        assert first == again
        assert await read(theirs, 2) == [1, 2]


async def test_that_a_reader_goes_on_where_it_was(server: NatsServer) -> None:
    async with two(server) as (ours, theirs, _):
        await add(ours, 1, 2, 3)
        assert await read(theirs, 2) == [1, 2]
        # The second was not done when it left, so it comes again.
        assert await read(theirs, 2) == [2, 3]


async def test_that_a_reader_may_go_on_with_what_comes_next(server: NatsServer) -> None:
    async with two(server) as (ours, theirs, _):
        await add(ours, 1, 2)
        assert await read(theirs, 1) == [1]
        async with aclosing(theirs.follow(skip=True)) as letters:
            task = asyncio.ensure_future(anext(letters))
            client = await link_of(ours).client()
            await until_consumers(client, 2)
            await add(ours, 3)
            assert (await task).body == b"3"


def link_of(one: Window) -> Link:
    return one._link


async def until_consumers(client: Client, count: int) -> None:
    """Return once the server has given that many readers a place."""
    while len(await client.jetstream().consumers_info(STREAM)) < count:
        pass


async def test_that_what_is_too_much_pushes_out_the_oldest(server: NatsServer) -> None:
    async with two(server, bytes_max=4000) as (ours, theirs, _):
        for number in range(20):
            await ours.add(b"%04d" % number + b"x" * 900, name=f"n{number}")
        async with aclosing(theirs.follow()) as letters:
            first = await anext(letters)

    assert int(first.body[:4]) >= 16


async def test_that_both_go_on_after_the_server_lost_its_memory(server: NatsServer) -> None:
    ours, theirs = link(server), link(server)
    async with running(ours, theirs):
        writer, reader = window(ours), window(theirs)
        await add(writer, *range(5))
        async with aclosing(reader.follow()) as letters:
            assert [int((await anext(letters)).body) for _ in range(5)] == list(range(5))
            server.kill()
            with pytest.raises(Unavailable):
                await anext(letters)
        await until(lambda: not (ours.stands or theirs.stands), "noticed")
        adding = asyncio.ensure_future(add(writer, 5, 6))  # it waits for a connection
        server.start()
        await adding
        assert await read(reader, 2) == [5, 6]  # the stream is another, though of the same name


async def test_that_a_stream_that_vanished_is_made_anew(server: NatsServer) -> None:
    async with two(server) as (ours, theirs, client):
        await add(ours, 1)
        await client.jetstream().delete_stream(STREAM)
        await add(ours, 2)
        assert await read(theirs, 1) == [2]


async def test_that_a_stream_of_an_older_version_is_brought_up_to_date(server: NatsServer) -> None:
    one = link(server)
    async with running(one):
        await window(one, bytes_max=1 << 20).add(b"1", name="n1")
        await window(one, bytes_max=2 << 20).add(b"2", name="n2")
        client = await one.client()
        info = await client.jetstream().stream_info(STREAM)

    assert info.config.max_bytes == 2 << 20
    assert info.state.messages == 2


async def test_that_a_reader_waits_while_nothing_comes(server: NatsServer) -> None:
    async with two(server) as (ours, theirs, _):
        await add(ours, 1)
        reading = await link_of(theirs).client()
        async with aclosing(theirs.follow()) as letters:
            assert (await anext(letters)).body == b"1"
            second = asyncio.ensure_future(anext(letters))
            told = reading.stats["in_msgs"]
            await until(lambda: reading.stats["in_msgs"] >= told + 2, "a beat of an idle pull")
            await add(ours, 2)
            assert (await second).body == b"2"
