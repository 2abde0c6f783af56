"""Which market a request about market data means, and which times; said alike by all its routes."""

from collections.abc import Iterable
from datetime import datetime

from quantdesk.api.malformed import cut
from quantdesk.core.clock import unix_ms
from quantdesk.core.errors import Refused

Market = tuple[str, str, str]
"""Source, symbol and currency."""

MS_MAX = 253_402_300_799_999  # the end of the year 9999
_SHOWN_MAX = 20


def chosen(
    markets: Iterable[Market], *, symbol: str, source: str | None, currency: str | None
) -> Market:
    """Return the first of these markets that fits; raise `Refused` (`market.unknown`)."""
    known = tuple(markets)
    for market in known:
        fits = market[1] == symbol.upper() and source in {None, market[0]}
        if fits and (currency is None or market[2] == currency.upper()):
            return market
    asked = [cut(word) for word in (symbol, source, currency) if word is not None]
    listed = ", ".join(" ".join(market) for market in known[:_SHOWN_MAX]) or "none yet"
    raise Refused(f"no market {' '.join(asked)} is known; known: {listed}", code="market.unknown")


def moment_ms(text: str | None, *, name: str) -> int | None:
    """Return a time in Unix milliseconds, from just these or from ISO-8601 with its zone.

    Raises `Refused` (`request.malformed`).
    """
    if text is None:
        return None
    ms = _ms(text)
    if ms is None or not 0 <= ms <= MS_MAX:
        raise Refused(
            f'{name} must be a time such as "2026-01-31T12:00:00Z", or Unix milliseconds',
            code="request.malformed",
        )
    return ms


def _ms(text: str) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= len(str(MS_MAX)):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else unix_ms(moment)
