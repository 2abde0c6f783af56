"""Servers of news on loopback: feeds, CryptoPanic, Reddit and X in their own shapes, bad days too.

One port, each at the paths of the real one. `tell` adds a story that all of them tell from then on;
the time is that of the clock it is given.

Shapes: https://www.rssboard.org/rss-specification, https://www.rfc-editor.org/rfc/rfc4287,
https://cryptopanic.com/developers/api/, https://www.reddit.com/dev/api/,
https://docs.x.com/x-api/posts/search-recent-posts
"""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import format_datetime
from hashlib import sha256
from typing import Any, Final, Self
from xml.sax.saxutils import escape

import aiohttp
from aiohttp import web

from quantdesk.core.clock import Clock, iso, utc
from quantdesk.core.errors import Unavailable
from quantdesk.sources.budget import Cost
from quantdesk.testing.serving import Serving

KEY: Final = "qd-test/key+1"
"""What all of them take as the right key; CryptoPanic's answers name it."""
_TOKEN: Final = "token-"  # noqa: S105 - of tests
_LOW: Final = 2

GARBAGE: Final = (
    b"", b"{", b"null", b"[]", b"<html>", b"<rss", b"\x00" * 64, b'{"results":{}}', b'{"data":1}',
    b'<!DOCTYPE r [<!ENTITY a "b">]><rss><channel><item><title>&a;</title></item></channel></rss>',
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """A story of the server's."""

    number: int
    title: str
    text: str
    published_ms: int
    votes: int = 0


@dataclass(slots=True)
class BadDay:
    """What goes wrong from now on; all that is set stays until it is set back."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    """Of every answer."""
    body: bytes | None = None
    """What is answered instead."""
    media: str = ""
    """What the body is called instead."""
    silent: bool = False
    """Requests are taken and never answered."""
    drip: bool = False
    """A body comes byte by byte without end in sight: the next when the clock of tests moves."""
    redirect: str = ""
    """Where every request is sent."""


class NewsServer:
    """Tells what `tell` told it; use as `async with`. `asked` counts requests by path.

    `/rss` and `/atom` are feeds, `/old` is where `/rss` used to be.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self.stories: list[Told] = []
        self.bad = BadDay()
        self.asked: Counter[str] = Counter()
        self.seen: list[Mapping[str, str]] = []
        """Headers of every request, by small names."""
        self.queries: list[Mapping[str, str]] = []
        self.token = 0
        """Number of the token that Reddit gave last; `revoke` takes it back."""
        self._open: set[asyncio.Transport] = set()
        self._frozen: frozenset[asyncio.Transport] = frozenset()
        self._closing = asyncio.Event()
        self._serving = Serving()
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        for path, answer in (
            ("/rss", self._rss), ("/atom", self._atom), ("/old", _moved),
            ("/api/{plan}/v2/posts/", self._cryptopanic), ("/r/{names}/new", self._reddit),
            ("/2/tweets/search/recent", self._x),
        ):  # fmt: skip
            app.router.add_get(path, self._with_bad_days(answer))
        app.router.add_post("/api/v1/access_token", self._with_bad_days(self._reddit_token))
        place = await self._serving.begin(app, cancels=True)
        self.url = f"http://{place}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        self.cut()
        await self._serving.end()

    async def tell(self, title: str = "", text: str = "", *, votes: int = 0) -> Told:
        """Add a story to what is told."""
        number = len(self.stories) + 1
        story = Told(
            number,
            title or f"Bitcoin and Solana rally on day {number}",
            text or f"<p>Story <b>{number}</b> of $ETH.</p>",
            self._clock.now_ms(),
            votes,
        )
        self.stories.append(story)
        return story

    def revoke(self) -> None:
        """Take Reddit's token back."""
        self.token += 1

    def freeze(self) -> None:
        """Never answer again on the connections there are; new ones are fine."""
        self._frozen = frozenset(self._open)

    def cut(self) -> None:
        """Cut every connection."""
        for transport in tuple(self._open):
            transport.abort()
        self._open.clear()

    def _with_bad_days(self, answer: Any) -> Any:  # noqa: ANN401 - a handler of aiohttp
        async def serve(request: web.Request) -> web.StreamResponse:
            if isinstance(request.transport, asyncio.Transport):
                self._open.add(request.transport)
            self.asked[request.path] += 1
            self.seen.append({name.lower(): value for name, value in request.headers.items()})
            self.queries.append(dict(request.query))
            if self.bad.silent or self._is_frozen(request):
                await self._closing.wait()
            if self.bad.drip:
                return await self._drip(request)
            if self.bad.redirect:
                return web.Response(status=302, headers={"Location": self.bad.redirect})
            response: web.Response = await answer(request)
            return self._spoiled(request, response)

        return serve

    def _is_frozen(self, request: web.Request) -> bool:
        """Say whether this is asked by a connection that was there when all froze."""
        return request.transport in self._frozen

    def _spoiled(self, request: web.Request, response: web.Response) -> web.Response:
        bad = self.bad
        if bad.status not in {response.status, web.HTTPOk.status_code}:
            asked = request.query.get("auth_token") or request.headers.get("Authorization", "you")
            response = web.Response(status=bad.status, text=f"it is a bad day for {asked}")
        if bad.body is not None and response.status == web.HTTPOk.status_code:
            response.body = bad.body
        if bad.media:
            response.content_type = bad.media
        response.headers.update(bad.headers)
        return response

    async def _drip(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/xml"})
        await response.prepare(request)
        while True:
            await response.write(b"<")
            await self._clock.sleep(1)

    async def _rss(self, request: web.Request) -> web.Response:
        items = "".join(map(_item, reversed(self.stories)))
        body = (
            '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"'
            ' xmlns:media="http://search.yahoo.com/mrss/"><channel><title>The Daily Coin</title>'
            f"<link>https://coin.example</link>{items}</channel></rss>"
        )
        return _versioned(request, body.encode(), "application/rss+xml")

    async def _atom(self, request: web.Request) -> web.Response:
        entries = "".join(map(_entry, reversed(self.stories)))
        body = (
            '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
            f"<title>Chain &amp; Co</title>{entries}</feed>"
        )
        return _versioned(request, body.encode(), "application/atom+xml")

    async def _cryptopanic(self, request: web.Request) -> web.Response:
        if request.query.get("auth_token") != KEY:
            return _json({"status": "Incomplete", "info": "Token not found"}, 401)
        page = {
            "next": f"{request.url}&page=2", "previous": None,
            "results": [_panicked(story) for story in reversed(self.stories)],
        }  # fmt: skip
        return _json(page)

    async def _reddit_token(self, request: web.Request) -> web.Response:
        form = await request.post()
        right = aiohttp.encode_basic_auth("desk", KEY)
        if (
            request.headers.get("Authorization") != right
            or form.get("grant_type") != "client_credentials"
        ):
            return _json({"message": "Unauthorized", "error": 401}, 401)
        return _json(
            {
                "access_token": f"{_TOKEN}{self.token}", "token_type": "bearer",
                "expires_in": 86400, "scope": "*",
            }
        )  # fmt: skip

    async def _reddit(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {_TOKEN}{self.token}":
            return _json({"message": "Unauthorized", "error": 401}, 401)
        children = [{"kind": "t3", "data": _submitted(story)} for story in reversed(self.stories)]
        listing = {"kind": "Listing", "data": {"after": None, "children": children}}
        left = {"X-Ratelimit-Remaining": "598.0", "X-Ratelimit-Reset": "300"}
        return _json(listing, headers=left)

    async def _x(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return _json({"title": "Unauthorized", "status": 401}, 401)
        since = int(request.query.get("since_id", "0"))
        most = int(request.query["max_results"])
        found = [story for story in reversed(self.stories) if story.number > since][:most]
        meta: dict[str, object] = {"result_count": len(found)}
        if not found:
            return _json({"meta": meta})
        meta |= {"newest_id": str(found[0].number), "oldest_id": str(found[-1].number)}
        return _json({"data": [_posted(story) for story in found], "meta": meta})


class MemoryLedger:
    """A `Ledger` of tests: what stands in `days` was spent; `away` makes it unable to say."""

    def __init__(self) -> None:
        self.days: dict[tuple[str, str], Cost] = {}
        self.away = False

    async def reserve(self, name: str, day: str, cost: Cost, limit: Cost) -> Cost | None:
        """Add a cost to the day's unless that would pass the limit."""
        self._answer()
        before = self.days.get((name, day), Cost(0))
        after = Cost(before.requests + cost.requests, before.usd + cost.usd)
        if after.requests > limit.requests or after.usd > limit.usd:
            return None
        self.days[name, day] = after
        return after

    async def refund(self, name: str, day: str, usd: Decimal) -> None:
        """Take what was not charged off the day's dollars."""
        self._answer()
        before = self.days.get((name, day), Cost(0))
        self.days[name, day] = Cost(before.requests, max(before.usd - usd, Decimal(0)))

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("the database is away", code="database.unavailable")


def _versioned(request: web.Request, body: bytes, media: str) -> web.Response:
    tag = f'"{sha256(body).hexdigest()[:16]}"'
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers={"ETag": tag})
    return web.Response(body=body, content_type=media, charset="utf-8", headers={"ETag": tag})


async def _moved(_: web.Request) -> web.Response:
    return web.Response(status=301, headers={"Location": "/rss"})


def _json(
    said: object, status: int = 200, *, headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.Response(
        status=status, body=json.dumps(said).encode(), content_type="application/json",
        charset="utf-8", headers=headers,
    )  # fmt: skip


def _item(story: Told) -> str:
    return (
        f"<item><title><![CDATA[{story.title}]]></title>"
        f"<media:content><media:title>A picture</media:title></media:content>"
        f"<link>https://coin.example/{story.number}?utm_source=rss&amp;a=1</link>"
        f'<guid isPermaLink="false">{story.number}</guid>'
        f"<pubDate>{format_datetime(utc(story.published_ms))}</pubDate>"
        f"<description>{escape(story.text)}</description></item>"
    )


def _entry(story: Told) -> str:
    return (
        f"<entry><title>{escape(story.title)}</title><id>urn:chain:{story.number}</id>"
        f'<link rel="self" href="https://chain.example/feed"/>'
        f'<link rel="alternate" href="https://chain.example/{story.number}"/>'
        f"<published>{iso(story.published_ms)}</published>"
        f'<summary type="html">{escape(story.text)}</summary></entry>'
    )


def _panicked(story: Told) -> dict[str, object]:
    return {
        "id": story.number, "slug": f"story-{story.number}", "kind": "news", "title": story.title,
        "description": story.text, "published_at": iso(story.published_ms),
        "created_at": iso(story.published_ms),
        "source": {"title": "The Daily Coin", "region": "en", "domain": "coin.example"},
        "original_url": f"https://coin.example/{story.number}",
        "url": f"https://cryptopanic.com/news/{story.number}/story",
        "instruments": [{"code": "BTC", "title": "Bitcoin", "slug": "bitcoin"}],
        "votes": {
            "negative": 0, "positive": story.votes, "important": _LOW, "liked": 0, "disliked": 0,
            "lol": 0, "toxic": 0, "saved": 0, "comments": 0,
        },
        "panic_score": 47,
    }  # fmt: skip


def _submitted(story: Told) -> dict[str, object]:
    return {
        "name": f"t3_a{story.number}", "title": story.title, "selftext": story.text,
        "permalink": f"/r/CryptoCurrency/comments/a{story.number}/a_story/",
        "subreddit_name_prefixed": "r/CryptoCurrency", "created_utc": story.published_ms / 1000,
        "score": story.votes, "num_comments": _LOW, "over_18": False, "removed_by_category": None,
    }  # fmt: skip


def _posted(story: Told) -> dict[str, object]:
    metrics = {"retweet_count": 1, "reply_count": 0, "like_count": story.votes, "quote_count": 0}
    return {
        "id": str(story.number), "text": story.title, "created_at": iso(story.published_ms),
        "edit_history_tweet_ids": [str(story.number)], "public_metrics": metrics,
    }  # fmt: skip
