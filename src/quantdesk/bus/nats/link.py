"""One connection to NATS, for ever: whoever needs it is given the one that stands.

    connect → hooks → stands ─ closed, silent ─→ wait (back-off with full jitter) → connect

The client library's own reconnecting is off: it gives up for good on some errors of the server, and
whoever publishes meanwhile is told nothing. Protocol: https://docs.nats.io/reference/nats-protocol.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, NoReturn
from urllib.parse import urlsplit

import nats
import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from quantdesk.core.backoff import Backoff, Chance
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused, Unavailable

log = structlog.get_logger()

CONNECT_S: Final = 2
PING_S: Final = 5
PINGS_LOST_MAX: Final = 2
FOUND_OUT_S: Final = PING_S * (PINGS_LOST_MAX + 1)
"""So long a connection may have been dead before that is known."""
_LONGEST_S: Final = 5.0
ANSWER_S: Final = 2
PATIENCE_S: Final = 1.0
_PASSES: Final = 8
_UNWRITTEN_S: Final = 0.001
_LOOK_S: Final = 0.25
_GOODBYE_S: Final = 1.0
_SCHEMES: Final = frozenset({"nats", "tls", "ws", "wss"})

Hook = Callable[[Client], Awaitable[None]]


def servers(url: str) -> tuple[list[str], str]:
    """Return the servers of a URL (several with commas), and their names without any secret.

    Raises `Refused` (`settings.invalid`), whose words hold no part of the URL.
    """
    found = [part.strip() for part in url.split(",") if part.strip()]
    shown = []
    for one in found:
        try:
            parts = urlsplit(one)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme not in _SCHEMES or not host:
            raise Refused(
                # pragma: allowlist nextline secret
                "nats_url: write nats://HOST:4222 or nats://USER:PASSWORD@HOST:4222, several of "
                "one cluster with commas",
                code="settings.invalid",
            )
        shown.append(f"{host}:{port or 4222}")
    return found, ", ".join(shown)


@contextmanager
def answered(what: str) -> Iterator[None]:
    """Turn whatever NATS or its connection raises into `Unavailable` (`bus.away`)."""
    try:
        yield
    except (NatsError, OSError, TimeoutError) as problem:
        raise Unavailable(f"{what}: {told(problem)}", code="bus.away") from problem


async def flushed(client: Client, *, clock: Clock) -> None:
    """Return once the server has all that was sent; raises as the library does.

    Its own `flush` writes a PING past what still waits to be written, and so proves nothing.
    """
    passes = 0
    while client.pending_data_size and not client.is_closed:
        passes += 1
        await clock.sleep(0 if passes < _PASSES else _UNWRITTEN_S)
    await client.flush(ANSWER_S)


def told(problem: BaseException) -> str:
    """Return what went wrong in a few words."""
    return str(problem) or type(problem).__name__


class Link:
    """The connection; `counts` holds connects, losses, failures and slow (messages dropped here).

    `lost_ms` is when the last one was lost (Unix milliseconds), None before the first loss.
    """

    def __init__(self, url: str, *, name: str, clock: Clock, chance: Chance) -> None:
        """Raise `Refused` (`settings.invalid`)."""
        self._servers, self.shown = servers(url)
        self._name = name
        self._clock = clock
        self._backoff = Backoff(chance, longest_s=_LONGEST_S)
        self._hooks: list[Hook] = []
        self._standing: Client | None = None
        self._stands = asyncio.Event()
        self._problem = "not connected yet"
        self.counts: Counter[str] = Counter()
        self.lost_ms: int | None = None

    def on_open(self, hook: Hook) -> None:
        """Call this on every new connection before anybody else has it."""
        self._hooks.append(hook)

    @property
    def stands(self) -> bool:
        """Return whether there is a connection."""
        return self._standing is not None and self._standing.is_connected

    async def client(self) -> Client:
        """Return the connection; raise `Unavailable` (`bus.away`) after a second without one."""
        if self._standing is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await self._stands.wait()
        if self._standing is None:
            raise self._away()
        return self._standing

    async def probe(self) -> str:
        """Return where it is connected; raise `Unavailable` (`bus.away`)."""
        if self.stands:
            return f"connected to {self.shown}"
        raise self._away()

    def _away(self) -> Unavailable:
        return Unavailable(
            f"NATS at {self.shown} is away ({self._problem}): orders move, other processes hear of "
            "them once it is back",
            code="bus.away",
        )

    async def run(self) -> NoReturn:
        """Keep a connection until cancelled."""
        while True:
            began = self._clock.monotonic()
            try:
                await self._hold()
            except (NatsError, OSError, TimeoutError, Unavailable) as problem:
                self._problem = told(problem)
            wait_s = self._backoff.failed(lived_s=self._clock.monotonic() - began)
            log.warning(
                "bus.away", servers=self.shown, detail=self._problem, retry_s=round(wait_s, 2)
            )
            await self._clock.sleep(wait_s)

    async def _hold(self) -> None:
        """Connect, and return when that connection is over."""
        closed = asyncio.Event()
        client = Client()
        try:
            await self._connect(client, closed)
            for hook in self._hooks:
                await hook(client)
            self._opened(client)
            while not client.is_closed:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S):
                        await closed.wait()
            self._problem = told(client.last_error) if client.last_error else "connection lost"
        except (NatsError, OSError, TimeoutError):
            self.counts["failures"] += 1
            raise
        finally:
            self._ended()
            await _goodbye(client)

    async def _connect(self, client: Client, closed: asyncio.Event) -> None:
        async def over() -> None:
            closed.set()

        await client.connect(
            self._servers,
            name=self._name,
            allow_reconnect=False,
            max_reconnect_attempts=1,  # zero means for ever to it
            reconnect_time_wait=0,
            connect_timeout=CONNECT_S,
            ping_interval=PING_S,
            max_outstanding_pings=PINGS_LOST_MAX,
            no_echo=True,
            error_cb=self._faulty,
            closed_cb=over,
        )

    async def _faulty(self, problem: Exception) -> None:
        if isinstance(problem, nats.errors.SlowConsumerError):
            self.counts["slow"] += 1
            return
        self._problem = told(problem)

    def _opened(self, client: Client) -> None:
        self.counts["connects"] += 1
        self._standing = client
        self._stands.set()
        log.info("bus.connected", servers=self.shown)

    def _ended(self) -> None:
        if self._standing is not None:
            self.counts["losses"] += 1
            self.lost_ms = self._clock.now_ms()
        self._standing = None
        self._stands.clear()


async def _goodbye(client: Client) -> None:
    with suppress(NatsError, OSError, TimeoutError):
        async with asyncio.timeout(_GOODBYE_S):
            await client.close()
