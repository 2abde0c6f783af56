"""A story, its place among all, and how two tellings of it become one. Pure."""

import re
from typing import Final

import msgspec

from quantdesk.core.errors import Refused
from quantdesk.core.ticks import Headline

AHEAD_MS: Final = 600_000
"""A story may be published that long after it was received: clocks differ. Not longer: it would
stand above all others until then."""

_CURSOR: Final = re.compile(r"([0-9]{1,13})\.([\x21-\x7e]{1,64})").fullmatch
VOTES_MAX: Final = 32


class Story(msgspec.Struct, frozen=True):
    """A piece of news, who told it first, when it reached the desk, and in which message."""

    headline: Headline
    source: str
    received_ms: int
    raw_id: str

    @property
    def key(self) -> str:
        """Return what names the story for good."""
        return self.headline.key

    @property
    def place(self) -> "Place":
        """Return its place among all."""
        return Place(self.headline.published_ms, self.headline.key)


class Place(msgspec.Struct, frozen=True, order=True):
    """A place in the order of news: later ones are newer."""

    published_ms: int
    key: str

    def __str__(self) -> str:
        return f"{self.published_ms}.{self.key}"


def placed(cursor: str) -> Place:
    """Return the place that a cursor names; raise `Refused` (`news.cursor`) if it names none."""
    said = _CURSOR(cursor)
    if said is None:
        raise Refused("this is no cursor of a page of news", code="news.cursor")
    return Place(int(said[1]), said[2])


def published(headline: Headline, received_ms: int) -> Headline:
    """Return a headline with a time at which it can have been published."""
    if 0 < headline.published_ms <= received_ms + AHEAD_MS:
        return headline
    return msgspec.structs.replace(headline, published_ms=received_ms)


def merged(known: Story, told: Headline) -> Story:
    """Return a story as the latest telling has it; its time and place stay.

    What the latest does not say stays as it was: a vote of another source, a link, a summary.
    """
    was = known.headline
    symbols = tuple(dict.fromkeys((*was.symbols, *told.symbols)))
    votes = dict(list({**was.votes, **told.votes}.items())[:VOTES_MAX])
    headline = msgspec.structs.replace(
        was,
        title=told.title,
        url=was.url or told.url,
        summary=told.summary or was.summary,
        symbols=symbols if len(symbols) != len(was.symbols) else was.symbols,
        votes=votes,
    )
    return known if headline == was else msgspec.structs.replace(known, headline=headline)
