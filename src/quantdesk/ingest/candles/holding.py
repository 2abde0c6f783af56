"""Ours beside the exchange's: equal, replaced, or in dispute.

Pure. A row from a REST history may tell no count of trades, and then only prices and volume are
compared.
"""

from enum import StrEnum

from quantdesk.core.ticks import Kline
from quantdesk.ingest.candles.exact import DECIMALS, scaled
from quantdesk.ingest.candles.window import NO_ID, Window

_UNKNOWN = -1


class Verdict(StrEnum):
    """What the comparison says; also the names its counters carry."""

    RECONCILED = "reconciled"
    REPLACED = "replaced"
    MISMATCH = "mismatch"


def theirs_of(kline: Kline) -> Window:
    """Return the exchange's candle as a window; raise `Corrupt` (`number.unreadable`)."""
    volume = scaled(kline.volume)
    quiet = not volume and not kline.trades
    return Window(
        open_ms=kline.open_ms,
        open=scaled(kline.open),
        high=scaled(kline.high),
        low=scaled(kline.low),
        close=scaled(kline.close),
        volume=volume,
        quote_volume=0 if quiet else _told(kline.quote_volume, 10**DECIMALS),
        taker_buy_volume=0 if quiet else _told(kline.taker_buy_volume, 1),
        trades=kline.trades,
        first_id=kline.first_id if kline.trades else NO_ID,
        last_id=kline.last_id if kline.trades else NO_ID,
        origin="exchange",
        reconciled=True,
    )


def _told(volume: str | None, times: int) -> int:
    return _UNKNOWN if volume is None else scaled(volume) * times


def verdict(ours: Window, theirs: Window, *, seen_id: int) -> Verdict:
    """Compare them; `seen_id` is the id of the last trade that has reached us."""
    if agree(ours, theirs):
        return Verdict.RECONCILED
    if ours.origin == "exchange" or ours.gap or theirs.last_id > seen_id:
        return Verdict.REPLACED
    return Verdict.MISMATCH


def agree(ours: Window, theirs: Window) -> bool:
    """Say whether both tell the same, as far as both tell it."""
    if _prices(ours) != _prices(theirs) or ours.volume != theirs.volume:
        return False
    if not (ours.is_counted and theirs.is_counted):
        return True
    if ours.trades != theirs.trades:
        return False
    return theirs.last_id == NO_ID or (ours.first_id, ours.last_id) == (
        theirs.first_id, theirs.last_id,
    )  # fmt: skip


def _prices(window: Window) -> tuple[int, int, int, int]:
    return window.open, window.high, window.low, window.close
