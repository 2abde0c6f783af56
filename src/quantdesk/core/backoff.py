"""Back-off: how long to wait between tries at the outside world; pure.

Full jitter, as https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ measured
it to load a returning server least: a wait drawn evenly below a bound that doubles.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Chance = Callable[[], float]
"""Returns a random number in [0, 1); passed in so that tests choose it."""

FIRST_S: Final = 0.5
LONGEST_S: Final = 30.0
HEALTHY_S: Final = 60.0
_LEAST: Final = 0.1  # of FIRST_S: nothing spins, whatever was drawn
_DOUBLINGS_MAX: Final = 16


def full_jitter_s(
    failures: int, *, chance: Chance, first_s: float = FIRST_S, longest_s: float = LONGEST_S
) -> float:
    """Return seconds to wait after that many failures in a row, at least one.

    Even between a tenth of `first_s` and min(longest_s, first_s * 2^(failures - 1)).
    """
    assert failures >= 1, "nothing failed: nothing to wait for"
    bound = min(longest_s, first_s * 2.0 ** min(failures - 1, _DOUBLINGS_MAX))
    least = first_s * _LEAST
    return least + (bound - least) * chance()


@dataclass(slots=True)
class Backoff:
    """Counts failures in a row; what lived for `healthy_s` before it failed begins anew."""

    chance: Chance
    first_s: float = FIRST_S
    longest_s: float = LONGEST_S
    healthy_s: float = HEALTHY_S
    failures: int = 0

    def failed(self, *, lived_s: float = 0.0) -> float:
        """Return seconds to wait before the next try; `lived_s` is how long the last one held."""
        self.failures = 1 if lived_s >= self.healthy_s else self.failures + 1
        return full_jitter_s(
            self.failures, chance=self.chance, first_s=self.first_s, longest_s=self.longest_s
        )

    def healthy(self) -> None:
        """Forget the failures: what was asked for was given."""
        self.failures = 0
