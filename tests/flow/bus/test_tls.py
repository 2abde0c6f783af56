"""TLS to NATS: who is not who they say they are is told nothing, and what helps is said."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.flow.bus.cluster import cluster
from tests.flow.bus.server import WAIT_S, Door, NatsServer, link, nats_server, running, until

from quantdesk.app.wide import open_link
from quantdesk.bus.nats.link import Link
from quantdesk.bus.nats.trust import trust
from quantdesk.core.clock import SystemClock
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.settings import Settings
from quantdesk.testing.certificates import self_signed

pytestmark = pytest.mark.anyio
PASSWORD = "hunter2"
SECRET = f"desk:{PASSWORD}@"
ASKS = ("--user", "desk", "--pass", PASSWORD)
_INFO = b'INFO {"server_id":"x","version":"2.15.1","auth_required":true,"max_payload":1048576}\r\n'


class Own:
    """A certificate for 127.0.0.1, and the flags of a server that has it."""

    def __init__(self, folder: Path, called: str = "nats") -> None:
        self.cert, self.key = self_signed(folder, called=called)
        self.flags = ("--tls", "--tlscert", str(self.cert), "--tlskey", str(self.key))
        self.trusted = trust(ca_file=str(self.cert))


@pytest.fixture
def own(tmp_path: Path) -> Own:
    return Own(tmp_path)


def sealed(server: NatsServer, host: str = "127.0.0.1") -> Door:
    return Door(f"tls://{SECRET}{host}:{server.port}")


async def refused(one: Link) -> Unavailable:
    """Return why a link does not connect; nothing that is said of it holds the password."""
    with capture_logs() as logged:
        async with running(one):
            await until(lambda: one.counts["failures"] > 1, "refused")
            with pytest.raises(Unavailable) as away:
                await one.probe()
            with pytest.raises(Unavailable) as kept_away:
                await one.client()

    assert kept_away.value.detail == away.value.detail
    assert logged
    assert PASSWORD not in str(logged) + away.value.detail
    assert {entry["event"] for entry in logged} == {away.value.code}
    return away.value


async def test_that_a_trusted_server_is_told_the_password_and_carries_words(own: Own) -> None:
    with nats_server(*own.flags, *ASKS) as server:
        one = link(sealed(server), trusted=own.trusted)
        async with running(one):
            client = await one.client()
            assert await one.probe() == f"connected to 127.0.0.1:{server.port}"
            assert client.is_connected


async def test_that_an_own_authority_must_be_named(own: Own) -> None:
    with nats_server(*own.flags, *ASKS) as server:
        problem = await refused(link(sealed(server), trusted=trust()))

    assert problem.code == "bus.untrusted"
    assert "self-signed certificate: set nats_ca_file" in problem.detail


async def test_that_a_server_with_the_certificate_of_somebody_else_is_not_trusted(
    own: Own, tmp_path: Path
) -> None:
    other = Own(tmp_path, "other")
    with nats_server(*other.flags, *ASKS) as server:
        problem = await refused(link(sealed(server), trusted=own.trusted))

    assert problem.code == "bus.untrusted"
    assert "set nats_ca_file" in problem.detail


async def test_that_a_certificate_for_another_name_is_not_trusted(own: Own) -> None:
    with nats_server(*own.flags, *ASKS) as server:
        problem = await refused(link(sealed(server, "localhost"), trusted=own.trusted))

    assert problem.code == "bus.untrusted"
    assert "'localhost': write the name that its certificate is for" in problem.detail


async def test_that_a_real_server_without_tls_is_refused() -> None:
    with nats_server(*ASKS) as server:
        problem = await refused(link(sealed(server), trusted=trust()))

    assert problem.code == "bus.untrusted"
    assert "asks for no TLS, so it was told nothing" in problem.detail


@asynccontextmanager
async def in_between(heard: bytearray) -> AsyncIterator[Door]:
    """Greet as a server does, leave out that it has TLS, and note what one is told."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_INFO)
        while said := await reader.read(4096):
            heard.extend(said)
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        yield Door(f"tls://{SECRET}127.0.0.1:{server.sockets[0].getsockname()[1]}")


async def test_that_whoever_sits_in_between_is_not_told_the_password() -> None:
    heard = bytearray()
    async with in_between(heard) as door:
        problem = await refused(link(door, trusted=trust()))

    assert problem.code == "bus.untrusted"
    assert heard == b""


