"""Three real nats-servers that are one cluster, on ports of loopback, each to be killed.

Who leads is asked of their monitoring (https://docs.nats.io/running-a-nats-service/nats_admin/
monitoring#jetstream-information-jsz) and of JetStream. An election takes NATS four to nine seconds.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar
from urllib.request import urlopen

from tests.flow.bus.server import Door, NatsServer
from tests.ports import reserved_port

from quantdesk.bus.nats.link import Link, answered
from quantdesk.core.errors import Unavailable

ELECTED_S: Final = 60.0
"""More than an election, twice, on a busy machine."""


NAMES: Final = ("a", "b", "c")
_Answer = TypeVar("_Answer")


class Member(NatsServer):
    """One server of a cluster."""

    def __init__(self, name: str, folder: Path, *flags: str, secret: str = "") -> None:
        self.name = name
        self._look_at = reserved_port()
        super().__init__(folder, "-n", name, "-m", str(self._look_at), *flags, secret=secret)

    def leader(self) -> str | None:
        """Return who leads JetStream as this one sees it; None where there is nobody."""
        with suppress(OSError), urlopen(f"http://127.0.0.1:{self._look_at}/jsz", timeout=2) as said:
            led: dict[str, Any] = json.load(said).get("meta_cluster") or {}
            size, leader = led.get("cluster_size"), led.get("leader")
            return str(leader) if leader and size else None
        return None

    def is_well(self) -> bool:
        """Return whether it is up, and all that JetStream keeps here is as elsewhere."""
        at = f"http://127.0.0.1:{self._look_at}/healthz"
        with suppress(OSError), urlopen(at, timeout=2) as said:
            return bool(json.load(said)["status"] == "ok")
        return False


class Cluster:
    """Three servers with routes to each other; of one that is `late` nobody was told."""

    def __init__(self, folder: Path, *flags: str, secret: str = "", late: str = "") -> None:
        routes = {name: reserved_port() for name in NAMES}
        told = ",".join(f"nats://127.0.0.1:{port}" for name, port in routes.items() if name != late)
        self.members = {
            name: Member(
                name, folder / name, "-cluster_name", "test",
                "-cluster", f"nats://127.0.0.1:{port}", "-routes", told, *flags, secret=secret,
            )
            for name, port in routes.items()
        }  # fmt: skip

    def first(self, name: str) -> Door:
        """Return the addresses of all: this one's, and those to be tried when it is lost."""
        names = sorted(self.members, key=lambda other: (other != name, other))
        return Door(",".join(self.members[other].url for other in names))

    def at(self, link: Link) -> str:
        """Return to whom a link is connected."""
        url = link._standing and link._standing.connected_url
        assert url, "it is connected"
        return next(one.name for one in self.members.values() if one.port == url.port)

    def leader(self) -> str | None:
        """Return who leads JetStream, None before all that run agree on somebody who runs."""
        running = [one for one in self.members.values() if one.is_running]
        said = {one.leader() for one in running}
        return said.pop() if len(said) == 1 and said <= {one.name for one in running} else None

    async def settled(self) -> str:
        """Return who leads JetStream, once somebody does and all that run are well."""
        running = [one for one in self.members.values() if one.is_running]
        await lasting(lambda: self.leader() is not None, "led")
        await lasting(lambda: all(one.is_well() for one in running), "well")
        leader = self.leader()
        assert leader is not None
        return leader


@contextmanager
def cluster(*flags: str, secret: str = "", late: str = "") -> Iterator[Cluster]:
    """Run a cluster of a, b and c while the block runs; it may not be led yet.

    Whoever is `late` is left to be started.
    """
    with TemporaryDirectory(prefix="qd-nats-") as folder, ExitStack() as stack:
        made = Cluster(Path(folder), *flags, secret=secret, late=late)
        for name, one in made.members.items():
            stack.callback(one.kill)
            if name != late:
                one.start()
        yield made


async def lasting(holds: Callable[[], bool], what: str) -> None:
    """Return when a condition holds that may need elections; fail when it never does."""
    with suppress(TimeoutError):
        async with asyncio.timeout(ELECTED_S):
            while not holds():  # noqa: ASYNC110 - it is of another process, and sends no event
                await asyncio.sleep(0.02)
    assert holds(), f"not {what} in {ELECTED_S} s"


async def surely(ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """Return what the library answers: whoever is asked may not know yet who leads, or of what."""

    async def asked() -> _Answer:
        with answered("not yet"):
            return await ask()

    return await insisting(asked)


async def insisting(ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
    """Return what is answered, asking as often as it is unavailable."""
    async with asyncio.timeout(ELECTED_S):
        while True:
            with suppress(Unavailable):
                return await ask()
            await asyncio.sleep(0.02)
