"""Circuit breaker: when to stop asking what only ever fails; pure.

Closed → `failures_max` failures in a row → open for `open_s` → half open: one asks, and its fate
closes the breaker or opens it again. https://martinfowler.com/bliki/CircuitBreaker.html
Times are seconds of one monotonic clock.
"""

from dataclasses import dataclass
from typing import Final, Literal

State = Literal["closed", "open", "half-open"]

FAILURES_MAX: Final = 5
OPEN_S: Final = 60.0
_TRYING_S: Final = 1.0


@dataclass(slots=True)
class Breaker:
    """Whether to ask, by how the last tries went."""

    failures_max: int = FAILURES_MAX
    open_s: float = OPEN_S
    failures: int = 0
    _until_s: float = 0.0
    _trying: bool = False

    def wait_s(self, now_s: float) -> float:
        """Return how long nobody may ask, 0 when the caller may, and then must report its fate.

        While one tries a half-open breaker the others look again after a second.
        """
        if self.failures < self.failures_max:
            return 0.0
        if now_s < self._until_s:
            return self._until_s - now_s
        if self._trying:
            return _TRYING_S
        self._trying = True
        return 0.0

    def failed(self, now_s: float) -> None:
        """Take in that an asking failed."""
        self.failures += 1
        self._trying = False
        if self.failures >= self.failures_max:
            self._until_s = now_s + self.open_s

    def succeeded(self) -> None:
        """Take in that it was answered: all may ask again."""
        self.failures = 0
        self._trying = False

    def abandoned(self) -> None:
        """Take in that whoever asked was cancelled: the next one tries."""
        self._trying = False

    def state(self, now_s: float) -> State:
        """Return how it stands."""
        if self.failures < self.failures_max:
            return "closed"
        return "open" if now_s < self._until_s else "half-open"
