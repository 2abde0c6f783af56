"""Reddit: new posts of some subreddits, by an app of the user's own (OAuth, app only).

    client id and secret → token, for as long as it lasts → newest posts of r/a+b+c → again

Commercial use needs a contract with Reddit: it is off unless the user sets it up.
https://github.com/reddit-archive/reddit/wiki/OAuth2 (Application Only), /wiki/API (limits, agent)
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import Final

import aiohttp
import msgspec

from quantdesk.core.backoff import Chance
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.ticks import Event, Frame
from quantdesk.sources.budget import Budget
from quantdesk.sources.fetching import Answer, Fetcher, Question, json_body
from quantdesk.sources.limits import Declined
from quantdesk.sources.polling import Asker
from quantdesk.sources.port import Take
from quantdesk.sources.words import reddit as words

NAME: Final = "reddit"
FEED: Final = "new"
TOKEN_URL: Final = "https://www.reddit.com"  # noqa: S105 - an address
BASE_URL: Final = "https://oauth.reddit.com"
SUBREDDITS: Final = ("CryptoCurrency", "solana", "Bitcoin", "ethereum")
EVERY_S: Final = 300.0
_POSTS: Final = 50
_FREE: Final = Decimal(0)
_EARLY_S: Final = 60.0  # a token is renewed before it ends
_SUBREDDITS_MAX: Final = 50
_SUBREDDIT: Final = re.compile(r"\w{2,21}", re.ASCII).fullmatch
_NO_TOKEN: Final = ""


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks: an app's id and secret, about which subreddits, and how often (seconds)."""

    client_id: str
    client_secret: str = field(repr=False)
    subreddits: tuple[str, ...] = SUBREDDITS
    token_url: str = TOKEN_URL
    base_url: str = BASE_URL
    every_s: float = EVERY_S

    @property
    def agent(self) -> str:
        """Return how the app names itself: Reddit slows down those who do not."""
        return f"python:quantdesk.{self.client_id}:v1"


class _Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float = 3600.0


class Reddit:
    """Reddit as a source; `counts` and `problem` as in `polling.Asker`.

    Assets asked for do not matter: a subreddit tells what it tells.
    """

    def __init__(self, account: Account, *, budget: Budget, clock: Clock, chance: Chance) -> None:
        """Raise `Refused` (`source.settings`) for what is no name of a subreddit."""
        named = account.subreddits
        if not 0 < len(named) <= _SUBREDDITS_MAX or not all(map(_SUBREDDIT, named)):
            raise Refused(
                f"sources.reddit_subreddits holds 1 to {_SUBREDDITS_MAX} names, without r/",
                code="source.settings",
            )
        self._account = account
        self._url = f"{account.base_url}/r/{'+'.join(named)}/new"
        self._token_url = f"{account.token_url}/api/v1/access_token"
        self._budget = budget
        self._asker = Asker(NAME, clock=clock, chance=chance)
        self._token, self._token_until_s = _NO_TOKEN, 0.0
        self.counts = self._asker.counts

    @property
    def name(self) -> str:
        """Return `reddit`."""
        return NAME

    @property
    def problem(self) -> str:
        """Return what is the matter, "" when all is well."""
        return self._asker.problem

    def read(self, frame: Frame) -> Sequence[Event]:
        """Return the headlines of a listing; raise `Corrupt` (`message.unreadable`)."""
        return words.read(frame.data, frame.feed)

    async def run(self, symbols: Sequence[str], take: Take) -> None:  # noqa: ARG002 - see the class
        """Hand over listings as they change until cancelled.

        Raises `Refused` (`source.key`) when Reddit takes neither id nor secret.
        """
        async with Fetcher(clock=self._asker.clock, agent=self._account.agent) as fetcher:

            async def ask() -> float:
                answer = await self._listing(fetcher, await self._valid_token(fetcher))
                self._asker.hand_over_new(take, FEED, json_body(answer, self._url))
                return answer.pause_s

            await self._asker.poll(FEED, ask, every_s=self._account.every_s)

    async def _listing(self, fetcher: Fetcher, token: str) -> Answer:
        question = Question(
            self._url,
            {"limit": str(_POSTS), "raw_json": "1"},
            headers={"Authorization": f"Bearer {token}"},
        )
        try:
            return await self._ask(fetcher, question)
        except Declined as problem:
            if problem.status != HTTPStatus.UNAUTHORIZED:
                raise
            # The token was taken back: another one, next time. Only id and secret can be hopeless.
            self._token = _NO_TOKEN
            raise Unavailable(problem.detail, code=problem.code) from problem

    async def _valid_token(self, fetcher: Fetcher) -> str:
        now_s = self._asker.clock.monotonic()
        if self._token and now_s < self._token_until_s:
            return self._token
        question = Question(
            self._token_url,
            form={"grant_type": "client_credentials"},
            headers={
                "Authorization": aiohttp.encode_basic_auth(
                    self._account.client_id, self._account.client_secret
                )
            },
        )
        said = json_body(await self._ask(fetcher, question), self._token_url)
        try:
            token = msgspec.json.decode(said, type=_Token)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise Unavailable(
                f"{self._token_url} gives no token", code="source.unavailable"
            ) from problem
        self._token = token.access_token
        self._token_until_s = now_s + token.expires_in - _EARLY_S
        return self._token

    async def _ask(self, fetcher: Fetcher, question: Question) -> Answer:
        return await self._budget.asked(_FREE, lambda: fetcher.ask(question), lambda _: _FREE)
