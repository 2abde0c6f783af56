"""Two questions to Jupiter's swap API v2 over HTTP; the API key is never part of an error.

Limits: https://developers.jup.ag/docs/portal/rate-limits
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self, TypeVar

import aiohttp
import msgspec

from quantdesk.chains.jupiter.answers import Executed, Order, Quote, quote, refusal
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable

T = TypeVar("T")

ROUTERS: Final = "jupiterz,dflow,okx"
"""Left out: their transactions are signed by others too, or call programs of others."""

_OK: Final = 200
_BUSY: Final = 429
_PAUSE_S: Final = 1.0
_PAUSE_S_MAX: Final = 60.0
_ANSWER_BYTES_MAX: Final = 4 << 20


class Client:
    """One API key, or none; use as an async context, or close it.

    `timeout_s` bounds a question for a price, `landing_s` one to land a transaction: that is
    answered only once it has landed, or has not.
    """

    def __init__(
        self,
        *,
        url: str,
        clock: Clock,
        api_key: str | None = None,
        timeout_s: float = 5.0,
        landing_s: float = 10.0,
    ) -> None:
        self._url = url.rstrip("/")
        self._clock = clock
        self._headers = {"x-api-key": api_key} if api_key else {}
        self._timeouts_s = {"GET": timeout_s, "POST": landing_s}
        self._session: aiohttp.ClientSession | None = None
        self._busy_until_s: dict[str, float] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def order(self, params: Mapping[str, str]) -> Order:
        """Return a route with its transaction.

        Raises `Refused` (`jupiter.refused`) or `Unavailable` (`jupiter.unavailable`,
        `jupiter.unauthorized`, `jupiter.busy`, `jupiter.unreadable`).
        """
        return await self._ask("GET", "/swap/v2/order", params, answer=Order)

    async def quote(self, *, paid: str, received: str, amount: int) -> Quote:
        """Return what exactly `amount` of one mint would bring of another; raises as `order`."""
        params = {"inputMint": paid, "outputMint": received, "amount": str(amount)}
        # What `order` leaves out is left out here, or a price would be told that cannot be had.
        order = await self.order({**params, "slippageBps": "0", "excludeRouters": ROUTERS})
        return quote(order, paid=paid, received=received, amount=amount)

    async def execute(self, *, request_id: str, transaction: str, height: int) -> Executed:
        """Let Jupiter land a signed transaction (base 64); raises as `order`.

        The same request again is the same transaction: for two minutes Jupiter tells of it.
        """
        body = {
            "signedTransaction": transaction,
            "requestId": request_id,
            "lastValidBlockHeight": str(height),
        }
        return await self._ask("POST", "/swap/v2/execute", body, answer=Executed)

    async def _ask(self, method: str, path: str, said: Mapping[str, str], *, answer: type[T]) -> T:
        if self._clock.monotonic() < self._busy_until_s.get(path, 0.0):
            raise Unavailable("Jupiter wants no questions now", code="jupiter.busy")
        posts = method == "POST"
        try:
            async with self._opened().request(
                method,
                self._url + path,
                params=None if posts else said,
                data=msgspec.json.encode(said) if posts else None,
                headers={**self._headers, "Content-Type": "application/json"},
                allow_redirects=False,  # which would carry the key elsewhere
                timeout=aiohttp.ClientTimeout(total=self._timeouts_s[method]),
            ) as response:
                body = await response.content.read(_ANSWER_BYTES_MAX)
                while len(body) < _ANSWER_BYTES_MAX and (
                    more := await response.content.read(_ANSWER_BYTES_MAX)
                ):
                    body += more
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
            raise Unavailable(
                f"Jupiter does not answer: {type(problem).__name__}", code="jupiter.unavailable"
            ) from None
        if response.status == _BUSY:
            reset = response.headers.get("x-ratelimit-reset", "")
            self._busy_until_s[path] = self._clock.monotonic() + self._pause_s(reset)
        if response.status != _OK:
            raise refusal(response.status, body)
        return _decoded(body, answer)

    def _pause_s(self, reset: str) -> float:
        if not reset.isdecimal():
            return _PAUSE_S
        return min(max(int(reset) - self._clock.now_ms() / 1000, 0.0), _PAUSE_S_MAX)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session


def _decoded(body: bytes, answer: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Unavailable(
            f"unreadable answer of Jupiter: {problem}"[:200], code="jupiter.unreadable"
        ) from None
