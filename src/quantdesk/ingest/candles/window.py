"""One candle in the making, and how smaller ones make up a larger one.

Pure. Numbers are integers of `exact.py`. What opens and what closes a window is told by trade ids,
so the order in which trades arrive does not matter.
"""

from collections.abc import Iterable

import msgspec

from quantdesk.core.candles import Origin
from quantdesk.ingest.candles.exact import DECIMALS, unscaled

NO_ID = -1


class Window(msgspec.Struct, gc=False):
    """What is known of a window; the quote volume has twice the decimals.

    `quote_volume` and `taker_buy_volume` are below zero where nobody told them.
    """

    open_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    quote_volume: int = 0
    taker_buy_volume: int = 0
    trades: int = 0
    first_id: int = NO_ID
    last_id: int = NO_ID
    revision: int = 0
    gap: bool = False
    origin: Origin = "trades"
    reconciled: bool = False

    def add(self, trade_id: int, price: int, quantity: int, *, taker_buys: bool) -> None:
        """Count a trade."""
        if trade_id > self.last_id:
            self.last_id, self.close = trade_id, price
        if trade_id < self.first_id or not self.trades:
            self.first_id, self.open = trade_id, price
            if not self.trades:
                self.high = self.low = price
        if price > self.high:  # noqa: PLR1730 - on the way of every trade
            self.high = price
        if price < self.low:  # noqa: PLR1730 - on the way of every trade
            self.low = price
        self.volume += quantity
        self.quote_volume += price * quantity
        if taker_buys:
            self.taker_buy_volume += quantity
        self.trades += 1

    @property
    def is_counted(self) -> bool:
        """Say whether the number of its trades is known: a row of a REST history has none."""
        return bool(self.trades) or not self.volume

    @property
    def is_flat(self) -> bool:
        """Say whether nothing traded."""
        return not self.trades and not self.volume

    def says(self) -> tuple[int | bool, ...]:
        """Return what listeners would see change."""
        return (
            *(self.open, self.high, self.low, self.close),
            *(self.volume, self.quote_volume, self.taker_buy_volume),
            *(self.trades, self.first_id, self.last_id, self.gap),
        )


def first_of(open_ms: int, price: int) -> Window:
    """Return an empty window whose prices are those of its first trade, or of the close before."""
    return Window(open_ms, price, price, price, price)


def fold(open_ms: int, parts: Iterable[Window], before: int | None) -> Window | None:
    """Return the window that these make up in the order of time; None for nothing at all.

    `before` is the close before, at which a window without trades stands.
    """
    whole: Window | None = None
    gap = False
    for part in parts:
        gap |= part.gap
        if part.is_flat:
            before = part.close if before is None else before
        elif whole is None:
            whole = _copy(open_ms, part)
        else:
            _append(whole, part)
    if whole is None:
        if before is None:
            return None
        whole = first_of(open_ms, before)
    whole.gap = gap
    return whole


def volume_text(number: int, *, decimals: int = DECIMALS) -> str | None:
    """Return a volume as text; None where it is not known."""
    return None if number < 0 else unscaled(number, decimals)


def _copy(open_ms: int, part: Window) -> Window:
    return Window(
        *(open_ms, part.open, part.high, part.low, part.close),
        *(part.volume, part.quote_volume, part.taker_buy_volume),
        *(part.trades, part.first_id, part.last_id),
    )


def _append(whole: Window, part: Window) -> None:
    if part.is_counted and whole.is_counted:
        whole.trades += part.trades
        whole.last_id = max(whole.last_id, part.last_id)
    else:
        whole.trades, whole.first_id, whole.last_id = 0, NO_ID, NO_ID
    whole.high = max(whole.high, part.high)
    whole.low = min(whole.low, part.low)
    whole.close = part.close
    whole.volume += part.volume
    whole.quote_volume = _sum(whole.quote_volume, part.quote_volume)
    whole.taker_buy_volume = _sum(whole.taker_buy_volume, part.taker_buy_volume)


def _sum(one: int, other: int) -> int:
    return -1 if one < 0 or other < 0 else one + other
