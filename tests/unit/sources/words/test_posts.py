"""CryptoPanic, Reddit and X are read post by post; one that is odd spoils no other."""

import json
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Headline
from quantdesk.sources.words import cryptopanic, feeds, reddit, x

AT = "2026-11-21T12:00:00Z"
AT_MS = 1_795_262_400_000

PANIC = {
    "id": 1, "kind": "news", "title": "Bitcoin &amp; co rally once more", "published_at": AT,
    "description": "<p>They <b>rose</b></p>", "url": "https://cryptopanic.com/news/1/x",
    "original_url": "https://coin.example/1", "source": {"title": "The Daily Coin"},
    "instruments": [{"code": "SOL"}, {"code": "bad code"}],
    "votes": {"positive": 5, "negative": 1, "toxic": -3, "comments": None}, "panic_score": 61,
}  # fmt: skip
POST = {
    "name": "t3_abc1", "title": "Why I sold my ETH", "selftext": "Long **story**",
    "permalink": "/r/CryptoCurrency/comments/abc1/why/", "created_utc": AT_MS / 1000,
    "subreddit_name_prefixed": "r/CryptoCurrency", "score": 17, "num_comments": 4,
}  # fmt: skip
TWEET = {
    "id": "1991", "text": "$SOL to the moon https://t.co/x", "created_at": AT,
    "public_metrics": {"like_count": 9, "retweet_count": 2, "reply_count": 1, "quote_count": 0},
}  # fmt: skip

Read = Callable[[bytes, str], Sequence[Headline]]


def panic(*posts: object) -> bytes:
    return json.dumps({"count": 1, "next": None, "results": posts}).encode()


def listing(*posts: object) -> bytes:
    children = [{"kind": "t3", "data": post} for post in posts]
    return json.dumps({"kind": "Listing", "data": {"after": None, "children": children}}).encode()


def found(*posts: object) -> bytes:
    return json.dumps({"data": posts, "meta": {"newest_id": "1991", "result_count": 1}}).encode()


KINDS: list[tuple[Read, Callable[..., bytes], dict[str, object]]] = [
    (cryptopanic.read, panic, dict(PANIC)),
    (reddit.read, listing, dict(POST)),
    (x.read, found, dict(TWEET)),
]


def said(read: Read, data: bytes) -> str:
    """Return `read`, or the code of what was raised."""
    try:
        read(data, "feed")
    except Corrupt as problem:
        return problem.code
    return "read"


def test_that_cryptopanic_is_read() -> None:
    (story,) = cryptopanic.read(panic(PANIC), "posts")

    assert story.title == "Bitcoin & co rally once more"
    assert (story.url, story.publisher) == ("https://coin.example/1", "The Daily Coin")
    assert (story.published_ms, story.summary) == (AT_MS, "They rose")
    assert story.symbols == ("SOL", "BTC")
    assert story.votes == {"positive": 5, "negative": 1, "panic_score": 61}


def test_that_a_feed_and_cryptopanic_tell_the_same_story() -> None:
    item = "<item><title>Bitcoin &amp; co rally, once more</title><pubDate>Sat, 21 Nov 2026"
    feed = f"<rss><channel><title>Y</title>{item} 09:00:00 GMT</pubDate></item></channel></rss>"

    (story,) = feeds.read(feed.encode(), "feed")

    assert story.key == cryptopanic.read(panic(PANIC), "posts")[0].key


def test_that_a_plan_with_few_fields_is_read() -> None:
    (story,) = cryptopanic.read(panic({"title": "Bitcoin", "url": None, "votes": None}), "posts")

    assert (story.publisher, story.url, story.votes) == ("CryptoPanic", "", {})


def test_that_reddit_is_read() -> None:
    (story,) = reddit.read(listing(POST), "new")

    assert story.key == "reddit:t3_abc1"
    assert story.url == "https://www.reddit.com/r/CryptoCurrency/comments/abc1/why/"
    assert (story.publisher, story.published_ms) == ("r/CryptoCurrency", AT_MS)
    assert (story.symbols, story.votes) == (("ETH",), {"score": 17, "comments": 4})


@pytest.mark.parametrize(
    "change",
    [{"over_18": True}, {"removed_by_category": "moderator"}, {"name": "t1_x"}, {"title": " "}],
)
def test_that_reddit_leaves_out_what_is_no_news(change: dict[str, object]) -> None:
    assert reddit.read(listing(POST | change), "new") == []


def test_that_reddit_links_lead_to_reddit() -> None:
    (story,) = reddit.read(listing(POST | {"permalink": "@evil.example/"}), "new")

    assert story.url == ""


def test_that_x_is_read() -> None:
    (story,) = x.read(found(TWEET), "search")

    assert (story.key, story.url) == ("x:1991", "https://x.com/i/web/status/1991")
    assert (story.symbols, story.published_ms) == (("SOL",), AT_MS)
    assert story.votes == {"likes": 9, "reposts": 2, "replies": 1, "quotes": 0}
    assert x.read(b'{"meta":{"result_count":0}}', "search") == []


def test_that_x_counts_what_is_paid_for() -> None:
    assert x.charged(found(TWEET, {"odd": 1}, TWEET)) == 3
    assert x.newest(found(TWEET)) == "1991"
    assert x.newest(b'{"meta":{"newest_id":"1 OR 1"}}') == ""


@pytest.mark.parametrize(("read", "page", "post"), KINDS, ids=["cryptopanic", "reddit", "x"])
def test_that_one_odd_post_spoils_no_other(
    read: Read, page: Callable[..., bytes], post: dict[str, object]
) -> None:
    odd: list[object] = [None, 7, {}, {"title": 5, "text": 5}, {**post, "title": 1, "text": 1}]

    assert len(read(page(*odd, post), "feed")) == 1


@pytest.mark.parametrize(("read", "page", "post"), KINDS, ids=["cryptopanic", "reddit", "x"])
@given(data=st.binary(max_size=200))
def test_that_any_bytes_are_read_or_corrupt(
    read: Read, page: object, post: object, data: bytes
) -> None:
    for whole in (data, b'{"results":[' + data + b"]}", b'{"data":' + data + b"}"):
        assert said(read, whole) in {"read", "message.unreadable"}


_NAMES = st.sampled_from([*PANIC, *POST, *TWEET])
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


@pytest.mark.parametrize(("read", "page", "post"), KINDS, ids=["cryptopanic", "reddit", "x"])
@given(changes=st.dictionaries(_NAMES, _JSON, max_size=5))
def test_that_posts_with_any_fields_give_only_what_is_fit_to_show(
    read: Read,
    page: Callable[..., bytes],
    post: dict[str, object],
    changes: dict[str, object],
) -> None:
    for story in read(page(post | changes), "feed"):
        assert story.title.isprintable()
        assert story.url == "" or story.url.startswith("https://")
        assert all(count >= 0 for count in story.votes.values())
