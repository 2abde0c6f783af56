"""Discord: messages of chosen channels, as a bot of the user's own hears them by the gateway.

    connect → hello → identify, or resume where a session stands → messages, heartbeats → again

The bot needs the privileged MESSAGE_CONTENT intent: without it the gateway closes with 4014.
https://docs.discord.com/developers/events/gateway
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

import msgspec

from quantdesk.core.backoff import Chance
from quantdesk.core.breaker import Breaker
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Refused
from quantdesk.core.ticks import Event, Frame
from quantdesk.sources.budget import Budget, OverBudget
from quantdesk.sources.polling import Asker
from quantdesk.sources.port import Take
from quantdesk.sources.reconnecting import Care, Patience, Reconnecting
from quantdesk.sources.socket import Socket, connect
from quantdesk.sources.words import discord as words
from quantdesk.sources.words import posts

NAME: Final = "discord"
FEED: Final = "gateway"
GATEWAY_URL: Final = "wss://gateway.discord.gg"
_VERSION: Final = "/?v=10&encoding=json"
_INTENTS: Final = (1 << 0) | (1 << 9) | (1 << 15)  # guilds, their messages, what those say
_FREE: Final = Decimal(0)
_NEVER_S: Final = float("inf")
_PATIENCE: Final = Patience(silence_s=120.0, life_s=_NEVER_S)
_CHANNELS_MAX: Final = 100
_CHANNEL: Final = re.compile(r"[0-9]{1,20}").fullmatch
_HOPELESS: Final = re.compile(r"closed by the server: (4004|401[0-4])\b").match
_FORGOTTEN: Final = re.compile(r"closed by the server: (4007|4009)\b").match
_HOME: Final = ".discord.gg"


@dataclass(frozen=True, slots=True)
class Account:
    """Who listens: the bot's token, and the ids of the channels it listens to."""

    token: str = field(repr=False)
    channels: tuple[str, ...]
    gateway_url: str = GATEWAY_URL


@dataclass(slots=True)
class _Session:
    """What the gateway knows us by, over connections; `number` is of the last message heard."""

    id: str = ""
    url: str = ""
    number: int | None = None

    def forget(self) -> None:
        """Begin anew with the next connection."""
        self.id, self.url, self.number = "", "", None


class Discord:
    """Discord as a source; connects, reconnects, failures and messages are in `counts`.

    Assets asked for do not matter: a channel tells what it tells.
    """

    def __init__(self, account: Account, *, budget: Budget, clock: Clock, chance: Chance) -> None:
        """Raise `Refused` (`source.settings`) for what is no channel's id."""
        named = account.channels
        if not 0 < len(named) <= _CHANNELS_MAX or not all(map(_CHANNEL, named)):
            raise Refused(
                f"sources.discord_channels holds 1 to {_CHANNELS_MAX} ids of channels",
                code="source.settings",
            )
        self._account = account
        self._budget = budget
        self._chance = chance
        self._session = _Session()
        self._asker = Asker(NAME, clock=clock, chance=chance)
        self.problem = ""
        self.counts = self._asker.counts

    @property
    def name(self) -> str:
        """Return `discord`."""
        return NAME

    def read(self, frame: Frame) -> Sequence[Event]:
        """Return the headline of a message; raise `Corrupt` (`message.unreadable`)."""
        return words.read(frame.data, frame.feed)

    async def run(self, symbols: Sequence[str], take: Take) -> None:  # noqa: ARG002 - see the class
        """Hand over messages of the channels until cancelled.

        Raises `Refused` (`source.key`) when the token or the bot's intents are not taken.
        """
        clock = self._asker.clock

        def tell(data: bytes) -> None:
            self._asker.hand_over(take, FEED, data)

        async def open_one() -> _Line:
            line = _Line(self._account, self._session, tell, clock, self._chance)
            url = (self._session.url or self._account.gateway_url) + _VERSION
            try:
                line.socket = await self._budget.asked(
                    _FREE, lambda: connect(url, line.hear, clock=clock), lambda _: _FREE
                )
            except OverBudget as over:
                self.problem = over.detail
                await clock.sleep(over.wait_s)
                raise
            self.problem = ""
            return line

        care = Care(clock, self._chance, self.counts, Breaker())
        kept = Reconnecting(
            name=NAME, open_one=open_one, opened=lambda: None, care=care, patience=_PATIENCE
        )
        try:
            await kept.run()
        except Refused as refused:
            self.problem = refused.detail
            raise


