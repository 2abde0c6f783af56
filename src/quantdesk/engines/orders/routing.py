"""Routing: compare what the venues offer and take the best. Pure.

Quotes are for exactly the order's base amount, fees included, so the best is simply the smallest
payment (BUY) or the largest receipt (SELL). Slippage says how far below the quote a fill may land;
price impact, which is in the quote already, says how far the trade itself moves the price.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import Any

import msgspec

from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import Market, Side
from quantdesk.core.money import BPS, ceil_div, from_raw
from quantdesk.venues.port import Quote, Venue


class Choice(msgspec.Struct, frozen=True):
    """The quote to take and why; `limit_raw` bounds the fill on chain, in the quote asset."""

    quote: Quote
    limit_raw: int
    reason: str
    seen: tuple[Quote, ...]
    silent: Mapping[str, DeskError]


def compare(
    venues: Sequence[Venue], traded: Market, side: Side, base_raw: int, *, now_ms: int
) -> tuple[list[Quote], dict[str, DeskError]]:
    """Ask every venue; return the quotes, and why the others gave none."""
    quotes: list[Quote] = []
    silent: dict[str, DeskError] = {}
    for venue in venues:
        try:
            quotes += venue.quotes(traded, side, base_raw, now_ms=now_ms)
        except (Refused, Unavailable) as problem:
            silent[venue.name] = problem
    return quotes, silent


def choose(
    quotes: Sequence[Quote], *, silent: Mapping[str, DeskError], slippage_bps: int
) -> Choice:
    """Return the best quote; the first one wins ties. `silent` says why venues gave none.

    Raises `Refused` (`liquidity.insufficient`) when every venue says the size is too large, else
    `Unavailable` (`quotes.none`) when nobody quotes.
    """
    if not quotes:
        raise _nobody(silent)
    ranked = sorted(quotes, key=_rank)
    best = ranked[0]
    if best.side is Side.BUY:
        limit = ceil_div(best.quote_raw * (BPS + slippage_bps), BPS)
    else:
        limit = best.quote_raw * (BPS - slippage_bps) // BPS
    return Choice(best, limit, _reason(ranked, silent), tuple(quotes), silent)


def meets(quote: Quote, limit_price: Decimal) -> bool:
    """Return whether a fill at this quote respects the trader's limit price (quote per base)."""
    bound = limit_raw(quote.market, quote.side, quote.base_raw, limit_price)
    return quote.quote_raw <= bound if quote.side is Side.BUY else quote.quote_raw >= bound


def limit_raw(market: Market, side: Side, base_raw: int, limit_price: Decimal) -> int:
    """Return the most to pay (BUY) or least to receive (SELL) at a limit price, in base units."""
    with localcontext(prec=60):
        exact = Decimal(base_raw) * limit_price
        exact = exact.scaleb(market.quote.decimals - market.base.decimals)
        rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
        return int(exact.to_integral_value(rounding))


def capped(choice: Choice, limit_price: Decimal | None) -> Choice:
    """Return the choice with its bound tightened to the trader's limit price."""
    if limit_price is None:
        return choice
    quote = choice.quote
    bound = limit_raw(quote.market, quote.side, quote.base_raw, limit_price)
    tighter = min if quote.side is Side.BUY else max
    return msgspec.structs.replace(choice, limit_raw=tighter(choice.limit_raw, bound))


def described(choice: Choice, *, now_ms: int) -> dict[str, Any]:
    """Return the choice as it is stored with the attempt and shown to the trader."""
    return {
        "legs": [{"venue": choice.quote.venue, "pool": choice.quote.pool, "share": 1}],
        "reason": choice.reason,
        "limitRaw": choice.limit_raw,
        "quotes": [quoted(quote, now_ms=now_ms) for quote in choice.seen]
        + [
            {"venue": venue, "error": {"code": problem.code, "detail": problem.detail}}
            for venue, problem in choice.silent.items()
        ],
    }


def quoted(quote: Quote, *, now_ms: int) -> dict[str, Any]:
    """Return a quote in the words of the HTTP contract; amounts are decimal strings."""
    amount = f"{from_raw(quote.quote_raw, quote.market.quote.decimals):f}"
    return {
        "venue": quote.venue,
        "pool": quote.pool,
        "price": f"{quote.price:f}",
        "amountIn" if quote.side is Side.BUY else "amountOut": amount,
        "feeBps": f"{quote.fee_bps:f}",
        "priceImpactBps": f"{quote.impact_bps:f}",
        "slot": quote.slot,
        "ageMs": max(0, now_ms - quote.seen_ms),
    }


def _rank(quote: Quote) -> int:
    return quote.quote_raw if quote.side is Side.BUY else -quote.quote_raw


def _reason(ranked: Sequence[Quote], silent: Mapping[str, DeskError]) -> str:
    best = ranked[0]
    if len(ranked) == 1:
        others = ", ".join(f"{venue} did not ({p.code})" for venue, p in silent.items())
        return f"only {best.venue} quotes this size" + (f"; {others}" if others else "")
    second = ranked[1]
    gain = Decimal(abs(best.quote_raw - second.quote_raw)) * BPS / second.quote_raw
    verb = "asks" if best.side is Side.BUY else "pays"
    more = "less" if best.side is Side.BUY else "more"
    return f"{best.venue} {verb} {gain:.2f} bps {more} than {second.venue}, all fees included"


def _nobody(silent: Mapping[str, DeskError]) -> DeskError:
    why = "; ".join(f"{venue}: {problem.detail}" for venue, problem in silent.items())
    codes = {problem.code for problem in silent.values()}
    if codes == {"liquidity.insufficient"}:
        return Refused(f"no pool can fill this size ({why})", code="liquidity.insufficient")
    code = codes.pop() if len(codes) == 1 else "quotes.none"
    return Unavailable(f"no venue quotes this pair now ({why})", code=code)
