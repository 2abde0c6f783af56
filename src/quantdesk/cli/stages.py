"""An order's life in lines: each state as it happens, and what came of it. Pure.

The times are the desk's own, so a line printed late still says when it happened.
"""

from decimal import Decimal

from rich.console import Group
from rich.table import Table
from rich.text import Text

from quantdesk.cli import figures
from quantdesk.core.assets import ASSETS
from quantdesk.core.money import from_raw
from quantdesk.engines.orders.model import OrderStatus
from quantdesk.engines.orders.wire import EventView, OrderView

STYLES = {
    OrderStatus.PENDING: "yellow",
    OrderStatus.ROUTING: "cyan",
    OrderStatus.BUILDING: "cyan",
    OrderStatus.SUBMITTED: "blue",
    OrderStatus.CONFIRMED: "bold green",
    OrderStatus.FAILED: "bold red",
    OrderStatus.CANCELLED: "bold yellow",
}
_WAITING = {
    "price": "waits for its limit price",
    "liquidity": "no pool fills its amount at its price",
    "amount": "too small for every pool",
    "retry": "nothing was filled",
    "halt": "trading is halted",
}
_SILENT = "chain silent, same bytes again"


class Stages:
    """Turns the versions of one order into lines; the first version is time zero."""

    def __init__(self) -> None:
        self._seen: list[EventView] = []

    def line(self, event: EventView) -> Text:
        """Return the line of the next version."""
        before = self._seen[-1] if self._seen else event
        first = self._seen[0] if self._seen else event
        self._seen.append(event)
        at_ms = figures.moment(event.timestamp)
        since = figures.span(at_ms - figures.moment(first.timestamp))
        step = figures.span(at_ms - figures.moment(before.timestamp))
        return Text.assemble(
            "  ",
            (f"{event.status:<10}", STYLES[OrderStatus(event.status)]),
            (f" {figures.clock(event.timestamp)}", "dim"),
            f" {since:>9}",
            (f" {'+' + step:>9}", "dim"),
            *(f"  {note}" for note in _notes(event, before)),
        )


def status(name: str) -> Text:
    """Return a state in its color."""
    return Text(name, style=STYLES[OrderStatus(name)])


def outcome(order: OrderView) -> Group:
    """Return what an order came to: amounts, prices, route, error, signature."""
    table = grid()
    for name, value in _facts(order):
        table.add_row(name, value)
    if order.tx_hash is None:
        return Group(table)
    # One line however wide, so that it can be copied whole.
    signature = Text.assemble(("signature    ", "dim"), order.tx_hash)
    signature.no_wrap, signature.overflow = True, "ignore"
    return Group(table, signature)


def grid() -> Table:
    """Return an empty two-column list of facts."""
    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def quoted_price(order: OrderView) -> Decimal | None:
    """Return what the route promised before the last signature, in quote per base."""
    promised = [event.execution_price for event in order.logs if event.status == "SUBMITTED"]
    return promised[-1] if promised else None


def _notes(event: EventView, before: EventView) -> list[str]:
    notes = []
    if event.attempt != before.attempt:
        notes.append(f"attempt {event.attempt}")
    if event.execution_price is not None and event.execution_price != before.execution_price:
        notes.append(f"@ {figures.price(event.execution_price)}")
    if event.tx_hash is not None and event.tx_hash != before.tx_hash:
        notes.append(figures.short_signature(event.tx_hash))
    if event.waiting is not None:
        notes.append(_WAITING.get(event.waiting, f"waits for {event.waiting}"))
    if event.outcome == "unknown":
        notes.append(_SILENT)
    if event.error is not None:
        notes.append(event.error.code)
    return notes


def _facts(order: OrderView) -> list[tuple[str, str | Text]]:
    base, quote = order.pair.split("-")
    verb = ("bought", "paid") if order.direction == "BUY" else ("sold", "received")
    facts: list[tuple[str, str | Text]] = [
        ("order", order.order_id),
        ("asked", f"{order.direction} {order.amount:f} {order.pair}, {_bounds(order)}"),
    ]
    if order.filled is not None:
        facts += [
            (verb[0], f"{order.filled.base} {base}"),
            (verb[1], f"{order.filled.quote} {quote}"),
        ]
        facts += _prices(order, f"{quote} per {base}")
        if order.route and "poolFees" in order.route:
            facts.append(("pool fees", f"{order.route['poolFees']} {quote}, in the price"))
        fee = from_raw(order.filled.network_fee_lamports, ASSETS["SOL"].decimals)
        facts.append(("network fee", f"{fee:f} SOL, priority included"))
    if order.waiting in _WAITING and order.expires_at and order.status == "PENDING":
        until = f"until {order.expires_at[:19].replace('T', ' ')} UTC"
        facts.append(("rests", f"{_WAITING[order.waiting]}, {until}"))
    if order.route:
        facts.append(("route", order.route["reason"]))
    if order.error is not None:
        again = " (placing it again may work)" if order.error.retryable else ""
        told = Text.assemble((order.error.code, "bold red"), f": {order.error.detail}{again}")
        facts.append(("error", told))
    return facts


def _bounds(order: OrderView) -> str:
    quote = order.pair.split("-")[1]
    limit = "" if order.limit_price is None else f"limit {order.limit_price:f} {quote}, "
    priority = "" if order.priority is None else f"{order.priority} priority, "
    return f"{limit}slippage {order.slippage_bps} bps, {priority}{order.mode}"


def _prices(order: OrderView, unit: str) -> list[tuple[str, str | Text]]:
    realized, promised = order.execution_price, quoted_price(order)
    assert realized is not None, "a fill has a price"
    facts: list[tuple[str, str | Text]] = [("price", f"{figures.price(realized)} {unit}, realized")]
    if promised is not None:
        off = figures.bps(realized, promised)
        facts.append(("quoted", f"{figures.price(promised)} {unit} (realized {off})"))
    return facts
