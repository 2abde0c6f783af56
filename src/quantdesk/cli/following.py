"""A channel of the desk's `/ws`, live, however often the desk goes away and comes back.

The rule of sequences is that of docs/reference/websocket.md. A hole is cured by asking for the
state anew, a cut by connecting again, ever more slowly; who reads is told of both ends of it.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

import msgspec

from quantdesk.cli.client import Client
from quantdesk.core.backoff import Backoff
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Refused, Unavailable

_FIRST_S: Final = 0.25
_LONGEST_S: Final = 5.0
_HEALTHY_S: Final = 10.0
_NONE: Final = msgspec.Raw(b"")


class Message(msgspec.Struct, frozen=True):
    """What the desk says on `/ws`; `snap` or `d` are empty where there is none."""

    ch: str
    key: str = ""
    epoch: str = ""
    seq: int = 0
    snap: msgspec.Raw = _NONE
    d: msgspec.Raw = _NONE
    code: str = ""
    detail: str = ""
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A key has a new state (or, where a channel tells rows, more of it); `state` is JSON."""

    key: str
    state: bytes
    whole: bool


@dataclass(frozen=True, slots=True)
class Hole:
    """Something of a key was lost: ask for its state anew."""

    key: str


@dataclass(frozen=True, slots=True)
class Away:
    """The desk does not answer now; nothing known of it is of now any more."""

    detail: str


@dataclass(frozen=True, slots=True)
class Back:
    """The desk answers, for the first time or again: the states that follow are of now."""


_message = msgspec.json.Decoder(Message).decode


class Known:
    """What was heard of one channel on one connection: the last number of each key. Pure."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._last: dict[str, int] = {}
        self._asked: set[str] = set()

    def ask(self) -> str:
        """Return the message that begins it."""
        return msgspec.json.encode({"op": "subscribe", "ch": self._channel}).decode()

    def ask_again(self, hole: Hole) -> str:
        """Return the message that asks for the state of a key."""
        told = {"op": "resync", "ch": self._channel, "keys": [hole.key]}
        return msgspec.json.encode(told).decode()

    def hear(self, text: str) -> Change | Hole | Back | None:
        """Return what a message means, None for those that change nothing.

        Raises `Refused` or `Unavailable` as the desk said, and `Corrupt` (`desk.unreadable`).
        """
        try:
            said = _message(text)
        except msgspec.MsgspecError:
            raise Corrupt("the desk says what no desk says", code="desk.unreadable") from None
        if said.ch == "hello":
            return Back()
        if said.ch == "error":
            raise (Unavailable if said.retryable else Refused)(said.detail, code=said.code)
        return self._follow(said) if said.ch == self._channel else None

    def _follow(self, said: Message) -> Change | Hole | None:
        key, last = said.key, self._last.get(said.key)
        if bytes(said.snap):
            self._last[key] = said.seq
            self._asked.discard(key)
            return Change(key, bytes(said.snap), whole=True)
        if key in self._asked or (last is not None and said.seq <= last):
            return None
        if last is None or said.seq != last + 1:
            self._asked.add(key)
            return Hole(key)
        self._last[key] = said.seq
        return Change(key, bytes(said.d), whole=False)


async def follow(
    desk: Client, channel: str, *, clock: Clock
) -> AsyncGenerator[Change | Away | Back]:
    """Yield every state of a channel as it changes, until closed; `Away` when the desk goes.

    Raises `Refused`, and `Unavailable` when the desk was not there to begin with.
    """
    # One terminal at one desk: there is no crowd to spread out by chance.
    backoff = Backoff(lambda: 1.0, first_s=_FIRST_S, longest_s=_LONGEST_S, healthy_s=_HEALTHY_S)
    there = before = False
    while True:
        known, began = Known(channel), clock.monotonic()
        try:
            async with desk.socket("/ws") as socket:
                await socket.say(known.ask())
                async for text in socket:
                    heard = known.hear(text)
                    if isinstance(heard, Hole):
                        await socket.say(known.ask_again(heard))
                    elif heard is not None:
                        there = before = True
                        yield heard
            away = Away("the desk ended the stream")
        except Unavailable as problem:
            if not before:
                raise
            away = Away(problem.detail)
        if there:
            yield away
        there = False
        await clock.sleep(backoff.failed(lived_s=clock.monotonic() - began))
