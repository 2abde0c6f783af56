"""Candles: open, high, low, close and volumes of a market over a window of event time.

Windows stand on the UTC grid, as those of exchanges do: [open_ms, open_ms + interval).
"""

from types import MappingProxyType
from typing import Literal

import msgspec

INTERVALS = MappingProxyType(
    {
        "1s": 1_000,
        "5s": 5_000,
        "15s": 15_000,
        "1m": 60_000,
        "5m": 300_000,
        "15m": 900_000,
        "1h": 3_600_000,
        "4h": 14_400_000,
        "1d": 86_400_000,
    }
)
"""Name and length in milliseconds; each is a multiple of the one before."""

Origin = Literal["trades", "exchange"]


class Candle(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A candle; prices in `currency` per unit, volumes in units and in `currency`.

    Numbers are exact decimal strings without trailing zeros. `revision` rises with every word on
    the same window after the first. `flat`: nothing traded, the prices are the close before.
    `gap`: trades of this window are known, or not known not, to be missing. `origin` says who
    counted; `reconciled` that the exchange's own candle agrees. Ids are -1 where there is no trade,
    and what an exchange's candle does not tell is None.
    """

    source: str
    symbol: str
    currency: str
    interval: str
    open_ms: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    quote_volume: str | None
    taker_buy_volume: str | None
    trades: int
    first_id: int
    last_id: int
    revision: int = 0
    closed: bool = False
    flat: bool = False
    gap: bool = False
    origin: Origin = "trades"
    reconciled: bool = False

    @property
    def close_ms(self) -> int:
        """Return the last millisecond of the window."""
        return self.open_ms + INTERVALS[self.interval] - 1
