"""Words: working out what the feeds of each asset come to, and remembering it until they change.

The board asks; nothing is worked out before. A word stands while none of the feeds it was made of,
those of the currencies it was converted by among them, has anything new and none of them has grown
too old to vote.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from quantdesk.core.prices import Price, Reading
from quantdesk.core.validity import Bounds
from quantdesk.ingest.consensus import Vote, Word, vote, word
from quantdesk.ingest.feeds import Feed

DOLLAR = "USD"

_NOTHING: frozenset[str] = frozenset()
_FOREVER_MS = 1 << 62


@dataclass(slots=True)
class Asset:
    """An asset's feeds, the word on it that was worked out last, and of what and for when.

    `told` is the board's: what it last made of the word for evidence.
    """

    symbol: str
    feeds: list[Feed] = field(default_factory=list)
    word: Word | None = None
    parts: tuple[tuple[Feed, int], ...] = ()
    from_ms: int = 0
    until_ms: int = -1
    shape: int = 0
    told: tuple[Price, dict[str, Any]] | None = None

    def stands(self, now_ms: int, shape: int) -> bool:
        """Return whether the last word holds at a moment, after so many changes of feeds."""
        if self.shape != shape or not self.from_ms <= now_ms <= self.until_ms:
            return False
        for feed, revision in self.parts:  # noqa: SIM110 - asked for every order, twice as quick
            if feed.revision != revision:
                return False
        return True


class Words:
    """The words on all assets; `assume` holds dollars per unit of those without a feed.

    What is assumed is held true while prices come: it is as old as the newest (`heard_ms`).
    """

    def __init__(
        self, *, assume: Mapping[str, Decimal], bounds: Bounds, heard_ms: Callable[[], int]
    ) -> None:
        self._assume = dict(assume)
        self._bounds = bounds
        self.fresh_ms = min(bounds.age_warn_ms, bounds.age_trade_ms)
        self.assets: dict[str, Asset] = {}
        self._shape = 0
        self._needs: dict[str, frozenset[str]] = {}
        self._touches: dict[str, frozenset[str]] = {}
        self._heard_ms = heard_ms

    def follow(self, feed: Feed) -> None:
        """Let a feed vote on its asset from its first price on."""
        self.assets.setdefault(feed.symbol, Asset(feed.symbol)).feeds.append(feed)
        self._reshape()

    def unfollow(self, feed: Feed) -> None:
        """Forget a feed."""
        self.assets[feed.symbol].feeds.remove(feed)
        self._reshape()

    def touched_by(self, symbol: str) -> frozenset[str]:
        """Return the assets whose price changes with this one's, itself among them."""
        found = self._touches.get(symbol)
        if found is None:
            others = {one for one in self.assets if symbol in self._currencies(one)}
            found = self._touches[symbol] = frozenset({symbol, *others})
        return found

    def word(self, symbol: str, now_ms: int) -> Word | None:
        """Return what is agreed on an asset at a moment, None when nothing is known."""
        asset = self.assets.get(symbol)
        if asset is None:
            return self._assumed(symbol)
        if asset.stands(now_ms, self._shape):
            return asset.word
        return self._worked_out(asset, now_ms, _NOTHING)

    def votes(self, asset: Asset, now_ms: int, via: frozenset[str] = _NOTHING) -> list[Vote]:
        """Return the votes on an asset that can be told in dollars.

        `via` are the assets on the way here, by which nothing may be converted again.
        """
        via |= {asset.symbol}
        votes = []
        for feed in asset.feeds:
            if not feed.price:
                continue
            if feed.currency == DOLLAR:
                votes.append(vote(feed, None, self._bounds))
            elif (rate := self.rate(feed.currency, now_ms, via)) is not None:
                votes.append(vote(feed, rate, self._bounds))
        return votes

    def rate(self, currency: str, now_ms: int, via: frozenset[str]) -> Word | None:
        """Return what makes dollars of a currency that is not the dollar."""
        if currency in via:
            return None
        if not via & self._currencies(currency):
            return self.word(currency, now_ms)
        asset = self.assets.get(currency)
        return self._worked_out(asset, now_ms, via) if asset else self._assumed(currency)

    def _worked_out(self, asset: Asset, now_ms: int, via: frozenset[str]) -> Word | None:
        votes = self.votes(asset, now_ms, via)
        if not votes:
            return self._assumed(asset.symbol)
        found = word(votes, now_ms=now_ms, fresh_ms=self.fresh_ms, bounds=self._bounds)
        if not via:
            self._remember(asset, found, now_ms)
        return found

    def _reshape(self) -> None:
        self._shape += 1
        self._needs.clear()
        self._touches.clear()

    def _remember(self, asset: Asset, found: Word, now_ms: int) -> None:
        currencies = self._currencies(asset.symbol)
        until_ms = found.price.until_ms
        asset.word, asset.from_ms, asset.shape = found, now_ms, self._shape
        asset.until_ms = _FOREVER_MS if until_ms is None else until_ms
        parts = [*asset.feeds, *self._feeds(currencies - {asset.symbol})]
        asset.parts = tuple((feed, feed.revision) for feed in parts)

    def _feeds(self, symbols: frozenset[str]) -> Iterator[Feed]:
        for symbol in symbols:
            if symbol in self.assets:
                yield from self.assets[symbol].feeds

    def _currencies(self, symbol: str) -> frozenset[str]:
        """Return all that an asset is quoted in, and all that is quoted in, dollars left out."""
        found = self._needs.get(symbol)
        if found is None:
            seen: set[str] = set()
            wanted = [symbol]
            while wanted:
                asset = self.assets.get(wanted.pop())
                new = {feed.currency for feed in asset.feeds} - seen - {DOLLAR} if asset else set()
                seen |= new
                wanted += sorted(new)
            found = self._needs[symbol] = frozenset(seen)
        return found

    def _assumed(self, symbol: str) -> Word | None:
        rate = self._assume.get(symbol)
        heard_ms = self._heard_ms()
        if rate is None or not heard_ms:
            return None
        words = "at par" if rate == 1 else f"at {rate:f} USD"
        reading = Reading(f"assumed {words}", symbol, rate, Decimal(0), heard_ms)
        price = Price(reading, heard_ms)
        return Word(price, heard_ms, float(rate))
