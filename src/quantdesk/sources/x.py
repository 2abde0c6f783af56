"""X: posts that a search finds, paid for one by one; needs a bearer token and a budget.

Every post in an answer costs money, whoever saw it before (https://docs.x.com/x-api/getting-started/pricing),
so an answer asks for few, from the newest known on, and the most it can cost is reserved first.
Search: https://docs.x.com/x-api/posts/search-recent-posts
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import Final

from quantdesk.core.backoff import Chance
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Corrupt, Refused
from quantdesk.core.ticks import Event, Frame
from quantdesk.sources.budget import Budget
from quantdesk.sources.fetching import Answer, Fetcher, Question, json_body
from quantdesk.sources.limits import Declined
from quantdesk.sources.polling import Asker
from quantdesk.sources.port import Take
from quantdesk.sources.words import x as words

NAME: Final = "x"
FEED: Final = "search"
BASE_URL: Final = "https://api.x.com"
EVERY_S: Final = 900.0
POST_USD: Final = Decimal("0.005")
POSTS: Final = 10
_POSTS_MIN: Final = 10  # what the API lets ask for
_POSTS_MAX: Final = 100
_QUERY_MAX: Final = 512
_TAGS_MAX: Final = 20  # a query stays below its bound
_ASIDE: Final = "lang:en -is:retweet -is:reply"


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks: the token, the search ("" makes one of the assets), and how often (seconds).

    `posts` is how many an answer may hold, `post_usd` what X takes for each.
    """

    token: str = field(repr=False)
    query: str = ""
    posts: int = POSTS
    post_usd: Decimal = POST_USD
    base_url: str = BASE_URL
    every_s: float = EVERY_S


class X:
    """X as a source; `counts` and `problem` as in `polling.Asker`."""

    def __init__(self, account: Account, *, budget: Budget, clock: Clock, chance: Chance) -> None:
        """Raise `Refused` (`source.settings`) for what the API would not take."""
        if not _POSTS_MIN <= account.posts <= _POSTS_MAX or len(account.query) > _QUERY_MAX:
            raise Refused(
                f"sources.x_posts lies between {_POSTS_MIN} and {_POSTS_MAX}, and sources.x_query"
                f" has at most {_QUERY_MAX} characters",
                code="source.settings",
            )
        self._account = account
        self._url = f"{account.base_url}/2/tweets/search/recent"
        self._most = account.posts * account.post_usd
        self._budget = budget
        self._asker = Asker(NAME, clock=clock, chance=chance)
        self._since = ""
        self.counts = self._asker.counts

    @property
    def name(self) -> str:
        """Return `x`."""
        return NAME

    @property
    def problem(self) -> str:
        """Return what is the matter, "" when all is well."""
        return self._asker.problem

    def read(self, frame: Frame) -> Sequence[Event]:
        """Return the headlines of an answer; raise `Corrupt` (`message.unreadable`)."""
        return words.read(frame.data, frame.feed)

    async def run(self, symbols: Sequence[str], take: Take) -> None:
        """Hand over answers about these assets until cancelled.

        Raises `Refused` (`source.key`) when the token is not taken.
        """
        search = self._account.query or query(symbols)
        async with Fetcher(clock=self._asker.clock) as fetcher:

            async def ask() -> float:
                question = self._question(search)
                answer = await self._budget.asked(
                    self._most, lambda: self._answered(fetcher, question), self._costs
                )
                self._since = _newest(answer) or self._since
                self._asker.hand_over_new(take, FEED, answer.body)
                return answer.pause_s

            await self._asker.poll(FEED, ask, every_s=self._account.every_s)

    async def _answered(self, fetcher: Fetcher, question: Question) -> Answer:
        try:
            answer = await fetcher.ask(question)
        except Declined as problem:
            if problem.status == HTTPStatus.BAD_REQUEST:
                self._since = ""  # older than the week that is searched
            raise
        json_body(answer, self._url)
        return answer

    def _question(self, search: str) -> Question:
        asked = {
            "query": search,
            "max_results": str(self._account.posts),
            "tweet.fields": "created_at,public_metrics",
        }
        if self._since:
            asked["since_id"] = self._since
        return Question(
            self._url, asked, headers={"Authorization": f"Bearer {self._account.token}"}
        )

    def _costs(self, answer: Answer) -> Decimal:
        try:
            return min(self._most, words.charged(answer.body) * self._account.post_usd)
        except Corrupt:
            return self._most  # whatever it was, it may have been charged


def query(symbols: Sequence[str]) -> str:
    """Return a search for posts that name assets by their cashtag."""
    tags = " OR ".join(f"${symbol}" for symbol in symbols[:_TAGS_MAX]) or "$BTC"
    return f"({tags}) {_ASIDE}"


def _newest(answer: Answer) -> str:
    try:
        return words.newest(answer.body)
    except Corrupt:
        return ""
