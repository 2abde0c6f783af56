"""What accounts have open and have ordered today; kept in memory, counted from the truth at start.

A day is a UTC day. An order counts from the moment it is placed and stops counting when it fails or
is cancelled, so that a limit bounds what may fill, not what was tried.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from quantdesk.core.markets import Market, Side, market
from quantdesk.core.money import BPS
from quantdesk.engines.orders.model import Order, OrderStatus

DAY_MS = 86_400_000
_NOTHING_FILLED = frozenset({OrderStatus.FAILED, OrderStatus.CANCELLED})


@dataclass(slots=True)
class _Account:
    open_orders: int = 0
    day_usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class _Open:
    account_id: UUID
    usd: Decimal
    day: int
    gives: tuple[str, int]


class Usage:
    """Open orders, what they will take of the wallet, and today's notional per account."""

    def __init__(self) -> None:
        self._accounts: dict[UUID, _Account] = {}
        self._open: dict[UUID, _Open] = {}
        self._reserved: Counter[str] = Counter()
        self._day = 0

    def __len__(self) -> int:
        return len(self._open)

    def is_open(self, order_id: UUID) -> bool:
        """Return whether an order counts as open."""
        return order_id in self._open

    def open_ids(self) -> list[UUID]:
        """Return the orders that count as open."""
        return list(self._open)

    def of(self, account_id: UUID, *, now_ms: int) -> tuple[int, Decimal]:
        """Return the account's open orders and the US dollars it ordered today."""
        self._turn(now_ms)
        account = self._accounts.get(account_id) or _Account()
        return account.open_orders, account.day_usd

    def reserved(self, symbol: str) -> int:
        """Return what open orders will take of an asset, in base units."""
        return self._reserved[symbol]

    def count_day(self, filled_usd: Mapping[UUID, Decimal], *, now_ms: int) -> None:
        """Start from what the store says was ordered today and is not open any more."""
        self._turn(now_ms)
        for account_id, usd in filled_usd.items():
            self._accounts.setdefault(account_id, _Account()).day_usd += usd

    def opened(self, order: Order) -> None:
        """Count an order that is placed, or was found open; once, however often it is said."""
        if order.id in self._open:
            return
        self._turn(order.created_ms)
        symbol, raw = gives(
            market(order.pair),
            order.side,
            order.base_raw,
            usd=order.notional_usd,
            slippage_bps=order.slippage_bps,
        )
        day = order.created_ms // DAY_MS
        self._open[order.id] = _Open(order.account_id, order.notional_usd, day, (symbol, raw))
        self._reserved[symbol] += raw
        account = self._accounts.setdefault(order.account_id, _Account())
        account.open_orders += 1
        if day == self._day:
            account.day_usd += order.notional_usd

    def ended(self, order_id: UUID, status: OrderStatus) -> None:
        """Stop counting an order; a second end of the same order counts nothing."""
        known = self._open.pop(order_id, None)
        if known is None:
            return
        symbol, raw = known.gives
        self._reserved[symbol] -= raw
        account = self._accounts[known.account_id]
        account.open_orders -= 1
        if status in _NOTHING_FILLED and known.day == self._day:
            account.day_usd -= known.usd

    def _turn(self, now_ms: int) -> None:
        day = now_ms // DAY_MS
        if day > self._day:
            self._day = day
            for account in self._accounts.values():
                account.day_usd = Decimal(0)


def gives(
    traded: Market, side: Side, base_raw: int, *, usd: Decimal, slippage_bps: int
) -> tuple[str, int]:
    """Return which asset an order takes from the wallet, and about how many base units.

    A SELL takes exactly its base amount. A BUY takes about its US dollar value in the quote asset
    (all quote assets are dollar tokens) and its slippage; the chain has the last word.
    """
    if side is Side.SELL:
        return traded.base.symbol, base_raw
    dollars = usd * (BPS + slippage_bps) / BPS
    return traded.quote.symbol, int(dollars.scaleb(traded.quote.decimals))
