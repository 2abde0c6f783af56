"""The words of news feeds: RSS 0.9x, 1.0 and 2.0, Atom 0.3 and 1.0, as headlines; pure.

A feed is read where prices are, on the loop that trades, so it is read by expat (30 stories of
100 kB: 1.6 ms). A document that declares entities is refused before any is expanded, none is ever
loaded from elsewhere. One that is nearly XML (a bare "&", an entity of HTML) is mended and read
once more.

Formats: https://www.rssboard.org/rss-specification, https://www.rfc-editor.org/rfc/rfc4287,
https://web.resource.org/rss/1.0/spec
"""

import html
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urljoin
from xml.parsers import expat

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Headline
from quantdesk.sources.words import mentions, prose

STORIES_MAX: Final = 200
"""Of one feed, the first; feeds begin with the newest."""

_MENDED_BYTES_MAX: Final = 512 << 10  # a longer one is left as broken as it is
_DEPTH_MAX: Final = 200
_TEXT_MAX: Final = 16 * 1024  # characters looked at of one element
_ROOTS: Final = frozenset({"rss", "feed", "RDF"})
_STORIES: Final = frozenset({"item", "entry"})
_CHANNELS: Final = frozenset({"channel", "feed"})
_SPEAKS: Final = frozenset(
    {
        "", "http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#",
        "http://purl.org/rss/1.0/", "http://my.netscape.com/rdf/simple/0.9/",
        "http://purl.org/dc/elements/1.1/", "http://purl.org/rss/1.0/modules/content/",
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    }
)  # fmt: skip
"""Namespaces listened to: a picture's title is no story's."""
_PREFIXES: Final = frozenset({"", "atom", "rss", "dc", "content", "rdf"})
"""The same by the prefixes they go by, where a mended document does not declare them."""
_ABOUT: Final = (" about", ":about")
_DATES: Final = ("pubDate", "published", "date", "issued", "updated", "modified")
_TEXTS: Final = ("description", "summary", "encoded", "content")
_KEPT: Final = frozenset({"title", "link", "guid", "id", "source", *_DATES, *_TEXTS})

_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_AMPERSAND: Final = re.compile(r"&(?!(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos);)")
_ENTITY: Final = re.compile(r"&([a-zA-Z][a-zA-Z0-9]{1,31});")
_DECLARED: Final = re.compile(r"^\s*<\?xml[^>]*\?>")
_OWN: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})


def read(data: bytes, feed: str) -> Sequence[Headline]:
    """Return what a feed tells, in its order; `feed` is its address, which links may lean on.

    A story without a date has `published_ms` 0. Raises `Corrupt` (`message.unreadable`).
    """
    try:
        document = _parsed(data)
    except (expat.ExpatError, ValueError, LookupError) as problem:
        document = _mended(data, problem)
    publisher = prose.plain(document.title, prose.PUBLISHER_MAX) or prose.host(feed) or feed
    told = (_headline(story, publisher, feed) for story in document.stories)
    return [headline for headline in told if headline is not None]


def is_feed(data: bytes) -> bool:
    """Say whether an answer begins like a feed, whatever its server calls it."""
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<?xml", b"<rss", b"<feed", b"<rdf:rdf"))


@dataclass(slots=True)
class _Document:
    """What was read so far."""

    title: str = ""
    stories: list[dict[str, str]] = field(default_factory=list)


class _Enough(Exception):
    """As many stories were read as may be."""


