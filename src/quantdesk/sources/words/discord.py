"""The words of Discord's gateway: messages of channels as headlines, and what steers us; pure.

Format: https://docs.discord.com/developers/events/gateway-events
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Headline
from quantdesk.sources.words import mentions, posts, prose

NAME: Final = "Discord"
DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11
_TOLD: Final = frozenset({"MESSAGE_CREATE", "MESSAGE_UPDATE"})
_ID: Final = re.compile(r"[0-9]{1,20}").fullmatch


class Payload(msgspec.Struct, frozen=True):
    """Any message of the gateway: what it is, its number, the name of an event, what it says."""

    op: int
    d: msgspec.Raw = msgspec.Raw(b"null")
    s: int | None = None
    t: str | None = None


class Hello(msgspec.Struct, frozen=True):
    """The gateway's first word: how often it wants to hear of us, in milliseconds."""

    heartbeat_interval: int


class Ready(msgspec.Struct, frozen=True):
    """A session has begun, and where it may be taken up again."""

    session_id: str
    resume_gateway_url: str = ""


class _Author(msgspec.Struct, frozen=True):
    username: str = ""


class _Embed(msgspec.Struct, frozen=True):
    title: str | None = None
    description: str | None = None


class _Message(msgspec.Struct, frozen=True):
    id: str
    channel_id: str
    content: str = ""
    guild_id: str | None = None
    timestamp: str = ""
    author: _Author | None = None
    embeds: list[_Embed] = []


class _Channel(msgspec.Struct, frozen=True):
    channel_id: str = ""


def opened(data: bytes) -> Payload:
    """Return a message of the gateway; raise `Corrupt` (`message.unreadable`)."""
    return posts.opened(data, Payload, NAME)


def channel(payload: Payload) -> str:
    """Return the channel a message of people stands in, "" for everything else."""
    if payload.op != DISPATCH or payload.t not in _TOLD:
        return ""
    try:
        return posts.opened(bytes(payload.d), _Channel, NAME).channel_id
    except Corrupt:
        return ""


def read(data: bytes, feed: str) -> Sequence[Headline]:  # noqa: ARG001 - there is one kind
    """Return the message of people in a message; raise `Corrupt` (`message.unreadable`)."""
    payload = opened(data)
    if payload.op != DISPATCH or payload.t not in _TOLD:
        return ()
    return posts.headlines([payload.d], _Message, _headline)


def _headline(message: _Message) -> Headline | None:
    embed = message.embeds[0] if message.embeds else _Embed()
    said = message.content or f"{embed.title or ''}\n{embed.description or ''}"
    text = prose.plain(said, prose.SUMMARY_MAX)
    if not text or not (_ID(message.id) and _ID(message.channel_id)):
        return None
    title = prose.plain(text, prose.TITLE_MAX)
    guild = message.guild_id if message.guild_id and _ID(message.guild_id) else "@me"
    author = message.author or _Author()
    return Headline(
        key=f"discord:{message.id}",
        title=title,
        url=f"https://discord.com/channels/{guild}/{message.channel_id}/{message.id}",
        publisher=prose.plain(author.username, prose.PUBLISHER_MAX) or NAME,
        published_ms=prose.moment_ms(message.timestamp),
        summary="" if text == title else text,
        symbols=mentions.symbols(text),
    )
