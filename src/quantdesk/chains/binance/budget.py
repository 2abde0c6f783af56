"""Request weight: who may ask now; pure.

The exchange tells the weight used in this minute with every answer, and bans those who go on after
429. So nobody asks while it said to wait, and reading prices stops before watching orders has to.

Limits: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits
"""

from dataclasses import dataclass
from typing import Final

WEIGHT_MAX: Final = 6_000
"""Per minute and address; `exchangeInfo` may say another."""
_SHARE: Final = 0.7  # of the weight, for what is no order
_WAIT_S: Final = 60.0  # where the exchange does not say how long
_MINUTE_MS: Final = 60_000
_WAIT_S_MAX: Final = 3 * 24 * 3600.0  # the longest ban there is


@dataclass(slots=True)
class Budget:
    """What is left of the weight, as the exchange last told; times in seconds of one clock."""

    weight_max: int = WEIGHT_MAX
    used: int = 0
    minute: int = -1
    barred_until_s: float = 0.0

    def wait_s(self, weight: int, *, urgent: bool, server_ms: int, now_s: float) -> float:
        """Return how long a request must wait, 0 when it may be asked now."""
        if now_s < self.barred_until_s:
            return self.barred_until_s - now_s
        if server_ms // _MINUTE_MS != self.minute:
            return 0.0
        most = self.weight_max if urgent else int(self.weight_max * _SHARE)
        if self.used + weight <= most:
            return 0.0
        return (_MINUTE_MS - server_ms % _MINUTE_MS) / 1000

    def spent(self, weight: int, *, server_ms: int) -> None:
        """Count a request before it is answered."""
        self._turn(server_ms)
        self.used += weight

    def told(self, used: str | None, *, server_ms: int) -> None:
        """Take in the header with the weight used in this minute."""
        if used is not None and used.isdecimal():
            self._turn(server_ms)
            self.used = max(self.used, int(used))

    def barred(self, retry_after: str | None, *, now_s: float) -> None:
        """Take in an answer of 418 or 429; nobody asks until its time is over."""
        said = retry_after if retry_after is not None and retry_after.isdecimal() else ""
        wait_s = min(float(said), _WAIT_S_MAX) if said else _WAIT_S
        self.barred_until_s = max(self.barred_until_s, now_s + wait_s)

    def _turn(self, server_ms: int) -> None:
        minute = server_ms // _MINUTE_MS
        if minute > self.minute:
            self.minute, self.used = minute, 0
