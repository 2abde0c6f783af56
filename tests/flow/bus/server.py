"""A real nats-server for the tests of the bus: the wheel's binary, on a port of loopback.

It can be killed and started again at the same address; what it kept in memory is gone then.
"""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from ssl import SSLContext
from typing import NamedTuple, Protocol

import pytest
from tests.ports import reserved_port

from quantdesk.bus.nats.link import Link
from quantdesk.core.clock import Clock, SystemClock

BINARY = Path(sys.executable).with_name("nats-server")
WAIT_S = 60.0
_READY = b"Server is ready"


class Reached(Protocol):
    """What can be connected to."""

    @property
    def url(self) -> str:
        """Return its address, or several with commas."""


class Door(NamedTuple):
    """An address, or several in the order in which they are tried."""

    url: str


class NatsServer:
    """One server process at a time, always at the same address."""

    def __init__(self, folder: Path, *flags: str, secret: str = "") -> None:
        if not BINARY.exists():
            pytest.skip("no nats-server: the dev requirements are not installed")
        self.port = reserved_port()
        self._folder = folder
        self._flags = flags
        self._secret = secret
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return where it listens, with the password it asks for."""
        return f"nats://{self._secret}127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        """Return whether it was started, and not killed since."""
        return self._running is not None

    def start(self) -> None:
        """Start it and return when it listens."""
        self._running = subprocess.Popen(
            [BINARY, "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", self._folder,
             *self._flags],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self._running.stderr is not None
        said = b""
        for line in self._running.stderr:
            if _READY in line:
                return
            said += line
        raise AssertionError(f"nats-server ended before it was ready:\n{said.decode()}")

    def kill(self) -> None:
        """End it as a crash does."""
        if self._running is not None:
            self._running.kill()
            self._running.communicate()
            self._running = None


@contextmanager
def nats_server(*flags: str, secret: str = "") -> Iterator[NatsServer]:
    """Run a server while the block runs."""
    with tempfile.TemporaryDirectory(prefix="qd-nats-") as folder:
        server = NatsServer(Path(folder), *flags, secret=secret)
        server.start()
        try:
            yield server
        finally:
            server.kill()


@asynccontextmanager
async def running(*links: Link) -> AsyncIterator[None]:
    """Keep links connected while the block runs."""
    tasks = [asyncio.ensure_future(link.run()) for link in links]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def link(server: Reached, *, clock: Clock | None = None, trusted: SSLContext | None = None) -> Link:
    """Return a link that tries again at once."""
    return Link(
        server.url,
        name="test",
        clock=clock or SystemClock(),
        chance=lambda: 0.0,
        trusted=trusted,
    )


async def until(holds: Callable[[], bool], what: str) -> None:
    """Return when a condition holds; fail when it never does."""
    with suppress(TimeoutError):
        async with asyncio.timeout(WAIT_S):
            while not holds():  # noqa: ASYNC110 - it is of another process, and sends no event
                await asyncio.sleep(0.005)
    assert holds(), f"not {what} in {WAIT_S} s"
