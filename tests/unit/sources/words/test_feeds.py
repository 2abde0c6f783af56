"""Feeds of every format give their headlines; hostile and broken ones do no harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.errors import Corrupt
from quantdesk.sources.words import feeds

FEED = "https://coin.example/feeds/rss"
AT_MS = 1_795_262_400_000  # 2026-11-21T12:00:00Z

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"
     xmlns:content="http://purl.org/rss/1.0/modules/content/"
     xmlns:atom="http://www.w3.org/2005/Atom">
<channel><title>The Daily Coin</title><link>https://coin.example</link>
<atom:link href="https://coin.example/feed" rel="self"/>
<image><title>A logo</title></image>
<item>
  <media:title>A caption</media:title>
  <media:content><media:title>A picture</media:title></media:content>
  <title><![CDATA[Bitcoin & <b>Solana</b> rally]]></title>
  <link>https://coin.example/rally?utm_source=rss&amp;id=7#top</link>
  <guid isPermaLink="false">4711</guid>
  <pubDate>Sat, 21 Nov 2026 12:00:00 +0000</pubDate>
  <description><![CDATA[<p>Both rose, says <a href="javascript:x()">he</a>.</p>
    <script>alert(1)</script>]]></description>
  <content:encoded>long text</content:encoded>
</item>
<item><title>No date</title><guid>https://coin.example/undated</guid></item>
</channel></rss>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Chain &amp; Co</title>
<entry><title type="html">Ether &amp;lt;b&amp;gt;falls&amp;lt;/b&amp;gt; again and again</title>
<link rel="enclosure" href="https://chain.example/a.mp3"/>
<link href="/falls"/><id>urn:1</id>
<updated>2026-11-21T13:00:00Z</updated><published>2026-11-21T13:00:00+01:00</published>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">It <b>fell</b>.</div></content>
</entry></feed>"""

RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://old.example"><title>Old News</title></channel>
<item rdf:about="https://old.example/1"><title>Tether prints another billion</title>
<dc:date>2026-11-21T12:00:00Z</dc:date></item></rdf:RDF>"""

BOMB = """<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><rss><channel><item><title>&c;</title></item>
</channel></rss>"""
FILE = """<!DOCTYPE rss [<!ENTITY f SYSTEM "file:///etc/hostname">]>
<rss><channel><item><title>&f;</title></item></channel></rss>"""


def item(inside: str) -> bytes:
    text = f"<rss><channel><title>T</title><item>{inside}</item></channel></rss>"
    return text.encode("utf-8", "surrogatepass")


def said(data: bytes) -> str:
    """Return `read`, or the code of what was raised."""
    try:
        feeds.read(data, FEED)
    except Corrupt as problem:
        return problem.code
    return "read"


def test_that_rss_is_read() -> None:
    first, second = feeds.read(RSS.encode(), FEED)

    assert first.title == "Bitcoin & Solana rally"
    assert first.url == "https://coin.example/rally?id=7"
    assert first.publisher == "The Daily Coin"
    assert first.published_ms == AT_MS
    assert first.summary == "Both rose, says he ."
    assert first.symbols == ("BTC", "SOL")
    assert (second.title, second.published_ms) == ("No date", 0)
    assert second.url == "https://coin.example/undated"


def test_that_atom_is_read() -> None:
    (entry,) = feeds.read(ATOM.encode(), "https://chain.example/atom")

    assert entry.title == "Ether falls again and again"
    assert entry.url == "https://chain.example/falls"
    assert entry.publisher == "Chain & Co"
    assert entry.published_ms == AT_MS
    assert entry.summary == "It fell."


def test_that_rdf_is_read() -> None:
    (story,) = feeds.read(RDF.encode(), FEED)

    assert (story.publisher, story.url) == ("Old News", "https://old.example/1")
    assert (story.published_ms, story.symbols) == (AT_MS, ("USDT",))


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "windows-1252"])
def test_that_a_feed_may_be_written_in_other_letters(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><rss><channel><item>'
    text += "<title>Über Bitcoin reden</title></item></channel></rss>"

    (story,) = feeds.read(text.encode(encoding), FEED)

    assert story.title == "Über Bitcoin reden"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("text", [BOMB, FILE], ids=["bomb", "file"])
def test_that_entities_are_refused(text: str, encoding: str) -> None:
    with pytest.raises(Corrupt, match="entities") as refused:
        feeds.read(text.encode(encoding), FEED)
    assert refused.value.code == "message.unreadable"


@pytest.mark.parametrize(
    ("inside", "title"),
    [
        ("<title>Profit & loss of Bitcoin miners</title>", "Profit & loss of Bitcoin miners"),
        ("<title>Caf&eacute;s take&nbsp;Bitcoin</title>", "Cafés take Bitcoin"),
        ("<title>Bell \x07 rings</title>", "Bell rings"),
        ("<title>Plain</title><media:title>x</media:title>", "Plain"),
    ],
)
def test_that_what_is_nearly_xml_is_mended(inside: str, title: str) -> None:
    (story,) = feeds.read(item(inside), FEED)

    assert story.title == title


@pytest.mark.parametrize(
    "data",
    [
        b"", b"<html><title>Just a moment</title></html>", b"<rss><channel>", b"{}",
        b"<rss>" + b"<a>" * 10_000, b"\xff\xfe\x00", b"<rss/><rss/>",
        b'<?xml version="1.0" encoding="utf-7"?>+ADw-rss/+AD4-',
    ],
)  # fmt: skip
def test_that_what_is_no_feed_is_corrupt(data: bytes) -> None:
    with pytest.raises(Corrupt) as refused:
        feeds.read(data, FEED)
    assert refused.value.code == "message.unreadable"


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://a.example/x",
        # pragma: allowlist nextline secret
        "https://user:word@a.example/", "https://a.example\\@b.example/", "http:///x",
        "https://a.example/" + "a" * 3000, "https://p\u0430ypal.example/x",
    ],
)  # fmt: skip
def test_that_links_nobody_should_follow_are_left_out(link: str) -> None:
    (story,) = feeds.read(item(f"<title>t</title><link>{link}</link>"), "feed")

    assert story.url == ""


def test_that_stories_and_texts_are_bounded() -> None:
    one = f"<item><title>{'b' * 5000}</title><description>{'c ' * 9000}</description></item>"
    text = f"<rss><channel>{one * (feeds.STORIES_MAX + 7)}</channel></rss>"

    stories = feeds.read(text.encode(), FEED)

    assert len(stories) == feeds.STORIES_MAX
    assert len(stories[0].title) == 300
    assert len(stories[0].summary) <= 600


def test_that_a_story_without_a_title_is_told_by_its_text() -> None:
    (story,) = feeds.read(item("<description>Bitcoin moves</description>"), FEED)

    assert (story.title, story.summary) == ("Bitcoin moves", "")


@given(st.binary(max_size=300))
def test_that_any_bytes_are_read_or_corrupt(data: bytes) -> None:
    for around in (data, b"<rss><channel><item>" + data + b"</item></channel></rss>"):
        assert said(around) in {"read", "message.unreadable"}


_FRAGMENTS = st.lists(
    st.sampled_from(
        [
            "<item>", "</item>", "<title>", "</title>", "<link>", "</link>", "<entry>", "</entry>",
            "<link href='http://a.b/c'/>", "<pubDate>", "</pubDate>", "Sat, 21 Nov 2026", "&amp;",
            "&", "&nbsp;", "<![CDATA[", "]]>", "<!--", "-->", "Bitcoin", "<x:y>", "</x:y>",
            "\u202e",
        ]
    ),
    max_size=40,
)  # fmt: skip


@given(_FRAGMENTS)
def test_that_any_markup_gives_only_what_is_fit_to_show(pieces: list[str]) -> None:
    data = f"<rss><channel>{''.join(pieces)}</channel></rss>".encode()
    try:
        stories = feeds.read(data, FEED)
    except Corrupt:
        return
    for story in stories:
        assert story.title.isprintable()
        assert story.title.strip() == story.title != ""
        assert story.url == "" or story.url.startswith(("http://", "https://"))
    assert feeds.read(data, FEED) == stories
