"""One session with the exchange: signed questions, its time, its budget kept.

Every answer ends as a value or as a `DeskError`; whatever comes back, nothing else comes out of
here. Neither keys nor signed queries are ever part of an error or a log.

Routes and weights: https://developers.binance.com/docs/binance-spot-api-docs/rest-api
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self, TypeVar
from urllib.parse import urlencode

import aiohttp
import msgspec
from yarl import URL

from quantdesk.chains.binance.answers import UNREADABLE, ServerTime, unreadable
from quantdesk.chains.binance.budget import Budget
from quantdesk.chains.binance.failures import BAD_TIME, TOO_MANY_ORDERS, Failure, failure
from quantdesk.chains.binance.requests import dated
from quantdesk.chains.binance.signing import Key
from quantdesk.core.clock import Clock, iso
from quantdesk.core.errors import Unavailable

T = TypeVar("T")

_OK: Final = 200
_BANS: Final = {
    403: "Binance's firewall shuts this address out",
    418: "Binance has banned this address",
    429: "Binance has been asked too much",
}
_ANSWER_BYTES_MAX: Final = 32 << 20
_TIME_GOOD_S: Final = 300.0
_WINDOW_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Route:
    """A question: `weight` counts against the budget, `urgent` ones may use all of it.

    `orders` is for what an account may do only so often.
    """

    method: str
    path: str
    weight: int
    signed: bool = False
    urgent: bool = False
    orders: bool = False


TIME: Final = Route("GET", "/api/v3/time", 1, urgent=True)
EXCHANGE_INFO: Final = Route("GET", "/api/v3/exchangeInfo", 20)
DEPTH: Final = Route("GET", "/api/v3/depth", 50)  # of 501 to 1000 levels
ACCOUNT: Final = Route("GET", "/api/v3/account", 20, signed=True)
COMMISSION: Final = Route("GET", "/api/v3/account/commission", 20, signed=True)
TEST_ORDER: Final = Route("POST", "/api/v3/order/test", 1, signed=True, urgent=True, orders=True)
ORDER: Final = Route("POST", "/api/v3/order", 1, signed=True, urgent=True, orders=True)
FIND_ORDER: Final = Route("GET", "/api/v3/order", 4, signed=True, urgent=True)
ALL_ORDERS: Final = Route("GET", "/api/v3/allOrders", 20, signed=True, urgent=True)
TRADES: Final = Route("GET", "/api/v3/myTrades", 5, signed=True, urgent=True)  # of one order
ALL_TRADES: Final = Route("GET", "/api/v3/myTrades", 20, signed=True, urgent=True)


class Client:
    """One account of the exchange, or none without a key; use as an async context, or close it.

    `timeout_s` bounds each request, `requests_max` those under way.
    """

    def __init__(
        self,
        *,
        url: str,
        clock: Clock,
        key: Key | None = None,
        timeout_s: float = 12.0,
        requests_max: int = 16,
    ) -> None:
        self.budget = Budget()
        self._url = url.rstrip("/")
        self._clock = clock
        self._key = key
        self._timeout_s = timeout_s
        self._slots = asyncio.Semaphore(requests_max)
        self._session: aiohttp.ClientSession | None = None
        self._time: tuple[int, float] | None = None  # server's, by our monotonic clock
        self._timing = asyncio.Lock()
        self._closed = False

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
        self._closed = True
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def key(self) -> Key:
        """Return the key; there must be one."""
        assert self._key is not None, "without a key there are only public questions"
        return self._key

    async def ask(
        self, route: Route, params: Mapping[str, str] | None = None, *, answer: type[T]
    ) -> T:
        """Return an answer as the given type.

        Raises `Unavailable` (`exchange.unavailable`, `exchange.unreadable`, `exchange.busy`,
        `exchange.unauthorized`, `exchange.clock`), or what else `failures` makes of an error.
        """
        said = await self.put(route, params)
        if isinstance(said, Failure) and said.number == BAD_TIME and route is not ORDER:
            self.forget_time()  # and only once: no question is asked for ever
            said = await self.put(route, params)
        if isinstance(said, Failure):
            raise said.error()
        return decoded(said, route.path, answer)

    async def put(self, route: Route, params: Mapping[str, str] | None = None) -> bytes | Failure:
        """Return an answer's bytes, or what the exchange says is wrong; raise `Unavailable`."""
        params = params or {}
        if not route.signed:
            return await self.send(route, urlencode(params))
        at_ms = await self.server_ms()
        form = dated(params, at_ms=at_ms, window_ms=_WINDOW_MS, key=self.key)
        return await self.send(route, form)

    async def send(self, route: Route, form: str) -> bytes | Failure:
        """Send a query or form as it is, once.

        Raises `Unavailable`: `exchange.busy` when nothing was sent for the budget's sake,
        `exchange.unreachable` when nothing was sent for want of a connection, and
        `exchange.unavailable` when nobody knows what came of it.
        """
        self._spend(route)
        async with self._slots:
            status, headers, body = await self._exchange(route, form)
        self.budget.told(headers.get("X-MBX-USED-WEIGHT-1M"), server_ms=self.guess_ms())
        if status == _OK:
            return body
        said = failure(status, body)
        self._heed(status, said, headers.get("Retry-After"))
        return said

    def hold_orders(self, why: str) -> None:
        """Place none for a minute: what the exchange refuses one for, it refuses the next for."""
        self.budget.orders_barred(why, None, now_s=self._clock.monotonic())

    def barred(self, *, orders: bool = True) -> Unavailable | None:
        """Return why nobody may place orders there now, or ask anything, and until when.

        None when one may.
        """
        now_s = self._clock.monotonic()
        wait_s = self.budget.barred_s(now_s=now_s, orders=orders)
        if not wait_s:
            return None
        if self.budget.barred_s(now_s=now_s) == wait_s:
            why = f"{_BANS[self.budget.ban]}; it is asked nothing"
        else:
            why = f"{self.budget.orders_why}; no order is placed there"
        until = iso(self._clock.now_ms() + round(wait_s * 1000))
        return Unavailable(f"{why} until {until}", code="exchange.busy")

    async def server_ms(self) -> int:
        """Return the exchange's time, from a measurement at most five minutes old."""
        if self._time is None or self._clock.monotonic() - self._time[1] > _TIME_GOOD_S:
            async with self._timing:
                if self._time is None or self._clock.monotonic() - self._time[1] > _TIME_GOOD_S:
                    await self.read_time()
        return self.guess_ms()

    async def read_time(self) -> int:
        """Return the exchange's time as it says now; the answer is never younger than that."""
        began = self._clock.monotonic()
        said = (await self.ask(TIME, answer=ServerTime)).server_time
        ended = self._clock.monotonic()
        self._time = (said + round((ended - began) * 500), ended)  # half the way was back
        return said

    def guess_ms(self) -> int:
        """Return the exchange's time as far as it is known here."""
        if self._time is None:
            return self._clock.now_ms()
        server_ms, at_s = self._time
        return server_ms + round((self._clock.monotonic() - at_s) * 1000)

    def forget_time(self) -> None:
        """Measure the exchange's time before the next signed question."""
        self._time = None

    def _spend(self, route: Route) -> None:
        if self._closed:
            raise Unavailable("the connection to Binance is closed", code="exchange.unreachable")
        if told := self.barred(orders=route.orders):
            raise told
        server_ms = self.guess_ms()
        wait_s = self.budget.wait_s(route.weight, urgent=route.urgent, server_ms=server_ms)
        if wait_s > 0:
            raise Unavailable(
                f"Binance wants no questions for another {wait_s:.0f} s", code="exchange.busy"
            )
        self.budget.spent(route.weight, server_ms=server_ms)

    def _heed(self, status: int, said: Failure, retry_after: str | None) -> None:
        """Leave the exchange alone where it says so."""
        now_s = self._clock.monotonic()
        if said.number == TOO_MANY_ORDERS:
            self.budget.orders_barred(said.detail, retry_after, now_s=now_s)
        elif status in _BANS:
            self.budget.barred(status, retry_after, now_s=now_s)

    async def _exchange(self, route: Route, form: str) -> tuple[int, Mapping[str, str], bytes]:
        posts = route.method == "POST"
        url = self._url + route.path + ("" if posts or not form else f"?{form}")
        headers = {"X-MBX-APIKEY": self.key.api_key} if route.signed else {}
        if posts:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        session = self._opened()
        try:
            async with session.request(
                route.method,
                URL(url, encoded=True),  # signed as it stands
                data=form.encode("ascii") if posts else None,
                headers=headers,
                allow_redirects=False,  # which would post an order twice
            ) as response:
                body = await _bounded(response)
                return response.status, response.headers, body
        except aiohttp.ClientConnectorError as problem:
            words = problem.os_error.strerror or "no connection"
            raise Unavailable(
                f"Binance cannot be reached: {words}", code="exchange.unreachable"
            ) from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
            # Its words might hold the query; its name does not.
            raise Unavailable(
                f"Binance does not answer: {type(problem).__name__}", code="exchange.unavailable"
            ) from None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
                auto_decompress=True,
            )
        return self._session


def decoded(body: bytes, path: str, answer: type[T]) -> T:
    """Return an answer as a type; raise `Unavailable` (`exchange.unreadable`)."""
    try:
        return msgspec.json.decode(body, type=answer)
    except UNREADABLE as problem:
        raise unreadable(f"{path}: {problem}") from None


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _ANSWER_BYTES_MAX:
            raise unreadable("the answer is too long")
    return bytes(body)
