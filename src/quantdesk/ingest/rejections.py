"""Rejections: how many messages each source lost to which rule, with a few of them as they came."""

from collections import Counter, deque
from dataclasses import dataclass
from enum import StrEnum

from quantdesk.core.ticks import Frame

SAMPLES_MAX = 8
"""Raw messages kept of each source and reason, the latest."""


class Reason(StrEnum):
    """Which rule a message broke, in the order they are asked."""

    NOT_A_NUMBER = "not_a_number"
    NOT_POSITIVE = "not_positive"
    CROSSED = "crossed"
    DUPLICATE = "duplicate"
    OLDER = "older"
    LATE = "late"
    FUTURE = "future"
    OUTLIER = "outlier"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that was not taken, and the asset and currency it was about."""

    reason: Reason
    symbol: str
    currency: str
    frame: Frame


class Rejections:
    """Counts by source and reason; bounded by the sources there are and `SAMPLES_MAX`."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._samples: dict[tuple[str, Reason], deque[Rejected]] = {}

    def add(self, rejected: Rejected) -> None:
        """Count a message and keep it for a while."""
        key = rejected.frame.source, rejected.reason
        self.counts[key] += 1
        samples = self._samples.get(key)
        if samples is None:
            samples = self._samples[key] = deque(maxlen=SAMPLES_MAX)
        samples.append(rejected)

    def samples(self, source: str, reason: Reason) -> tuple[Rejected, ...]:
        """Return the latest messages a source lost to a rule, oldest first."""
        return tuple(self._samples.get((source, reason), ()))

    def of(self, source: str) -> dict[str, int]:
        """Return how many messages a source lost, by reason."""
        return {reason: count for (name, reason), count in self.counts.items() if name == source}
