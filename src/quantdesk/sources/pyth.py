"""Pyth: prices from a Hermes server, over HTTP and its server-sent stream.

Routes: https://docs.pyth.network/price-feeds/core/api-instances-and-providers/hermes. The base URL
and the key come from settings: since August 2026 the public server asks for a key.
"""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from http import HTTPStatus
from typing import NoReturn

import aiohttp
import structlog

from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.core.prices import Reading
from quantdesk.sources import hermes
from quantdesk.sources.patience import Chance, delay_s, within
from quantdesk.sources.sse import Events

log = structlog.get_logger()

LATEST_S = 3.0
CONNECT_S = 10.0
SILENCE_S = 10.0
HEALTHY_S = 60.0
BUSY_S = 60.0
"""A client that asked too often is turned away for a minute."""
REFUSALS_MAX = 3
_BUSY = 429
_REFUSALS = frozenset(range(400, 500)) - {408, _BUSY}


class Declined(Unavailable):
    """Hermes answered, and not with prices."""

    def __init__(self, detail: str, *, status: int, wait_s: float = 0.0) -> None:
        code = "source.unauthorized" if status in {401, 403} else "source.declined"
        super().__init__(detail, code=code)
        self.status = status
        self.wait_s = wait_s


class Pyth:
    """Readings of the Pyth network in US dollars.

    `counts` holds messages, unreadable, disordered, unknown, silences and reconnects.
    """

    name = "pyth"

    def __init__(
        self,
        *,
        clock: Clock,
        chance: Chance,
        base_url: str,
        api_key: str | None = None,
        silence_s: float = SILENCE_S,
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._silence_s = silence_s
        self.counts: Counter[str] = Counter()

    async def latest(self, symbols: Sequence[str]) -> list[Reading]:
        """Return the latest reading of each asset, as far as Hermes has one.

        Raises `Unavailable` when it does not answer with prices within `LATEST_S`.
        """
        async with self._session() as session:
            try:
                message = await within(
                    LATEST_S, self._read_latest(session, symbols), clock=self._clock
                )
                return self._feeds().readings(hermes.updates(message))
            except (aiohttp.ClientError, OSError, Corrupt) as problem:
                raise _unavailable(problem) from problem

    async def stream(self, symbols: Sequence[str]) -> AsyncIterator[Reading]:
        """Yield readings as they come, reconnecting after every failure but a lasting refusal.

        Raises `Unavailable` after `REFUSALS_MAX` refusals in a row (a bad key, an unknown feed),
        `Refused` (`symbol.unknown`) for an asset without a feed.
        """
        feeds = self._feeds()
        failures = refusals = 0
        async with self._session() as session:
            while True:
                began, wait_s = self._clock.monotonic(), 0.0
                try:
                    async with aclosing(self._connection(session, symbols, feeds)) as readings:
                        async for reading in readings:
                            refusals = 0
                            yield reading
                except Unavailable as problem:
                    refusals += 1 if _is_refusal(problem) else 0
                    if refusals >= REFUSALS_MAX:
                        raise
                    wait_s = problem.wait_s if isinstance(problem, Declined) else 0.0
                    log.warning("pyth.disconnected", code=problem.code, detail=problem.detail)
                healthy = self._clock.monotonic() - began >= HEALTHY_S
                failures = 0 if healthy else failures + 1
                self.counts["reconnects"] += 1
                await self._clock.sleep(max(wait_s, delay_s(failures, chance=self._chance)))

    async def _connection(
        self,
        session: aiohttp.ClientSession,
        symbols: Sequence[str],
        feeds: hermes.Feeds,
    ) -> AsyncGenerator[Reading, None]:
        events = Events()
        try:
            response = await within(
                CONNECT_S, self._open(session, "stream", symbols), clock=self._clock
            )
            try:
                while chunk := await self._chunk(response):
                    for event in events.feed(chunk):
                        if event.name == "error":  # planned: 24 h are over, or we were too slow
                            log.info("pyth.ended", detail=event.data.decode("utf-8", "replace"))
                            return
                        for reading in self._heard(event.data, feeds):
                            yield reading
            finally:
                response.close()
                self.counts["unreadable"] += events.oversized
        except (aiohttp.ClientError, OSError) as problem:
            raise _unavailable(problem) from problem

    async def _chunk(self, response: aiohttp.ClientResponse) -> bytes:
        try:
            return await within(self._silence_s, response.content.readany(), clock=self._clock)
        except TimeoutError:
            self.counts["silences"] += 1
            raise

    def _heard(self, message: bytes, feeds: hermes.Feeds) -> list[Reading]:
        self.counts["messages"] += 1
        try:
            return feeds.readings(hermes.updates(message))
        except Corrupt as problem:
            self.counts["unreadable"] += 1
            log.debug("pyth.unreadable", detail=problem.detail)
            return []

    def _feeds(self) -> hermes.Feeds:
        return hermes.Feeds(source=self.name, counts=self.counts)

    async def _read_latest(self, session: aiohttp.ClientSession, symbols: Sequence[str]) -> bytes:
        async with await self._open(session, "latest", symbols) as response:
            return await response.read()

    async def _open(
        self, session: aiohttp.ClientSession, route: str, symbols: Sequence[str]
    ) -> aiohttp.ClientResponse:
        query = [("ids[]", _feed(symbol)) for symbol in symbols] + [("parsed", "true")]
        url = f"{self._base_url}/v2/updates/price/{route}"
        response = await session.get(url, params=query, headers=self._headers)
        if response.status != HTTPStatus.OK:
            async with response:
                await _decline(response)
        return response

    def _session(self) -> aiohttp.ClientSession:
        # Deadlines are ours, on the clock that was passed in.
        return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_connect=None))


def _feed(symbol: str) -> str:
    try:
        return hermes.FEEDS[symbol]
    except KeyError:
        known = ", ".join(hermes.FEEDS)
        raise Refused(
            f"pyth has no feed for {symbol}; it has {known}", code="symbol.unknown"
        ) from None


async def _decline(response: aiohttp.ClientResponse) -> NoReturn:
    status = response.status
    said = (await response.content.read(200)).decode("utf-8", "replace").strip()
    asked = response.headers.get("Retry-After", "")
    wait_s = float(asked) if asked.isdecimal() else BUSY_S
    raise Declined(
        f"Hermes answered HTTP {status}: {said or response.reason}",
        status=status,
        wait_s=min(wait_s, BUSY_S) if status == _BUSY else 0.0,
    )


def _is_refusal(problem: Unavailable) -> bool:
    return isinstance(problem, Declined) and problem.status in _REFUSALS


def _unavailable(problem: Exception) -> Unavailable:
    said = str(problem) or type(problem).__name__
    return Unavailable(f"Hermes does not answer: {said}", code="source.unavailable")
