"""Legs of fills with their prices on the way, for eyes or for a spreadsheet. Pure.

The columns of a spreadsheet are named as the API names its fields.
"""

import csv
import io
from collections.abc import Sequence
from decimal import Decimal

import msgspec
from rich.table import Table
from rich.text import Text

from quantdesk.engines.orders.quality.wire import CostsView, FillView

_PRICE = Decimal("0.00001")
NOTE = (
    "prices are quote per base; cost is landed against quoted, positive is worse for you\n"
    "~ is a share of what the whole order moved, as it was quoted; "
    "a word instead of a price says why there is none"
)


_NESTED = ("cost_bps", "provenance")
_FIELDS = [
    (told.encode_name, told.name)
    for told in msgspec.structs.fields(FillView)
    if told.name not in _NESTED
]
_COLUMNS = [name for name, _ in _FIELDS]
_COSTS = [f"{told.encode_name}Bps" for told in msgspec.structs.fields(CostsView)]


def each(rows: Sequence[FillView]) -> Table:
    """Return every leg with its prices; what is missing says why."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("time (UTC)", "order", "venue", "side"):
        shown.add_column(title, no_wrap=True)
    for title in ("amount", "quoted", "simulated", "landed", "10 s", "1 min", "5 min", "cost bps"):
        shown.add_column(title, no_wrap=True, justify="right")
    for row in rows:
        paid = row.cost_bps.quoted_to_landed
        shown.add_row(
            row.landed_at[:19].replace("T", " "),
            f"…{row.order_id[-12:]}" + (f" {row.leg + 1}/{row.legs}" if row.legs > 1 else ""),
            _place(row),
            row.direction,
            f"{Decimal(row.base).normalize():f} {row.pair}",
            _price(row.quoted),
            _price(row.simulated, shared=not row.simulated_measured),
            _price(row.landed, shared=not row.measured),
            *(_after(row, name) for name in ("markout10s", "markout1m", "markout5m")),
            Text("-") if paid is None else cost(paid),
        )
    return shown


def spreadsheet(rows: Sequence[FillView]) -> str:
    """Return every leg as a line of comma-separated values, under a line of names."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*_COLUMNS, *_COSTS))
    for row in rows:
        fees = " + ".join(f"{fee} {symbol}" for symbol, fee in row.other_fees.items())
        told = [fees if name == "otherFees" else getattr(row, field) for name, field in _FIELDS]
        writer.writerow([_cell(one) for one in (*told, *msgspec.structs.astuple(row.cost_bps))])
    return text.getvalue()


def cost(points: str) -> Text:
    """Return a cost in basis points, colored by whom it is good for."""
    return Text(bps(points), style="red" if Decimal(points) > 0 else "green")


def bps(points: str | None, *, sign: str = "+") -> str:
    """Return basis points to two digits; a dash where they are not known."""
    return "-" if points is None else f"{Decimal(points):{sign}.2f}"


def _place(row: FillView) -> str:
    """Return venues with the kinds of their pools, hop by hop."""
    venues, kinds = row.venue.split(" > "), row.kind.split(" > ")
    if len(venues) != len(kinds):
        return row.venue
    return " > ".join(f"{venue} {kind}".rstrip() for venue, kind in zip(venues, kinds, strict=True))


def _price(price: str | None, *, shared: bool = False) -> str:
    if price is None:
        return "-"
    exact = Decimal(price)
    shown = exact.quantize(_PRICE) if abs(exact) >= 1 else exact
    return f"{'~' if shared else ''}{shown:f}"


def _after(row: FillView, name: str) -> str:
    price, mark = getattr(row, name), row.provenance.get(name)
    return _price(price) if price is not None or mark is None else mark.missing or "-"


def _cell(one: object) -> str:
    if isinstance(one, bool):
        return "yes" if one else "no"
    return "" if one is None else str(one)
