"""A chosen route as the calls that take it, each with its own bound. Pure.

The bounds of all legs together keep the order's. In a leg of two hops the amount in between is
exact: the first pool must bring what the second was quoted for, or the whole transaction fails and
a fresh route is found; so nothing is left over in a token that nobody asked for.
"""

from collections.abc import Iterator, Sequence

from quantdesk.chains.port import Instruction, Wallet
from quantdesk.core.assets import ASSETS
from quantdesk.core.markets import Side
from quantdesk.engines.orders.paths import Hop, Leg
from quantdesk.engines.orders.routing import Choice, Wanted, leg_limits
from quantdesk.venues.port import Swap

_SYMBOLS = {asset.mint: asset.symbol for asset in ASSETS.values()}


def swaps(choice: Choice, wallet: Wallet) -> list[Instruction]:
    """Return the calls that take a route."""
    return calls(choice.route.legs, leg_limits(choice), choice.wanted, wallet)


def calls(
    legs: Sequence[Leg], limits: Sequence[int], wanted: Wanted, wallet: Wallet
) -> list[Instruction]:
    """Return the calls of legs, each bounded by its limit in the quote asset."""
    exact_in = wanted.side is Side.SELL
    return [
        hop.pool.instruction(_swap(hop, amount, limit, exact_in=exact_in, wallet=wallet))
        for leg, bound in zip(legs, limits, strict=True)
        for hop, amount, limit in _bounded(leg, bound, exact_in=exact_in)
    ]


def _bounded(leg: Leg, bound: int, *, exact_in: bool) -> Iterator[tuple[Hop, int, int]]:
    last = len(leg.hops) - 1
    for number, hop in enumerate(leg.hops):
        if exact_in:
            yield hop, hop.fill.paid, bound if number == last else hop.fill.received
        else:
            yield hop, hop.fill.received, bound if number == 0 else hop.fill.paid


def _swap(hop: Hop, amount: int, limit: int, *, exact_in: bool, wallet: Wallet) -> Swap:
    accounts = wallet.token_accounts
    return Swap(
        paid=hop.paid,
        exact_in=exact_in,
        amount=amount,
        limit=limit,
        owner=wallet.address,
        paid_from=accounts[_SYMBOLS[hop.paid]],
        received_in=accounts[_SYMBOLS[hop.received]],
    )
