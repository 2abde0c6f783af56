"""Limits of trading, of requests and of sign-in, opened for a desk and joined to its routes."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter

from quantdesk.access.limits.admission import Admission
from quantdesk.access.limits.rates import Rates
from quantdesk.access.limits.routes import ClassRates, RouteClass
from quantdesk.access.limits.sharing import Sharing
from quantdesk.access.limits.throttle import Throttle
from quantdesk.api.limits import Fresh, LimitRoutes
from quantdesk.api.trading import TradingRoutes
from quantdesk.app.background import Background
from quantdesk.core.clock import Clock
from quantdesk.core.ids import NewId
from quantdesk.engines.orders.engine import Orders
from quantdesk.guard.book import LimitBook
from quantdesk.guard.check import Limits
from quantdesk.store.pool import Pools


@dataclass(frozen=True, slots=True)
class Limiting:
    """What bounds orders, requests and tries to sign in."""

    book: LimitBook
    admit: Admission
    throttle: Throttle


async def open_limiting(
    background: Background,
    limits: Limits,
    rates: Mapping[RouteClass, ClassRates],
    *,
    shared: bool,
    pools: Pools,
    clock: Clock,
) -> Limiting:
    """Return the limits in force, kept true in the background.

    `shared`: other processes serve the same users. Raises `Unavailable` without the database.
    """
    book = LimitBook(settings=limits, pools=pools, clock=clock)
    await book.load()
    background.begin("limits", book.run)
    judge = Rates(rates, shared=shared)
    if shared:
        background.begin("shared rates", Sharing(judge, pools=pools, clock=clock).run)
    throttle = Throttle(pools=pools, clock=clock)
    background.begin("sign-in throttle", throttle.run)
    return Limiting(book, Admission(judge, clock=clock), throttle)


def limit_routes(
    limiting: Limiting, orders: Orders, *, fresh: Fresh, clock: Clock, new_id: NewId
) -> tuple[APIRouter, APIRouter]:
    """Return the routes of limits and of the kill switch."""
    book = limiting.book
    limits = LimitRoutes(book=book, fresh=fresh, clock=clock, new_id=new_id)
    trading = TradingRoutes(book=book, orders=orders, fresh=fresh, clock=clock, new_id=new_id)
    return limits.routes(), trading.routes()
