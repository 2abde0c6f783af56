"""How much a client may say: a bucket that fills with time and empties with every message."""


class Allowance:
    """A token bucket; times are seconds of a clock that never runs backwards."""

    __slots__ = ("_at_s", "_burst", "_left", "_per_s")

    def __init__(self, *, per_s: float, burst: float, now_s: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left = burst
        self._at_s = now_s

    def take(self, cost: float, *, now_s: float) -> bool:
        """Take that many; return whether there were enough."""
        self._left = min(self._burst, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        self._left -= cost
        return self._left >= 0
