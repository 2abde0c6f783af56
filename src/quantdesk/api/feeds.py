"""Feeds over HTTP: what each source says of each asset, beside the desk's own word on it.

The board agrees on one price of an asset (`/api/prices`); here stand those it was agreed from, and
those that were left out, each in the currency it was really quoted in.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from quantdesk.access.model import Permission
from quantdesk.api.answers import json, returns
from quantdesk.api.needs import needs
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock
from quantdesk.core.money import BPS
from quantdesk.core.validity import BOUNDS, of_age
from quantdesk.guard.check import Limits
from quantdesk.ingest.board import Board
from quantdesk.ingest.consensus import Vote
from quantdesk.ingest.feeds import Kind

_HUNDREDTH: Final = Decimal("0.01")


class FeedView(msgspec.Struct, frozen=True, rename="camel"):
    """What a source says of an asset in one currency; numbers are exact decimal strings.

    `value` and `confidence` are in `currency`, `valueUsd` and `agreedUsd` in US dollars, the latter
    the desk's word. `deviationBps` is how far this one is above it. `kind` is `quote`, `index`,
    `trade`, `derived` (of a perpetual) or `remembered` (of before the start). `counted`: the word
    was made of it.
    """

    symbol: str
    source: str
    currency: str
    kind: str
    value: str
    confidence: str
    value_usd: str
    agreed_usd: str
    deviation_bps: str
    age_ms: int
    validity: str
    counted: bool
    raw_id: str | None


class FeedsView(msgspec.Struct, frozen=True):
    """All feeds that can be told in US dollars, by asset."""

    feeds: list[FeedView]


class FeedRoutes:
    """The route of feeds."""

    def __init__(self, *, board: Board, limits: Limits, clock: Clock) -> None:
        self._board = board
        self._limits = limits
        self._clock = clock

    def routes(self) -> APIRouter:
        """Return the route."""
        router = APIRouter(prefix="/api", tags=["sources"])

        @router.get(
            "/feeds",
            **needs(Permission.MARKET_READ),
            responses=returns(FeedsView),
            summary="What each source says of each asset",
        )
        async def feeds() -> Response:
            return json(FeedsView([view for symbol in ASSETS for view in self._of(symbol)]))

        return router

    def _of(self, symbol: str) -> Iterator[FeedView]:
        now_ms = self._clock.now_ms()
        word = self._board.latest(symbol)
        if word is None:
            return
        # The word is of the last thing heard; so are the votes, and their ages of this moment.
        bounds = msgspec.structs.replace(BOUNDS, age_trade_ms=self._limits.price_age_ms_max)
        votes = self._board.votes(symbol, now_ms=now_ms)
        best = _best(votes)
        for vote in votes:
            feed, usd = vote.feed, _usd(vote)
            age_ms = max(0, now_ms - vote.stamp_ms)
            yield FeedView(
                symbol=symbol,
                source=feed.source,
                currency=feed.currency,
                kind=feed.kind.name.lower(),
                value=_text(feed.value),
                confidence=_text(feed.confidence),
                value_usd=_text(usd),
                agreed_usd=_text(word.value),
                deviation_bps=f"{((usd / word.value - 1) * BPS).quantize(_HUNDREDTH):f}",
                age_ms=age_ms,
                validity=min(vote.validity, of_age(age_ms, bounds)).name,
                counted=feed.source in word.sources and feed.kind is best[_market(vote)],
                raw_id=feed.raw_id,
            )


def _best(votes: Sequence[Vote]) -> Mapping[tuple[str, str], Kind]:
    """Return the kind of each market that speaks for it: the first that is not doubted."""
    ranked = sorted(votes, key=lambda one: (-one.feed.doubted, -one.feed.kind))
    return {_market(one): one.feed.kind for one in ranked}


def _market(vote: Vote) -> tuple[str, str]:
    return vote.feed.source, vote.feed.currency


def _usd(vote: Vote) -> Decimal:
    return vote.feed.value if vote.rate is None else vote.feed.value * vote.rate.price.value


def _text(number: Decimal) -> str:
    return f"{number.normalize():f}"
