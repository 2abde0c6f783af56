"""The way to the desk: HTTP and WebSocket, as any other program would use them.

Where the desk is and the key to it are read from its data folder again for every call, so a desk
that came back on another port is found. Problem documents become the `DeskError` they were.
"""

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Self

import aiohttp
import msgspec

from quantdesk.cli.views import Problem
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.ops import folder

_ANSWER_S = 10.0
_HEARTBEAT_S = 10.0
_DONE = 1000
_SIGNED_OUT = 4401
_UNKNOWN_ORDER = 4404
_FAILED_FROM = 400
_BROKEN_FROM = 500
_JSON = "application/json"


class Cut(Unavailable):
    """The desk did not answer, or not to the end: what was asked may or may not have happened."""

    default_code = "desk.silent"


class Client:
    """Asks the desk of one data folder."""

    def __init__(self, home: Path, session: aiohttp.ClientSession) -> None:
        self._home = home
        self._session = session

    async def get(self, path: str, query: Mapping[str, str | int] | None = None) -> bytes:
        """Return the body of an answer.

        Raises what the desk refused with, `Unavailable` (`desk.not_running`) or `Cut`.
        """
        return await self._ask("GET", path, query=query)

    async def delete(self, path: str) -> bytes:
        """Return the body of the answer to a DELETE; raises as `get`."""
        return await self._ask("DELETE", path)

    async def post(self, path: str, body: bytes, *, headers: Mapping[str, str]) -> bytes:
        """Return the body of the answer to JSON; raises as `get`."""
        return await self._ask("POST", path, body=body, headers={"content-type": _JSON, **headers})

    async def act(self, path: str, *, within_s: float) -> bytes:
        """Return the body of the answer to a POST of nothing that may take long; as `get`."""
        return await self._ask("POST", path, within_s=within_s)

    async def patch(self, path: str, body: bytes) -> bytes:
        """Return the body of the answer to a PATCH of JSON; raises as `get`."""
        return await self._ask("PATCH", path, body=body, headers={"content-type": _JSON})

    async def put(self, path: str, body: bytes) -> bytes:
        """Return the body of the answer to JSON that is put; raises as `get`."""
        return await self._ask("PUT", path, body=body, headers={"content-type": _JSON})

    async def stream(self, path: str) -> AsyncGenerator[str]:
        """Yield the messages of a socket until the desk says that it was the last.

        Raises `Cut` when the socket ends otherwise, `Refused` (`order.unknown`,
        `request.unauthenticated`).
        """
        async with self.socket(path) as socket:
            async for text in socket:
                yield text

    @asynccontextmanager
    async def socket(self, path: str) -> AsyncIterator["Socket"]:
        """Open a socket while the block runs; raises as `stream` when the desk ends it."""
        url, headers, trust = self._place()
        with _explained(self._home):
            async with self._session.ws_connect(
                url + path, headers=headers, heartbeat=_HEARTBEAT_S, ssl=trust
            ) as socket:
                yield Socket(socket)
        _judge_close(socket.close_code, path)

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        within_s: float = _ANSWER_S,
    ) -> bytes:
        url, key, trust = self._place()
        sent = {**key, **(headers or {})}
        timeout = aiohttp.ClientTimeout(total=within_s)
        with _explained(self._home, within_s):
            async with self._session.request(
                method, url + path, params=query, data=body, headers=sent, ssl=trust,
                timeout=timeout,
            ) as answer:  # fmt: skip
                told = await answer.read()
        if answer.status >= _FAILED_FROM:
            raise _problem(answer.status, told)
        return told

    def _place(self) -> tuple[str, dict[str, str], ssl.SSLContext | bool]:
        told = folder.running(self._home)
        key = {"authorization": f"Bearer {folder.owner_key(self._home)}"}
        return told["urls"]["api"], key, _trust(told.get("cert"))


class Socket:
    """A WebSocket to the desk: text both ways; iterating ends when the desk closes it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def say(self, text: str) -> None:
        """Send a message."""
        await self._socket.send_str(text)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                text: str = message.data
                return text
        raise StopAsyncIteration


@asynccontextmanager
async def client(home: Path) -> AsyncIterator[Client]:
    """Open the way to the desk of a data folder while the block runs."""
    timeout = aiohttp.ClientTimeout(total=_ANSWER_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield Client(home, session)


@contextmanager
def _explained(home: Path, within_s: float = _ANSWER_S) -> Iterator[None]:
    try:
        yield
    except aiohttp.ClientConnectorError as problem:
        raise Unavailable(
            f"the desk of {home} does not listen: start it with `quantdesk up`",
            code="desk.not_running",
        ) from problem
    except TimeoutError as problem:
        raise Cut(f"the desk did not answer within {within_s:g} s") from problem
    except aiohttp.ClientError as problem:
        raise Cut("the desk broke off in the middle of an answer") from problem


def _trust(cert: str | None) -> ssl.SSLContext | bool:
    """Return whom to trust: a desk of this machine is known by its certificate, not by its name."""
    if cert is None:
        return True
    try:
        context = ssl.create_default_context(cafile=cert)
    except (OSError, ssl.SSLError) as problem:
        raise Unavailable(f"{cert}: {problem}", code="tls.unreadable") from None
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False
    return context


def _judge_close(code: int | None, path: str) -> None:
    if code == _DONE:
        return
    if code == _UNKNOWN_ORDER:
        raise Refused(f"there is no order {path.rpartition('/')[2]}", code="order.unknown")
    if code == _SIGNED_OUT:
        raise Refused("the desk does not know this key", code="request.unauthenticated")
    raise Cut("the desk closed the stream")


def _problem(status: int, body: bytes) -> DeskError:
    try:
        told = msgspec.json.decode(body, type=Problem)
    except msgspec.MsgspecError:
        # Not our desk's words: a proxy, or another program on that port.
        return Unavailable(f"an answer {status} that no desk gives", code="desk.unreadable")
    if told.retryable:
        return Unavailable(told.detail, code=told.code)
    kind = Corrupt if status >= _BROKEN_FROM else Refused
    return kind(told.detail, code=told.code)
