"""Questions to a Hermes server: the key, how often one may ask, and what its refusals mean.

    404 "Price ids not found"   those feeds are left out from now on, the others asked for
    401, 403, any other 4xx     `REFUSALS_MAX` in a row, and nothing heard between, is for good
    429                         nobody asks for a minute, as its rule is
    5xx, no answer              tried again for ever

Routes: https://docs.pyth.network/price-feeds/core/api-instances-and-providers/hermes. The base URL
and the key come from settings: since August 2026 the public server asks for a key.
"""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, Self

import aiohttp

from quantdesk.core.bucket import Bucket
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.sources import limits
from quantdesk.sources.patience import within

CONNECT_S: Final = 10.0
BUSY_S: Final = 60.0
"""A client that asked too often is turned away for a minute."""
REFUSALS_MAX: Final = 3
ANSWER_BYTES_MAX: Final = 4 << 20
_ASKED_MAX: Final = 5
_ASKED_PER_S: Final = 0.5
"""Half of what an address may: 10 in 10 seconds."""
_BUSY: Final = 429
_KEYED: Final = frozenset({401, 403})
_REFUSALS: Final = frozenset(range(400, 500)) - {408, _BUSY}
_NOT_FOUND: Final = re.compile(r"Price ids not found: (?P<ids>.*)", re.DOTALL).search
_ID: Final = re.compile(r"(?:\b|0x)([0-9a-f]{64})\b").findall
_WORDS_MAX: Final = 4_096
_CHUNK: Final = 64 << 10
_SAID_MAX: Final = 200


class Declined(limits.Declined):
    """Hermes answered, and not with prices; `missing` are the feeds it says it does not have."""

    def __init__(
        self, detail: str, *, status: int, lasting: bool, wait_s: float, missing: Sequence[str] = ()
    ) -> None:
        super().__init__(detail, status=status, wait_s=wait_s)
        self.code = "source.unauthorized" if status in _KEYED else self.code
        self.missing = frozenset(missing)
        self._lasting = lasting

    @property
    def refusal(self) -> bool:
        """Say whether it is our question that is wrong, rather than the moment."""
        return self.status in _REFUSALS and not self.missing

    @property
    def lasting(self) -> bool:
        """Say whether it was refused often enough to give up."""
        return self._lasting


class Hermes:
    """One Hermes server. Use as `async with`; `welcome` is told whenever it said something."""

    def __init__(self, *, clock: Clock, base_url: str, api_key: str | None) -> None:
        self._clock = clock
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._asked = Bucket(capacity=_ASKED_MAX, per_s=_ASKED_PER_S)
        self._refusals = 0
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # Deadlines are ours, on the clock that was passed in.
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None)
        )
        self._refusals = 0
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None, "entered before left"
        await self._session.close()

    def welcome(self) -> None:
        """Take in that it spoke: refusals before were of another time."""
        self._refusals = 0

    async def stream(self, feeds: Sequence[str]) -> aiohttp.ClientResponse:
        """Return an answer that goes on with updates of these feeds as they come.

        Raises `Declined`, or `Unavailable` (`source.unavailable`) when it does not answer within
        `CONNECT_S`.
        """
        while (wait_s := self._asked.take(1, self._clock.monotonic())) > 0:
            await self._clock.sleep(wait_s)
        try:
            return await within(CONNECT_S, self._open("stream", feeds), clock=self._clock)
        except (aiohttp.ClientError, OSError) as problem:
            raise unavailable(problem) from problem

    async def latest(self, feeds: Sequence[str], *, seconds: float) -> bytes:
        """Return the message with the latest update of these feeds.

        Raises `Declined`, or `Unavailable` (`source.unavailable`) when it does not come in time.
        """
        try:
            return await within(seconds, self._latest(feeds), clock=self._clock)
        except (aiohttp.ClientError, OSError) as problem:
            raise unavailable(problem) from problem

    async def _latest(self, feeds: Sequence[str]) -> bytes:
        async with await self._open("latest", feeds) as response:
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > ANSWER_BYTES_MAX:
                    raise Unavailable("Hermes answers without end", code="source.unavailable")
            return bytes(body)

    async def _open(self, route: str, feeds: Sequence[str]) -> aiohttp.ClientResponse:
        assert self._session is not None, "entered before asked"
        query = [("ids[]", feed) for feed in feeds] + [("parsed", "true"), ("encoding", "base64")]
        url = f"{self._base_url}/v2/updates/price/{route}"
        response = await self._session.get(url, params=query, headers=self._headers)
        if response.status != HTTPStatus.OK:
            async with response:
                raise await self._declined(response)
        return response

    async def _declined(self, response: aiohttp.ClientResponse) -> Declined:
        status = response.status
        said = (await response.content.read(_WORDS_MAX)).decode("utf-8", "replace").strip()
        found = _NOT_FOUND(said) if status == HTTPStatus.NOT_FOUND else None
        problem = Declined(
            f"Hermes answered HTTP {status}: {said[:_SAID_MAX] or response.reason}{_hint(status)}",
            status=status,
            lasting=False,
            wait_s=_wait_s(status, response.headers.get("Retry-After")),
            missing=_ID(found["ids"].lower()) if found else (),
        )
        if problem.wait_s:
            self._asked.bar(problem.wait_s, self._clock.monotonic())
        if not problem.refusal:
            return problem
        self._refusals += 1
        lasting = self._refusals >= REFUSALS_MAX
        return Declined(problem.detail, status=status, lasting=lasting, wait_s=0.0)


def unavailable(problem: Exception) -> Unavailable:
    """Return the error for a server that does not answer."""
    said = str(problem) or type(problem).__name__
    return Unavailable(f"Hermes does not answer: {said}", code="source.unavailable")


def _hint(status: int) -> str:
    return "; check sources.pyth_key" if status in _KEYED else ""


def _wait_s(status: int, said: str | None) -> float:
    return min(limits.retry_after_s(status, said), BUSY_S)
