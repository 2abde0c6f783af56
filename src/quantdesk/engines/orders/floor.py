"""A floor: where orders are executed, and what one of its routes costs.

A desk has one floor, or one with rivals: then every order is offered to each of them (`floors.py`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

from quantdesk.chains.port import Chain, Instruction, Priority, Trade, Wallet
from quantdesk.core.assets import Asset
from quantdesk.core.markets import Market
from quantdesk.engines.orders.paths import Leg
from quantdesk.engines.orders.plans import always
from quantdesk.engines.orders.routing import Choice, Routing, Wanted
from quantdesk.engines.orders.swaps import calls, swaps

_CALL_UNITS = 60_000  # of a swap, more or less: kinds of pools take 25,000 to 80,000
_LONGEST_MEMO = f"qd:{UUID(int=0)}:3"

CheckPrice = Callable[[Market, Decimal], None]
"""Raises when a route may not be traded at: too far from the reference, none fresh, or locked."""

FitsTransaction = Callable[[Trade, Sequence[Instruction]], bool]
"""Says whether a trade by these instructions goes into one transaction."""

CallFee = Callable[[int, Priority | None], int]
"""Returns the lamports that a call of so many compute units adds, as far as is known now."""

PriorityFee = Callable[[Sequence[Instruction], int, Priority | None], Awaitable[int]]
"""Returns the lamports that instructions of so many compute units would offer for their place."""

Worth = Callable[[int, Asset], int]
"""Returns what so many lamports are worth in base units of an asset, rounded up."""

Holdings = Callable[[], Mapping[str, int] | None]
"""Returns what a floor's wallet holds as last read, by symbol in base units; None if unknown."""

AskPrice = Callable[[Wanted], Awaitable[None]]
"""Brings a floor's quotes up to date for one size; what goes wrong its venues say, it never."""


def anything_fits(_: Trade, __: Sequence[Instruction]) -> bool:
    """Say yes, where transactions have no size."""
    return True


async def no_priority(_: Sequence[Instruction], __: int, ___: Priority | None) -> int:
    """Offer nothing, where there are no places to be had."""
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Where orders are executed: the venues to route over and the chain they settle on.

    A route's pools together take no more than `units_max` compute units. `rivals` are other floors
    by name, which an order may be executed on instead where they net more; `name` is how this one
    is told apart from them. `holds` and `ask` matter only where there are any.
    """

    chain: Chain
    routing: Routing
    wallet: Wallet
    check_price: CheckPrice
    network_fee_lamports: int
    fits: FitsTransaction = anything_fits
    priority_lamports: PriorityFee = no_priority
    call_lamports: CallFee = lambda _units, _priority: 0
    units_max: int | None = None
    name: str = "pools"
    rivals: Mapping[str, "Floor"] = field(default_factory=lambda: MappingProxyType({}))
    worth: Worth = lambda _lamports, _asset: 0
    holds: Holdings = lambda: None
    ask: AskPrice | None = None


def routed(floor: Floor, wanted: Wanted, *, now_ms: int) -> Choice:
    """Return the best route of those that fit one transaction; raises as `Routing.choose`."""
    built = dict[int, tuple[Leg, list[Instruction]]]()

    def called(leg: Leg) -> list[Instruction]:
        """Return the calls of a leg: the same leg is asked about beside many others."""
        known = built.get(id(leg))
        if known is None:
            built[id(leg)] = known = (leg, calls([leg], [0], wanted, floor.wallet))
        return known[1]

    def fits(legs: Sequence[Leg]) -> bool:
        units = sum(hop.compute_units for leg in legs for hop in leg.hops)
        if floor.units_max is not None and units > floor.units_max:
            return False
        trade = Trade(
            side=wanted.side,
            base=wanted.market.base,
            quote=wanted.market.quote,
            base_raw=wanted.base_raw,
            quote_limit_raw=0,
            memo=_LONGEST_MEMO,
        )
        return floor.fits(trade, [call for leg in legs for call in called(leg)])

    asking = always if floor.fits is anything_fits and floor.units_max is None else fits
    cost = call_cost(floor, wanted)
    return floor.routing.choose(wanted, now_ms=now_ms, fits=asking, call_cost=cost)


def call_cost(floor: Floor, wanted: Wanted) -> int | None:
    """Return what each pool of a route costs in fees of the network, in base units of the quote.

    None where they cost something, and no price says what that is worth.
    """
    lamports = floor.call_lamports(_CALL_UNITS, wanted.priority)
    return (floor.worth(lamports, wanted.market.quote) or None) if lamports else 0


async def priority_fee(floor: Floor, choice: Choice) -> int:
    """Return the lamports that a route would offer for its place in a block now."""
    hops = [hop for leg in choice.route.legs for hop in leg.hops]
    units = sum(hop.compute_units for hop in hops)
    steps = swaps(choice, floor.wallet)
    return await floor.priority_lamports(steps, units, choice.wanted.priority)
