"""Writes the page on orders' states and events from the table that decides: `make docs`."""

import msgspec

from quantdesk.engines.orders.model import CANCELLABLE, MOVES, OrderStatus
from quantdesk.engines.orders.wire import EventView, FilledView, OrderView

_HEAD = """\
# Order states and events
Written by `make docs` from `src/quantdesk/engines/orders/`; do not edit.

Every change of an order is one event with the next `version`; a client that misses one number reads
the order again.

| From | may become | can be cancelled |
|---|---|---|
"""
_SHAPES = (
    ("Event: a message of `/ws/orders`, an entry of `logs`", EventView),
    ("Order: `GET /api/orders/{id}`", OrderView),
    ("`filled` of an order", FilledView),
)


def states_page() -> str:
    """Return the page on states and events as Markdown."""
    rows = "".join(_row(status) for status in MOVES)
    return _HEAD + rows + "".join(_shape(title, view) for title, view in _SHAPES)


def _row(status: OrderStatus) -> str:
    moves = ", ".join(to.value for to in MOVES if to in MOVES[status]) or "nothing: the end"
    return f"| {status.value} | {moves} | {'yes' if status in CANCELLABLE else 'no'} |\n"


def _shape(title: str, view: type[msgspec.Struct]) -> str:
    lines = [f"\n## {title}", "", "| Field | always there |", "|---|---|"]
    lines += [
        f"| `{field.encode_name}` | {'yes' if field.required else 'when known'} |"
        for field in msgspec.structs.fields(view)
    ]
    return "\n".join(lines) + "\n"
