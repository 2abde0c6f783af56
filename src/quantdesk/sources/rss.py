"""News feeds, RSS and Atom: the news of a desk that was given no keys.

Each address is asked every five to ten minutes, with what it said last of its version, so that an
unchanged feed costs a 304. A feed is handed over when it changed; what it tells is told once by
`ingest/news`.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from quantdesk.core.backoff import Chance
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.ticks import Event, Frame
from quantdesk.sources.fetching import REDIRECTS_MAX, Fetcher, Question, shown
from quantdesk.sources.polling import Asker
from quantdesk.sources.port import Take
from quantdesk.sources.together import together
from quantdesk.sources.words import feeds

NAME: Final = "rss"
EVERY_S: Final = 300.0
FEEDS_MAX: Final = 64
FEEDS: Final = (
    "https://www.coindesk.com/arc/outboundfeeds/rss/",
    "https://cointelegraph.com/rss",
)
_ACCEPT: Final = "application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.1"
_VALIDATOR_MAX: Final = 1024


class Rss:
    """Feeds as a source; `counts` and `problem` as in `polling.Asker`.

    Assets asked for do not matter: a feed tells what it tells.
    """

    def __init__(
        self, urls: Sequence[str], *, clock: Clock, chance: Chance, every_s: float = EVERY_S
    ) -> None:
        """Raise `Refused` (`source.settings`) for an address that is none, or too many."""
        self._urls = tuple(dict.fromkeys(urls))
        for url in self._urls:
            _check(url)
        if len(self._urls) > FEEDS_MAX:
            raise Refused(f"{FEEDS_MAX} feeds are the most there may be", code="source.settings")
        self._every_s = every_s
        self._asker = Asker(NAME, clock=clock, chance=chance, keyed=False)
        self.counts = self._asker.counts

    @property
    def name(self) -> str:
        """Return `rss`."""
        return NAME

    @property
    def problem(self) -> str:
        """Return what is the matter with which feed, "" when all is well."""
        return self._asker.problem

    def read(self, frame: Frame) -> Sequence[Event]:
        """Return the headlines of a feed; raise `Corrupt` (`message.unreadable`)."""
        return feeds.read(frame.data, frame.feed)

    async def run(self, symbols: Sequence[str], take: Take) -> None:  # noqa: ARG002 - see the class
        """Hand over feeds as they change until cancelled."""
        async with Fetcher(clock=self._asker.clock) as fetcher:
            routes = [_Route(url, fetcher, self._asker, take) for url in self._urls]
            await together(
                *(
                    self._asker.poll(route.feed, route.ask, every_s=self._every_s)
                    for route in routes
                )
            )


class _Route:
    """One feed: what it said last of its version, and what it was."""

    def __init__(self, url: str, fetcher: Fetcher, asker: Asker, take: Take) -> None:
        self._url = url
        self.feed = shown(url)
        self._fetcher = fetcher
        self._asker = asker
        self._take = take
        self._validators: dict[str, str] = {}

    async def ask(self) -> float:
        """Ask once and hand over what is new."""
        answer = await self._fetcher.ask(
            Question(
                self._url,
                headers={"Accept": _ACCEPT, **self._validators},
                redirects=REDIRECTS_MAX,
            )
        )
        if answer.status == HTTPStatus.NOT_MODIFIED:
            self._asker.counts["unchanged"] += 1
            return answer.pause_s
        if not (feeds.is_feed(answer.body) or answer.media.endswith("xml")):
            raise Unavailable(
                f"{self.feed} answers with {answer.media[:40] or 'something'}, no feed",
                code="source.content_type",
            )
        self._validators = _validators(answer.headers)
        self._asker.hand_over_new(self._take, self.feed, answer.body)
        return answer.pause_s


def _validators(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what to ask with next time, so that an unchanged feed is told by a 304."""
    said = {
        "If-None-Match": headers.get("etag", ""),
        "If-Modified-Since": headers.get("last-modified", ""),
    }
    return {name: value for name, value in said.items() if 0 < len(value) <= _VALIDATOR_MAX}


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise Refused(f"{url[:200]!r} is no address of a feed", code="source.settings")
