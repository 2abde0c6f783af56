"""`LiveBooks`: books, rules and fees as account states, over the exchange's market data stream.

It has the accounts port, and its states are the exchange's own JSON: an address is
`binance:book:SOLUSDC` (the book as `GET /api/v3/depth` would tell it, its slot the update id),
`binance:rules:SOLUSDC` or `binance:fees:SOLUSDC` (their slot is when they were read). A socket that
ends, falls silent or skips an update begins the whole anew after a pause; states of before are
not told again, so whoever holds them sees them age.

Streams: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Final

import aiohttp
import msgspec
import structlog

from quantdesk.chains.binance.answers import (
    UNREADABLE,
    ExchangeInfo,
    SymbolName,
    unreadable,
)
from quantdesk.chains.binance.book import Book, Depth, Gap, difference
from quantdesk.chains.binance.client import COMMISSION, DEPTH, EXCHANGE_INFO, Client
from quantdesk.chains.port import AccountState
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable

log = structlog.get_logger()

OWNER: Final = "binance"
_BOOKS: Final = f"{OWNER}:book:"
_RULES: Final = f"{OWNER}:rules:"
_DEPTH_LEVELS: Final = 1_000
_SNAPSHOTS_MAX: Final = 5
_PAUSE_S: Final = 0.5
_PAUSE_S_MAX: Final = 30.0
_QUIET_S: Final = 1.0
"""After this long without a change a book is told again, while its socket lives."""
_RULES_S: Final = 3_600.0
_MESSAGE_BYTES_MAX: Final = 8 << 20
_SHUTDOWN: Final = "serverShutdown"


class _Message(msgspec.Struct, frozen=True):
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Event(msgspec.Struct, frozen=True):
    e: str = ""
    s: str = ""


_MESSAGE: Final = msgspec.json.Decoder(_Message)
_EVENT: Final = msgspec.json.Decoder(_Event)


class LiveBooks:
    """The books of some symbols. `url` is that of the streams, `client` answers the questions.

    `fees` stands in for the account's own rates where the client has no key: an answer of
    `GET /api/v3/account/commission`. `jitter` returns 0 to 1.
    """

    def __init__(
        self,
        *,
        url: str,
        client: Client,
        clock: Clock,
        jitter: Callable[[], float],
        fees: bytes | None = None,
        silence_s: float = 10.0,
    ) -> None:
        self._url = url.rstrip("/")
        self._client = client
        self._clock = clock
        self._jitter = jitter
        self._fees = fees
        self._silence_s = silence_s
        self.connections = 0
        """Streams that are live now."""
        self.drops = 0
        """Connections that ended, or could not be made, since the start."""

    async def stream(
        self, wanted: Callable[[], Collection[str]]
    ) -> AsyncGenerator[AccountState, None]:
        """Yield each wanted address's state, then every change; reconnects and re-reads by itself.

        The symbols are those that are wanted at first: an exchange's list is that of the desk.
        """
        symbols = sorted({address.rpartition(":")[2] for address in wanted()})
        failures = 0
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    async with aclosing(self._connection(session, symbols)) as states:
                        async for state in states:
                            if state.address.startswith(_BOOKS):  # rules alone are no success
                                failures = 0
                            if state.address in wanted():
                                yield state
                except (DeskError, aiohttp.ClientError, TimeoutError, OSError, Gap) as problem:
                    log.warning("books.dropped", why=_words(problem))
                self.drops += 1
                pause_s = min(_PAUSE_S * 2.0 ** min(failures, 10), _PAUSE_S_MAX)
                failures += 1
                await self._clock.sleep(pause_s * (1 + self._jitter()) / 2)

    async def _connection(
        self, session: aiohttp.ClientSession, symbols: Sequence[str]
    ) -> AsyncGenerator[AccountState, None]:
        names = "/".join(f"{symbol.lower()}@depth@100ms" for symbol in symbols)
        async with asyncio.timeout(self._silence_s):
            socket = await session.ws_connect(
                f"{self._url}/stream?streams={names}", max_msg_size=_MESSAGE_BYTES_MAX
            )
        async with socket:
            listed = []
            for state in await self._terms(symbols):
                if state.data and state.address.startswith(_RULES):
                    listed.append(state.address.removeprefix(_RULES))
                yield state
            books = {symbol: Book() for symbol in listed}
            reading = asyncio.ensure_future(self._snapshots(books))
            try:
                self.connections += 1
                async with aclosing(self._changes(socket, books, reading)) as states:
                    async for state in states:
                        yield state
            finally:
                self.connections -= 1
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    async def _changes(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        books: Mapping[str, Book],
        reading: "asyncio.Future[None]",
    ) -> AsyncGenerator[AccountState, None]:
        told_s = dict.fromkeys(books, float("-inf"))
        read_s = self._clock.monotonic()
        while True:
            changed = await self._heard(socket, books)
            if reading.done():
                reading.result()  # raises what kept a book from being read
            now_s = self._clock.monotonic()
            for symbol, book in books.items():
                quiet = now_s - told_s[symbol] >= _QUIET_S
                if book.update_id is not None and (symbol == changed or quiet):
                    told_s[symbol] = now_s
                    yield _state("book", symbol, book.told(), book.update_id)
            if now_s - read_s >= _RULES_S:
                read_s = now_s
                for state in await self._terms(list(books)):
                    yield state

    async def _heard(
        self, socket: aiohttp.ClientWebSocketResponse, books: Mapping[str, Book]
    ) -> str | None:
        """Take in one message; return the symbol whose book it changed."""
        frame = await socket.receive(timeout=self._silence_s)
        if frame.type is not aiohttp.WSMsgType.TEXT:
            raise Unavailable(f"the stream ended ({frame.type.name})", code="exchange.unavailable")
        try:
            data = _MESSAGE.decode(frame.data).data
            event = _EVENT.decode(data)
        except UNREADABLE as problem:
            raise unreadable(str(problem)) from None
        if event.e == _SHUTDOWN:
            raise Unavailable("the stream's server is about to stop", code="exchange.unavailable")
        book = books.get(event.s)
        if event.e != "depthUpdate" or book is None:
            return None
        return event.s if book.changed(difference(bytes(data))) else None

    async def _snapshots(self, books: Mapping[str, Book]) -> None:
        """Read a snapshot of each book, while differences come in."""
        for symbol, book in books.items():
            for _ in range(_SNAPSHOTS_MAX):
                params = {"symbol": symbol, "limit": str(_DEPTH_LEVELS)}
                if book.start(await self._client.ask(DEPTH, params, answer=Depth)):
                    break
                await self._clock.sleep(_PAUSE_S)
            else:
                raise Unavailable(f"snapshots of {symbol} are too old", code="exchange.unavailable")

    async def _terms(self, symbols: Sequence[str]) -> list[AccountState]:
        """Read rules and fees; the rules of a symbol that is not listed are not there."""
        told = await self._listed(symbols)
        read_ms = self._client.guess_ms()
        states = [
            AccountState(f"{_RULES}{symbol}", b"", "", read_ms)
            for symbol in symbols
            if symbol not in told
        ]
        for symbol, rules in told.items():
            states.append(_state("rules", symbol, rules, read_ms))
            fees = self._fees or bytes(
                await self._client.ask(COMMISSION, {"symbol": symbol}, answer=msgspec.Raw)
            )
            states.append(_state("fees", symbol, fees, read_ms))
        return states

    async def _listed(self, symbols: Sequence[str]) -> dict[str, bytes]:
        """Return the rules of symbols; one that is not listed spoils the question for all."""
        names = msgspec.json.encode(symbols).decode()
        try:
            info = await self._client.ask(EXCHANGE_INFO, {"symbols": names}, answer=ExchangeInfo)
        except Unavailable as problem:
            if problem.code != "pool.gone":
                raise
            told: dict[str, bytes] = {}
            for symbol in symbols if len(symbols) > 1 else ():
                told |= await self._listed([symbol])
            return told
        for limit in info.rate_limits:
            if (limit.rate_limit_type, limit.interval) == ("REQUEST_WEIGHT", "MINUTE"):
                self._client.budget.weight_max = limit.limit // max(limit.interval_num, 1)
        return {_name(bytes(raw)): bytes(raw) for raw in info.symbols}


def _state(kind: str, symbol: str, data: bytes, slot: int) -> AccountState:
    return AccountState(f"{OWNER}:{kind}:{symbol}", data, OWNER, slot)


def _name(raw: bytes) -> str:
    try:
        return msgspec.json.decode(raw, type=SymbolName).symbol
    except UNREADABLE as problem:
        raise unreadable(str(problem)) from None


def _words(problem: BaseException) -> str:
    if isinstance(problem, Unavailable | Refused | Corrupt):
        return problem.detail
    return type(problem).__name__
