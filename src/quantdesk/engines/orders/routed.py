"""A chosen route in words and numbers: stored with the attempt, shown to the trader. Pure.

Amounts are decimal strings of whole tokens; `quote` amounts are what a leg pays (BUY) or receives
(SELL) in the quote asset, all pool fees included.
"""

from decimal import Decimal
from typing import Any

from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.markets import Side
from quantdesk.core.money import BPS, written
from quantdesk.engines.orders.paths import Hop, Leg
from quantdesk.engines.orders.plans import Plan
from quantdesk.engines.orders.router import Alternative
from quantdesk.engines.orders.routing import Choice, Wanted, price_of
from quantdesk.venues.port import Fill, Pool

_SYMBOLS = {asset.mint: asset.symbol for asset in ASSETS.values()}
_HUNDREDTH = Decimal("0.01")
_SHARE_DIGITS = 4


def described(choice: Choice, *, now_ms: int) -> dict[str, Any]:
    """Return the choice as it is stored with the attempt and shown to the trader."""
    found, runner_up = choice.route, choice.route.runner_up
    return {
        "legs": [_leg(leg, choice.wanted) for leg in found.legs],
        "reason": reason(choice),
        "limitRaw": choice.limit_raw,
        "expectedQuoteRaw": choice.quote_raw,
        "gapBps": _bps(found.gap_bps),
        "roomBps": _bps(found.room_bps),
        "callCost": _cost(choice),
        "poolFees": pool_fees(choice),
        "runnerUp": runner_up and _alternative(runner_up, choice),
        "alternatives": [_alternative(one, choice) for one in found.alternatives],
        "quotes": quotes(choice, now_ms=now_ms),
    }


def quotes(choice: Choice, *, now_ms: int) -> list[dict[str, Any]]:
    """Return what each pool of the pair offers for the whole size, or why it does not."""
    rows = [_pool_quote(pool, choice, now_ms) for pool in choice.seen]
    silent = [
        {"venue": venue, "error": {"code": problem.code, "detail": problem.detail}}
        for venue, problem in choice.silent.items()
    ]
    return rows + silent


def reason(choice: Choice) -> str:
    """Return why this route, in one sentence."""
    name, runner_up = _plan_name(choice.route.plan), choice.route.runner_up
    if runner_up is None or runner_up.plan is None:
        others = ", ".join(f"{venue} did not ({p.code})" for venue, p in choice.silent.items())
        return f"only {name} quotes this size" + (f"; {others}" if others else "")
    gain, other = _worse_bps(runner_up.plan, choice), _name(runner_up)
    verb, more, less = (
        ("asks", "more", "less") if choice.wanted.side is Side.BUY else ("pays", "less", "more")
    )
    if runner_up.kind == "quoted":
        return f"{name} {verb} {-gain} bps {more} than {other}; past fills say it lands better"
    if not gain:
        return f"{name} {verb} as much as {other}, to 0.01 bps, all fees included"
    if gain < 0:  # routing has its price too: legs cost, and a hop more is a risk more
        return f"{name} {verb} {-gain} bps {more} than {other}, with fewer hops or legs"
    return f"{name} {verb} {gain} bps {less} than {other}, all fees included"


def impact_bps(choice: Choice) -> Decimal:
    """Return how far the trade itself moves the price against the trader, fees left out."""
    paid = choice.route.paid
    weighted = sum((_leg_impact(leg) * leg.paid for leg in choice.route.legs), Decimal(0))
    return (weighted / paid).quantize(_HUNDREDTH)


def pool_fees(choice: Choice) -> str:
    """Return what all pools charge, in the quote asset at the prices of the legs themselves."""
    fees = Decimal(0)
    for leg in choice.route.legs:
        worth = leg.received if choice.wanted.side is Side.SELL else leg.paid
        fees += _leg_fee_bps(leg) * worth / BPS
    return written(int(fees), choice.wanted.market.quote.decimals)


def _cost(choice: Choice) -> str | None:
    """Return what each pool was reckoned to cost in fees of the network; None if unknown."""
    cost = choice.call_cost
    return None if cost is None else written(cost, choice.wanted.market.quote.decimals)


def _leg(leg: Leg, wanted: Wanted) -> dict[str, Any]:
    sells = wanted.side is Side.SELL
    base, quote = (leg.paid, leg.received) if sells else (leg.received, leg.paid)
    abouts = [hop.pool.about for hop in leg.hops]
    return {
        "name": _leg_name(leg),
        "venue": " > ".join([about.venue for about in abouts]),
        "pool": " > ".join([about.address for about in abouts]),
        "kind": " > ".join([about.kind for about in abouts]),
        "share": round(base / wanted.base_raw, _SHARE_DIGITS),
        "base": written(base, wanted.market.base.decimals),
        "quote": written(quote, wanted.market.quote.decimals),
        "feeBps": _bps(_leg_fee_bps(leg)),
    }


