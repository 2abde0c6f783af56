"""Outliers: how far a feed may jump from its own last price, and what becomes of a jump. Pure.

A jump is held back, never thrown away: a fixed filter of 2 % would have dropped eight real minutes
of 3 February 2025, when margins mattered most. It is believed when a second source says the same,
when three messages in a row stand on the same side, or when nothing has come back for a while. How
far is far is told by the median of the last sixty returns (Hampel's filter:
https://doi.org/10.1080/01621459.1974.10482962): those of a minute where a feed speaks every second,
of longer where it speaks more seldom and so moves more from word to word.
"""

from collections import deque
from statistics import median

from quantdesk.core.ticks import Frame, Mark, Oracle, Quote, Trade

PriceEvent = Quote | Trade | Oracle | Mark

NORMAL = 1.4826
"""A median of absolute deviations times this is the standard deviation of a normal distribution."""
DEVIATIONS = 10.0
NARROWEST, WIDEST, YOUNG = 0.005, 0.04, 0.01
"""Bounds of the jump that is let through, as a part of the price, and what it is at first."""
CONFIRMATIONS = 3
EXPIRES_MS = 10_000
HELD_MAX = 16

_SPACING_MS = 1_000
_SAMPLES = 60
_SAMPLES_MIN = 10
_MEASURE_EVERY = 5
_MEAN_OVER_MS = 300_000


class History:
    """The last returns of a feed, sampled once a second at most.

    `reach` is how far the next price may be from the last, as a part of it; `mean` is of the last
    minutes, weighing the latest most.
    """

    __slots__ = ("_count", "_last", "_last_ms", "_returns", "mean", "reach")

    def __init__(self) -> None:
        self.reach = YOUNG
        self.mean = 0.0
        self._last = 0.0
        self._last_ms = 0
        self._returns: deque[float] = deque(maxlen=_SAMPLES)
        self._count = 0

    def sample(self, price: float, at_ms: int) -> int:
        """Take in an accepted price; return when the next is wanted (Unix milliseconds)."""
        since_ms = at_ms - self._last_ms
        if not self._last or since_ms < 0:
            self.mean = self.mean or price
        else:
            self._returns.append(abs(price / self._last - 1.0))
            self.mean += (price - self.mean) * min(1.0, since_ms / _MEAN_OVER_MS)
            self._count += 1
            if self._count % _MEASURE_EVERY == 0:
                self.reach = self._measured()
        self._last, self._last_ms = price, at_ms
        return at_ms + _SPACING_MS

    def _measured(self) -> float:
        if len(self._returns) < _SAMPLES_MIN:
            return YOUNG
        return min(WIDEST, max(NARROWEST, DEVIATIONS * NORMAL * median(self._returns)))


class Quarantine:
    """The jumps of one feed that wait to be believed, oldest first.

    `price` is the latest of them, and when it came.
    """

    __slots__ = ("_rose", "_run", "_since_ms", "_total", "at_ms", "held", "price")

    def __init__(self) -> None:
        self.held: list[tuple[PriceEvent, Frame]] = []
        self.price = 0.0
        self.at_ms = 0
        self._rose = False
        self._run = 0
        self._total = 0
        self._since_ms = 0

    def confirms(self, *, rose: bool, at_ms: int) -> bool:
        """Count one more price on this side of the last accepted; return whether to believe it."""
        if not self._total:
            self._since_ms = at_ms
        self._run = self._run + 1 if self._total and rose == self._rose else 1
        self._rose = rose
        self._total += 1
        waited = at_ms - self._since_ms >= EXPIRES_MS and self._total >= CONFIRMATIONS
        return self._run >= CONFIRMATIONS or waited

    def hold(
        self, event: PriceEvent, frame: Frame, price: float
    ) -> tuple[PriceEvent, Frame] | None:
        """Keep an event; return the oldest when there are too many."""
        self.price, self.at_ms = price, frame.received_ms
        self.held.append((event, frame))
        return self.held.pop(0) if len(self.held) > HELD_MAX else None

    def release(self) -> list[tuple[PriceEvent, Frame]]:
        """Return what was held and forget it."""
        held, self.held = self.held, []
        self._run = self._total = 0
        return held
