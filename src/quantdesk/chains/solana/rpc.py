"""Questions to a Solana node: JSON-RPC over one HTTP session.

Questions asked in the same turn of the event loop travel as one batch, because a request costs the
desk and the node more than its content does. Every answer ends as a value or as a `DeskError`:
whatever a node sends, nothing else comes out of here.

Error codes: https://github.com/anza-xyz/agave/blob/master/rpc-client-api/src/custom_error.rs
"""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self, TypeVar

import aiohttp
import msgspec

from quantdesk.core.errors import DeskError, Refused, Unavailable

T = TypeVar("T")

_OK: Final = 200
_WORDS_MAX: Final = 300  # of a node's own message, shown to users
_ANSWER_BYTES_MAX: Final = 64 << 20


class Preflight(Refused):
    """The node simulated the transaction and would not send it; `data` is what it saw."""

    default_code = "rpc.preflight"

    def __init__(self, detail: str, *, data: msgspec.Raw) -> None:
        super().__init__(detail)
        self.data = data


_PREFLIGHT: Final = -32002
_CODES: Final[dict[int, tuple[type[DeskError], str]]] = {
    -32700: (Refused, "rpc.invalid"),  # parse error
    -32600: (Refused, "rpc.invalid"),  # invalid request
    -32601: (Refused, "rpc.method"),  # the node does not know the method
    -32602: (Refused, "rpc.invalid"),  # invalid parameters
    -32603: (Unavailable, "rpc.unavailable"),  # internal error
    -32003: (Refused, "rpc.signature"),  # signature verification failure
    -32004: (Unavailable, "rpc.unavailable"),  # block not available yet
    -32005: (Unavailable, "rpc.unavailable"),  # node is behind
    -32007: (Unavailable, "rpc.unavailable"),  # slot skipped, or missing from the node's ledger
    -32009: (Unavailable, "rpc.unavailable"),  # the same, in long-term storage
    -32010: (Refused, "rpc.invalid"),  # key excluded from the node's index
    -32011: (Refused, "rpc.history"),  # the node keeps no transaction history
    -32013: (Refused, "rpc.signature"),  # signatures and signers do not match
    -32014: (Unavailable, "rpc.unavailable"),  # block status not available yet
    -32015: (Refused, "rpc.invalid"),  # transaction version not asked for
    -32016: (Unavailable, "rpc.unavailable"),  # minimum context slot not reached
}
BEHIND: Final = "rpc.behind"
"""The code of a node that says that it is behind its cluster, or has not seen what was quoted."""

_UNHEALTHY: Final = -32005
_UNHEALTHY_WORDS: Final = "Node is"  # behind, or unhealthy; others mean their own limits by it
_UNKNOWN_CODE: Final = (Unavailable, "rpc.unavailable")
_STATUSES: Final = {401: "rpc.unauthorized", 403: "rpc.unauthorized"}
# By which a node, or the gate before it, may refuse a batch as such: too large, not in this plan.
_NO_BATCH: Final = frozenset({400, 403, 405, 413, 415, 422})


class _TurnedAway(Unavailable):
    """The request was answered by an HTTP status that asking less at once may mend."""

    default_code = "rpc.unavailable"


class _Error(msgspec.Struct, frozen=True):
    code: int
    message: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Answer(msgspec.Struct, frozen=True):
    id: int | None = None
    result: msgspec.Raw = msgspec.Raw(b"")  # which is not "null"
    error: _Error | None = None


_ANSWER: Final = msgspec.json.Decoder(_Answer)
_ANSWERS: Final = msgspec.json.Decoder(list[_Answer])
_ENCODER: Final = msgspec.json.Encoder()


class _Question:
    __slots__ = ("answer", "id", "wire")

    def __init__(self, number: int, method: str, params: Sequence[object]) -> None:
        self.id = number
        self.wire = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        self.answer: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()

    def take(self, answer: _Answer) -> None:
        # A node that could not read a question answers it without its number.
        if answer.id not in (self.id, None):
            self.fail(_unreadable("the answer is to another question"))
        elif answer.error is not None:
            self.fail(_refusal(answer.error))
        elif not answer.result:
            self.fail(_unreadable("the answer holds neither result nor error"))
        elif not self.answer.done():
            self.answer.set_result(answer.result)

    def fail(self, problem: DeskError) -> None:
        if not self.answer.done():  # else answered, or its asker went away
            self.answer.set_exception(problem)


