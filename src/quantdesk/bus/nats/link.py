"""One connection to NATS, for ever: whoever needs it is given the one that stands.

    connect → hooks → stands ─ closed, silent ─→ wait (back-off with full jitter) → connect

Of several servers one is drawn, and the next one tried each time; whoever is not named is not used.
The client library's own reconnecting is off: it gives up for good on some errors of the server, and
whoever publishes meanwhile is told nothing. Protocol: https://docs.nats.io/reference/nats-protocol.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, NoReturn
from urllib.parse import urlsplit

import nats
import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from quantdesk.bus.nats.trust import SealedClient, distrust
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
_SEALED: Final = "tls://"

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
                "nats_url: write nats://HOST:4222 or nats://USER:PASSWORD@HOST:4222, tls:// where "
                "the servers have certificates, several of one cluster with commas",
                code="settings.invalid",
            )
        shown.append(f"{host}:{port or 4222}")
    return found, ", ".join(shown)


def is_sealed(url: str) -> bool:
    """Return whether servers are to speak TLS: all of them, where it is written at one."""
    return any(part.strip().startswith(_SEALED) for part in url.split(","))


@contextmanager
def answered(what: str) -> Iterator[None]:
    """Turn whatever NATS or its connection raises into `Unavailable` (`bus.away`).

    A cancellation that the library swallows meanwhile is raised here: whoever asks again and again
    would never end.
    """
    before = _cancels()
    try:
        yield
    except (NatsError, OSError, TimeoutError) as problem:
        _end_if_cancelled(since=before)
        raise Unavailable(f"{what}: {told(problem)}", code="bus.away") from problem
    _end_if_cancelled(since=before)


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

    def __init__(
        self,
        url: str,
        *,
        name: str,
        clock: Clock,
        chance: Chance,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        """`trusted` is whom to believe over TLS. Raises `Refused` (`settings.invalid`)."""
        self._servers, self.shown = servers(url)
        self._client = SealedClient if is_sealed(url) else Client
        self._trusted = trusted
        self._name = name
        self.clock = clock
        self._backoff = Backoff(chance, longest_s=_LONGEST_S)
        self._first = int(chance() * len(self._servers))
        self._hooks: list[Hook] = []
        self._standing: Client | None = None
        self._stands = asyncio.Event()
        self._problem = "not connected yet"
        self._distrust: str | None = None
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
        """Return the connection; raise `Unavailable` after a second without one.

        Its code is `bus.away`, or `bus.untrusted` where TLS is what fails.
        """
        if self._standing is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    await self._stands.wait()
        if self._standing is None:
            raise self._away()
        return self._standing

    async def probe(self) -> str:
        """Return where it is connected; raise `Unavailable` (`bus.away`, `bus.untrusted`)."""
        url = self._standing and self._standing.connected_url
        if not url:
            raise self._away()
        at = f"{url.hostname}:{url.port}"
        return f"connected to {at}" + (f", one of {self.shown}" if at != self.shown else "")

    def _away(self) -> Unavailable:
        if self._distrust is not None:
            return Unavailable(
                f"NATS at {self.shown} is not trusted ({self._distrust}). Orders move, other "
                "processes hear of them once it is",
                code="bus.untrusted",
            )
        return Unavailable(
            f"NATS at {self.shown} is away ({self._problem}): orders move, other processes hear of "
            "them once it is back",
            code="bus.away",
        )

    async def run(self) -> NoReturn:
        """Keep a connection until cancelled."""
        while True:
            began = self.clock.monotonic()
            try:
                await self._hold()
            except (NatsError, OSError, TimeoutError, Unavailable) as problem:
                self._note(problem)
            _end_if_cancelled()
            wait_s = self._backoff.failed(lived_s=self.clock.monotonic() - began)
            log.warning(
                "bus.away" if self._distrust is None else "bus.untrusted",
                servers=self.shown,
                detail=self._distrust or self._problem,
                retry_s=round(wait_s, 2),
            )
            await self.clock.sleep(wait_s)

    async def _hold(self) -> None:
        """Connect, and return when that connection is over."""
        closed = asyncio.Event()
        client = self._client()
        try:
            await self._connect(client, closed)
            _end_if_cancelled()
            for hook in self._hooks:
                await hook(client)
            self._opened(client)
            while not client.is_closed:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S):
                        await closed.wait()
                _end_if_cancelled()
            self._note(client.last_error or ConnectionError("connection lost"))
        except (NatsError, OSError, TimeoutError):
            self.counts["failures"] += 1
            raise
        finally:
            self._ended()
            await _goodbye(client)

    async def _connect(self, client: Client, closed: asyncio.Event) -> None:
        async def over() -> None:
            closed.set()

        first = self._first
        self._first = (first + 1) % len(self._servers)
        await client.connect(
            [*self._servers[first:], *self._servers[:first]],
            dont_randomize=True,
            tls=self._trusted,
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
        self._note(problem)

    def _note(self, problem: BaseException) -> None:
        self._problem, self._distrust = told(problem), distrust(problem)

    def _opened(self, client: Client) -> None:
        self.counts["connects"] += 1
        self._standing = client
        self._stands.set()
        log.info("bus.connected", servers=self.shown)

    def _ended(self) -> None:
        if self._standing is not None:
            self.counts["losses"] += 1
            self.lost_ms = self.clock.now_ms()
        self._standing = None
        self._stands.clear()


def _cancels() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _end_if_cancelled(*, since: int = 0) -> None:
    """Raise `CancelledError` where the library has swallowed one: more than there were before.

    It does so while it connects and flushes; and `asyncio.wait_for` of Python 3.11, which it awaits
    answers with, loses one that meets a result (https://github.com/python/cpython/issues/86296).
    Who is cancelled may still say a last word: what was raised before is not raised again.
    """
    if _cancels() > since:
        raise asyncio.CancelledError


async def _goodbye(client: Client) -> None:
    with suppress(NatsError, OSError, TimeoutError):
        async with asyncio.timeout(_GOODBYE_S):
            await client.close()
