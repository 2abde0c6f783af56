"""Port of candle histories: what backfill asks of an exchange's REST."""

from collections.abc import Sequence
from typing import Protocol

from quantdesk.core.candles import Candle


class Klines(Protocol):
    """An exchange's own candles of the past, as its REST tells them."""

    @property
    def name(self) -> str:
        """Return the name of the source whose candles these are."""

    @property
    def rows_max(self) -> int:
        """Return how many candles one answer may hold."""

    @property
    def intervals(self) -> Sequence[str]:
        """Return the intervals it can be asked for."""

    async def candles(
        self, symbol: str, currency: str, interval: str, *, from_ms: int, to_ms: int
    ) -> Sequence[Candle]:
        """Return the candles that open in [`from_ms`, `to_ms`), oldest first, none twice.

        `rows_max` at most fit; what is not told does not exist, or has not ended yet. Waits where
        the exchange's limits ask for it. Raises `Unavailable` (a `Declined` when it answered no),
        `Refused` (`market.unknown`) and `Corrupt` (`message.unreadable`).
        """
