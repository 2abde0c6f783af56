"""Feeds: one stream of prices of one market from one source, and all that is known about it.

The gate writes it, once per message; the board and whoever shows the health of sources read it.
"""

from collections import deque
from decimal import Decimal
from enum import IntEnum
from math import inf
from statistics import median
from typing import Any, Final

from quantdesk.core.money import BPS
from quantdesk.core.prices import Price, Reading
from quantdesk.core.ticks import Frame, Mark, Oracle, Quote, Trade
from quantdesk.core.validity import BOUNDS, Bounds, Validity, of_confidence, of_swing
from quantdesk.ingest.clocks import SourceClock
from quantdesk.ingest.outliers import History, Quarantine

CACHED = "cached: "
"""Before the names of those who said what is remembered."""
PLAYED = "recorded."
"""Sources that play a recording are called this and what they play."""
DERIVATIVES = frozenset({"binance.futures"})
"""Sources whose quotes and trades are of a perpetual, which is not the asset itself."""
UNTIMED = frozenset({"switchboard"})
"""Sources that do not say when their prices were found: alone, they are not traded on."""
SILENCE_MS_MIN = 5_000
SILENCE_TIMES = 10
"""A feed is silent after this many of its usual gaps, and not before `SILENCE_MS_MIN`."""

ANEW_MIN: Final = 20
"""Messages in a row with rising marks, all below the last one, that are a new numbering."""
NO_ORDER: Final = -(1 << 63)
"""The mark that every message passes."""

_GAPS = 32
_HALF = Decimal("0.5")


class Kind(IntEnum):
    """What a feed's prices are; of one market, the first that speaks is believed."""

    QUOTE = 0
    """The middle of a book's top, a word of an oracle, or a plain reading."""
    INDEX = 1
    """What a derivatives exchange says the asset itself is worth."""
    TRADE = 2
    DERIVED = 3
    """A quote or a trade of a perpetual."""
    REMEMBERED = 4
    """A word of another desk, or of this one before it was started again: to show, not to trade on.
    """


