"""Request weight: who may ask now; pure.

The exchange tells the weight used in this minute with every answer, and bans those who go on after
429. So nobody asks while it said to wait, and reading prices stops before watching orders has to.
Its firewall bans too, and does not say for how long: usually for five minutes. Where an account has
placed too many orders, or may not place one, it is orders that wait, and nothing else.

Limits: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits
The firewall: https://www.binance.com/en/support/faq/detail/360004492232
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

WEIGHT_MAX: Final = 6_000
"""Per minute and address; `exchangeInfo` may say another."""
_SHARE: Final = 0.7  # of the weight, for what is no order
_WAIT_S: Final = 60.0  # where the exchange does not say how long
_WAITS_S: Final[Mapping[int, float]] = {403: 300.0, 418: 120.0}  # their least
_MINUTE_MS: Final = 60_000
_WAIT_S_MAX: Final = 3 * 24 * 3600.0  # the longest ban there is


@dataclass(slots=True)
class Budget:
    """What is left of the weight, as the exchange last told; times in seconds of one clock."""

    weight_max: int = WEIGHT_MAX
    used: int = 0
    minute: int = -1
    barred_until_s: float = 0.0
    ban: int = 429
    """The status that barred it last."""
    orders_until_s: float = 0.0
    orders_why: str = ""

    def barred_s(self, *, now_s: float, orders: bool = False) -> float:
        """Return how long nobody may ask anything, or place orders; 0 when they may."""
        until_s = max(self.barred_until_s, self.orders_until_s if orders else 0.0)
        return max(0.0, until_s - now_s)

    def wait_s(self, weight: int, *, urgent: bool, server_ms: int) -> float:
        """Return how long a request that nothing bars must wait for weight, 0 for not at all."""
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

    def barred(self, status: int, retry_after: str | None, *, now_s: float) -> None:
        """Take in an answer of 403, 418 or 429; nobody asks until its time is over."""
        wait_s = _said_s(retry_after, otherwise=_WAITS_S.get(status, _WAIT_S))
        self.ban = status
        self.barred_until_s = max(self.barred_until_s, now_s + wait_s)

    def orders_barred(self, why: str, retry_after: str | None, *, now_s: float) -> None:
        """Take in that the account may place no more orders: nobody places one until then."""
        wait_s = _said_s(retry_after, otherwise=_WAIT_S)
        self.orders_why = why
        self.orders_until_s = max(self.orders_until_s, now_s + wait_s)

    def _turn(self, server_ms: int) -> None:
        minute = server_ms // _MINUTE_MS
        if minute > self.minute:
            self.minute, self.used = minute, 0


def _said_s(retry_after: str | None, *, otherwise: float) -> float:
    said = retry_after if retry_after is not None and retry_after.isdecimal() else ""
    return min(max(float(said), 1.0), _WAIT_S_MAX) if said else otherwise
