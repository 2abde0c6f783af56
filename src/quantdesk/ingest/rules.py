"""Rules that say what is wrong with a message once something is: sane numbers, and their order.

The gate asks the cheap question of every message inline; only the few that fail come here. Pure.
"""

from math import isfinite
from typing import Final

import msgspec

from quantdesk.ingest.feeds import Feed
from quantdesk.ingest.rejections import Reason

PRICE_MIN: Final = 1e-15
PRICE_MAX: Final = 1e15
"""Nothing the desk knows of is cheaper or dearer; past them it is not money that is quoted."""
SIZE_MAX: Final = 1e30
EVENT_MS_MAX: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, as late as dates go."""
MISSING_MAX: Final = 1_000
"""Trades missing at once that are waited for."""

_JSON_NUMBER: Final = msgspec.json.Decoder(float).decode


def floats(one: str, other: str) -> tuple[float, float]:
    """Return what `float()` says of two texts, in a third of its time; raise `ValueError`."""
    try:
        return _JSON_NUMBER(one), _JSON_NUMBER(other)
    except msgspec.DecodeError:  # as 1. and .5, which JSON does not write
        return float(one), float(other)


def insane(*prices: float) -> Reason:
    """Return why these prices, or their sizes, are no prices."""
    if not all(isfinite(price) for price in prices):
        return Reason.NOT_A_NUMBER
    return Reason.NOT_POSITIVE if min(prices) <= 0 else Reason.NOT_A_NUMBER


def crossed(bid: float, ask: float) -> Reason:
    """Return why a bid and an ask are no top of a book."""
    sane = PRICE_MIN <= bid <= PRICE_MAX and PRICE_MIN <= ask <= PRICE_MAX
    return Reason.CROSSED if sane and bid >= ask else insane(bid, ask)


def disordered(feed: Feed, trade_id: int) -> Reason:
    """Return why a trade whose id does not rise is not taken; one that was missed is `late` once.

    What is late is true, but no price of now: whoever builds candles may want it.
    """
    if trade_id not in feed.missing:
        return Reason.DUPLICATE
    del feed.missing[trade_id]
    return Reason.LATE


def mistimed(event_ms: int) -> Reason:
    """Return why the time of an event is not believed."""
    return Reason.FUTURE if 0 <= event_ms <= EVENT_MS_MAX else Reason.NOT_A_NUMBER


def note_missing(feed: Feed, trade_id: int) -> None:
    """Remember which trades were skipped, the latest `MISSING_MAX` of them."""
    first = max(feed.order + 1, trade_id - MISSING_MAX)
    feed.missing.update(dict.fromkeys(range(first, trade_id)))
    while len(feed.missing) > MISSING_MAX:
        del feed.missing[next(iter(feed.missing))]