class _Line:
    """One connection: greets, beats, and passes on what is said in the channels."""

    def __init__(
        self,
        account: Account,
        session: _Session,
        tell: Callable[[bytes], None],
        clock: Clock,
        chance: Chance,
    ) -> None:
        self.socket: Socket | None = None
        self._account = account
        self._session = session
        self._tell = tell
        self._clock = clock
        self._chance = chance
        self._interval_s = 0.0
        self._beat_s = _NEVER_S
        self._acknowledged = True
        self._owed: list[bytes] = []
        self._why = ""

    @property
    def heard(self) -> int:
        """Return how many messages came."""
        assert self.socket is not None, "it is connected"
        return self.socket.heard

    async def over(self, *, seconds: float, clock: Clock) -> str:
        """Return why it is over, "" when it still stands; beats when it is time.

        Raises `Refused` (`source.key`) for a goodbye that no other try can cure.
        """
        assert self.socket is not None, "it is connected"
        self._beat_if_due()
        self._pay()
        why = await self.socket.over(seconds=seconds, clock=clock) or self._why
        if _HOPELESS(why):
            raise Refused(
                f"Discord {why}: check sources.discord_token, and that the bot may read what"
                " messages say (Message Content Intent)",
                code="source.key",
            )
        if _FORGOTTEN(why):
            self._session.forget()
        return why

    def close(self) -> None:
        """Say goodbye and close."""
        if self.socket is not None:
            self.socket.close()

    def hear(self, data: bytes) -> None:
        """Take in a message; what cannot be read is for whoever reads frames."""
        try:
            payload = words.opened(data)
            if payload.s is not None:
                self._session.number = payload.s
            if payload.op == words.DISPATCH:
                self._dispatched(payload, data)
            else:
                self._steered(payload)
        except Corrupt:
            self._tell(data)
        self._pay()

    def _dispatched(self, payload: words.Payload, data: bytes) -> None:
        if payload.t == "READY":
            ready = posts.opened(bytes(payload.d), words.Ready, words.NAME)
            self._session.id = ready.session_id
            self._session.url = _home(ready.resume_gateway_url)
        elif words.channel(payload) in self._account.channels:
            self._tell(data)

    def _steered(self, payload: words.Payload) -> None:
        if payload.op == words.HELLO:
            hello = posts.opened(bytes(payload.d), words.Hello, words.NAME)
            self._interval_s = max(hello.heartbeat_interval / 1000, 1.0)
            self._beat_s = self._clock.monotonic() + self._interval_s * self._chance()
            self._greet()
        elif payload.op == words.HEARTBEAT:
            self._say(words.HEARTBEAT, self._session.number)
        elif payload.op == words.ACK:
            self._acknowledged = True
        elif payload.op == words.RECONNECT:
            self._why = "the server asks to connect again"
        elif payload.op == words.INVALID:
            if bytes(payload.d) != b"true":
                self._session.forget()
            self._why = "the session is invalid"

    def _greet(self) -> None:
        token, session = self._account.token, self._session
        if session.id:
            resumed = {"token": token, "session_id": session.id, "seq": session.number}
            self._say(words.RESUME, resumed)
            return
        properties = {"os": "linux", "browser": "quantdesk", "device": "quantdesk"}
        self._say(words.IDENTIFY, {"token": token, "intents": _INTENTS, "properties": properties})

    def _beat_if_due(self) -> None:
        now_s = self._clock.monotonic()
        if now_s < self._beat_s:
            return
        if not self._acknowledged:
            self._why = "the server does not answer heartbeats"
            return
        self._acknowledged = False
        self._beat_s = now_s + self._interval_s
        self._say(words.HEARTBEAT, self._session.number)

    def _say(self, op: int, said: object) -> None:
        self._owed.append(msgspec.json.encode({"op": op, "d": said}))

    def _pay(self) -> None:
        # The first word may come before whoever connected has the socket in hand.
        if self.socket is not None:
            for message in self._owed:
                self.socket.send(message)
            self._owed.clear()


def _home(url: str) -> str:
    """Return where a session may be taken up, "" for what is not Discord's."""
    parts = urlsplit(url) if url.isascii() and url.isprintable() else urlsplit("")
    good = parts.scheme == "wss" and (parts.hostname or "").endswith(_HOME)
    return f"wss://{parts.hostname}" if good else ""
