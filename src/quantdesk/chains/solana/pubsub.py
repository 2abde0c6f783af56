"""One WebSocket connection to a node: subscribe to accounts, then read what it notifies.

Slots are subscribed too, as a heartbeat: a socket that stays silent longer than a few of them is
taken for dead, however open it looks. Nothing but `DeskError`, `TimeoutError` and the errors of
aiohttp comes out of here.

Protocol: https://solana.com/docs/rpc/websocket
"""

from collections.abc import Sequence
from typing import Any, Final

import aiohttp
import msgspec

from quantdesk.chains.port import AccountState
from quantdesk.chains.solana.answers import AccountAnswer, Context, account_state
from quantdesk.core.errors import Unavailable

_HEARTBEAT: Final = 0
"""The number of the question for slots; accounts are numbered from 1."""
_NOTIFICATION: Final = "accountNotification"
_WORDS_MAX: Final = 300


class _Value(msgspec.Struct, frozen=True):
    context: Context
    value: AccountAnswer | None


class _Params(msgspec.Struct, frozen=True):
    subscription: int
    result: msgspec.Raw


class _Message(msgspec.Struct, frozen=True):
    """A notification, or the answer to a subscription."""

    id: int | None = None
    result: Any = None
    error: Any = None
    method: str | None = None
    params: _Params | None = None


_MESSAGE: Final = msgspec.json.Decoder(_Message)
_VALUE: Final = msgspec.json.Decoder(_Value)


class Subscriptions:
    """The accounts one socket notifies of."""

    def __init__(
        self,
        *,
        socket: aiohttp.ClientWebSocketResponse,
        addresses: Sequence[str],
        commitment: str,
        silence_s: float,
    ) -> None:
        self._socket = socket
        self._addresses = addresses
        self._commitment = commitment
        self._silence_s = silence_s
        self._address_of: dict[int, str] = {}

    async def open(self) -> list[AccountState]:
        """Subscribe to everything; return the latest change of each account that came meanwhile.

        Raises `Unavailable` when the node refuses or closes, `TimeoutError` when it is silent.
        """
        config = {"encoding": "base64", "commitment": self._commitment}
        wanted: dict[int, str] = dict(enumerate(self._addresses, start=_HEARTBEAT + 1))
        await self._ask(_HEARTBEAT, "slotSubscribe")
        for number, address in wanted.items():
            await self._ask(number, "accountSubscribe", address, config)
        early: dict[str, AccountState] = {}
        open_questions = {_HEARTBEAT, *wanted}
        while open_questions:
            message = await self._receive()
            if message.error is not None:
                raise Unavailable(f"the node says: {message.error}"[:_WORDS_MAX])
            if message.id in open_questions and isinstance(message.result, int):
                open_questions.discard(message.id)
                if message.id in wanted:
                    self._address_of[message.result] = wanted[message.id]
            elif (state := self._state(message)) is not None:
                early[state.address] = state
        return list(early.values())

    async def next(self) -> AccountState | None:
        """Return the next change, or None for a sign of life; raise as `open` does."""
        return self._state(await self._receive())

    async def _ask(self, number: int, method: str, *params: object) -> None:
        question = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        await self._socket.send_str(msgspec.json.encode(question).decode())

    async def _receive(self) -> _Message:
        frame = await self._socket.receive(timeout=self._silence_s)
        if frame.type is not aiohttp.WSMsgType.TEXT:
            raise Unavailable(f"the node ended the socket ({frame.type.name})")
        try:
            return _MESSAGE.decode(frame.data)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
            raise _unreadable(problem) from None

    def _state(self, message: _Message) -> AccountState | None:
        if message.method != _NOTIFICATION or message.params is None:
            return None
        address = self._address_of.get(message.params.subscription)
        if address is None:
            return None
        try:
            said = _VALUE.decode(message.params.result)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
            raise _unreadable(problem) from None
        return account_state(address, said.value, slot=said.context.slot)


def _unreadable(problem: Exception) -> Unavailable:
    return Unavailable(f"unreadable notification: {problem}"[:_WORDS_MAX], code="rpc.unreadable")
