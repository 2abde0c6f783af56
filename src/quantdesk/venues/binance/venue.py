"""`Binance`: the venues port over order books that are followed.

Of each symbol three states come in, each in the exchange's own JSON and under its own address:
the book (`GET /api/v3/depth`), its rules (the symbol's part of `GET /api/v3/exchangeInfo`) and what
this account pays as a taker (`GET /api/v3/account/commission`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.core.markets import Market
from quantdesk.venues.binance import layout
from quantdesk.venues.binance.layout import Fees, Levels, Rules
from quantdesk.venues.binance.pool import Book, deepest
from quantdesk.venues.port import About, Pool

NAME: Final = "binance"
KINDS: Final = ("book", "rules", "fees")
_LEVELS_MAX: Final = 200


def address(kind: str, symbol: str) -> str:
    """Return the address of one of a symbol's states."""
    return f"{NAME}:{kind}:{symbol}"


@dataclass(slots=True)
class _Followed:
    market: Market
    symbol: str
    rules: Rules | None = None
    fees: Fees | None = None
    levels: Levels | None = None
    seen_ms: int = 0
    made: Book | None = None


class Binance:
    """The books of some markets; a book that was not heard of for `stale_ms` is out of the market.

    A market's symbol is its base and quote, such as SOLUSDC. `barred` says what keeps orders from
    being placed there at all, however well its books are known.
    """

    def __init__(
        self,
        markets: Sequence[Market],
        *,
        stale_ms: int = 5_000,
        barred: Callable[[], DeskError | None] = lambda: None,
    ) -> None:
        self._followed = {
            f"{market.base.symbol}{market.quote.symbol}": _Followed(
                market, f"{market.base.symbol}{market.quote.symbol}"
            )
            for market in markets
        }
        self._by_mints = {
            frozenset((each.market.base.mint, each.market.quote.mint)): each
            for each in self._followed.values()
        }
        self._slots: dict[str, int] = {}
        self._stale_ms = stale_ms
        self._barred = barred

    @property
    def name(self) -> str:
        """Return the short name users see."""
        return NAME

    def accounts(self) -> tuple[str, ...]:
        """Return the addresses of every state its books are made from."""
        return tuple(address(kind, symbol) for symbol in self._followed for kind in KINDS)

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Take in one state; older ones, and those of other symbols, are ignored.

        Raises `Corrupt` (`account.missing`, `account.unreadable`, `account.foreign`): the book is
        out of the market until a good state arrives.
        """
        owner, kind, symbol = (*state.address.split(":"), "", "")[:3]
        followed = self._followed.get(symbol)
        if owner != NAME or kind not in KINDS or followed is None:
            return
        if state.slot < self._slots.get(state.address, 0):
            return
        self._slots[state.address] = state.slot
        followed.made = None
        try:
            _take(followed, kind, state)
        except Corrupt:
            setattr(followed, "levels" if kind == "book" else kind, None)
            raise
        if kind == "book":
            followed.seen_ms = seen_ms

    def pools(self, mints: frozenset[str], *, now_ms: int) -> list[Pool]:
        """Return the one book of a pair, or raise why there is none.

        Raises `Unavailable` (`pool.gone`, `pool.incomplete`, `pool.disabled`, `pool.stale`), or
        what bars its orders.
        """
        followed = self._by_mints.get(mints)
        if followed is None:
            raise Unavailable("binance has no book of this pair here", code="pool.gone")
        problem = self._barred() or _obstacle(followed, now_ms=now_ms, stale_ms=self._stale_ms)
        if problem:
            raise problem
        if followed.made is None:
            followed.made = _book(followed)
        return [followed.made]


def _take(followed: _Followed, kind: str, state: AccountState) -> None:
    if not state.data:
        raise Corrupt(f"{state.address} is not there", code="account.missing")
    if state.owner != NAME:
        raise Corrupt(f"{state.address} is owned by {state.owner}", code="account.foreign")
    if kind == "fees":
        followed.fees = layout.fees(state.data)
    elif kind == "book":
        levels = layout.levels(state.data)
        followed.levels = replace(
            levels,
            bids=deepest(levels.bids, _LEVELS_MAX),
            asks=deepest(levels.asks, _LEVELS_MAX),
        )
    else:
        rules = layout.rules(state.data)
        market = followed.market
        if (rules.base, rules.quote) != (market.base.symbol, market.quote.symbol):
            raise Corrupt(f"{state.address} trades other assets", code="account.foreign")
        followed.rules = rules


def _obstacle(followed: _Followed, *, now_ms: int, stale_ms: int) -> DeskError | None:
    symbol = followed.symbol
    if followed.rules is None or followed.fees is None or followed.levels is None:
        return Unavailable(f"{symbol} has not been read whole", code="pool.incomplete")
    if not followed.rules.is_open:
        return Unavailable(f"{symbol} is not trading", code="pool.disabled")
    if not (followed.levels.bids and followed.levels.asks):
        return Refused(f"{symbol} has nothing on one side", code="liquidity.insufficient")
    age_ms = now_ms - followed.seen_ms
    if age_ms > stale_ms:
        return Unavailable(f"the book of {symbol} is {age_ms} ms old", code="pool.stale")
    return None


def _book(followed: _Followed) -> Book:
    rules, fees, levels = followed.rules, followed.fees, followed.levels
    assert rules is not None, "looked at before"
    assert fees is not None, "looked at before"
    assert levels is not None, "looked at before"
    base, quote = followed.market.base, followed.market.quote
    middle = Decimal(levels.bids[0].price + levels.asks[0].price) / 2
    about = About(
        venue=NAME,
        address=followed.symbol,
        kind="order book",
        mints=(base.mint, quote.mint),
        spot=middle.scaleb(quote.decimals - base.decimals - 8),
        compute_units=0,
        slot=levels.update_id,
        seen_ms=followed.seen_ms,
    )
    return Book(about, base, quote, rules, fees, levels)
