"""The cache: what was put can be read by all, until it is forgotten."""

import pytest
from tests.flow.bus.server import NatsServer, link, running, until

from quantdesk.bus.nats.cache import Cache
from quantdesk.core.errors import Unavailable

pytestmark = pytest.mark.anyio


async def test_that_others_read_what_was_put_last(server: NatsServer) -> None:
    ours, theirs = link(server), link(server)
    async with running(ours, theirs):
        mine, other = Cache(ours, bucket="test"), Cache(theirs, bucket="test")
        assert await other.get("SOL") is None
        await mine.put("SOL", b"1")
        await mine.put("SOL", b"2")
        await mine.put("BTC", b"3")
        assert (await other.get("SOL"), await other.get("BTC")) == (b"2", b"3")
        await other.purge("SOL")
        assert (await mine.get("SOL"), await mine.get("BTC")) == (None, b"3")
        await mine.put("SOL", b"4")
        assert await other.get("SOL") == b"4"


async def test_that_it_is_empty_and_works_after_the_server_lost_its_memory(
    server: NatsServer,
) -> None:
    one = link(server)
    async with running(one):
        cache = Cache(one, bucket="test")
        await cache.put("SOL", b"1")
        server.kill()
        with pytest.raises(Unavailable):
            await cache.put("SOL", b"2")
        await until(lambda: not one.stands, "noticed")
        server.start()
        assert await cache.get("SOL") is None
        await cache.put("SOL", b"3")
        assert await cache.get("SOL") == b"3"
