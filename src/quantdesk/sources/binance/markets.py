"""Which of the assets asked for have a market at Binance, by its own list.

List: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-endpoints
"""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import msgspec

from quantdesk.core.errors import Unavailable
from quantdesk.sources.binance.exchange import Exchange
from quantdesk.sources.binance.rest import Rest
from quantdesk.sources.limits import Declined

QUOTES: Final = ("USDT", "USDC")
"""What assets are priced in, most traded first."""
_TRADING: Final = "TRADING"
_PERPETUAL: Final = "PERPETUAL"


class _Market(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    status: str
    contract_type: str = _PERPETUAL


class _Info(msgspec.Struct, frozen=True):
    symbols: list[_Market]


_INFO: Final = msgspec.json.Decoder(_Info).decode


def wanted_pairs(symbols: Sequence[str], quotes: Sequence[str]) -> tuple[str, ...]:
    """Return the names that pairs of these assets would have, each asset in each other quote."""
    pairs = (f"{symbol}{quote}" for symbol in symbols for quote in quotes if symbol != quote)
    return tuple(dict.fromkeys(pairs))


async def listed_pairs(rest: Rest, exchange: Exchange, pairs: Sequence[str]) -> tuple[str, ...]:
    """Return those pairs that trade now, in the order given. Raises `Unavailable`."""
    if not exchange.asks_by_pair:
        trading = await _trading(rest, exchange, {})
    else:
        trading = await _trading_of(rest, exchange, pairs)
    return tuple(pair for pair in pairs if pair in trading)


async def _trading_of(rest: Rest, exchange: Exchange, pairs: Sequence[str]) -> frozenset[str]:
    """Ask for all at once; one name too many fails them all, so then for each half."""
    asked = json.dumps(list(pairs), separators=(",", ":"))
    try:
        return await _trading(rest, exchange, {"symbols": asked})
    except Declined as problem:
        if problem.status != HTTPStatus.BAD_REQUEST:
            raise
    if len(pairs) == 1:
        return frozenset()
    half = len(pairs) // 2
    first = await _trading_of(rest, exchange, pairs[:half])
    return first | await _trading_of(rest, exchange, pairs[half:])


async def _trading(rest: Rest, exchange: Exchange, query: dict[str, str]) -> frozenset[str]:
    body = await rest.get(exchange.info_path, query, weight=exchange.info_weight)
    try:
        info = _INFO(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Unavailable(
            f"{exchange.name} lists its markets unreadably: {problem}", code="source.unavailable"
        ) from problem
    return frozenset(
        market.symbol
        for market in info.symbols
        if market.status == _TRADING and market.contract_type == _PERPETUAL
    )
