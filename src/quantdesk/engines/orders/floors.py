"""Several floors: who takes an order, best net result first, and what the others offered.

    ask whoever has to be asked → every floor routes → what may not be traded at, or is not there to
    be given, is out → what the place itself costs comes off, and what its venues' past fills fell
    short of their quotes → the best first

Only what nobody signed yet is ever offered around. Once bytes are committed, the floor that is
stored with them, and no other, brings the order to its end (`execution.py`).
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import Side
from quantdesk.core.money import BPS, from_raw
from quantdesk.engines.orders.floor import Floor, priority_fee, routed
from quantdesk.engines.orders.routed import described, quotes
from quantdesk.engines.orders.routing import Choice, Wanted

Json = dict[str, Any]
_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Offer:
    """What one floor would do; `net_raw` is the quote paid or received after all costs.

    `lands_raw` is what that comes to where fills fall as short of their quotes as those before:
    offers are compared by it, and traded and bounded as quoted.
    """

    floor: Floor
    choice: Choice
    net_raw: int
    lands_raw: int


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
    """A floor and its rivals; what the floor's routing knows of past fills counts for all."""

    def __init__(self, floor: Floor) -> None:
        self._every = (floor, *floor.rivals.values())
        self._bias_bps = floor.routing.bias_bps

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
                found.ranked.append(await self._offer(floor, wanted, now_ms, checked=checked))
            except (Refused, Unavailable) as problem:
                found.out[floor.name] = problem
        if not found.ranked:
            raise hopeful(found.out)
        sells = wanted.side is Side.SELL
        found.ranked.sort(key=lambda one: -one.lands_raw if sells else one.lands_raw)
        return found

    async def _offer(self, floor: Floor, wanted: Wanted, now_ms: int, *, checked: bool) -> Offer:
        choice = routed(floor, wanted, now_ms=now_ms)
        if checked:
            floor.check_price(wanted.market, choice.price)
            if not choice.meets_limit:
                raise Unavailable("the limit price is not met here", code="slippage.exceeded")
        _check_funds(floor, choice)
        cost_raw = await _cost_raw(floor, choice)
        short_raw = sum(
            raw * self._bias_bps(venue, wanted.market.pair) / BPS for venue, raw in _legs(choice)
        )
        sign = -1 if wanted.side is Side.SELL else 1
        net_raw = choice.quote_raw + sign * cost_raw
        return Offer(floor, choice, net_raw, net_raw + sign * round(short_raw))


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
        **_lands(taken),
        "reason": _reason(route["reason"], taken, others),
        "alternatives": [
            *(_beaten(one, taken) for one in others),
            *(_absent(name, problem) for name, problem in offers.out.items()),
            *route["alternatives"],
        ],
        "quotes": route["quotes"] + seen,
    }


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
    lamports += await priority_fee(floor, choice)
    return floor.worth(lamports, choice.wanted.market.quote)


def _lands(one: Offer) -> Json:
    """Return what an offer comes to by past fills, where they say another thing than its quote."""
    if one.lands_raw == one.net_raw:
        return {}
    decimals = one.choice.wanted.market.quote.decimals
    return {"lands": f"{from_raw(one.lands_raw, decimals):f}"}


def _beaten(one: Offer, taken: Offer) -> Json:
    decimals = one.choice.wanted.market.quote.decimals
    return {
        "kind": "floor",
        "name": one.floor.name,
        "plan": " + ".join(dict.fromkeys(_venues(one.choice))),
        "quote": f"{from_raw(one.choice.quote_raw, decimals):f}",
        "net": f"{from_raw(one.net_raw, decimals):f}",
        "worseBps": f"{_worse_bps(one, taken):f}",
        **_lands(one),
    }


def _absent(name: str, problem: DeskError) -> Json:
    error = {"code": problem.code, "detail": problem.detail}
    return {"kind": "floor", "name": name, "error": error}


def _reason(within: str, taken: Offer, others: Sequence[Offer]) -> str:
    if not others:
        return f"only {taken.floor.name} takes it; {within}"
    best = min(others, key=lambda one: _worse_bps(one, taken))  # by what it nets as quoted
    gain, other = _worse_bps(best, taken), best.floor.name
    if gain < 0:
        past = "past fills say it lands better"
        return f"{taken.floor.name} nets {-gain} bps less than {other}; {past}; {within}"
    return f"{taken.floor.name} nets {gain} bps more than {other}; {within}"


def _worse_bps(one: Offer, taken: Offer) -> Decimal:
    sells = taken.choice.wanted.side is Side.SELL
    less = taken.net_raw - one.net_raw if sells else one.net_raw - taken.net_raw
    return (Decimal(less) * BPS / max(one.net_raw, 1)).quantize(_HUNDREDTH)


def _legs(choice: Choice) -> Iterator[tuple[str, int]]:
    """Yield the venue of each leg, as the ledger names it, with what it pays or receives."""
    sells = choice.wanted.side is Side.SELL
    for leg in choice.route.legs:
        venue = " > ".join(hop.pool.about.venue for hop in leg.hops)
        yield venue, leg.received if sells else leg.paid


def _venues(choice: Choice) -> list[str]:
    return [hop.pool.about.venue for leg in choice.route.legs for hop in leg.hops]
