"""Previews: what an order would get right now, venue by venue, without placing it.

A preview may be held on to by its `quoteId`: an order that carries it is placed only while the
preview is fresh, so nobody trades on numbers that were on the screen too long.
"""

from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from quantdesk.core.clock import Clock, iso
from quantdesk.core.errors import Refused
from quantdesk.core.ids import NewId
from quantdesk.core.markets import Side
from quantdesk.core.money import BPS, from_raw
from quantdesk.engines.orders.execution import Floor
from quantdesk.engines.orders.intake import Ask, Intake
from quantdesk.engines.orders.routing import Choice, choose, compare, described

FRESH_MS = 10_000
"""How long a preview may be traded on."""

_HELD_MAX = 10_000
_LAMPORTS_DECIMALS = 9


class PreviewView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A preview as clients read it; amounts are decimal strings."""

    quote_id: str
    expires_at: str
    pair: str
    direction: str
    amount: Decimal
    quotes: list[dict[str, Any]]
    route: dict[str, Any]
    execution_price: Decimal
    price_impact_bps: str
    fees: dict[str, str]
    minimum_received: str | None = None
    maximum_paid: str | None = None


class QuoteExpired(Refused):
    """The preview an order was based on is too old; a new one comes with the refusal."""

    default_code = "quote.expired"

    def __init__(self, fresh: PreviewView) -> None:
        super().__init__("the quote is no longer fresh; look at the new one")
        self.extension = {"preview": fresh}


@dataclass(frozen=True, slots=True)
class _Held:
    ask: Ask
    until_ms: int


class Previews:
    """Makes previews and remembers the fresh ones."""

    def __init__(self, *, floor: Floor, intake: Intake, clock: Clock, new_id: NewId) -> None:
        self._floor = floor
        self._intake = intake
        self._clock = clock
        self._new_id = new_id
        self._held: OrderedDict[UUID, _Held] = OrderedDict()

    def preview(self, ask: Ask) -> PreviewView:
        """Return what the order would get now.

        Raises what placing it would raise: the kernel's refusals, and `liquidity.insufficient` or
        `quotes.none` when nobody can fill it.
        """
        now_ms = self._clock.now_ms()
        base_raw = self._intake.approve(ask).intent.base_raw
        quotes, silent = compare(self._floor.venues, ask.market, ask.side, base_raw, now_ms=now_ms)
        choice = choose(quotes, silent=silent, slippage_bps=ask.slippage_bps)
        quote_id = self._new_id()
        self._held[quote_id] = _Held(ask, now_ms + FRESH_MS)
        while len(self._held) > _HELD_MAX:
            self._held.popitem(last=False)
        return self._view(ask, choice, quote_id, now_ms)

    def hold(self, quote_id: UUID, ask: Ask) -> None:
        """Return if an order may be placed on this preview.

        Raises `QuoteExpired` when it is too old or unknown, `Refused` (`quote.mismatch`) when it
        was made for another order.
        """
        held = self._held.get(quote_id)
        if held is None or held.until_ms < self._clock.now_ms():
            raise QuoteExpired(self.preview(ask))
        same = (held.ask.account_id, held.ask.market, held.ask.side, held.ask.amount)
        if same != (ask.account_id, ask.market, ask.side, ask.amount):
            raise Refused("this quote was made for another order", code="quote.mismatch")

    def _view(self, ask: Ask, choice: Choice, quote_id: UUID, now_ms: int) -> PreviewView:
        quote = choice.quote
        told = described(choice, now_ms=now_ms)
        bound = f"{from_raw(choice.limit_raw, quote.market.quote.decimals):f}"
        buying = ask.side is Side.BUY
        return PreviewView(
            quote_id=str(quote_id),
            expires_at=iso(now_ms + FRESH_MS),
            pair=ask.market.pair,
            direction=ask.side.value,
            amount=ask.amount,
            quotes=told["quotes"],
            route={"legs": told["legs"], "reason": told["reason"]},
            execution_price=quote.price,
            price_impact_bps=f"{quote.impact_bps:f}",
            fees=self._fees(choice),
            maximum_paid=bound if buying else None,
            minimum_received=None if buying else bound,
        )

    def _fees(self, choice: Choice) -> dict[str, str]:
        quote = choice.quote
        paid = from_raw(quote.quote_raw, quote.market.quote.decimals)
        network = from_raw(self._floor.network_fee_lamports, _LAMPORTS_DECIMALS)
        return {
            "pool": f"{(paid * quote.fee_bps / BPS).normalize():f}",
            "network": f"{network:f}",
            "priority": "0",
            "platform": "0",
        }
