"""Several floors: who takes an order, best net result first, and what the others offered.

    ask whoever has to be asked → every floor routes → what may not be traded at, or is not there to
    be given, is out → what the place itself costs comes off → the best first

Only what nobody signed yet is ever offered around. Once bytes are committed, the floor that is
stored with them, and no other, brings the order to its end (`execution.py`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import Side
from quantdesk.core.money import BPS, from_raw
from quantdesk.engines.orders.floor import Floor, routed
from quantdesk.engines.orders.routed import described, quotes
from quantdesk.engines.orders.routing import Choice, Wanted
from quantdesk.engines.orders.swaps import swaps

Json = dict[str, Any]
_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Offer:
    """What one floor would do; `net_raw` is the quote paid or received after all costs."""

    floor: Floor
    choice: Choice
    net_raw: int


@dataclass(slots=True)
class Offers:
    """All floors' answers to one question: offers, the best first, and who has none, and why."""

    ranked: list[Offer]
    out: dict[str, DeskError]

    def drop(self, offer: Offer, problem: DeskError) -> None:
        """Leave out an offer that could not be signed; raise when none is left."""
        self.ranked.remove(offer)
        self.out[offer.floor.name] = problem
        if not self.ranked:
            raise hopeful(self.out)


class Floors:
    """A floor and its rivals."""

    def __init__(self, floor: Floor) -> None:
        self._every = (floor, *floor.rivals.values())

    async def offers(self, wanted: Wanted, *, now_ms: int, checked: bool = True) -> Offers:
        """Return what every floor offers; `checked` leaves out what may not be traded at now.

        Raises what keeps them from it when no floor offers anything: something a retry may cure
        rather than something it cannot.
        """
        asked = [floor.ask(wanted) for floor in self._every if floor.ask is not None]
        if asked:
            await asyncio.gather(*asked)
        found = Offers([], {})
        for floor in self._every:
            try:
                found.ranked.append(await _offer(floor, wanted, now_ms=now_ms, checked=checked))
            except (Refused, Unavailable) as problem:
                found.out[floor.name] = problem
        if not found.ranked:
            raise hopeful(found.out)
        sells = wanted.side is Side.SELL
        found.ranked.sort(key=lambda one: -one.net_raw if sells else one.net_raw)
        return found


def hopeful(problems: Mapping[str, DeskError]) -> DeskError:
    """Return the first problem that a retry may cure, else the first."""
    every = list(problems.values())
    return next((problem for problem in every if isinstance(problem, Unavailable)), every[0])


def told(taken: Offer, offers: Offers, *, now_ms: int) -> Json:
    """Return an offer's route as it is stored and shown, with what the other floors offered."""
    route = described(taken.choice, now_ms=now_ms)
    others = [one for one in offers.ranked if one is not taken]
    seen = [row for one in others for row in quotes(one.choice, now_ms=now_ms)]
    return route | {
        "floor": taken.floor.name,
        "reason": _reason(route["reason"], taken, others),
        "alternatives": [
            *(_beaten(one, taken) for one in others),
            *(_absent(name, problem) for name, problem in offers.out.items()),
            *route["alternatives"],
        ],
        "quotes": route["quotes"] + seen,
    }


async def _offer(floor: Floor, wanted: Wanted, *, now_ms: int, checked: bool) -> Offer:
    choice = routed(floor, wanted, now_ms=now_ms)
    if checked:
        floor.check_price(wanted.market, choice.price)
        if not choice.meets_limit:
            raise Unavailable("the limit price is not met here", code="slippage.exceeded")
    _check_funds(floor, choice)
    cost_raw = await _cost_raw(floor, choice)
    sells = wanted.side is Side.SELL
    return Offer(floor, choice, choice.quote_raw + (-cost_raw if sells else cost_raw))


def _check_funds(floor: Floor, choice: Choice) -> None:
    held, wanted = floor.holds(), choice.wanted
    if held is None:
        return
    sells = wanted.side is Side.SELL
    asset = wanted.market.base if sells else wanted.market.quote
    needed = wanted.base_raw if sells else choice.quote_raw
    if held.get(asset.symbol, 0) < needed:
        raise Refused(f"{floor.name} holds too little {asset.symbol}", code="funds.insufficient")


async def _cost_raw(floor: Floor, choice: Choice) -> int:
    """Return what the place takes beside the route's own fees, in the quote asset."""
    lamports = floor.network_fee_lamports
    if not lamports:
        return 0
    hops = [hop for leg in choice.route.legs for hop in leg.hops]
    units = sum(hop.pool.about.compute_units for hop in hops)
    lamports += await floor.priority_lamports(swaps(choice, floor.wallet), units)
    return floor.worth(lamports, choice.wanted.market.quote)


def _beaten(one: Offer, taken: Offer) -> Json:
    decimals = one.choice.wanted.market.quote.decimals
    return {
        "kind": "floor",
        "name": one.floor.name,
        "plan": " + ".join(dict.fromkeys(_venues(one.choice))),
        "quote": f"{from_raw(one.choice.quote_raw, decimals):f}",
        "net": f"{from_raw(one.net_raw, decimals):f}",
        "worseBps": f"{_worse_bps(one, taken):f}",
    }


def _absent(name: str, problem: DeskError) -> Json:
    error = {"code": problem.code, "detail": problem.detail}
    return {"kind": "floor", "name": name, "error": error}


def _reason(within: str, taken: Offer, others: Sequence[Offer]) -> str:
    if not others:
        return f"only {taken.floor.name} takes it; {within}"
    gain, next_best = _worse_bps(others[0], taken), others[0].floor.name
    if gain < 0:
        return f"{next_best} netted {-gain} bps more and could not be signed; {within}"
    return f"{taken.floor.name} nets {gain} bps more than {next_best}; {within}"


def _worse_bps(one: Offer, taken: Offer) -> Decimal:
    sells = taken.choice.wanted.side is Side.SELL
    less = taken.net_raw - one.net_raw if sells else one.net_raw - taken.net_raw
    return (Decimal(less) * BPS / max(one.net_raw, 1)).quantize(_HUNDREDTH)


def _venues(choice: Choice) -> list[str]:
    return [hop.pool.about.venue for leg in choice.route.legs for hop in leg.hops]
