"""What strangers wrote is shown without markup, tricks or length; a story keeps one key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.sources.words import mentions, prose

DAY_MS = 86_400_000
NOON_MS = 1_795_262_400_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<p>a <b>b</b></p>", "a b"),
        ("&lt;img src=x onerror=alert(1)&gt;x", "x"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("a<script>b</script>c<style>d", "a c"),
        ("\u202egnp.exe\u2066\u200b\ufeff\x00\x1b[31m", "gnp.exe[31m"),
        ("a\r\n\t b\u2028c", "a b c"),
        ("\ud800x", "x"),
        ("<!-- no --> yes", "yes"),
    ],
)
def test_that_a_text_is_made_plain(text: str, shown: str) -> None:
    assert prose.plain(text, 100) == shown


@given(st.text(max_size=400), st.integers(1, 50))
def test_that_any_text_is_short_and_printable(text: str, at_most: int) -> None:
    shown = prose.plain(text, at_most)

    assert len(shown) <= at_most
    assert shown.isprintable()


@given(st.text(max_size=200))
def test_that_any_link_is_of_the_web_or_none(text: str) -> None:
    for said in (text, f"https://{text}", f"https://a.example/{text}"):
        found = prose.link(said)
        assert found == "" or found.isascii()
        assert found == "" or found.startswith(("http://", "https://"))
        assert prose.link(found) == found


def test_that_a_link_loses_only_what_tracks() -> None:
    told = prose.link("https://a.example/x?utm_source=rss&id=1&UTM_medium=y#z")

    assert told == "https://a.example/x?id=1"
    assert prose.link("https://a.example/é?q=a+b") == "https://a.example/%C3%A9?q=a+b"


def test_that_a_story_told_elsewhere_in_other_dress_is_the_same() -> None:
    told = prose.key("Bitcoin tops $100K — again!", NOON_MS, "A")

    assert prose.key("BITCOIN  tops 100k: again", NOON_MS + 3_600_000, "B") == told
    assert prose.key("Bitcoin tops $90K — again!", NOON_MS, "A") != told
    assert prose.key("Bitcoin tops $100K — again!", NOON_MS + DAY_MS, "A") != told


def test_that_a_short_title_is_its_publishers_own() -> None:
    assert prose.key("Market wrap", NOON_MS, "A") != prose.key("Market wrap", NOON_MS, "B")


@pytest.mark.parametrize(
    ("text", "moment_ms"),
    [
        ("Sat, 21 Nov 2026 12:00:00 GMT", NOON_MS),
        ("Sat, 21 Nov 2026 07:00:00 -0500", NOON_MS),
        ("2026-11-21T12:00:00Z", NOON_MS),
        ("2026-11-21T12:00:00.123456Z", NOON_MS + 123),
        ("2026-11-21 13:00:00+01:00", NOON_MS),
        ("21 Nov 2026 12:00:00", NOON_MS),
        ("", 0), ("yesterday", 0), ("1970-01-01T00:00:00Z", 0), ("9999-12-31T23:59:59-12:00", 0),
        ("Sat, 99 Nov 2026 12:00:00 GMT", 0), ("0000-00-00", 0),
    ],
)  # fmt: skip
def test_that_dates_are_read(text: str, moment_ms: int) -> None:
    assert prose.moment_ms(text) == moment_ms


@given(st.text(max_size=80))
def test_that_any_date_is_one_of_news_or_none(text: str) -> None:
    assert prose.moment_ms(text) == prose.sane_ms(prose.moment_ms(text))


def test_that_votes_are_counts() -> None:
    said = {"positive": 3, "negative": -1, "lol": True, "Odd Name": 1, "big": 2**80, "text": "7"}

    assert prose.votes(said) == {"positive": 3, "big": 2**31 - 1}
    assert len(prose.votes({f"v{number}": 1 for number in range(99)})) == prose.VOTES_MAX


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Bitcoin's fall, BTC/USD and $btc", ("BTC",)),
        ("BTC-USD, (ETH), #SOL; XBT", ("BTC", "ETH", "SOL")),
        ("Bitcoin Cash and Ethereum Classic", ("BCH", "ETC")),
        ("el sol sale, btc in small letters", ()),
        ("NEAR the LINK to a DOT", ()),
        ("$NEAR $link, near protocol, Chainlink", ("NEAR", "LINK")),
        ("stETH ETHX 1SOL BTCUSDT subbitcoin", ()),
        ("Tether (USDT) and USD Coin", ("USDT", "USDC")),
        ("$BTC$ETH", ("BTC", "ETH")),
        ("bitcoin-backed ETHER", ("BTC", "ETH")),
    ],
)
def test_that_assets_are_recognized(text: str, named: tuple[str, ...]) -> None:
    assert mentions.symbols(text) == named


@given(st.text(max_size=300))
def test_that_any_text_names_few_and_known_assets(text: str) -> None:
    named = mentions.symbols(text)

    assert len(set(named)) == len(named) <= mentions.SYMBOLS_MAX
    assert all(map(mentions.is_symbol, named))
