"""What the terminal's page asks for beside orders and markets, joined from the parts of a desk."""

from collections.abc import Sequence

from fastapi import APIRouter

from quantdesk.access.preferences.preferences import Preferences
from quantdesk.api.localnet import LocalnetRoutes
from quantdesk.api.operations import OperationsRoutes
from quantdesk.api.portfolio import PortfolioRoutes
from quantdesk.api.preferences import PreferenceRoutes
from quantdesk.app.background import Background
from quantdesk.app.operations import Operations
from quantdesk.app.parts import Parts
from quantdesk.bus.port import Bus
from quantdesk.engines.orders.engine import TOPIC
from quantdesk.engines.orders.model import OrderEvent, OrderStatus
from quantdesk.engines.portfolio.ledger import Portfolio


def open_portfolio(background: Background, bus: Bus, parts: Parts) -> Portfolio:
    """Return the portfolio of the desk's mode, kept in the background until the stack unwinds."""
    portfolio = Portfolio(mode=parts.settings.mode, pools=parts.pools, clock=parts.clock)

    def hear(events: Sequence[OrderEvent]) -> None:
        portfolio.hear(sum(event.status is OrderStatus.CONFIRMED for event in events))

    bus.listen(TOPIC, hear)
    background.begin("portfolio", portfolio.run)
    parts.metrics.gauge("portfolio_fills", "Fills this process counted.", lambda: portfolio.fills)
    return portfolio


def terminal_routes(
    parts: Parts, portfolio: Portfolio, operations: Operations
) -> tuple[APIRouter, ...]:
    """Return the routes of the portfolio, of operations, of preferences and of the localnet."""
    pools, clock = parts.pools, parts.clock
    preferences = Preferences(pools=pools, clock=clock)
    parts.metrics.gauge(
        "user_settings_kept", "Times a user's settings were kept.", lambda: preferences.kept
    )
    return (
        PortfolioRoutes(
            portfolio=portfolio,
            board=parts.board,
            limits=parts.limits,
            wallet=parts.opened.floor.wallet.address,
            balances=parts.opened.balances,
            clock=clock,
        ).routes(),
        OperationsRoutes(operations.look).routes(),
        PreferenceRoutes(preferences).routes(),
        LocalnetRoutes(
            operator=parts.opened.operator,
            mode=parts.settings.mode,
            pools=pools,
            clock=clock,
            new_id=parts.new_id,
        ).routes(),
    )
