"""What strangers wrote, made fit to show and to keep: titles, summaries, links, votes; pure.

All of it is untrusted. Markup goes, and so do control characters, invisible ones and those that
turn the direction of writing (https://www.unicode.org/reports/tr36/); every length has a bound; a
link is `http` or `https`, its host a name in ASCII, and carries no password.
"""

import html
import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

TITLE_MAX: Final = 300
SUMMARY_MAX: Final = 600
PUBLISHER_MAX: Final = 80
LINK_MAX: Final = 2000
VOTES_MAX: Final = 16
VOTE_MAX: Final = 2**31 - 1

_LOOKED_AT: Final = 8  # times the length that is kept: markup takes its share
_WORDS_MIN: Final = 4
_DAY_MS: Final = 86_400_000
_EARLIEST_MS: Final = 1_230_940_800_000  # 2009-01-03: nothing is told of coins before there were
_LATEST_MS: Final = 4_102_444_800_000  # 2100
_TRACKING: Final = "utm_"
_ASCII: Final = "".join(map(chr, range(128)))  # left as it is: only the rest is escaped

_HIDDEN: Final = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"<(?:[a-zA-Z/!?][^<>]*>?)")
_LINK: Final = re.compile(
    r"https?://[a-z0-9.\-]{1,253}(?::\d{1,5})?(?:[/?#][!#-;=?-\[\]_a-~]*)?", re.IGNORECASE
).fullmatch
_VOTE: Final = re.compile(r"[a-z][a-z0-9_]{0,23}").fullmatch


def plain(text: str, at_most: int) -> str:
    """Return a text without markup and oddities on one line, at most that many characters long."""
    cut = text[: at_most * _LOOKED_AT]
    # Once more after the entities: feeds escape their markup once or twice.
    shown = _untagged(html.unescape(_untagged(cut)))
    line = " ".join(unicodedata.normalize("NFC", shown).split())
    if not line.isprintable():
        line = " ".join("".join(filter(str.isprintable, line)).split())
    return line if len(line) <= at_most else line[: at_most - 1].rstrip() + "…"


def link(text: str) -> str:
    """Return a link without what only tracks its readers, "" for what nobody should follow."""
    asked = quote(text.strip()[: LINK_MAX + 1], safe=_ASCII)
    if len(asked) > LINK_MAX or not _LINK(asked):
        return ""
    parts = urlsplit(asked)
    query = _untracked(parts.query)
    return SplitResult(parts.scheme, parts.netloc, parts.path, query, "").geturl()


def host(address: str) -> str:
    """Return the host of a link in small letters, without `www.`."""
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def key(title: str, published_ms: int, publisher: str) -> str:
    """Return the name of a story: the same for all who tell it that day under that title.

    A column that bears the same title every day has one a day. Titles of few words are everybody's:
    they are told apart by publisher.
    """
    words = "".join(
        letter if letter.isalnum() else " "
        for letter in unicodedata.normalize("NFKC", title).casefold()
    ).split()
    parts = [" ".join(words), str(published_ms // _DAY_MS)]
    if len(words) < _WORDS_MIN:
        parts.append(publisher.casefold())
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def moment_ms(text: str) -> int:
    """Return a date as feeds and APIs write it (RFC 822, ISO 8601) in Unix milliseconds.

    Zero where it says none, or one no news can be of.
    """
    text = text.strip()[:64]
    try:
        moment = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return sane_ms(round(moment.timestamp() * 1000))
    except (ValueError, OverflowError, TypeError, IndexError):
        return 0


def sane_ms(published_ms: int) -> int:
    """Return a moment in Unix milliseconds, zero where no news can be of then."""
    return published_ms if _EARLIEST_MS <= published_ms < _LATEST_MS else 0


def seconds_ms(seconds: float) -> int:
    """Return Unix seconds in milliseconds, zero where no news can be of then."""
    return sane_ms(round(seconds * 1000)) if math.isfinite(seconds) else 0


def votes(said: Mapping[str, object]) -> dict[str, int]:
    """Return what a crowd thought, by name of the vote; what is no count of votes is left out."""
    counted = {
        name: min(count, VOTE_MAX)
        for name, count in said.items()
        if isinstance(count, int) and not isinstance(count, bool) and count >= 0 and _VOTE(name)
    }
    return dict(list(counted.items())[:VOTES_MAX])


def _untagged(text: str) -> str:
    return _TAG.sub(" ", _HIDDEN.sub(" ", text))


def _untracked(query: str) -> str:
    if _TRACKING not in query.lower():
        return query
    kept = [
        pair
        for pair in parse_qsl(query, keep_blank_values=True)
        if not pair[0].lower().startswith(_TRACKING)
    ]
    return urlencode(kept)
