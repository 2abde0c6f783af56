"""Token bucket: how often one may ask where the other side counts; pure.

Holds `capacity` tokens and gains `per_s` a second: no stretch of t seconds spends more than
capacity + per_s * t. Times are seconds of one monotonic clock.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """Full at the start; `barred_until_s` is for the other side saying to wait (`Retry-After`)."""

    capacity: float
    per_s: float
    spent: float = 0.0
    barred_until_s: float = 0.0
    _at_s: float = 0.0

    def take(self, tokens: float, now_s: float) -> float:
        """Spend tokens and return 0, or spend nothing and return how long they will take to come.

        One asking cannot cost more than the bucket holds.
        """
        assert 0 < tokens <= self.capacity, "the bucket never holds that many"
        self.spent = max(0.0, self.spent - self.per_s * max(0.0, now_s - self._at_s))
        self._at_s = max(self._at_s, now_s)
        if now_s < self.barred_until_s:
            return self.barred_until_s - now_s
        lacking = self.spent + tokens - self.capacity
        if lacking > _CRUMB:
            return lacking / self.per_s
        self.spent += tokens
        return 0.0

    def bar(self, seconds: float, now_s: float) -> None:
        """Let nobody ask for that long."""
        self.barred_until_s = max(self.barred_until_s, now_s + seconds)


_CRUMB = 1e-9  # of a token: what rounding may leave to wait for
