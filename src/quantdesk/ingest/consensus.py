"""Consensus: the price of an asset in dollars that its feeds agree on. Pure.

Feeds vote that are fresh; those that stand for the asset itself go before trades in it and before
perpetuals; those with nothing against them go before the others. The middle of what is left is the
price, its parts are named, and its validity is the worst of theirs and of how far they are apart.
While half of them or more have jumped and wait to be believed, the others are not believed either.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from quantdesk.core.prices import Price, Reading
from quantdesk.core.ticks import Frame
from quantdesk.core.validity import Bounds, Validity, of_agreement
from quantdesk.ingest.agreement import agree
from quantdesk.ingest.feeds import PLAYED, UNTIMED, Feed, Kind

_HALF = Decimal("0.5")
_AT_BEST = {Kind.DERIVED: Validity.STRAINED, Kind.REMEMBERED: Validity.STALE}


class Word(msgspec.Struct, frozen=True, gc=False):
    """What was agreed on: the price, since when its oldest part is known, the frames behind it."""

    price: Price
    stamp_ms: int
    usd: float
    frames: tuple[Frame, ...] = ()

    @property
    def heard(self) -> bool:
        """Return whether a source said so; what is assumed has no time of its own."""
        return bool(self.price.sources)


class Vote(msgspec.Struct, frozen=True, gc=False):
    """One feed, and the rate that makes dollars of it; no rate where it speaks of dollars."""

    feed: Feed
    rate: Word | None
    usd: float
    stamp_ms: int
    validity: Validity

    @property
    def latest_usd(self) -> float:
        """Return what the feed said last, believed or not."""
        feed = self.feed
        return self.usd * feed.quarantine.price / feed.price if feed.doubted else self.usd

    @property
    def latest_ms(self) -> int:
        """Return when it said so."""
        return self.feed.quarantine.at_ms if self.feed.doubted else self.stamp_ms

    @property
    def label(self) -> str:
        """Return who says so, and by whom it was made dollars."""
        feed, rate = self.feed, self.rate
        if rate is None:
            return feed.source
        return f"{feed.source} ({feed.currency}: {rate.price.reading.source})"


def vote(feed: Feed, rate: Word | None, bounds: Bounds) -> Vote:
    """Return the vote of a feed."""
    validity = feed.validity(bounds)
    if rate is None:
        return Vote(feed, None, feed.price, feed.stamp_ms, validity)
    return Vote(
        feed,
        rate,
        feed.price * rate.usd,
        min(feed.stamp_ms, rate.stamp_ms) if rate.heard else feed.stamp_ms,
        min(validity, rate.price.validity),
    )


def word(votes: Sequence[Vote], *, now_ms: int, fresh_ms: int, bounds: Bounds) -> Word:
    """Return what votes on one asset come to; there is at least one."""
    fresh = [one for one in votes if now_ms - one.stamp_ms <= fresh_ms and not one.feed.silent]
    until_ms = _until_ms(fresh, fresh_ms)
    if len(votes) == 1:
        return _lone(votes[0], until_ms)
    polled = _best(fresh or [max(votes, key=lambda one: one.stamp_ms)])
    sound = [one for one in polled if one.validity > Validity.QUARANTINED] or polled
    agreement = agree([one.usd for one in sound])
    kept = [sound[position] for position in agreement.kept]
    middle = [sound[position] for position in agreement.middle]
    validity = min(_own(one) for one in kept)
    if agreement.bps is not None:
        validity = min(validity, of_agreement(agreement.bps, bounds))
    if 2 * sum(one.feed.doubted for one in polled) >= len(polled):
        validity = min(validity, Validity.QUARANTINED)  # half or more may have moved away
    validity = _timed(kept, validity)
    frames = tuple(dict.fromkeys(frame for one in kept for frame in _frames(one)))
    price = Price(
        _reading(kept, middle),
        min(_received_ms(one) for one in kept),
        validity,
        agreement.bps,
        tuple(sorted({one.feed.source for one in kept})),
        tuple([frame.id for frame in frames]),
        until_ms,
    )
    return Word(price, min(one.stamp_ms for one in kept), float(price.value), frames)


def _lone(one: Vote, until_ms: int | None) -> Word:
    """Return the word of a single vote, the usual case of a desk with one source."""
    feed = one.feed
    frames = _frames(one)
    price = Price(
        Reading(one.label, feed.symbol, _value(one), _confidence(one), _published_ms(one)),
        _received_ms(one),
        _timed([one], _own(one)),
        None,
        (feed.source,),
        tuple([frame.id for frame in frames]),
        until_ms,
    )
    return Word(price, one.stamp_ms, one.usd, frames)


def _own(one: Vote) -> Validity:
    """Return the validity of a vote; a perpetual is never quite the asset, the past never now."""
    at_best = _AT_BEST.get(one.feed.kind)
    return one.validity if at_best is None else min(one.validity, at_best)


def _timed(votes: Sequence[Vote], validity: Validity) -> Validity:
    """Return their validity, not good enough to trade on where nobody knows how old they are."""
    untimed = all(one.feed.source.removeprefix(PLAYED) in UNTIMED for one in votes)
    return min(validity, Validity.STALE) if untimed else validity


def _best(votes: list[Vote]) -> list[Vote]:
    """Return one vote of each market, of the best kind there is."""
    if len(votes) == 1:
        return votes
    markets: dict[tuple[str, str], Vote] = {}
    for one in votes:
        market = one.feed.source, one.feed.currency
        other = markets.get(market)
        if other is None or _place(one) < _place(other):
            markets[market] = one
    own = [one for one in markets.values() if one.feed.kind is not Kind.DERIVED]
    return own or list(markets.values())


def _place(one: Vote) -> tuple[bool, int]:
    return one.validity <= Validity.QUARANTINED, one.feed.kind


def _reading(kept: Sequence[Vote], middle: Sequence[Vote]) -> Reading:
    value = _value(middle[0])
    if len(middle) > 1:
        value = (value + _value(middle[1])) * _HALF
    return Reading(
        source=", ".join(sorted({one.label for one in kept})),
        symbol=kept[0].feed.symbol,
        price=value,
        confidence=max(_confidence(one) for one in middle),
        published_ms=min(_published_ms(one) for one in kept),
    )


def _value(one: Vote) -> Decimal:
    return one.feed.value if one.rate is None else one.feed.value * one.rate.price.value


def _confidence(one: Vote) -> Decimal:
    """Return how sure a vote is; the confidences of a price and of its rate add up."""
    if one.rate is None:
        return one.feed.confidence
    rate = one.rate.price
    return one.feed.confidence * rate.value + one.feed.value * rate.reading.confidence


def _published_ms(one: Vote) -> int:
    own_ms = one.feed.event_ms
    if one.rate is None or not one.rate.heard:
        return own_ms
    return min(own_ms, one.rate.price.reading.published_ms)


def _received_ms(one: Vote) -> int:
    own_ms = one.feed.received_ms
    if one.rate is None or not one.rate.heard:
        return own_ms
    return min(own_ms, one.rate.price.received_ms)


def _frames(one: Vote) -> tuple[Frame, ...]:
    own = () if one.feed.frame is None else (one.feed.frame,)
    return own if one.rate is None else (*own, *one.rate.frames)


def _until_ms(fresh: Sequence[Vote], fresh_ms: int) -> int | None:
    """Return when the first of these votes, or a rate of theirs, is fresh no more."""
    found: int | None = None
    for one in fresh:
        ends_ms = one.stamp_ms + fresh_ms
        rate_ms = None if one.rate is None else one.rate.price.until_ms
        if rate_ms is not None and rate_ms < ends_ms:
            ends_ms = rate_ms
        if found is None or ends_ms < found:
            found = ends_ms
    return found
