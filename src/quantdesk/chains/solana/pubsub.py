"""One WebSocket connection to a node: subscribe to accounts, then read what it notifies.

Slots are subscribed too, as a heartbeat: a socket that stays silent longer than a few of them is
taken for dead, however open it looks. Nothing but `DeskError`, `TimeoutError` and the errors of
aiohttp comes out of here.

Protocol: https://solana.com/docs/rpc/websocket
"""

import asyncio
from collections.abc import Collection
from itertools import count
from typing import Any, Final

import aiohttp
import msgspec

from quantdesk.chains.port import AccountState
from quantdesk.chains.solana.answers import AccountAnswer, Context, account_state
from quantdesk.core.errors import Unavailable

_HEARTBEAT: Final = ""
"""What the subscription to slots stands for, where those of accounts stand for an address."""
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
        self, *, socket: aiohttp.ClientWebSocketResponse, commitment: str, silence_s: float
    ) -> None:
        self._socket = socket
        self._config = {"encoding": "base64", "commitment": commitment}
        self._silence_s = silence_s
        self._numbers = count()
        self._unanswered: dict[int, str] = {}
        self._address_of: dict[int, str] = {}
        self._receiving: asyncio.Task[_Message] | None = None

    @property
    def settled(self) -> bool:
        """Return whether the node has answered every subscription."""
        return not self._unanswered

    async def open(self, addresses: Collection[str]) -> list[AccountState]:
        """Subscribe to everything; return the latest change of each account that came meanwhile.

        Raises `Unavailable` when the node refuses or closes, `TimeoutError` when it is silent.
        """
        await self._subscribe("slotSubscribe", _HEARTBEAT)
        await self.follow(addresses)
        early: dict[str, AccountState] = {}
        while not self.settled:
            if (state := self._taken(await self._receive())) is not None:
                early[state.address] = state
        return list(early.values())

    async def follow(self, addresses: Collection[str]) -> None:
        """Subscribe to what is new among these and end what is not among them.

        The node answers later: until `settled`, changes of the new ones may still be missed.
        """
        known = {*self._address_of.values(), *self._unanswered.values()}
        for subscription, address in [*self._address_of.items()]:
            if address not in addresses:
                del self._address_of[subscription]
                await self._ask("accountUnsubscribe", subscription)
        for address in sorted(set(addresses) - known):
            await self._subscribe("accountSubscribe", address, address, self._config)

    async def next(self, *, unless: asyncio.Future[Any] | None = None) -> AccountState | None:
        """Return the next change, or None for a sign of life; raise as `open` does.

        None too once `unless` is done, if that is sooner.
        """
        if self._receiving is None and unless is None:
            return self._taken(await self._receive())
        self._receiving = self._receiving or asyncio.create_task(self._receive())
        if unless is not None:
            await asyncio.wait((self._receiving, unless), return_when=asyncio.FIRST_COMPLETED)
            if not self._receiving.done():
                return None
        receiving, self._receiving = self._receiving, None
        return self._taken(await receiving)

    async def close(self) -> None:
        """Wait for nothing more."""
        if self._receiving is not None:
            self._receiving.cancel()
            await asyncio.gather(self._receiving, return_exceptions=True)

    async def _subscribe(self, method: str, address: str, *params: object) -> None:
        self._unanswered[await self._ask(method, *params)] = address

    async def _ask(self, method: str, *params: object) -> int:
        number = next(self._numbers)
        question = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        await self._socket.send_str(msgspec.json.encode(question).decode())
        return number

    async def _receive(self) -> _Message:
        frame = await self._socket.receive(timeout=self._silence_s)
        if frame.type is not aiohttp.WSMsgType.TEXT:
            raise Unavailable(f"the node ended the socket ({frame.type.name})")
        try:
            return _MESSAGE.decode(frame.data)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
            raise _unreadable(problem) from None

    def _taken(self, message: _Message) -> AccountState | None:
        """Take an answer in, or return what a notification tells."""
        if message.error is not None and self._matters(message.id):
            raise Unavailable(f"the node says: {message.error}"[:_WORDS_MAX])
        if message.method == _NOTIFICATION and message.params is not None:
            return self._told(message.params)
        if message.id in self._unanswered and type(message.result) is int:
            address = self._unanswered.pop(message.id)
            if address != _HEARTBEAT:
                self._address_of[message.result] = address
        return None

    def _matters(self, number: int | None) -> bool:
        """Return whether an error concerns what is followed: an end of telling does not."""
        return number is None or number in self._unanswered

    def _told(self, params: _Params) -> AccountState | None:
        address = self._address_of.get(params.subscription)
        if address is None:
            return None
        try:
            said = _VALUE.decode(params.result)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
            raise _unreadable(problem) from None
        return account_state(address, said.value, slot=said.context.slot)


def _unreadable(problem: Exception) -> Unavailable:
    return Unavailable(f"unreadable notification: {problem}"[:_WORDS_MAX], code="rpc.unreadable")
