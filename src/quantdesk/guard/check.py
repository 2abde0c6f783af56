"""The rules an order must satisfy before it exists. Pure: facts come in, a verdict goes out.

`Approved` can be made by `check` alone; the engine takes nothing else, and the database stores no
order without its decision. The rules stand in one table, in the order a trader would ask them.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from quantdesk.chains.port import Priority
from quantdesk.core.clock import iso
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import Market, Side
from quantdesk.core.money import BPS, from_raw
from quantdesk.core.validity import Action, Validity, allows, unfit

_SEAL = object()


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What an account may do; `None` means that no bound was written down."""

    halted: bool = False
    halted_by: str = "guard.halted"
    """What to say of a halt: the setting, or who stopped trading and why."""
    pairs: frozenset[str] | None = None
    order_notional_usd_max: Decimal | None = None
    day_notional_usd_max: Decimal | None = None
    open_orders_max: int | None = None
    slippage_bps_max: int | None = None
    price_age_ms_max: int = 10_000
    price_band_bps_max: int = 500


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """What a trader asks for, in base units of the base asset."""

    account_id: UUID
    market: Market
    side: Side
    base_raw: int
    slippage_bps: int
    limit_price: Decimal | None = None
    expires_ms: int | None = None
    priority: Priority | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is true now: prices as the board has them, and what the account already did.

    `base_usd` is US dollars per base asset. `price_age_ms` is the older of the prices used,
    `price_validity` the worse of them.
    `free_raw` is what the wallet holds of the asset to be given, less what open orders will take;
    None where nothing settles (paper). `gives_raw` is what this order would take of it.
    """

    now_ms: int
    base_usd: Decimal
    price_age_ms: int
    price_validity: Validity
    prices: tuple[dict[str, Any], ...]
    day_notional_usd: Decimal
    open_orders: int
    gives_raw: int
    free_raw: int | None = None


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """An intent that passed every rule; `decision_id` is stored with its order."""

    decision_id: UUID
    intent: Intent
    facts: Facts
    notional_usd: Decimal
    seal: object

    def __post_init__(self) -> None:
        assert self.seal is _SEAL, "only check() approves"

    def record(self) -> dict[str, Any]:
        """Return the decision as it is stored and shown as evidence."""
        return {
            "decisionId": str(self.decision_id),
            "verdict": "APPROVED",
            "decidedAt": iso(self.facts.now_ms),
            "notionalUsd": self.notional_usd,
            "baseUsd": self.facts.base_usd,
            "priceAgeMs": self.facts.price_age_ms,
            "priceValidity": self.facts.price_validity.name,
            "dayNotionalUsd": self.facts.day_notional_usd,
            "openOrders": self.facts.open_orders,
            "prices": self.facts.prices,
        }


def check(intent: Intent, *, limits: Limits, facts: Facts, decision_id: UUID) -> Approved:
    """Return the approval of an intent.

    Raises `Refused` with the first rule it breaks, or `Unavailable` when the prices are too old
    (`price.stale`) or otherwise unfit to judge by (see `core.validity.unfit`).
    """
    notional = facts.base_usd * from_raw(intent.base_raw, intent.market.base.decimals)
    for rule in _RULES:
        problem = rule(intent, limits, facts, notional)
        if problem is not None:
            raise problem
    return Approved(
        decision_id=decision_id, intent=intent, facts=facts, notional_usd=notional, seal=_SEAL
    )


def check_price(price: Decimal, *, fair: Decimal, limits: Limits) -> None:
    """Refuse a route whose price is too far from the board's, on either side.

    Both are quote per base. Raises `Refused` (`price.band`).
    """
    if abs(price - fair) * BPS > fair * limits.price_band_bps_max:
        raise Refused(
            f"the best price {price:f} is more than {limits.price_band_bps_max} bps away from the"
            f" reference {fair:f}",
            code="price.band",
        )


Rule = Callable[[Intent, Limits, Facts, Decimal], DeskError | None]


def _halted(_i: Intent, limits: Limits, _f: Facts, _usd: Decimal) -> DeskError | None:
    if not limits.halted:
        return None
    return Refused(f"trading is halted by {limits.halted_by}", code="trading.halted")


def _pair(intent: Intent, limits: Limits, _f: Facts, _usd: Decimal) -> DeskError | None:
    if limits.pairs is None or intent.market.pair in limits.pairs:
        return None
    return Refused(f"{intent.market.pair} is not in guard.pairs", code="pair.not_allowed")


def _price_age(_i: Intent, limits: Limits, facts: Facts, _usd: Decimal) -> DeskError | None:
    if facts.price_age_ms <= limits.price_age_ms_max:
        return None
    return Unavailable(
        f"the reference price is {facts.price_age_ms} ms old; the limit is"
        f" {limits.price_age_ms_max} ms",
        code="price.stale",
    )


def _price_validity(_i: Intent, _l: Limits, facts: Facts, _usd: Decimal) -> DeskError | None:
    if allows(Action.OPEN, facts.price_validity):
        return None
    return unfit("the reference price", facts.price_validity, Action.OPEN)


def _slippage(intent: Intent, limits: Limits, _f: Facts, _usd: Decimal) -> DeskError | None:
    if limits.slippage_bps_max is None or intent.slippage_bps <= limits.slippage_bps_max:
        return None
    return Refused(
        f"slippageBps {intent.slippage_bps} is above guard.slippage_bps_max"
        f" {limits.slippage_bps_max}",
        code="limit.slippage",
    )


def _order_notional(_i: Intent, limits: Limits, _f: Facts, usd: Decimal) -> DeskError | None:
    bound = limits.order_notional_usd_max
    if bound is None or usd <= bound:
        return None
    return Refused(
        f"this order is worth {usd:.2f} USD; the limit of one order is {bound:f} USD"
        " (guard.order_notional_usd_max)",
        code="limit.order_notional",
    )


def _day_notional(_i: Intent, limits: Limits, facts: Facts, usd: Decimal) -> DeskError | None:
    bound = limits.day_notional_usd_max
    if bound is None or facts.day_notional_usd + usd <= bound:
        return None
    return Refused(
        f"this order is worth {usd:.2f} USD after {facts.day_notional_usd:.2f} USD today; the limit"
        f" of a day is {bound:f} USD (guard.day_notional_usd_max)",
        code="limit.day_notional",
    )


def _open_orders(_i: Intent, limits: Limits, facts: Facts, _usd: Decimal) -> DeskError | None:
    bound = limits.open_orders_max
    if bound is None or facts.open_orders < bound:
        return None
    return Refused(
        f"{facts.open_orders} orders are open; guard.open_orders_max is {bound}",
        code="limit.open_orders",
    )


def _funds(intent: Intent, _l: Limits, facts: Facts, _usd: Decimal) -> DeskError | None:
    if facts.free_raw is None or facts.gives_raw <= facts.free_raw:
        return None
    gives = intent.market.base if intent.side is Side.SELL else intent.market.quote
    needed = from_raw(facts.gives_raw, gives.decimals)
    free = from_raw(max(facts.free_raw, 0), gives.decimals)
    return Refused(
        f"this order takes about {needed:f} {gives.symbol}; {free:f} {gives.symbol} is free",
        code="funds.insufficient",
    )


_RULES: tuple[Rule, ...] = (
    _halted,
    _pair,
    _price_age,
    _price_validity,
    _slippage,
    _order_notional,
    _day_notional,
    _open_orders,
    _funds,
)