class Rpc:
    """One node, asked over HTTP; use as an async context, or close it.

    `timeout_s` bounds each request, `requests_max` those under way, `questions_max` those waiting,
    and `batch_max` the questions of one request (Agave takes 50 KiB; 1 for nodes without batches).
    """

    def __init__(
        self,
        *,
        url: str,
        timeout_s: float = 5.0,
        requests_max: int = 32,
        batch_max: int = 25,
        questions_max: int = 10_000,
    ) -> None:
        self.url = url
        self._timeout_s = timeout_s
        self._batch_max = batch_max
        self._questions_max = questions_max
        self._slots = asyncio.Semaphore(requests_max)
        self._session: aiohttp.ClientSession | None = None
        self._waiting: list[_Question] = []
        self._open: set[_Question] = set()
        self._number = 0
        self._closed = False
        self._tasks: set[asyncio.Task[None]] = set()

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
        """End the session; questions still open end as `Unavailable`."""
        self._closed, self._waiting = True, []
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for question in self._open:
            question.fail(_closed())
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(self, method: str, *params: object, answer: type[T]) -> T:
        """Return a node's answer as the given type.

        Raises `Unavailable` (`rpc.unavailable`, `rpc.unauthorized`, `rpc.unreadable`, of a node
        that is behind its cluster `rpc.behind`) or `Refused`
        (`rpc.invalid`, `rpc.method`, `rpc.signature`, `rpc.history`, and `Preflight`).
        """
        raw = await self._ask(method, params)
        try:
            return msgspec.json.decode(raw, type=answer)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise _unreadable(f"{method}: {problem}") from None

    async def _ask(self, method: str, params: Sequence[object]) -> msgspec.Raw:
        if self._closed:
            raise _closed()
        if len(self._open) >= self._questions_max:
            raise Unavailable("too many questions wait for the node", code="rpc.unavailable")
        self._number += 1
        question = _Question(self._number, method, params)
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._depart)
        self._waiting.append(question)
        self._open.add(question)
        try:
            return await question.answer
        finally:
            self._open.discard(question)

    def _depart(self) -> None:
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), self._batch_max):
            batch = waiting[start : start + self._batch_max]
            task = asyncio.get_running_loop().create_task(self._travel(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _travel(self, batch: list[_Question]) -> None:
        problem: DeskError = _closed()
        try:
            async with self._slots:
                body = await self._post(batch)
            answers = _answers(body)
            if isinstance(answers, list):
                _deliver(answers, batch)
            elif len(batch) == 1:
                batch[0].take(answers)
            else:
                await self._travel_alone(batch, answers)
        except _TurnedAway as said:
            problem = Unavailable(said.detail, code=said.code)
            if len(batch) > 1:
                await self._each(batch)
        except DeskError as said:
            problem = said
        finally:
            for question in batch:
                question.fail(type(problem)(problem.detail, code=problem.code))

    async def _travel_alone(self, batch: list[_Question], answer: _Answer) -> None:
        """Ask each question by itself, if that answer refuses batches; raise what else it says."""
        error = _refusal(answer.error) if answer.error else _unreadable("one answer to many")
        if not isinstance(error, Refused):
            raise error
        await self._each(batch)

    async def _each(self, batch: list[_Question]) -> None:
        """Ask each question by itself, now and from now on."""
        self._batch_max = 1
        await asyncio.gather(*(self._travel([question]) for question in batch))

    async def _post(self, batch: list[_Question]) -> bytes:
        wire = batch[0].wire if len(batch) == 1 else [question.wire for question in batch]
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
                headers={"Content-Type": "application/json"},
            )
        try:
            async with self._session.post(self.url, data=_ENCODER.encode(wire)) as response:
                body = await _bounded(response)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
            # Its address may hold a key of its owner's.
            words = str(problem).replace(self.url, "the node") or type(problem).__name__
            if isinstance(problem, TimeoutError):
                words = f"nothing came within {self._timeout_s:g} s"
            raise Unavailable(
                f"the node does not answer: {words}"[:_WORDS_MAX], code="rpc.unavailable"
            ) from None
        if response.status != _OK:
            code = _STATUSES.get(response.status, "rpc.unavailable")
            kind = _TurnedAway if response.status in _NO_BATCH else Unavailable
            raise kind(f"the node answers HTTP {response.status}", code=code)
        return body


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _ANSWER_BYTES_MAX:
            raise _unreadable("the answer is too long")
    return bytes(body)


def _deliver(answers: list[_Answer], batch: list[_Question]) -> None:
    by_id = {answer.id: answer for answer in answers}
    for question in batch:
        if (answer := by_id.get(question.id)) is not None:
            question.take(answer)
        else:
            question.fail(_unreadable("a question was left without an answer"))


def _answers(body: bytes) -> list[_Answer] | _Answer:
    try:
        return _ANSWERS.decode(body) if body.lstrip()[:1] == b"[" else _ANSWER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise _unreadable(str(problem)) from None


def _refusal(error: _Error) -> DeskError:
    words = f"the node says: {error.message}"[:_WORDS_MAX]
    if error.code == _PREFLIGHT:
        return Preflight(words, data=error.data)
    if error.code == _UNHEALTHY and error.message.startswith(_UNHEALTHY_WORDS):
        return Unavailable(words, code=BEHIND)
    kind, code = _CODES.get(error.code, _UNKNOWN_CODE)
    return kind(words, code=code)


def _closed() -> Unavailable:
    return Unavailable("the connection to the node is closed", code="rpc.unavailable")


def _unreadable(why: str) -> Unavailable:
    return Unavailable(f"unreadable answer: {why}"[:_WORDS_MAX], code="rpc.unreadable")