class _Reader:
    """Hears a document element by element; keeps the texts of stories, and the channel's title."""

    def __init__(self, separator: str, speaks: frozenset[str]) -> None:
        self.document = _Document()
        self._separator = separator
        self._speaks = speaks
        self._path: list[str] = []
        self._story: dict[str, str] | None = None
        self._story_depth = 0
        self._name = ""
        self._name_depth = 0
        self._text: list[str] = []
        self._room = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(self._separator)
        if not self._path and local not in _ROOTS:
            raise _unreadable(f"its root is {prose.plain(local, 40)}")
        self._path.append(local)
        if len(self._path) > _DEPTH_MAX:
            raise _unreadable("it is nested without end")
        if space not in self._speaks:
            return
        if self._story is None and local in _STORIES:
            self._begin_story(attributes)
        elif self._story is not None and len(self._path) == self._story_depth + 1:
            self._begin_part(local, attributes)
        elif self._is_title_of_channel(local):
            self._listen(local)

    def end(self, _: str) -> None:
        depth = len(self._path)
        if self._name and depth == self._name_depth:
            self._keep("".join(self._text))
        elif self._story is not None and depth == self._story_depth:
            self.document.stories.append(self._story)
            self._story = None
            if len(self.document.stories) == STORIES_MAX:
                raise _Enough
        self._path.pop()

    def text(self, said: str) -> None:
        if self._room > 0:
            self._text.append(said[: self._room])
            self._room -= len(said)

    def _begin_story(self, attributes: dict[str, str]) -> None:
        self._story, self._story_depth = {}, len(self._path)
        about = next((v for k, v in attributes.items() if k.endswith(_ABOUT)), "")
        if about:
            self._story["about"] = about

    def _begin_part(self, local: str, attributes: dict[str, str]) -> None:
        assert self._story is not None, "parts are of stories"
        if local == "link" and "href" in attributes:
            if attributes.get("rel", "alternate") == "alternate":
                self._story.setdefault("link", attributes["href"])
        elif local in _KEPT and local not in self._story:
            if local == "guid" and attributes.get("isPermaLink", "true") != "true":
                return
            self._listen(local)

    def _is_title_of_channel(self, local: str) -> bool:
        return (
            self._story is None
            and local == "title"
            and len(self._path) > 1
            and self._path[-2] in _CHANNELS
        )

    def _listen(self, local: str) -> None:
        if not self._name:
            self._name, self._name_depth = local, len(self._path)
            self._text, self._room = [], _TEXT_MAX

    def _keep(self, text: str) -> None:
        if self._story is not None:
            self._story[self._name] = text
        elif not self.document.title:
            self.document.title = text
        self._name, self._room = "", 0


def _parsed(data: bytes) -> _Document:
    return _heard(expat.ParserCreate(None, " "), _Reader(" ", _SPEAKS), data)


def _heard(parser: expat.XMLParserType, reader: _Reader, data: bytes) -> _Document:
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = _refuse_entities
    with suppress(_Enough):
        parser.Parse(data, True)  # noqa: FBT003 - expat takes it by place
    return reader.document


def _mended(data: bytes, why: Exception) -> _Document:
    if len(data) > _MENDED_BYTES_MAX:
        raise _unreadable(str(why)) from why
    text = _DECLARED.sub("", _NO_XML.sub("", data.decode("utf-8", "replace")))
    text = _AMPERSAND.sub("&amp;", _ENTITY.sub(_letter, text))
    try:
        return _heard(expat.ParserCreate("utf-8"), _Reader(":", _PREFIXES), text.encode())
    except (expat.ExpatError, ValueError, LookupError):
        raise _unreadable(str(why)) from why


def _letter(entity: re.Match[str]) -> str:
    return entity[0] if entity[1] in _OWN else html.unescape(entity[0])


def _refuse_entities(*_: object) -> None:
    raise _unreadable("it declares entities")


def _headline(story: dict[str, str], publisher: str, feed: str) -> Headline | None:
    summary = prose.plain(_first(story, _TEXTS), prose.SUMMARY_MAX)
    title = prose.plain(story.get("title", ""), prose.TITLE_MAX)
    title = title or prose.plain(summary, prose.TITLE_MAX)
    if not title:
        return None
    published_ms = next((ms for name in _DATES if (ms := _date(story, name))), 0)
    by = prose.plain(story.get("source", ""), prose.PUBLISHER_MAX) or publisher
    return Headline(
        key=prose.key(title, published_ms, by),
        title=title,
        url=_link(story, feed),
        publisher=by,
        published_ms=published_ms,
        summary="" if summary == title else summary,
        symbols=mentions.symbols(f"{title} \n {summary}"),
    )


def _date(story: dict[str, str], name: str) -> int:
    return prose.moment_ms(story[name]) if name in story else 0


def _link(story: dict[str, str], feed: str) -> str:
    said = _first(story, ("link", "guid", "about", "id")).strip()[: prose.LINK_MAX + 1]
    try:
        return prose.link(urljoin(feed, said)) if said else ""
    except ValueError:
        return ""


def _first(story: dict[str, str], names: Sequence[str]) -> str:
    return next((story[name] for name in names if story.get(name, "").strip()), "")


def _unreadable(why: str) -> Corrupt:
    return Corrupt(f"no feed of news: {why}", code="message.unreadable")
