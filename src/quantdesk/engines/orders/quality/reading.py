"""From what is stored of a confirmed order to its entries in the ledger. Pure.

The route of its last attempt says what each leg was to pay or receive, the simulation what each
would have moved, the receipt what each did. Where one of these tells only the whole, as desks of
earlier versions stored of simulations, the legs share it out as they were quoted, to the last base
unit.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from quantdesk.core.clock import unix_ms
from quantdesk.core.errors import Corrupt, Refused
from quantdesk.core.markets import Market, Side, market
from quantdesk.core.money import to_raw
from quantdesk.engines.orders.quality.model import HORIZONS, Entry, Mark, quotient

_RAW_MAX = 2**63 - 1  # what the database holds exactly

Json = Mapping[str, Any]


class _Leg(msgspec.Struct, frozen=True):
    venue: str
    pool: str
    share: Decimal
    kind: str = ""
    base: Decimal | None = None
    quote: Decimal | None = None


class _Quote(msgspec.Struct, frozen=True, rename="camel"):
    pool: str | None = None
    amount_in: Decimal | None = None
    amount_out: Decimal | None = None


class _Route(msgspec.Struct, frozen=True, rename="camel"):
    legs: list[_Leg]
    expected_quote_raw: int | None = None
    quotes: list[_Quote] = []


class _Simulation(msgspec.Struct, frozen=True, rename="camel"):
    quote_raw: int | None = None
    legs_quote_raw: list[int] = []


class _Receipt(msgspec.Struct, frozen=True, rename="camel"):
    legs_quote_raw: list[int] = []
    other_fees: dict[str, Decimal] = {}
    block_time_ms: int = 0


class _Price(msgspec.Struct, frozen=True, rename="camel"):
    value: Decimal
    source: str
    age_ms: int


class _Decision(msgspec.Struct, frozen=True, rename="camel"):
    decided_at: datetime | None = None
    prices: list[_Price] = []


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """A confirmed order, its last attempt and the approval it stands on, as stored.

    `learned_ms` is when a desk learned that it filled, `signed_ms` when one signed it.
    """

    order_id: UUID
    mode: str
    account_id: UUID
    pair: str
    side: Side
    base_raw: int
    landed_base_raw: int
    landed_raw: int
    learned_ms: int
    signed_ms: int | None
    route: Json
    simulation: Json
    receipt: Json
    decision: Json


def entries(confirmed: Confirmed) -> list[Entry]:
    """Return the entry of each leg.

    Raises `Corrupt` (`ledger.unreadable`) when what is stored is no route this desk understands.
    """
    try:
        return _entries(confirmed)
    except (msgspec.ValidationError, ValueError, ArithmeticError, Refused) as problem:
        detail = f"order {confirmed.order_id}: its route cannot be read: {problem}"
        raise Corrupt(detail, code="ledger.unreadable") from problem


def _entries(confirmed: Confirmed) -> list[Entry]:
    traded = market(confirmed.pair)
    route = msgspec.convert(confirmed.route, _Route, strict=False)
    if not route.legs:
        raise ValueError("no legs")
    bases, quotes = _bases(confirmed.base_raw, route, traded), _quotes(route, traded)
    simulation = msgspec.convert(confirmed.simulation, _Simulation, strict=False)
    receipt = msgspec.convert(confirmed.receipt, _Receipt, strict=False)
    simulated = _by_leg(simulation.quote_raw, simulation.legs_quote_raw, quotes)
    landed = _by_leg(confirmed.landed_raw, receipt.legs_quote_raw, quotes)
    shared = zip(
        route.legs,
        bases,
        quotes,
        simulated.raws,
        portions(confirmed.landed_base_raw, bases),
        landed.raws,
        strict=True,
    )
    landed_ms = _landed_ms(confirmed, receipt.block_time_ms)
    decision = _decided(msgspec.convert(confirmed.decision, _Decision))
    return [
        Entry(
            order_id=confirmed.order_id, leg=number, legs=len(bases), mode=confirmed.mode,
            account_id=confirmed.account_id, pair=confirmed.pair, side=confirmed.side,
            venue=leg.venue, pool=leg.pool, kind=leg.kind,
            base_raw=base, quoted_raw=quoted, simulated_raw=simulated_raw,
            landed_base_raw=landed_base, landed_raw=landed_raw, landed_ms=landed_ms,
            measured=landed.measured, simulated_measured=simulated.measured, decision=decision,
            other_fees=receipt.other_fees if number == 0 else {},
        )
        for number, (leg, base, quoted, simulated_raw, landed_base, landed_raw)
        in enumerate(shared)
    ]  # fmt: skip


def portions(total: int, weights: Sequence[int]) -> list[int]:
    """Return `total` shared out by weight: whole numbers that add up to it exactly.

    Without any weight the first takes all.
    """
    whole = sum(weights)
    if whole == 0:
        return [total, *[0] * (len(weights) - 1)]
    parts: list[int] = []
    run = given = 0
    for weight in weights:
        run += weight
        upto = total * run // whole
        parts.append(upto - given)
        given = upto
    return parts


def _landed_ms(confirmed: Confirmed, block_time_ms: int) -> int:
    """Return when an order filled: when that was learned, where it cannot have been long before.

    Else when its chain says, whose clock is another one: never before it was signed, nor after it
    was learned.
    """
    learned_ms, signed_ms = confirmed.learned_ms, confirmed.signed_ms
    if signed_ms is None or not block_time_ms:
        return learned_ms
    if learned_ms - signed_ms <= HORIZONS[0].late_ms:
        return learned_ms
    return min(max(block_time_ms, signed_ms), learned_ms)


class _ByLeg(NamedTuple):
    """An amount of each leg: its own where `measured`, else a share; None where nothing is told."""

    raws: Sequence[int | None]
    measured: bool


def _by_leg(total: int | None, told: Sequence[int], quotes: Sequence[int]) -> _ByLeg:
    if total is None:
        return _ByLeg([None] * len(quotes), measured=False)
    _checked(total)
    if len(told) == len(quotes) and sum(told) == total:
        return _ByLeg([_checked(raw) for raw in told], measured=True)
    return _ByLeg(portions(total, quotes), measured=len(quotes) == 1)


def _bases(base_raw: int, route: _Route, traded: Market) -> list[int]:
    told = [leg.base for leg in route.legs if leg.base is not None]
    if len(told) == len(route.legs):
        return portions(base_raw, [_raw(base, traded.base.decimals) for base in told])
    return portions(base_raw, [_checked(int(leg.share.scaleb(9))) for leg in route.legs])


def _quotes(route: _Route, traded: Market) -> list[int]:
    raws = [_raw(_quoted(leg, route), traded.quote.decimals) for leg in route.legs]
    expected = route.expected_quote_raw
    return raws if expected is None else portions(_checked(expected), raws)


def _quoted(leg: _Leg, route: _Route) -> Decimal:
    """Return what a leg was to pay or receive; desks before the ledger said so in `quotes` only."""
    if leg.quote is not None:
        return leg.quote
    for seen in route.quotes:
        amount = seen.amount_out if seen.amount_in is None else seen.amount_in
        if seen.pool == leg.pool and amount is not None:
            return amount
    raise ValueError(f"nothing says what {leg.pool} quoted")


def _raw(amount: Decimal, decimals: int) -> int:
    return _checked(to_raw(amount, decimals))


def _checked(raw: int) -> int:
    if not 0 <= raw <= _RAW_MAX:
        raise ValueError(f"{raw} is no amount")
    return raw


def _decided(decision: _Decision) -> Mark:
    """Return the board's price that the risk kernel saw, as of the time it decided."""
    if decision.decided_at is None or not decision.prices:
        return Mark(missing="unrecorded")
    base, quote = decision.prices
    return Mark(
        price=quotient(base.value, quote.value),
        at_ms=unix_ms(decision.decided_at),
        age_ms=max(base.age_ms, quote.age_ms),
        source=" / ".join(dict.fromkeys((base.source, quote.source))),
    )
