"""The words of CryptoPanic's API v2: news of many publishers, with the votes of its readers; pure.

Which fields there are depends on the plan: of all but the title we can do without. A story told by
a feed as well bears the same key there, and gains the votes.

Format: https://cryptopanic.com/developers/api/
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from quantdesk.core.ticks import Headline
from quantdesk.sources.words import mentions, posts, prose

NAME: Final = "CryptoPanic"


class _Coin(msgspec.Struct, frozen=True):
    code: str = ""


class _Publisher(msgspec.Struct, frozen=True):
    title: str | None = None
    domain: str | None = None


class _Post(msgspec.Struct, frozen=True):
    title: str
    id: int = 0
    description: str | None = None
    published_at: str | None = None
    created_at: str | None = None
    url: str | None = None
    original_url: str | None = None
    source: _Publisher | None = None
    instruments: list[_Coin] | None = None
    currencies: list[_Coin] | None = None
    votes: dict[str, Any] | None = None
    panic_score: int | None = None


class _Page(msgspec.Struct, frozen=True):
    results: list[msgspec.Raw]


def read(data: bytes, feed: str) -> Sequence[Headline]:  # noqa: ARG001 - there is one kind
    """Return the stories on a page; raise `Corrupt` (`message.unreadable`)."""
    page = posts.opened(data, _Page, NAME)
    return posts.headlines(page.results, _Post, _headline)


def _headline(post: _Post) -> Headline | None:
    title = prose.plain(post.title, prose.TITLE_MAX)
    if not title:
        return None
    summary = prose.plain(post.description or "", prose.SUMMARY_MAX)
    source = post.source or _Publisher()
    publisher = prose.plain(source.title or source.domain or NAME, prose.PUBLISHER_MAX)
    published_ms = prose.moment_ms(post.published_at or post.created_at or "")
    said = dict(post.votes or {})
    if post.panic_score is not None:
        said["panic_score"] = post.panic_score
    return Headline(
        key=prose.key(title, published_ms, publisher),
        title=title,
        url=prose.link(post.original_url or "") or prose.link(post.url or ""),
        publisher=publisher,
        published_ms=published_ms,
        summary=summary,
        symbols=_symbols(post, f"{title} \n {summary}"),
        votes=prose.votes(said),
    )


def _symbols(post: _Post, text: str) -> tuple[str, ...]:
    coins = [coin.code.upper() for coin in (post.instruments or post.currencies or ())]
    good = [code for code in coins if mentions.is_symbol(code)]
    return tuple(dict.fromkeys([*good, *mentions.symbols(text)]))[: mentions.SYMBOLS_MAX]
