"""The connection to NATS comes back by itself, says how it is, and never says its password."""

import pytest
from structlog.testing import capture_logs
from tests.flow.bus.server import NatsServer, link, nats_server, running, until

from quantdesk.bus.nats.link import Link, servers
from quantdesk.core.clock import SystemClock
from quantdesk.core.errors import Refused, Unavailable

pytestmark = pytest.mark.anyio
PASSWORD = "hunter2"


async def test_that_it_connects_and_says_where(server: NatsServer) -> None:
    one = link(server)
    async with running(one):
        assert (await one.client()).is_connected
        assert await one.probe() == f"connected to 127.0.0.1:{server.port}"


async def test_that_it_comes_back_after_the_server_was_killed(server: NatsServer) -> None:
    one = link(server)
    async with running(one):
        first = await one.client()
        server.kill()
        await until(lambda: not one.stands, "noticed")
        with pytest.raises(Unavailable, match="orders move") as away:
            await one.probe()
        server.start()
        await until(lambda: one.stands, "back")
        assert await one.client() is not first

    assert away.value.code == "bus.away"
    assert (one.counts["connects"], one.counts["losses"]) == (2, 2)  # its own end is the second
    assert one.lost_ms is not None


async def test_that_a_server_that_starts_late_is_waited_for(server: NatsServer) -> None:
    server.kill()
    one = link(server)
    async with running(one):
        await until(lambda: one.counts["failures"] > 2, "tried")
        server.start()
        assert (await one.client()).is_connected


async def test_that_a_wrong_password_is_told_and_never_shown() -> None:
    with nats_server("--user", "desk", "--pass", "right", secret=f"desk:{PASSWORD}@") as server:
        one = link(server)
        with capture_logs() as logged:
            async with running(one):
                await until(lambda: one.counts["failures"] > 1, "refused")
                with pytest.raises(Unavailable, match="Authorization Violation") as away:
                    await one.probe()

    assert PASSWORD not in away.value.detail
    assert PASSWORD not in str(logged)
    assert logged


async def test_that_the_right_password_opens() -> None:
    with nats_server("--user", "desk", "--pass", PASSWORD, secret=f"desk:{PASSWORD}@") as server:
        one = link(server)
        async with running(one):
            assert (await one.client()).is_connected
            assert PASSWORD not in await one.probe()


@pytest.mark.parametrize(
    "url",
    # pragma: allowlist nextline secret
    ["nats://desk:hunter2@host:port", "desk:hunter2@host", "http://hunter2@host", "nats://"],
)
def test_that_a_url_that_is_none_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(Refused) as refused:
        Link(url, name="test", clock=SystemClock(), chance=lambda: 0.0)

    assert refused.value.code == "settings.invalid"
    assert "hunter2" not in refused.value.detail


def test_that_the_servers_of_a_cluster_are_named_without_their_secrets() -> None:
    named, shown = servers("nats://a:b@one:4223, tls://two")

    assert named == ["nats://a:b@one:4223", "tls://two"]
    assert shown == "one:4223, two:4222"
