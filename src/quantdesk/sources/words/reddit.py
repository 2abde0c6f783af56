"""The words of Reddit's API: a listing of new posts in, headlines out; pure.

A post is told once by its id (`reddit:t3_…`), its score and comments are the votes. What moderators
removed and what is marked as for adults is left out.

Format: https://www.reddit.com/dev/api/#listings
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from quantdesk.core.ticks import Headline
from quantdesk.sources.words import mentions, posts, prose

NAME: Final = "Reddit"
_SITE: Final = "https://www.reddit.com"
_ID: Final = re.compile(r"t3_[a-z0-9]{1,16}").fullmatch
_PLACE: Final = re.compile(r"/(?:r|user)/[\w/%.~-]+", re.ASCII).fullmatch


class _Post(msgspec.Struct, frozen=True):
    name: str
    title: str
    permalink: str
    created_utc: float
    selftext: str = ""
    subreddit_name_prefixed: str = ""
    score: int = 0
    num_comments: int = 0
    over_18: bool = False
    removed_by_category: str | None = None


class _Child(msgspec.Struct, frozen=True):
    data: _Post
    kind: str = ""


class _Children(msgspec.Struct, frozen=True):
    children: list[msgspec.Raw]


class _Listing(msgspec.Struct, frozen=True):
    data: _Children


def read(data: bytes, feed: str) -> Sequence[Headline]:  # noqa: ARG001 - there is one kind
    """Return the posts of a listing; raise `Corrupt` (`message.unreadable`)."""
    listing = posts.opened(data, _Listing, NAME)
    return posts.headlines(listing.data.children, _Child, lambda child: _headline(child.data))


def _headline(post: _Post) -> Headline | None:
    title = prose.plain(post.title, prose.TITLE_MAX)
    if not title or post.over_18 or post.removed_by_category or not _ID(post.name):
        return None
    summary = prose.plain(post.selftext, prose.SUMMARY_MAX)
    return Headline(
        key=f"reddit:{post.name}",
        title=title,
        url=_SITE + post.permalink if _PLACE(post.permalink) else "",
        publisher=prose.plain(post.subreddit_name_prefixed or NAME, prose.PUBLISHER_MAX),
        published_ms=prose.seconds_ms(post.created_utc),
        summary=summary,
        symbols=mentions.symbols(f"{title} \n {summary}"),
        votes=prose.votes({"score": max(post.score, 0), "comments": post.num_comments}),
    )