async def test_that_one_tls_in_the_list_means_all(own: Own) -> None:
    with nats_server(*ASKS) as plain, nats_server(*own.flags, *ASKS) as safe:
        door = Door(f"nats://{SECRET}127.0.0.1:{plain.port},{sealed(safe).url}")
        one = link(door, trusted=own.trusted)
        async with running(one):
            await until(lambda: one.stands, "connected")
            assert (await one.probe()).startswith(f"connected to 127.0.0.1:{safe.port}, one of")

    assert one.counts["failures"] == 1


async def test_that_a_server_that_asks_for_a_certificate_is_shown_one(
    own: Own, tmp_path: Path
) -> None:
    ours = Own(tmp_path, "ours")
    asking = (*own.flags, "--tlsverify", "--tlscacert", str(ours.cert))
    shows = trust(ca_file=str(own.cert), cert_file=str(ours.cert), key_file=str(ours.key))
    with nats_server(*asking, *ASKS) as server:
        one = link(sealed(server), trusted=shows)
        async with running(one):
            assert (await one.client()).is_connected
        problem = await refused(link(sealed(server), trusted=own.trusted))

    assert problem.code == "bus.untrusted"
    assert "set nats_cert_file and nats_key_file" in problem.detail


async def test_that_a_wrong_password_over_tls_is_told_and_never_shown(own: Own) -> None:
    with nats_server(*own.flags, "--user", "desk", "--pass", "right") as server:
        problem = await refused(link(sealed(server), trusted=own.trusted))

    assert problem.code == "bus.away"
    assert "Authorization Violation" in problem.detail


async def test_that_another_server_of_a_cluster_is_trusted_as_well(own: Own) -> None:
    with cluster(*own.flags, *ASKS) as servers:
        urls = [sealed(servers.members[name]).url for name in "abc"]
        one = link(Door(",".join(urls)), trusted=own.trusted)
        async with running(one):
            await until(lambda: one.stands, "connected")
            assert servers.at(one) == "a"
            servers.members["a"].kill()
            await until(lambda: one.counts["connects"] == 2, "connected again")
            assert servers.at(one) == "b"
            assert PASSWORD not in await one.probe()


def opened(**settings: str) -> Link:
    return open_link(Settings.model_validate(settings), name="test", clock=SystemClock())


def test_that_files_that_hold_nothing_are_refused(own: Own, tmp_path: Path) -> None:
    (empty := tmp_path / "empty.pem").touch(mode=0o600)
    for files, told in (
        ({"nats_ca_file": "/nowhere"}, "nats_ca_file: /nowhere holds no certificates"),
        ({"nats_ca_file": str(empty)}, "nats_ca_file"),
        ({"nats_cert_file": str(own.cert)}, "go together"),
        ({"nats_cert_file": str(empty), "nats_key_file": str(own.key)}, "are no certificate"),
    ):
        with pytest.raises(Refused, match=told) as problem:
            opened(nats_url=f"tls://{SECRET}host", **files)
        assert problem.value.code == "settings.invalid"
        assert PASSWORD not in problem.value.detail


def test_that_a_key_that_others_may_read_is_refused(own: Own) -> None:
    own.key.chmod(0o644)
    with pytest.raises(Refused) as problem:
        opened(nats_url="tls://host", nats_cert_file=str(own.cert), nats_key_file=str(own.key))
    assert problem.value.code == "key.mode"


def test_that_files_that_would_change_nothing_are_refused(own: Own) -> None:
    with pytest.raises(Refused, match="nats_ca_file would change nothing: write tls://"):
        opened(nats_url=f"nats://{SECRET}host", nats_ca_file=str(own.cert))


def test_that_versions_of_tls_that_are_broken_are_not_spoken(own: Own) -> None:
    assert own.trusted.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert own.trusted.verify_mode == ssl.CERT_REQUIRED
    assert own.trusted.check_hostname


async def test_that_a_link_ends_whenever_it_is_told_to(own: Own) -> None:
    with nats_server(*own.flags, *ASKS) as server:
        for turns in range(40):
            one = asyncio.ensure_future(link(sealed(server), trusted=own.trusted).run())
            for _ in range(turns):
                await asyncio.sleep(0)
            one.cancel()
            await asyncio.wait([one], timeout=WAIT_S)
            ended = one.done()
            one.cancel()
            assert ended, f"it goes on, cancelled after {turns} turns"
