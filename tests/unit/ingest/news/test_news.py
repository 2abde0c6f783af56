"""Headlines are told once, newest first, within bounds, whoever tells them again."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.errors import Refused
from quantdesk.core.ticks import Frame, Headline
from quantdesk.ingest.news.model import AHEAD_MS, Place, Story, placed
from quantdesk.ingest.news.news import ALL, News

NOW_MS = 1_700_000_000_000


def frame(received_ms: int = NOW_MS, source: str = "rss") -> Frame:
    return Frame(source, "feed", received_ms * 1_000_000, b"")


def headline(key: str = "a", *, published_ms: int = NOW_MS - 1000, **more: object) -> Headline:
    told = Headline(key, f"Title {key}", f"https://a.example/{key}", "A", published_ms)
    return msgspec.structs.replace(told, **more)


def listened(news: News) -> tuple[list[Story], list[Story]]:
    shown: list[Story] = []
    kept: list[Story] = []
    news.changed.append(shown.append)
    news.keep.append(kept.append)
    return shown, kept


def test_that_a_headline_is_told_once() -> None:
    news = News()
    shown, kept = listened(news)

    for _ in range(3):
        news.headline(headline(), frame())

    (story,) = shown
    assert kept == shown
    assert (story.source, story.received_ms, story.raw_id) == ("rss", NOW_MS, frame().id)
    assert news.counts == {"told": 3, "fresh": 1}


def test_that_votes_and_symbols_of_another_source_are_added() -> None:
    news = News()
    shown, _ = listened(news)

    news.headline(headline(symbols=("BTC",), votes={"score": 1}), frame())
    told = headline(symbols=("SOL",), votes={"positive": 5}, url="https://b.example/")
    news.headline(told, frame(NOW_MS + 5, "cryptopanic"))

    story = shown[-1]
    assert story.headline.symbols == ("BTC", "SOL")
    assert story.headline.votes == {"score": 1, "positive": 5}
    assert (story.source, story.received_ms) == ("rss", NOW_MS)
    assert story.headline.url == "https://a.example/a"
    assert set(news.keys()) == {ALL, "BTC", "SOL"}


def test_that_a_title_put_right_is_the_same_story() -> None:
    news = News()
    news.headline(headline("a"), frame())
    news.headline(headline("b", title="Right", url="https://a.example/a"), frame())

    (story,) = news.recent()
    assert (story.key, story.headline.title) == ("a", "Right")


def test_that_stories_of_one_page_are_not_one_story() -> None:
    news = News()
    for number in range(3):
        told = headline(f"k{number}", published_ms=NOW_MS - number - 1, url="https://a.example/")
        news.headline(told, frame())
    for number in range(3):
        news.headline(headline(f"u{number}", published_ms=0, url="https://a.example/"), frame())

    assert len(news) == 6


@pytest.mark.parametrize("said_ms", [0, NOW_MS + AHEAD_MS + 1, 2**50])
def test_that_a_time_that_cannot_be_is_that_of_arrival(said_ms: int) -> None:
    news = News()
    news.headline(headline(published_ms=said_ms), frame())
    news.headline(headline(published_ms=said_ms), frame(NOW_MS + 999))

    (story,) = news.recent()
    assert story.headline.published_ms == NOW_MS


def test_that_a_time_a_little_ahead_is_believed() -> None:
    news = News()
    news.headline(headline(published_ms=NOW_MS + AHEAD_MS), frame())

    assert news.recent()[0].headline.published_ms == NOW_MS + AHEAD_MS


def test_that_what_is_older_than_all_at_hand_is_kept_and_not_shown() -> None:
    news = News(at_most=2)
    shown, kept = listened(news)
    for number in (5, 6, 1):
        news.headline(headline(str(number), published_ms=NOW_MS + number), frame())

    assert [story.key for story in shown] == ["5", "6"]
    assert [story.key for story in kept] == ["5", "6", "1"]
    assert [story.key for story in news.recent()] == ["6", "5"]
    assert news.counts["old"] == 1


def test_that_restored_stories_are_not_told_again() -> None:
    news = News()
    shown, kept = listened(news)
    news.restore([Story(headline(), "rss", NOW_MS, "rss:1")] * 2)

    news.headline(headline(), frame())

    assert (shown, kept, len(news)) == ([], [], 1)


def test_that_a_snapshot_is_of_an_asset_or_all_newest_first() -> None:
    news = News()
    news.headline(headline("a", published_ms=NOW_MS - 2, symbols=("BTC",)), frame())
    news.headline(headline("b", published_ms=NOW_MS - 1), frame())

    assert [row["key"] for row in news.snapshot(ALL)] == ["b", "a"]
    assert [row["key"] for row in news.snapshot("BTC")] == ["a"]
    assert news.snapshot("XRP") == []
    assert msgspec.json.encode(news.snapshot(ALL)).startswith(b'[{"key":"b","source":"rss"')
    assert news.snapshot("BTC")[0]["publishedAt"] == "2023-11-14T22:13:19.998Z"


_KEYS = st.sampled_from("abcdefgh")
_TOLD = st.tuples(
    _KEYS, st.integers(-5, 5), st.sampled_from(["", "https://a.example/x"]),
    st.sets(st.sampled_from(["BTC", "ETH", "SOL"])).map(tuple),
)  # fmt: skip


@given(st.lists(_TOLD, max_size=60), st.integers(1, 4))
def test_that_any_telling_keeps_order_bound_and_symbols(
    told: list[tuple[str, int, str, tuple[str, ...]]], at_most: int
) -> None:
    news = News(at_most=at_most)
    shown, kept = listened(news)
    for key, at, url, symbols in told:
        said = headline(key, published_ms=NOW_MS + at, url=url, symbols=symbols)
        news.headline(said, frame())

    recent = news.recent()
    assert len(recent) == len(news) <= at_most
    assert all(after.place < before.place for before, after in pairwise(recent))
    at_hand = {symbol for story in recent for symbol in story.headline.symbols}
    assert set(news.keys()) == {ALL, *at_hand}
    assert {story.key for story in shown} <= {story.key for story in kept}
    told_last: dict[str, Story] = {}
    for story in shown:
        assert told_last.get(story.key) != story
        told_last[story.key] = story


@given(st.integers(0, 10**13 - 1), st.text("abc:_-.3", min_size=1, max_size=64))
def test_that_a_cursor_names_its_place(published_ms: int, key: str) -> None:
    place = Place(published_ms, key)

    assert placed(str(place)) == place


@pytest.mark.parametrize("cursor", ["", "x", "1", "1.", ".a", "-1.a", "1.a b", f"{10**13}.a", "²."])
def test_that_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Refused) as refused:
        placed(cursor)
    assert refused.value.code == "news.cursor"
