"""Headlines told once: what is new or changed goes to listeners, the recent ones stay at hand.

A story is known by its key, and by its link where that was published at the same moment: so a
title that is put right is the same story. What is older than all that is at hand is not told as
new: feeds repeat their old stories for weeks.
"""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from quantdesk.core.clock import iso
from quantdesk.core.ticks import Frame, Headline
from quantdesk.ingest.news.model import Place, Story, merged, published

RECENT_MAX: Final = 2000
SHOWN_MAX: Final = 100
"""Stories of a snapshot."""
ALL: Final = "all"
"""The channel's key of all news; the others are symbols."""

Listener = Callable[[Story], object]


class News:
    """The latest stories of all sources, `at_most` of them.

    `changed` hear of every story that is new or not what it was, also of those too old to be at
    hand. `counts` holds told (headlines that came), fresh, changed and old.
    """

    def __init__(self, *, at_most: int = RECENT_MAX) -> None:
        assert at_most > 0, "something is at hand"
        self._at_most = at_most
        self._stories: dict[str, Story] = {}
        self._places: list[Place] = []
        self._links: dict[tuple[str, int], str] = {}
        self._symbols: Counter[str] = Counter()
        self.changed: list[Listener] = []
        """Told of what is new or changed, to show it."""
        self.keep: list[Listener] = []
        """Told of the same, and of stories too old to show, to keep them."""
        self.counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._stories)

    def restore(self, stories: Iterable[Story]) -> None:
        """Have stories at hand that were kept before; nobody is told."""
        for story in stories:
            if story.key not in self._stories:
                self._add(story)

    def headline(self, event: Headline, frame: Frame) -> None:
        """Take in a headline; a route of the flow."""
        self.counts["told"] += 1
        told = published(event, frame.received_ms)
        key = self._known(told, event)
        if key is not None:
            self._told_again(self._stories[key], told)
            return
        story = Story(told, frame.source, frame.received_ms, frame.id)
        if len(self._stories) >= self._at_most and story.place < self._places[0]:
            self.counts["old"] += 1
            _tell(self.keep, story)
            return
        self.counts["fresh"] += 1
        self._add(story)
        _tell(self.keep, story)
        _tell(self.changed, story)

    def recent(self, symbol: str | None = None, *, limit: int = SHOWN_MAX) -> list[Story]:
        """Return the latest stories, of an asset or of all, newest first."""
        found: list[Story] = []
        for place in reversed(self._places):
            if len(found) >= limit:
                break
            story = self._stories[place.key]
            if symbol is None or symbol in story.headline.symbols:
                found.append(story)
        return found

    def keys(self) -> Collection[str]:
        """Return the keys of the hub's channel: `all`, and each asset there is news of."""
        return [ALL, *self._symbols]

    def snapshot(self, key: str) -> list[Mapping[str, object]]:
        """Return the rows of the hub's channel for one of its keys, newest first."""
        return [row(story) for story in self.recent(None if key == ALL else key)]

    def _known(self, told: Headline, event: Headline) -> str | None:
        if told.key in self._stories:
            return told.key
        # A link alone names no story: some feeds send all of theirs to one page.
        return self._links.get((told.url, event.published_ms)) if event.published_ms else None

    def _told_again(self, known: Story, told: Headline) -> None:
        story = merged(known, told)
        if story is known:
            return
        self.counts["changed"] += 1
        self._symbols.update(set(story.headline.symbols) - set(known.headline.symbols))
        self._stories[story.key] = story
        _tell(self.keep, story)
        _tell(self.changed, story)

    def _add(self, story: Story) -> None:
        self._stories[story.key] = story
        insort(self._places, story.place)
        if story.headline.url:
            self._links.setdefault((story.headline.url, story.headline.published_ms), story.key)
        self._symbols.update(story.headline.symbols)
        if len(self._stories) > self._at_most:
            self._forget(self._stories[self._places[0].key])

    def _forget(self, story: Story) -> None:
        del self._stories[story.key]
        del self._places[bisect_left(self._places, story.place)]
        link = (story.headline.url, story.headline.published_ms)
        if self._links.get(link) == story.key:
            del self._links[link]
        self._symbols.subtract(story.headline.symbols)
        self._symbols += Counter()  # drops the assets nothing is left of


def row(story: Story) -> Mapping[str, object]:
    """Return a story as the hub tells it; of two rows with one `key` the later counts."""
    told = story.headline
    return {
        "key": story.key, "source": story.source, "title": told.title, "url": told.url,
        "publisher": told.publisher, "publishedAt": iso(told.published_ms),
        "summary": told.summary, "symbols": told.symbols, "votes": told.votes,
    }  # fmt: skip


def _tell(listeners: Iterable[Listener], story: Story) -> None:
    for listener in listeners:
        listener(story)