def _alternative(one: Alternative, choice: Choice) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": one.kind, "name": _name(one)}
    if one.plan is None:
        assert one.problem, "what is no plan says why"
        return {**told, "error": {"code": one.problem.code, "detail": one.problem.detail}}
    wanted = choice.wanted
    raw = one.plan.received if wanted.side is Side.SELL else one.plan.paid
    return {
        **told,
        "plan": _plan_name(one.plan),
        "quote": written(raw, wanted.market.quote.decimals),
        "worseBps": _bps(_worse_bps(one.plan, choice)),
    }


def _pool_quote(pool: Pool, choice: Choice, now_ms: int) -> dict[str, Any]:
    wanted, about = choice.wanted, pool.about
    asked = wanted.asked
    told: dict[str, Any] = {"venue": about.venue, "pool": about.address, "kind": about.kind}
    aged = {"slot": about.slot, "ageMs": max(0, now_ms - max(about.seen_ms, choice.as_of_ms))}
    try:
        fill = _whole(pool, choice)
    except (Refused, Unavailable) as problem:
        return told | aged | {"error": {"code": problem.code, "detail": problem.detail}}
    sells = wanted.side is Side.SELL
    raw = fill.received if sells else fill.paid
    hop = Hop(pool, asked.paid, asked.received, fill)
    return told | {
        "price": f"{price_of(raw, wanted):f}",
        "amountOut" if sells else "amountIn": written(raw, wanted.market.quote.decimals),
        "feeBps": _bps(_fee_bps(fill)),
        "priceImpactBps": _bps(_hop_impact(hop)),
        **aged,
    }


def _whole(pool: Pool, choice: Choice) -> Fill:
    legs, asked = choice.route.legs, choice.wanted.asked
    if len(legs) == 1 and len(legs[0].hops) == 1 and legs[0].hops[0].pool is pool:
        return legs[0].hops[0].fill
    return (pool.exact_in if asked.exact_in else pool.exact_out)(asked.paid, asked.amount)


def _leg_impact(leg: Leg) -> Decimal:
    kept = Decimal(1)
    for hop in leg.hops:
        kept *= 1 - _hop_impact(hop) / BPS
    return (1 - kept) * BPS


def _hop_impact(hop: Hop) -> Decimal:
    """Return how much less than at the spot price is received, fees left out, in bps."""
    fill, about = hop.fill, hop.pool.about
    paid = fill.paid - (fill.fee if fill.fee_on_input else 0)
    received = fill.received + (0 if fill.fee_on_input else fill.fee)
    at_spot = paid * about.spot if hop.paid == about.mints[0] else paid / about.spot
    return max(Decimal(0), (1 - received / at_spot) * BPS) if at_spot else Decimal(0)


def _leg_fee_bps(leg: Leg) -> Decimal:
    if len(leg.hops) == 1:
        return _fee_bps(leg.hops[0].fill)
    return sum((_fee_bps(hop.fill) for hop in leg.hops), Decimal(0))


def _fee_bps(fill: Fill) -> Decimal:
    charged = fill.paid if fill.fee_on_input else fill.received + fill.fee
    return Decimal(fill.fee) * BPS / charged


def _worse_bps(plan: Plan, choice: Choice) -> Decimal:
    """Return how much worse than the chosen route a plan is."""
    sells = choice.wanted.side is Side.SELL
    other = plan.received if sells else plan.paid
    less = choice.quote_raw - other if sells else other - choice.quote_raw
    return (Decimal(less) * BPS / other).quantize(_HUNDREDTH)


def _name(one: Alternative) -> str:
    if one.kind == "pool" and one.plan is not None:
        return _leg_name(one.plan.legs[0])
    names = {
        "venue": f"{one.name} alone",
        "direct": "direct pools alone",
        "quoted": "the best quote",
    }
    return names.get(one.kind, one.name)


def _plan_name(plan: Plan) -> str:
    if len(plan.legs) == 1:
        return _leg_name(plan.legs[0])
    return f"a split over {len(plan.legs)} legs"


def _leg_name(leg: Leg) -> str:
    pools = " > ".join(f"{hop.pool.about.venue} {hop.pool.about.kind}" for hop in leg.hops)
    between = ", ".join(_SYMBOLS.get(hop.received, hop.received) for hop in leg.hops[:-1])
    return f"{pools} via {between}" if between else pools


def _bps(value: Decimal) -> str:
    return f"{value.quantize(_HUNDREDTH):f}"
