"""CryptoPanic: news of many publishers with the votes of its readers; needs a key.

The plan is part of the address, the key part of the query: neither logs nor frames show it (its
answers name the next page with the key in it, which is taken out before anybody else sees it).

https://cryptopanic.com/developers/api/
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from quantdesk.core.backoff import Chance
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused
from quantdesk.core.ticks import Event, Frame
from quantdesk.sources.budget import Budget
from quantdesk.sources.fetching import Answer, Fetcher, Question, json_body
from quantdesk.sources.polling import Asker
from quantdesk.sources.port import Take
from quantdesk.sources.words import cryptopanic as words

NAME: Final = "cryptopanic"
FEED: Final = "posts"
BASE_URL: Final = "https://cryptopanic.com"
PLAN: Final = "developer"
EVERY_S: Final = 600.0
_FREE: Final = Decimal(0)
_COINS_MAX: Final = 50
_KEY_OF_LINK: Final = re.compile(rb'auth_token=[^&"\\\s]*').sub


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks: the key, the plan it belongs to, and how often at most (seconds)."""

    key: str = field(repr=False)
    plan: str = PLAN
    base_url: str = BASE_URL
    every_s: float = EVERY_S


class CryptoPanic:
    """CryptoPanic as a source; `counts` and `problem` as in `polling.Asker`."""

    def __init__(self, account: Account, *, budget: Budget, clock: Clock, chance: Chance) -> None:
        """Raise `Refused` (`source.settings`) for a plan that is no word."""
        if not (account.plan.isascii() and account.plan.replace("-", "").isalnum()):
            raise Refused("sources.cryptopanic_plan is one word", code="source.settings")
        self._account = account
        self._url = f"{account.base_url}/api/{account.plan}/v2/posts/"
        self._budget = budget
        self._asker = Asker(NAME, clock=clock, chance=chance)
        self.counts = self._asker.counts

    @property
    def name(self) -> str:
        """Return `cryptopanic`."""
        return NAME

    @property
    def problem(self) -> str:
        """Return what is the matter, "" when all is well."""
        return self._asker.problem

    def read(self, frame: Frame) -> Sequence[Event]:
        """Return the headlines of a page; raise `Corrupt` (`message.unreadable`)."""
        return words.read(frame.data, frame.feed)

    async def run(self, symbols: Sequence[str], take: Take) -> None:
        """Hand over pages about these assets as they change until cancelled.

        Raises `Refused` (`source.key`) when the key is not taken.
        """
        query = {"auth_token": self._account.key, "public": "true", "kind": "news"}
        if symbols:
            query["currencies"] = ",".join(symbols[:_COINS_MAX])
        async with Fetcher(clock=self._asker.clock) as fetcher:

            async def ask() -> float:
                question = Question(self._url, query)
                answer = await self._budget.asked(_FREE, lambda: fetcher.ask(question), _costs)
                data = self._without_key(json_body(answer, self._url))
                self._asker.hand_over_new(take, FEED, data)
                return answer.pause_s

            await self._asker.poll(FEED, ask, every_s=self._account.every_s)

    def _without_key(self, data: bytes) -> bytes:
        # A link may write the key in many ways, so what stands in its place goes, whatever it is.
        return _KEY_OF_LINK(b"auth_token=-", data).replace(self._account.key.encode(), b"-")


def _costs(_: Answer) -> Decimal:
    return _FREE
