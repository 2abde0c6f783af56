"""The words of X's API v2: an answer to a search in, headlines out; pure.

A post is told once by its id (`x:…`), what it is liked and passed on by are the votes. Its author
is not named: that would be a user read for every post, at twice the price of the post.

Format: https://docs.x.com/x-api/posts/search-recent-posts
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Headline
from quantdesk.sources.words import mentions, posts, prose

NAME: Final = "X"
_ID: Final = re.compile(r"[0-9]{1,20}").fullmatch
_COUNTS: Final = {
    "like_count": "likes", "retweet_count": "reposts", "reply_count": "replies",
    "quote_count": "quotes",
}  # fmt: skip


class _Post(msgspec.Struct, frozen=True):
    id: str
    text: str
    created_at: str = ""
    public_metrics: dict[str, Any] = {}


class _Meta(msgspec.Struct, frozen=True):
    newest_id: str = ""


class _Found(msgspec.Struct, frozen=True):
    data: list[msgspec.Raw] | None = None
    meta: _Meta | None = None


def read(data: bytes, feed: str) -> Sequence[Headline]:  # noqa: ARG001 - there is one kind
    """Return the posts that were found; raise `Corrupt` (`message.unreadable`)."""
    return posts.headlines(_found(data).data or (), _Post, _headline)


def charged(data: bytes) -> int:
    """Return how many posts an answer holds: each is paid for, read or not.

    Raises `Corrupt` (`message.unreadable`).
    """
    return len(_found(data).data or ())


def newest(data: bytes) -> str:
    """Return the id to search on from, "" where the answer names none."""
    meta = _found(data).meta
    return meta.newest_id if meta is not None and _ID(meta.newest_id) else ""


def _found(data: bytes) -> _Found:
    found = posts.opened(data, _Found, NAME)
    if found.data is None and found.meta is None:
        raise Corrupt("no answer of X: it has neither posts nor meta", code="message.unreadable")
    return found


def _headline(post: _Post) -> Headline | None:
    text = prose.plain(post.text, prose.SUMMARY_MAX)
    if not text or not _ID(post.id):
        return None
    title = prose.plain(text, prose.TITLE_MAX)
    said = {ours: post.public_metrics.get(theirs) for theirs, ours in _COUNTS.items()}
    return Headline(
        key=f"x:{post.id}",
        title=title,
        url=f"https://x.com/i/web/status/{post.id}",
        publisher=NAME,
        published_ms=prose.moment_ms(post.created_at),
        summary="" if text == title else text,
        symbols=mentions.symbols(text),
        votes=prose.votes(said),
    )
