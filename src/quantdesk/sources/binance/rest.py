"""Questions to Binance's REST: within its weight, obeying what it says of waiting.

Weight is spent before asking, from a bucket of the documented size; after 429, and 418 for who did
not listen, nobody asks until `Retry-After` is over.
Limits: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, Self

import aiohttp

from quantdesk.core.bucket import Bucket
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.sources.limits import Declined, retry_after_s
from quantdesk.sources.patience import within

ANSWER_S: Final = 10.0
ANSWER_BYTES_MAX: Final = 32 << 20
_WORDS_MAX: Final = 200
_CHUNK: Final = 64 << 10
_MINUTE_S: Final = 60.0


class Rest:
    """Asks one exchange, spending `weight_share` a minute at most. Use as `async with`."""

    def __init__(self, *, url: str, clock: Clock, weight_share: int) -> None:
        self._url = url.rstrip("/")
        self._clock = clock
        self._weight = Bucket(capacity=weight_share, per_s=weight_share / _MINUTE_S)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # Deadlines are ours, on the clock that was passed in.
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None, "entered before left"
        await self._session.close()

    async def get(self, path: str, query: Mapping[str, str], *, weight: int) -> bytes:
        """Return the answer's body.

        Raises `Declined` for a status other than 200, `Unavailable` (`source.unavailable`) when no
        answer comes within `ANSWER_S` or it is larger than `ANSWER_BYTES_MAX`.
        """
        while (wait_s := self._weight.take(weight, self._clock.monotonic())) > 0:
            await self._clock.sleep(wait_s)
        try:
            return await within(ANSWER_S, self._get(path, query), clock=self._clock)
        except (aiohttp.ClientError, OSError) as problem:
            raise Unavailable(
                f"{self._url}{path} does not answer: {str(problem) or type(problem).__name__}",
                code="source.unavailable",
            ) from problem

    async def _get(self, path: str, query: Mapping[str, str]) -> bytes:
        assert self._session is not None, "entered before asked"
        async with self._session.get(
            self._url + path, params=query, allow_redirects=False
        ) as response:
            if response.status != HTTPStatus.OK:
                raise await self._declined(path, response)
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > ANSWER_BYTES_MAX:
                    raise Unavailable(
                        f"{self._url}{path} answers without end", code="source.unavailable"
                    )
            return bytes(body)

    async def _declined(self, path: str, response: aiohttp.ClientResponse) -> Declined:
        said = (await response.content.read(_WORDS_MAX)).decode("utf-8", "replace").strip()
        wait_s = retry_after_s(response.status, response.headers.get("Retry-After"))
        if wait_s:
            self._weight.bar(wait_s, self._clock.monotonic())
        return Declined(
            f"{self._url}{path} answered HTTP {response.status}: {said or response.reason}",
            status=response.status,
            wait_s=wait_s,
        )