class Feed:
    """A feed's last accepted price and its record.

    `price` is in `currency` per unit, for comparing only; `value` gives the exact one. A price
    between `low` and `high` is no jump; while anything is the matter with the feed nothing is
    between them. `order` is the mark that the next message must pass. `lag_ms` is how old the last
    one was on arrival beyond the clocks' offset. `revision` rises with everything that changes what
    the feed says: with every tick and every `upset`.
    """

    __slots__ = (
        *("source", "symbol", "currency", "kind", "clock", "history", "quarantine"),
        *("price", "event", "frame", "revision", "low", "high", "order", "sampled_ns", "due_ns"),
        *("taken_ms", "lag_ms", "doubted", "silent", "upsets", "quarantined", "confirmed"),
        *("missing", "word", "gaps", "sampled_at"),
        *("turned_away", "turned_order", "turned_at"),
    )

    def __init__(self, key: tuple[str, str, str], kind: Kind, clock: SourceClock) -> None:
        self.source, self.symbol, self.currency = key
        self.kind = kind
        self.clock = clock
        self.history = History()
        self.quarantine = Quarantine()
        self.price = 0.0
        self.event: Any = None
        self.frame: Frame | None = None
        self.revision = 0
        self.low, self.high = inf, -inf
        self.order = NO_ORDER
        self.sampled_ns = self.due_ns = self.sampled_at = 0
        self.taken_ms = 0
        self.lag_ms = 0
        self.doubted = self.silent = False
        self.upsets = self.quarantined = self.confirmed = 0
        self.missing: dict[int, None] = {}
        self.word: tuple[int, int, object, object] | None = None
        self.gaps: deque[int] = deque(maxlen=_GAPS)
        self.turned_away = 0
        self.turned_order = NO_ORDER
        self.turned_at = 0

    @property
    def ticks(self) -> int:
        """Return how many prices were accepted."""
        return self.revision - self.upsets

    @property
    def received_ms(self) -> int:
        """Return when the price reached the desk, in Unix milliseconds."""
        return self.taken_ms if self.frame is None else self.frame.received_ms

    def turn_away(self, order: int) -> None:
        """Note that a message's mark did not pass."""
        rises = order > self.turned_order and self.turned_at == self.ticks
        self.turned_away = self.turned_away + 1 if rises else 1
        self.turned_order, self.turned_at = order, self.ticks

    @property
    def numbered_anew(self) -> bool:
        """Say whether nothing passed since many marks came, each above the one before it."""
        return self.turned_away >= ANEW_MIN and self.turned_at == self.ticks

    def begin_anew(self) -> None:
        """Let any mark pass: the source numbers its messages anew."""
        self.order = NO_ORDER
        self.turned_away = 0
        self.missing.clear()

    def upset(self) -> None:
        """Let the next price be looked at closely, and readers look at the feed again."""
        self.low, self.high = inf, -inf
        self.upsets += 1
        self.revision += 1

    def centre(self) -> None:
        """Let prices pass that are within the history's reach of this one."""
        reach = self.price * self.history.reach
        self.low, self.high = self.price - reach, self.price + reach

    @property
    def stamp_ms(self) -> int:
        """Return since when the price counts as old: its arrival less its lag."""
        return self.received_ms - self.lag_ms

    @property
    def value(self) -> Decimal:
        """Return the exact price in `currency` per unit."""
        return exact(self.event)

    @property
    def confidence(self) -> Decimal:
        """Return how far off it may be: an oracle's own deviation, half a book's spread."""
        event = self.event
        if isinstance(event, Quote):
            return (Decimal(event.ask) - Decimal(event.bid)) * _HALF
        if isinstance(event, Oracle):
            return event.deviation
        return event.confidence if isinstance(event, Reading) else Decimal(0)

    @property
    def confidence_bps(self) -> float:
        """Return the confidence in basis points of the price."""
        event = self.event
        if isinstance(event, Quote):
            return (float(event.ask) - float(event.bid)) / 2 / self.price * BPS
        if isinstance(event, Oracle):
            return event.confidence / event.price * BPS
        return float(event.confidence) / self.price * BPS if isinstance(event, Reading) else 0.0

    @property
    def event_ms(self) -> int:
        """Return the source's own time of its price, estimated where the message names none."""
        event = self.event
        if isinstance(event, Reading):
            return event.published_ms
        said: int | None = event.event_ms
        return self.clock.event_ms(self.received_ms) if said is None else said

    @property
    def raw_id(self) -> str | None:
        """Return the name of the message behind the price; None of a plain reading."""
        return None if self.frame is None else self.frame.id

    @property
    def patience_ms(self) -> int:
        """Return how long the feed may say nothing before it counts as silent."""
        usual = median(self.gaps) if self.gaps else 0
        return max(SILENCE_MS_MIN, int(SILENCE_TIMES * usual))

    def validity(self, bounds: Bounds = BOUNDS) -> Validity:
        """Return the validity of the price, leaving its age and other sources aside."""
        mean = self.history.mean
        worst = of_confidence(self.confidence_bps, bounds)
        if mean:
            worst = min(worst, of_swing(self.price / mean, bounds))
        if self.doubted:
            return min(worst, Validity.QUARANTINED)
        return min(worst, Validity.STRAINED) if self.silent else worst


def remembered(price: Price, stamp_ms: int) -> Feed:
    """Return a feed that says what was agreed on elsewhere, as old as it is (Unix milliseconds)."""
    said = price.reading
    key = f"{CACHED}{', '.join(price.sources)}", said.symbol, "USD"
    feed = Feed(key, Kind.REMEMBERED, SourceClock())
    feed.event = Reading(key[0], said.symbol, said.price, said.confidence, said.published_ms)
    feed.price, feed.revision = float(said.price), 1
    feed.taken_ms, feed.lag_ms = price.received_ms, max(0, price.received_ms - stamp_ms)
    feed.doubted = price.validity <= Validity.QUARANTINED
    return feed


def exact(event: Quote | Trade | Oracle | Mark | Reading) -> Decimal:
    """Return the price in an event as the exchange wrote it: the middle of a book, an index."""
    if isinstance(event, Quote):
        return (Decimal(event.bid) + Decimal(event.ask)) * _HALF
    if isinstance(event, Oracle):
        return event.value
    if isinstance(event, Mark):
        return Decimal(event.index)
    return Decimal(event.price)
