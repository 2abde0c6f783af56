"""What the exchange said went wrong → code, words, whether to try afresh, and what was executed.

The last is what keeps an order from filling twice: a request is only taken for not executed when
the exchange says so. A status of 5xx, a timeout and the codes named below say nothing; nor does
what stands in between, such as its firewall.

Codes: https://developers.binance.com/docs/binance-spot-api-docs/errors
Statuses: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-api-information
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

import msgspec

from quantdesk.chains.binance.answers import UNREADABLE, Fault
from quantdesk.core.errors import DeskError, Refused, Unavailable

_WORDS_MAX: Final = 200
_SERVER: Final = 500


class Executed(Enum):
    """What is known of a request that was answered with an error."""

    NO = "no"
    UNKNOWN = "unknown"
    EARLIER = "earlier"  # the same order had been taken before


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request failed; `number` is the exchange's own code, 0 for none."""

    kind: type[DeskError]
    code: str
    detail: str
    executed: Executed = Executed.NO
    number: int = 0

    def error(self) -> DeskError:
        """Return it as the error to raise."""
        return self.kind(self.detail, code=self.code)


NO_SUCH_ORDER: Final = -2013
ARCHIVED: Final = -2026
TOO_MANY_ORDERS: Final = -1015
BAD_TIME: Final = -1021

_UNKNOWN: Final = frozenset({-1000, -1001, -1006, -1007, -1016})
_FIREWALL: Final = 403
_LIMITED: Final = frozenset({418, 429})
_UNAUTHORIZED: Final = 401

_FUNDS: Final = (Refused, "funds.insufficient")
_GONE: Final = (Unavailable, "pool.gone")
_BUSY: Final = (Unavailable, "exchange.busy")
_KEY: Final = (Unavailable, "exchange.unauthorized")
_SILENT: Final = (Unavailable, "exchange.unavailable")
_MALFORMED: Final = (Refused, "exchange.refused")

_CODES: Final[Mapping[int, tuple[type[DeskError], str]]] = {
    -1002: _KEY,
    -1003: _BUSY,
    -1008: _BUSY,
    TOO_MANY_ORDERS: _BUSY,
    -1016: _SILENT,
    BAD_TIME: (Unavailable, "exchange.clock"),
    -1022: _KEY,
    -1034: _BUSY,
    -1111: (Refused, "amount.precision"),
    -1112: _GONE,
    -1121: _GONE,
    -2014: _KEY,
    -2015: _KEY,
    **dict.fromkeys(_UNKNOWN, _SILENT),
}
# Codes -1013 and -2010 say everything by their words.
_WORDS: Final[tuple[tuple[str, tuple[type[DeskError], str]], ...]] = (
    ("Filter failure: PRICE_FILTER", (Refused, "simulation.failed")),
    ("Filter failure: PERCENT_PRICE", (Refused, "price.band")),
    ("Filter failure: LOT_SIZE", (Refused, "amount.precision")),
    ("Filter failure: MIN_NOTIONAL", (Refused, "amount.too_small")),
    ("Filter failure: NOTIONAL", (Refused, "amount.too_small")),
    ("Filter failure: MAX_POSITION", (Refused, "amount.too_large")),
    ("Filter failure: MAX_ASSET", (Refused, "amount.too_large")),
    ("Filter failure: MAX_NUM_ORDERS", _BUSY),
    ("Filter failure: EXCHANGE_MAX_NUM_ORDERS", _BUSY),
    ("Account has insufficient balance", _FUNDS),
    ("Market is closed", _GONE),
    ("Price * QTY is zero or less", (Refused, "amount.too_small")),
)
_DUPLICATE: Final = "Duplicate order sent"


def failure(status: int, body: bytes) -> Failure:
    """Return what an answer that is no success means; `status` is that of HTTP."""
    try:
        said = msgspec.json.decode(body, type=Fault)
    except UNREADABLE:
        said = Fault(0)
    words = f"Binance says: {said.msg or f'HTTP {status}'} ({said.code or status})"[:_WORDS_MAX]
    executed = _executed(status, said)
    silent = executed is Executed.UNKNOWN and status != _FIREWALL
    kind, code = _SILENT if silent else _meaning(status, said)
    return Failure(kind, code, words, executed, said.code)


def _executed(status: int, said: Fault) -> Executed:
    if status >= _SERVER or said.code in _UNKNOWN:
        return Executed.UNKNOWN
    if not said.code and status not in _LIMITED and status != _UNAUTHORIZED:
        return Executed.UNKNOWN  # not the exchange's own words: something in between answered
    return Executed.EARLIER if said.msg.startswith(_DUPLICATE) else Executed.NO


def _meaning(status: int, said: Fault) -> tuple[type[DeskError], str]:
    if status == _FIREWALL or status in _LIMITED:
        return _BUSY
    if status == _UNAUTHORIZED:
        return _KEY
    for words, meaning in _WORDS:
        if said.msg.startswith(words):
            return meaning
    return _CODES.get(said.code, _MALFORMED)
