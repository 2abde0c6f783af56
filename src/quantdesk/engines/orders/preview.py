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
from quantdesk.core.money import from_raw
from quantdesk.engines.orders.floor import Floor, priority_fee, routed
from quantdesk.engines.orders.floors import Floors, told
from quantdesk.engines.orders.intake import Ask, Intake
from quantdesk.engines.orders.routed import described, impact_bps, pool_fees
from quantdesk.engines.orders.routing import Choice, Wanted, within
from quantdesk.guard.check import Approved

FRESH_MS = 10_000
"""How long a preview may be traded on."""

_HELD_MAX = 10_000
_LAMPORTS_DECIMALS = 9
_ROUTE = ("floor", "legs", "reason", "gapBps", "roomBps", "callCost", "runnerUp", "alternatives")


class UsageView(msgspec.Struct, frozen=True, rename="camel"):
    """What limits count: this order and what was ordered today, in US dollars; orders open now."""

    order_usd: Decimal
    day_usd: Decimal
    open_orders: int


class PreviewView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A preview as clients read it; amounts are decimal strings.

    Quotes, route, price and fees are the market's now; the least received or most paid is what
    this order would be held to, its limit price included.
    """

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
    usage: UsageView
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
        self._floors = Floors(floor) if floor.rivals else None
        self._intake = intake
        self._clock = clock
        self._new_id = new_id
        self._held: OrderedDict[UUID, _Held] = OrderedDict()

    async def preview(self, ask: Ask) -> PreviewView:
        """Return what the order would get now.

        Raises what placing it would raise: the kernel's refusals, and `liquidity.insufficient` or
        `quotes.none` when nobody can fill it.
        """
        now_ms = self._clock.now_ms()
        approved = self._intake.approve(ask)
        base_raw = approved.intent.base_raw
        wanted = Wanted(
            market=ask.market,
            side=ask.side,
            base_raw=base_raw,
            slippage_bps=ask.slippage_bps,
            limit_price=None,  # quotes are the market's, also where a limit order would rest
            priority=ask.priority,
        )
        floor, choice, route = await self._routed(wanted, now_ms)
        quote_id = self._new_id()
        self._held[quote_id] = _Held(ask, now_ms + FRESH_MS)
        while len(self._held) > _HELD_MAX:
            self._held.popitem(last=False)
        used = _usage(approved)
        view = _view(ask, choice, route, quote_id=quote_id, now_ms=now_ms, usage=used)
        return msgspec.structs.replace(view, fees=await _fees(floor, choice))

    async def hold(self, quote_id: UUID, ask: Ask) -> None:
        """Return if an order may be placed on this preview.

        Raises `QuoteExpired` when it is too old or unknown, `Refused` (`quote.mismatch`) when it
        was made for another order.
        """
        held = self._held.get(quote_id)
        if held is None or held.until_ms < self._clock.now_ms():
            raise QuoteExpired(await self.preview(ask))
        if _asked(held.ask) != _asked(ask):
            raise Refused("this quote was made for another order", code="quote.mismatch")

    async def _routed(self, wanted: Wanted, now_ms: int) -> tuple[Floor, Choice, dict[str, Any]]:
        """Return the floor that nets most, its route, and that in words; raises as `routed`."""
        if self._floors is None:
            choice = routed(self._floor, wanted, now_ms=now_ms)
            return self._floor, choice, described(choice, now_ms=now_ms)
        offers = await self._floors.offers(wanted, now_ms=now_ms, checked=False)
        best = offers.ranked[0]
        return best.floor, best.choice, told(best, offers, now_ms=now_ms)


def _asked(ask: Ask) -> tuple[object, ...]:
    """Return what a preview was made for, all but the bounds of the fill."""
    return ask.account_id, ask.market, ask.side, ask.amount, ask.priority


def _view(
    ask: Ask,
    choice: Choice,
    route: dict[str, Any],
    *,
    quote_id: UUID,
    now_ms: int,
    usage: UsageView,
) -> PreviewView:
    bound_raw = within(choice.limit_raw, choice.wanted, ask.limit_price)
    bound = f"{from_raw(bound_raw, ask.market.quote.decimals):f}"
    buying = ask.side is Side.BUY
    return PreviewView(
        quote_id=str(quote_id),
        expires_at=iso(now_ms + FRESH_MS),
        pair=ask.market.pair,
        direction=ask.side.value,
        amount=ask.amount,
        quotes=route["quotes"],
        route={name: route[name] for name in _ROUTE if name in route},
        execution_price=choice.price,
        price_impact_bps=f"{impact_bps(choice):f}",
        fees={},
        usage=usage,
        maximum_paid=bound if buying else None,
        minimum_received=None if buying else bound,
    )


def _usage(approved: Approved) -> UsageView:
    facts = approved.facts
    return UsageView(approved.notional_usd, facts.day_notional_usd, facts.open_orders)


async def _fees(floor: Floor, choice: Choice) -> dict[str, str]:
    network = from_raw(floor.network_fee_lamports, _LAMPORTS_DECIMALS)
    priority = from_raw(await priority_fee(floor, choice), _LAMPORTS_DECIMALS)
    return {
        "pool": pool_fees(choice),
        "network": f"{network:f}",
        "priority": f"{priority:f}",
        "platform": "0",
    }
