"""A route on the terminal: its legs, how far from the best it is, and what else was there."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from quantdesk.cli import figures

_PERCENT = Decimal(100)


def route(told: Mapping[str, Any], quote: str) -> Group:
    """Return everything a stored route says; `quote` is the symbol of the quote asset."""
    parts: list[RenderableType] = [
        _legs(told["legs"], quote),
        Text(f"gap        {told['gapBps']} bps to the best that all pools could do", style="dim"),
    ]
    if Decimal(room := told.get("roomBps", 0)):
        text = f"           {room} bps of it because one transaction holds no more pools"
        parts.append(Text(text, style="dim"))
    if told.get("callCost", "") is None:
        text = "network    what a pool more costs is not known: SOL or the quote has no price"
        parts.append(Text(text, style="dim"))
    others = [one for one in told["alternatives"] if one.get("worseBps") != "0.00"]
    if others:
        parts += ["", _alternatives(others, quote)]
    return Group(*parts, "", quotes(told["quotes"], told["legs"], quote))


def quotes(
    seen: Sequence[Mapping[str, Any]], legs: Sequence[Mapping[str, Any]], symbol: str
) -> Table:
    """Return what each pool offered for the whole size, with the chosen ones marked."""
    chosen = {pool for leg in legs for pool in leg["pool"].split(" > ")}
    table = _table(
        left=("", "pool alone", "address"), right=("price", symbol, "fee bps", "impact bps")
    )
    for quote in seen:
        mark = Text("→", style="bold green") if quote.get("pool") in chosen else ""
        name = " ".join(filter(None, (quote["venue"], quote.get("kind"))))
        address = figures.short_signature(quote["pool"]) if "pool" in quote else ""
        if "error" in quote:
            problem = Text(quote["error"]["code"], style="red")
            table.add_row(mark or "✗", name, address or problem, problem if address else "")
            continue
        table.add_row(
            mark,
            name,
            address,
            figures.price(Decimal(quote["price"])),
            quote.get("amountIn") or quote["amountOut"],
            quote["feeBps"],
            quote["priceImpactBps"],
        )
    return table


def _legs(legs: Sequence[Mapping[str, Any]], quote: str) -> Table:
    table = _table(left=("leg",), right=("share", "amount", quote, "fee bps"))
    for leg in legs:
        share = Decimal(str(leg["share"])) * _PERCENT
        table.add_row(leg["name"], f"{share:.2f} %", leg["base"], leg["quote"], leg["feeBps"])
    return table


def _alternatives(others: Sequence[Mapping[str, Any]], quote: str) -> Table:
    table = _table(left=("instead",), right=(quote, "worse bps"))
    for one in others:
        if "error" in one:
            table.add_row(one["name"], Text(one["error"]["code"], style="red"), "")
        else:
            table.add_row(one["name"], one["quote"], one["worseBps"])
    return table


def _table(*, left: Sequence[str], right: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in left:
        table.add_column(title, no_wrap=True)
    for title in right:
        table.add_column(title, justify="right", no_wrap=True)
    return table
