"""Three servers, one of them killed: orders and frames go on, and what may be lost is told.

What is true of each server is tested for the one that clients are connected to, for the one that
leads the frames, and for the one that leads JetStream: where they are one, it is so for all.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import pytest
from nats.aio.client import Client
from nats.js.api import Header, KeyValueConfig, StorageType, StreamConfig, StreamInfo
from nats.js.errors import NotFoundError
from tests.flow.bus import sharing, speaking
from tests.flow.bus.cluster import ELECTED_S, Cluster, cluster, insisting, lasting, surely
from tests.flow.bus.server import link, running, until
from tests.flow.bus.speaking import TOPIC

from quantdesk.bus.nats import kept
from quantdesk.bus.nats.cache import VALUE_BYTES_MAX, Cache
from quantdesk.bus.nats.link import Link
from quantdesk.core.errors import Unavailable

pytestmark = pytest.mark.anyio
FRAMES = "test_frames"
BUCKET = "KV_test"


@pytest.fixture(scope="module")
def servers() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@dataclass
class Desk:
    """Two processes: `ours` speaks and shares, `theirs` listens and takes."""

    cluster: Cluster
    ours: speaking.Desk
    theirs: speaking.Desk
    ingest: sharing.Ingest
    taken: sharing.Desk
    cache: Cache
    cached: Cache
    said: int = 0

    async def say(self) -> None:
        """Say an order event, share a frame and put a price."""
        self.said += 1
        self.ours.events.publish(TOPIC, [self.said])
        self.ingest.tap(self.said)
        await insisting(lambda: self.cache.put("SOL", b"%d" % self.said))

    def is_heard(self) -> bool:
        """Return whether the last event that was said is heard."""
        return self.theirs.heard[-1:] == [self.said]

    async def all_is_heard(self) -> None:
        """Return once the last that was said is heard, taken and read.

        An event that died with its server, or that met one that did not know yet who listens, is
        told as missed; then another is said.
        """
        told = 0

        def knows() -> bool:
            return self.is_heard() or len(self.theirs.missed) > told

        while not self.is_heard():
            await lasting(knows, "heard or told")
            if not self.is_heard():
                told = len(self.theirs.missed)
                await self.say()
        await lasting(lambda: self.taken.numbers[-1:] == [self.said], "taken")
        assert await insisting(lambda: self.cached.get("SOL")) == b"%d" % self.said


@asynccontextmanager
async def desk(servers: Cluster, *, ours: str, theirs: str) -> AsyncIterator[Desk]:
    """Open both, each connected to one server first."""
    await servers.settled()
    one, other = servers.first(ours), servers.first(theirs)
    async with AsyncExitStack() as stack:
        speaks, listens = speaking.desk(one, 1), speaking.desk(other, 2)
        await stack.enter_async_context(running(speaks.link, listens.link))
        stack.enter_context(speaking.working(speaks, listens))
        for stream in (FRAMES, BUCKET):
            await forgotten(await insisting(speaks.link.client), stream)
        made = Desk(
            servers,
            speaks,
            listens,
            await stack.enter_async_context(sharing.ingest(one)),
            await stack.enter_async_context(sharing.desk(other)),
            Cache(speaks.link, bucket="test"),
            Cache(listens.link, bucket="test"),
        )
        await insisting(speaks.link.client)
        await insisting(listens.link.client)
        await made.say()
        await until_they_hear(made)
        yield made


async def forgotten(client: Client, stream: str) -> None:
    """Delete a stream that another test has left."""

    async def deleted() -> None:
        with suppress(NotFoundError):
            await client.jetstream().delete_stream(stream)

    await surely(deleted)


async def until_they_hear(made: Desk) -> None:
    """Return once each server knows who listens: until then, words may be lost."""
    await lasting(lambda: bool(made.theirs.heard or made.theirs.missed), "heard or told")
    await made.say()
    await made.all_is_heard()
    made.theirs.missed.clear()


async def info(of: Link, stream: str) -> StreamInfo:
    client = await of.client()
    return await surely(lambda: client.jetstream().stream_info(stream))


async def leader_of_frames(made: Desk) -> str:
    found = await info(made.ours.link, FRAMES)
    assert found.cluster
    assert found.cluster.leader
    return found.cluster.leader


async def leader_of_jetstream(made: Desk) -> str:
    return await made.cluster.settled()


async def connected_to_us(made: Desk) -> str:
    return made.cluster.at(made.ours.link)


@pytest.mark.parametrize("role", [connected_to_us, leader_of_frames, leader_of_jetstream])
async def test_that_nobody_stops_when_a_server_is_killed_nor_when_it_is_back(
    servers: Cluster, role: Callable[[Desk], "asyncio.Future[str]"]
) -> None:
    async with desk(servers, ours="a", theirs="b") as made:
        killed = await role(made)
        before = made.said
        servers.members[killed].kill()
        for _ in range(20):
            await made.say()
        await made.all_is_heard()
        connects = made.ours.link.counts["connects"], made.theirs.link.counts["connects"]
        servers.members[killed].start()
        await servers.settled()
        for _ in range(20):
            await made.say()
        await made.all_is_heard()

        heard = made.theirs.heard
        assert heard == sorted(set(heard))  # each once, in order
        lost = set(range(1, made.said + 1)) - set(heard)
        assert not lost or made.theirs.missed
        assert made.taken.numbers == list(range(1, made.said + 1))
        assert made.taken.gaps == []
        assert servers.at(made.ours.link) == ("b" if killed == "a" else "a")
        assert (made.ours.link.counts["connects"], made.theirs.link.counts["connects"]) == connects
        assert before < min(lost, default=made.said)


async def test_that_what_was_made_on_one_server_is_spread_over_three(servers: Cluster) -> None:
    await servers.settled()
    one = link(servers.first("a"))
    async with running(one):
        client = await insisting(one.client)
        for stream in (FRAMES, BUCKET):
            await forgotten(client, stream)
        streams = client.jetstream()
        made = StreamConfig(name=FRAMES, subjects=["test.frames"], storage=StorageType.MEMORY)
        await surely(lambda: streams.add_stream(made))
        once = {Header.MSG_ID.value: "n1"}
        await surely(lambda: streams.publish("test.frames", b"1", headers=once))
        wanted = KeyValueConfig(bucket="test", storage=StorageType.MEMORY)
        bucket = await surely(lambda: streams.create_key_value(wanted))
        await surely(lambda: bucket.put("SOL", b"150"))

        frames, cache = sharing.window(one), Cache(one, bucket="test")
        await insisting(lambda: frames.add(b"2", name="n2"))
        assert await insisting(lambda: cache.get("SOL")) == b"150"
        for stream, messages in ((FRAMES, 2), (BUCKET, 1)):
            found = await info(one, stream)
            assert (found.config.num_replicas, found.state.messages) == (3, messages)
        assert (await info(one, BUCKET)).config.max_msg_size == VALUE_BYTES_MAX


async def test_that_a_cluster_that_was_too_small_is_used_whole_once_it_has_grown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept, "LOOK_S", 0.0)
    with cluster(late="c") as growing:
        await growing.settled()
        one = link(growing.first("a"))
        async with running(one):
            frames = sharing.window(one)
            await insisting(lambda: frames.add(b"1", name="n1"))
            assert (await info(one, FRAMES)).config.num_replicas == 1
            growing.members["c"].start()
            added = 1
            async with asyncio.timeout(ELECTED_S):
                while (await info(one, FRAMES)).config.num_replicas != 3:
                    added += 1
                    await insisting(partial(frames.add, b"%d" % added, name=f"n{added}"))
            assert (await info(one, FRAMES)).state.messages == added


async def test_that_a_reader_goes_on_after_all_servers_were_killed_at_once(
    servers: Cluster,
) -> None:
    async with desk(servers, ours="a", theirs="b") as made:
        for _ in range(5):
            await made.say()
        await made.all_is_heard()
        for one in servers.members.values():
            one.kill()
        await until(lambda: not made.ours.link.stands, "noticed")
        made.ingest.tap(100, 101)
        for one in servers.members.values():
            one.start()
        await lasting(lambda: made.taken.numbers[-2:] == [100, 101], "taken")
        assert made.taken.gaps == []
        assert await insisting(lambda: made.cached.get("SOL")) is None


async def test_that_what_one_of_three_still_has_is_all_there_again(servers: Cluster) -> None:
    await servers.settled()
    one = link(servers.first("a"))
    async with running(one):
        client = await insisting(one.client)
        for stream in (FRAMES, BUCKET):
            await forgotten(client, stream)
        frames, cache = sharing.window(one), Cache(one, bucket="test")
        first = await insisting(lambda: frames.add(b"1", name="n1"))
        await insisting(lambda: cache.put("SOL", b"150"))
        for name in "bc":
            servers.members[name].kill()
        with pytest.raises(Unavailable):
            await frames.add(b"2", name="n2")
        for name in "bc":
            servers.members[name].start()
        await insisting(lambda: frames.add(b"2", name="n2"))
        await servers.settled()
        found = (await info(one, FRAMES)).state

        assert (first, found.first_seq, found.messages) == (1, 1, 2)
        assert await insisting(lambda: cache.get("SOL")) == b"150"
