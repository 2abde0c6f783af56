"""The board: the desk's word on every asset, in US dollars, with its sources and its age.

The gate keeps the feeds, the board reads them: nothing is worked out before somebody asks, and then
once until something new is heard. Guard, routing, the hub and the localnet's maker read from it. A
price quoted in a stablecoin is turned into dollars by that coin's own price: a stablecoin is never
taken for a dollar unless `assume` says so, and then the source's name says so too.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec

from quantdesk.core.errors import Unavailable
from quantdesk.core.money import BPS
from quantdesk.core.prices import Price, Reading
from quantdesk.core.validity import BOUNDS, Action, Bounds, Validity, allows, of_age, unfit
from quantdesk.ingest.changes import Changes
from quantdesk.ingest.clocks import SourceClock
from quantdesk.ingest.consensus import Vote, Word
from quantdesk.ingest.feeds import Feed, Kind, remembered
from quantdesk.ingest.hours import is_open
from quantdesk.ingest.provenance import Kept, provenance
from quantdesk.ingest.words import DOLLAR, Words


class Board:
    """The agreed prices; `accepted` and `rejected` count plain readings, by source and reason.

    `assume` holds dollars per unit of assets that may have no price of their own, such as the USDT
    that a recording of one pair is quoted in: it fills a gap, a feed always goes before it.
    `replayed` names the sources of plain readings whose publish times are of another day, so that
    age is counted from when they reached the desk alone.
    """

    def __init__(
        self,
        *,
        assume: Mapping[str, Decimal] = MappingProxyType({}),
        replayed: Collection[str] = (),
        bounds: Bounds = BOUNDS,
    ) -> None:
        self._words = Words(assume=assume, bounds=bounds, heard_ms=lambda: self._heard_ms)
        self._replayed = frozenset(replayed)
        self._bounds = bounds
        self._within = bounds
        self._readings: dict[tuple[str, str], Feed] = {}
        self._remembered: dict[str, Feed] = {}
        self.revision = 0
        """Rises with everything heard, so that others may remember what they worked out."""
        self._kept = Kept()
        self.last: Feed | None = None
        """The feed heard last. The gate writes both itself: it has no time for a call."""
        self.followed: set[Changes] = set()
        self.rejected: Counter[tuple[str, str]] = Counter()

    @property
    def accepted(self) -> Counter[str]:
        """Return how many prices were taken of each source."""
        counts: Counter[str] = Counter()
        for asset in self._words.assets.values():
            for feed in asset.feeds:
                counts[feed.source] += feed.ticks
        return counts

    def follow(self, feed: Feed) -> None:
        """Let a feed speak for its asset from its first price on, and nothing remembered."""
        known = self._remembered.pop(feed.symbol, None)
        if known is not None:
            self._words.unfollow(known)
        self._words.follow(feed)

    def remember(self, price: Price, stamp_ms: int) -> bool:
        """Show a price that was agreed on elsewhere until a feed speaks for its asset.

        `stamp_ms` is since when it counts as old. It is never traded on. Returns False when a feed
        has spoken, or something newer is remembered.
        """
        symbol = price.reading.symbol
        known, asset = self._remembered.get(symbol), self._words.assets.get(symbol)
        if asset is not None and any(feed is not known for feed in asset.feeds):
            return False
        if known is not None and known.stamp_ms > stamp_ms:
            return False
        feed = remembered(price, stamp_ms)
        self.follow(feed)
        self._remembered[symbol] = feed
        self.heard(feed)
        return True

    def heard(self, feed: Feed) -> None:
        """Note that a feed has something new to say."""
        self.revision += 1
        self.last = feed
        if self.followed:
            self.tell(feed.symbol)

    def tell(self, symbol: str) -> None:
        """Tell those who follow the board which assets are worth another look."""
        touched = self._words.touched_by(symbol)
        for changes in self.followed:
            changes.add(touched)

    def take(self, reading: Reading, received_ms: int) -> Price | None:
        """Put up a plain reading of a source that sends no frames; return its asset's price.

        Returns None when it is refused (`older` than, or a `duplicate` of, the source's last one on
        the asset) or when what it is quoted in has no price yet.
        """
        key = reading.source, reading.symbol
        feed = self._readings.get(key)
        fault = _fault(reading, feed.event) if feed is not None else None
        if fault is not None:
            self.rejected[reading.source, fault] += 1
            return None
        if feed is None or feed.currency != reading.currency:
            feed = self._opened(reading, feed)
        lag_ms = 0 if feed.clock.replayed else max(0, received_ms - reading.published_ms)
        feed.event, feed.price = reading, float(reading.price)
        feed.taken_ms, feed.lag_ms = received_ms, lag_ms
        feed.revision += 1
        self.heard(feed)
        return self.latest(reading.symbol)

    def latest(self, symbol: str) -> Price | None:
        """Return the agreed price as of the last thing heard, None when there is none.

        A converted price names both sources, is as old as the older of the two, and is as sure as
        both together (their confidences add up).
        """
        found = self._words.word(symbol, self._heard_ms)
        return found.price if found else None

    def price(self, base: str, quote: str) -> Decimal:
        """Return `quote` per `base`, from the two prices in dollars.

        Raises `Unavailable` (`price.missing`). Nothing is said of validity: ask `fresh` for both.
        """
        at_ms = self._heard_ms
        return self._known(base, at_ms).price.value / self._known(quote, at_ms).price.value

    def fresh(
        self, symbol: str, *, now_ms: int, age_ms_max: int, action: Action = Action.OPEN
    ) -> Price:
        """Return the agreed price; raise `Unavailable` when an action may not go by it.

        `price.missing`: none yet. `price.stale`: it, or what it was converted by, was published or
        reached the desk more than `age_ms_max` milliseconds ago. Others: see `core.validity.unfit`.
        """
        found = self._known(symbol, now_ms)
        price, age_ms = found.price, max(0, now_ms - found.stamp_ms)
        if age_ms > age_ms_max and not allows(
            action, of_age(age_ms, self._trading_within(age_ms_max))
        ):
            raise Unavailable(
                f"the last price of {symbol} ({price.reading.source}) is {age_ms / 1000:.1f} s "
                f"old, more than the {age_ms_max / 1000:g} s allowed: wait for the source to come "
                "back, or choose another with --source",
                code="price.stale",
            )
        validity = self._of(symbol, found, now_ms, age_ms_max)
        if not allows(action, validity):
            raise unfit(f"the price of {symbol} ({price.reading.source})", validity, action)
        return price

    def validity(self, symbol: str, *, now_ms: int, age_ms_max: int) -> Validity:
        """Return the validity of a price now, `age_ms_max` being as old as may be traded on.

        Raises `Unavailable` (`price.missing`).
        """
        return self._of(symbol, self._known(symbol, now_ms), now_ms, age_ms_max)

    def age_ms(self, symbol: str, *, now_ms: int) -> int:
        """Return the age of a price in milliseconds, of its oldest part.

        Counted from its publication or its arrival, whichever was earlier, by the source's clock;
        from its arrival alone for replayed sources. Raises `Unavailable` (`price.missing`).
        """
        return max(0, now_ms - self._known(symbol, now_ms).stamp_ms)

    def provenance(
        self, symbol: str, *, now_ms: int, age_ms_max: int = BOUNDS.age_trade_ms
    ) -> dict[str, Any]:
        """Return where a price came from, ready for JSON; raise `Unavailable` (`price.missing`).

        Value and confidence are US dollars as decimal strings, times ISO-8601 UTC. The messages it
        names can be asked for (`raw`) for some time after.
        """
        found = self._known(symbol, now_ms)
        told = self._told(symbol, found)
        validity = self._of(symbol, found, now_ms, age_ms_max)
        return {**told, "validity": validity.name, "ageMs": max(0, now_ms - found.stamp_ms)}

    def raw(self, raw_id: str) -> bytes | None:
        """Return the message behind a price that stands, or that was told of lately."""
        kept = self._kept.frame(raw_id)
        if kept is not None:
            return kept.data
        feeds = (feed for asset in self._words.assets.values() for feed in asset.feeds)
        return next(
            (feed.frame.data for feed in feeds if feed.frame and feed.raw_id == raw_id), None
        )

    def corroborates(self, feed: Feed, price: float, *, now_ms: int) -> bool:
        """Return whether another source has just said about the same as a feed that jumped.

        It need not have been believed: two that jump to the same price confirm each other.
        """
        words, usd = self._words, price
        if feed.currency != DOLLAR:
            rate = words.rate(feed.currency, now_ms, frozenset({feed.symbol}))
            if rate is None:
                return False
            usd *= rate.usd
        near = self._bounds.agreement_warn_bps / BPS * usd
        others = words.votes(words.assets[feed.symbol], now_ms)
        return any(
            abs(one.latest_usd - usd) <= near and now_ms - one.latest_ms <= words.fresh_ms
            for one in others
            if one.feed.source != feed.source
        )

    def votes(self, symbol: str, *, now_ms: int) -> list[Vote]:
        """Return what each feed of an asset says, of those that can be told in dollars."""
        asset = self._words.assets.get(symbol)
        return [] if asset is None else self._words.votes(asset, now_ms)

    def changes(self) -> Changes:
        """Return an iterator over which assets changed, from now on; use it in a `with` block."""
        changes = Changes(self.followed)
        self.followed.add(changes)
        return changes

    @property
    def _heard_ms(self) -> int:
        return 0 if self.last is None else self.last.received_ms

    def _opened(self, reading: Reading, other: Feed | None) -> Feed:
        if other is not None:
            self._words.unfollow(other)
        key = reading.source, reading.symbol, reading.currency
        clock = SourceClock(replayed=reading.source in self._replayed)
        feed = self._readings[key[:2]] = Feed(key, Kind.QUOTE, clock)
        self.follow(feed)
        return feed

    def _known(self, symbol: str, now_ms: int) -> Word:
        found = self._words.word(symbol, now_ms)
        if found is not None:
            return found
        asset = self._words.assets.get(symbol)
        said = next((feed for feed in asset.feeds if feed.price), None) if asset else None
        if said is None:
            detail = f"no source has given a price of {symbol} yet: see `quantdesk prices`"
        else:
            detail = (
                f"{said.source} quotes {symbol} in {said.currency}, and no source "
                f"has given a price of {said.currency} yet: see `quantdesk prices`"
            )
        raise Unavailable(detail, code="price.missing")

    def _of(self, symbol: str, found: Word, now_ms: int, age_ms_max: int) -> Validity:
        own = found.price.validity
        aged = of_age(now_ms - found.stamp_ms, self._trading_within(age_ms_max))
        worst = min(own, aged)
        return worst if is_open(symbol, now_ms) else min(worst, Validity.CLOSED)

    def _trading_within(self, age_ms_max: int) -> Bounds:
        if self._within.age_trade_ms != age_ms_max:
            self._within = msgspec.structs.replace(self._bounds, age_trade_ms=age_ms_max)
        return self._within

    def _told(self, symbol: str, found: Word) -> dict[str, Any]:
        asset = self._words.assets.get(symbol)
        if asset is not None and asset.told is not None and asset.told[0] is found.price:
            return asset.told[1]
        told = provenance(found.price)
        self._kept.keep(found.price.raw_ids, found.frames)
        if asset is not None:
            asset.told = (found.price, told)
        return told


def _fault(reading: Reading, last: Reading | None) -> str | None:
    if last is None or reading.published_ms > last.published_ms:
        return None
    if reading.published_ms < last.published_ms:
        return "older"
    # A source may speak twice within its unit of time; only the same words are a duplicate.
    return "duplicate" if reading == last else None
