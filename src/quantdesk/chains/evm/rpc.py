"""Questions to an EVM node: JSON-RPC over one HTTP session, each bounded in time and size.

Methods: https://ethereum.github.io/execution-apis. Error codes: 3 is a contract's own revert, see
https://github.com/ethereum/go-ethereum/blob/master/internal/ethapi/errors.go; other nodes say it
with -32000 or -32015 and in words.
"""

import asyncio
import re
from types import TracebackType
from typing import Final, Self, TypeVar

import aiohttp
import msgspec

from quantdesk.core.errors import DeskError, Refused, Unavailable

T = TypeVar("T")

_OK: Final = 200
_WORDS_MAX: Final = 200  # of a node's own message
_ANSWER_BYTES_MAX: Final = 64 * 1024
_WAITING_MAX: Final = 64
_REVERT: Final = 3
_REVERTS_IN_WORDS: Final = frozenset({-32000, -32015})
_REVERTED: Final = re.compile(r"revert", re.IGNORECASE)


class Reverted(Refused):
    """The contract ran and refused, which is an answer."""

    default_code = "evm.reverted"


class _Error(msgspec.Struct, frozen=True):
    code: int
    message: str = ""


class _Answer(msgspec.Struct, frozen=True):
    id: int | None = None
    result: msgspec.Raw = msgspec.Raw(b"")
    error: _Error | None = None


_ANSWER: Final = msgspec.json.Decoder(_Answer)


class Rpc:
    """One node; use as an async context, or close it.

    `timeout_s` bounds a question, `requests_max` those under way; its address, which may hold a
    key, is never part of an error.
    """

    def __init__(self, *, url: str, timeout_s: float = 3.0, requests_max: int = 8) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._slots = asyncio.Semaphore(requests_max)
        self._open = 0
        self._number = 0
        self._session: aiohttp.ClientSession | None = None

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

    async def ask(self, method: str, *params: object, answer: type[T]) -> T:
        """Return a node's answer as the given type.

        Raises `Reverted`, or `Unavailable` (`evm.unavailable`, `evm.unreadable`, `evm.busy`).
        """
        if self._open >= _WAITING_MAX:
            raise Unavailable("too many questions wait for the EVM node", code="evm.busy")
        self._open += 1
        self._number = number = self._number + 1
        try:
            async with asyncio.timeout(self._timeout_s), self._slots:
                body = await self._post(number, method, params)
        except TimeoutError:
            raise _silent(f"none within {self._timeout_s:g} s") from None
        finally:
            self._open -= 1
        return _result(body, number, answer)

    async def _post(self, number: int, method: str, params: tuple[object, ...]) -> bytes:
        wire = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        try:
            async with self._opened().post(
                self._url,
                data=msgspec.json.encode(wire),
                headers={"Content-Type": "application/json"},
                allow_redirects=False,  # which would carry the address's key elsewhere
            ) as response:
                body = await _bounded(response)
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            raise _silent(type(problem).__name__) from None
        if response.status != _OK:
            raise _silent(f"HTTP {response.status}")
        return body

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout_s)
            )
        return self._session


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _ANSWER_BYTES_MAX:
            raise _unreadable("it is too long")
    return bytes(body)


def _result(body: bytes, number: int, shape: type[T]) -> T:
    try:
        told = _ANSWER.decode(body)
        if told.error is not None:
            raise _refusal(told.error)
        if told.id != number or not told.result:
            raise _unreadable("it answers another question")
        return msgspec.json.decode(told.result, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise _unreadable(str(problem)) from None


def _refusal(error: _Error) -> DeskError:
    words = f"the EVM node says: {error.message}"[:_WORDS_MAX]
    in_words = error.code in _REVERTS_IN_WORDS and _REVERTED.search(error.message)
    if error.code == _REVERT or in_words:
        return Reverted(words)
    return Unavailable(words, code="evm.unavailable")


def _silent(why: str) -> Unavailable:
    return Unavailable(f"the EVM node gives no answer: {why}", code="evm.unavailable")


def _unreadable(why: str) -> Unavailable:
    return Unavailable(
        f"unreadable answer of the EVM node: {why}"[:_WORDS_MAX], code="evm.unreadable"
    )
