"""Intake: from what a trader asks to an approved, stored order, and the preview of the same.

Here the facts are gathered that the risk kernel judges: prices from the board, what the account has
open, what the wallet has free.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from uuid import UUID

import msgspec

from quantdesk.chains.port import Priority
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused
from quantdesk.core.ids import NewId
from quantdesk.core.markets import Market, Side
from quantdesk.core.money import from_raw, to_raw
from quantdesk.core.validity import Validity
from quantdesk.engines.orders.engine import Orders, Placed
from quantdesk.engines.orders.usage import gives
from quantdesk.guard.check import Approved, Facts, Intent, Limits, check
from quantdesk.ingest.board import Board

_RAW_MAX = 2**63 - 1  # what the database holds exactly
_EXPONENT_MAX = 20  # decimal digits before the point that are looked at at all

Balances = Callable[[], Mapping[str, int] | None]
"""The wallet's balances as last read, by symbol in base units; None where nothing settles."""

LimitsOf = Callable[[UUID], Limits]
"""What bounds an account now; in memory."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a trader asks for; amounts are of the base asset."""

    account_id: UUID
    market: Market
    side: Side
    amount: Decimal
    slippage_bps: int
    limit_price: Decimal | None = None
    expires_ms: int | None = None
    priority: Priority | None = None
    key: str | None = None
    body_hash: bytes = b""


class Intake:
    """Takes orders in: gathers facts, asks the risk kernel, stores what it approves."""

    def __init__(
        self,
        *,
        orders: Orders,
        board: Board,
        limits: LimitsOf,
        balances: Balances,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._limits = limits
        self._orders = orders
        self._board = board
        self._balances = balances
        self._clock = clock
        self._new_id = new_id

    async def take(self, ask: Ask) -> Placed:
        """Store an order and start executing it.

        Raises whatever rule of `guard.check` it breaks, `Refused` (`amount.precision`,
        `amount.too_large`), and what `Orders.place` raises.
        """
        # Asking again is not trading again: no rule of today applies to an order that stands.
        earlier = await self.earlier(ask)
        if earlier is not None:
            return earlier
        return await self._orders.place(self.approve(ask), key=ask.key, body_hash=ask.body_hash)

    async def earlier(self, ask: Ask) -> Placed | None:
        """Return the order that the same request made before, None where it made none.

        Raises `Refused` (`idempotency.conflict`) when its key was used for another order.
        """
        if ask.key is None:
            return None
        return await self._orders.replayed(ask.account_id, ask.key, ask.body_hash)

    def approve(self, ask: Ask) -> Approved:
        """Return the risk kernel's approval of what is asked, or raise its refusal.

        Raises `Refused` (`priority.unsupported`) where no order pays for speed.
        """
        if ask.priority is not None and not self._orders.pays_priority:
            raise Refused(
                f"nothing is paid for speed in mode {self._orders.rules.mode}: leave priority out",
                code="priority.unsupported",
            )
        intent = Intent(
            account_id=ask.account_id,
            market=ask.market,
            side=ask.side,
            base_raw=_base_raw(ask),
            slippage_bps=ask.slippage_bps,
            limit_price=ask.limit_price,
            expires_ms=ask.expires_ms,
            priority=ask.priority,
        )
        limits = self._limits(intent.account_id)
        facts = self._facts(intent, limits.price_age_ms_max)
        return check(intent, limits=limits, facts=facts, decision_id=self._new_id())

    def _facts(self, intent: Intent, age_ms_max: int) -> Facts:
        now_ms = self._clock.now_ms()
        traded = intent.market
        symbols = (traded.base.symbol, traded.quote.symbol)
        prices = tuple(
            self._board.provenance(symbol, now_ms=now_ms, age_ms_max=age_ms_max)
            for symbol in symbols
        )
        base = self._board.fresh(traded.base.symbol, now_ms=now_ms, age_ms_max=age_ms_max)
        usage = self._orders.usage
        open_orders, day_usd = usage.of(intent.account_id, now_ms=now_ms)
        symbol, raw = gives(
            traded,
            intent.side,
            intent.base_raw,
            usd=base.value * from_raw(intent.base_raw, traded.base.decimals),
            slippage_bps=intent.slippage_bps,
        )
        balances = self._balances()
        return Facts(
            now_ms=now_ms,
            base_usd=base.value,
            price_age_ms=max(price["ageMs"] for price in prices),
            price_validity=min(Validity[price["validity"]] for price in prices),
            prices=prices,
            day_notional_usd=day_usd,
            open_orders=open_orders,
            gives_raw=raw,
            free_raw=None if balances is None else balances.get(symbol, 0) - usage.reserved(symbol),
        )


def _base_raw(ask: Ask) -> int:
    if ask.amount.adjusted() > _EXPONENT_MAX:
        raise _too_large(ask)
    raw = to_raw(ask.amount, ask.market.base.decimals)
    if raw > _RAW_MAX:
        raise _too_large(ask)
    return raw


def _too_large(ask: Ask) -> Refused:
    symbol = ask.market.base.symbol
    return Refused(f"no wallet holds that much {symbol}", code="amount.too_large")
