"""Order states and the exchange's own time → the fate of sent bytes; pure.

The one judgment here that could fill an order twice is DEAD, so it needs all of this:

- the exchange's clock, **read before the order was looked for**, is past the time until which it
  would take the bytes, by `SETTLE_MS`: its own limit for a request is ten seconds, and what it says
  of orders comes from memories that may lag behind its matching;
- it says that there is no such order, to the key of the account that the bytes are of;
- its lists of all orders and trades of that time, kept in a database of its own, do not hold it
  either, nor a trade of an order that they do not hold and that is not known to be another one;
- it never told of the order by itself.

Where this process knows that nothing is under way (the one post of the bytes was refused, or never
made), the first needs no more than a second. Any fill, however small, is LANDED: what is left is
not tried again.
"""

from decimal import Decimal, InvalidOperation
from typing import Final

from quantdesk.chains.binance.answers import OrderState
from quantdesk.chains.port import Fate, Sighting

SETTLE_MS: Final = 60_000
"""After a request can no longer be taken, until its absence is believed."""
UNPOSTED_MS: Final = 1_000
"""The same where nothing is under way: how far the clocks of its servers may lie apart."""

_ENDED: Final = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", "EXPIRED_IN_MATCH"})
_SLIPPAGE: Final = "slippage.exceeded"
_CODES: Final = {
    "": _SLIPPAGE,
    "UNFILLED_IOC_QUANTITY_EXPIRED": _SLIPPAGE,
    "UNFILLED_FOK_ORDER_EXPIRED": _SLIPPAGE,
    "INSUFFICIENT_LIQUIDITY": _SLIPPAGE,
    "EXECUTION_RULE_PRICE_RANGE_EXCEEDED": _SLIPPAGE,
    "EXCHANGE_CANCELED": "pool.gone",
}
_UNSEEN: Final = Sighting(Fate.UNSEEN)


def sighting(state: OrderState) -> Sighting:
    """Return what an order's state proves; never DEAD.

    A state this desk does not know, and one that may still fill, is UNSEEN.
    """
    executed = _amount(state.executed_qty)
    if state.status not in _ENDED or executed is None:
        return _UNSEEN
    if executed:
        return Sighting(Fate.LANDED)
    if state.status == "FILLED":
        return _UNSEEN  # which cannot be: believe neither
    code = _CODES.get(state.expiry_reason, _SLIPPAGE)
    why = state.expiry_reason or state.status
    return Sighting(Fate.REVERTED, None, code, f"Binance ended the order unfilled: {why}")


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def archived() -> Sighting:
    """Return the fate of an order the exchange only remembers as long ended without a fill."""
    return Sighting(Fate.REVERTED, None, _SLIPPAGE, "Binance ended the order unfilled long ago")


def may_be_dead(until_ms: int, *, server_ms: int, unposted: bool) -> bool:
    """Return whether the exchange's not finding an order now would prove that it never will."""
    return server_ms > until_ms + (UNPOSTED_MS if unposted else SETTLE_MS)
