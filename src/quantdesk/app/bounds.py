"""What a mode allows: limits, venues and pace, as written down or by the mode's own default."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from quantdesk.core.errors import Refused
from quantdesk.core.markets import MARKETS
from quantdesk.engines.orders.engine import Rules
from quantdesk.engines.orders.floor import Floor
from quantdesk.guard.check import Limits
from quantdesk.settings import Settings

_LIVE: Final = frozenset({"binance", "binance.futures", "pyth", "switchboard"})
_IN_DOLLARS: Final = frozenset({"pyth"})
ELSEWHERE: Final = frozenset({"devnet", "mainnet"})
"""Modes on a cluster of others, where the documents' pace is the default."""

_RATE_PER_MINUTE: Final = 100
_IN_FLIGHT: Final = 10
_IN_FLIGHT_UNBOUND: Final = 1_000
_ORDER_USD_MAX: Final = Decimal(1_000_000)
_DAY_USD_MAX: Final = Decimal(100_000_000)
_OF_MONEY: Final[Mapping[str, tuple[Decimal, Decimal]]] = MappingProxyType(
    {"mainnet": (Decimal(1_000), Decimal(10_000))}
)


def guard_limits(settings: Settings) -> Limits:
    """Return the bounds written down, with the mode's own where none is."""
    guard = settings.guard
    order_usd, day_usd = _OF_MONEY.get(settings.mode, (_ORDER_USD_MAX, _DAY_USD_MAX))
    return Limits(
        halted=guard.halted,
        pairs=None if guard.pairs is None else frozenset(guard.pairs),
        order_notional_usd_max=guard.order_notional_usd_max or order_usd,
        day_notional_usd_max=guard.day_notional_usd_max or day_usd,
        open_orders_max=guard.open_orders_max,
        slippage_bps_max=guard.slippage_bps_max,
        price_age_ms_max=guard.price_age_ms_max,
        price_band_bps_max=guard.price_band_bps_max,
    )


def allowed(floor: Floor, settings: Settings) -> Floor:
    """Return the floor and its rivals with the venues that may be traded at.

    Raises `Refused` (`settings.invalid`) for a pair or venue that is written down and not known: a
    limit is enforced or refused, never dropped.
    """
    floors = (floor, *floor.rivals.values())
    venues_known = {venue.name for each in floors for venue in each.routing.venues}
    for name, names in {"pairs": set(MARKETS), "venues": venues_known}.items():
        unknown = set(getattr(settings.guard, name) or ()) - names
        if unknown:
            raise Refused(
                f"guard.{name}: {', '.join(sorted(unknown))} is not among"
                f" {', '.join(sorted(names))}",
                code="settings.invalid",
            )
    venues = settings.guard.venues
    if venues is None:
        return floor
    # A floor without venues stays: what was sent there must be brought to its end.
    return replace(
        floor,
        routing=floor.routing.only(venues),
        rivals={
            name: replace(rival, routing=rival.routing.only(venues))
            for name, rival in floor.rivals.items()
        },
    )


def check_sources(mode: str, sources: Collection[str]) -> None:
    """Raise `Refused` (`source.unreal`) where money would be traded at prices that are not real.

    Every limit in dollars, and the band around the reference, is only as good as its prices; an
    exchange that quotes in stablecoins says nothing about dollars.
    """
    if mode == "mainnet" and not (_LIVE.issuperset(sources) and _IN_DOLLARS.intersection(sources)):
        raise Refused(
            f"mainnet trades on live prices in dollars, and {', '.join(sources)} gives none: set"
            " sources.pyth_url, and start it again once that answers",
            code="source.unreal",
        )


def real_sources(mode: str) -> frozenset[str] | None:
    """Return the only sources whose frames may be shared with a desk; None: whichever come.

    Where money would be traded nothing on the board is assumed either, so that without a source of
    dollars there is no price.
    """
    return _LIVE if mode == "mainnet" else None


def pace(settings: Settings) -> Rules:
    """Return how many orders are taken and executed at once; 0 is off, unset is the mode's own."""
    orders, elsewhere = settings.orders, settings.mode in ELSEWHERE
    rate, in_flight = orders.rate_per_minute, orders.in_flight_per_wallet
    if rate is None:
        rate = _RATE_PER_MINUTE if elsewhere else 0
    if in_flight is None:
        in_flight = _IN_FLIGHT if elsewhere else 0
    return Rules(
        mode=settings.mode,
        lease_s=orders.lease_s,
        open_max=orders.open_max,
        in_flight_max=in_flight or _IN_FLIGHT_UNBOUND,
        rate_per_minute=rate,
    )
