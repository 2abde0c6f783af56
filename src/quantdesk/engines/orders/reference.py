"""The reference price of a pair: what routes are held against, and where paper trades."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from quantdesk.core.clock import Clock
from quantdesk.core.markets import Market
from quantdesk.guard.check import Limits, check_price
from quantdesk.ingest.board import Board


@dataclass(frozen=True, slots=True)
class _Fair:
    value: Decimal
    seen_ms: int
    revision: int
    until_ms: int
    age_ms_max: int


class Reference:
    """The board's prices, as fresh as the limits of now want them and fit to trade on."""

    def __init__(self, *, board: Board, limits: Callable[[], Limits], clock: Clock) -> None:
        self.board = board
        self.limits = limits
        self.clock = clock
        self._fair: dict[str, _Fair] = {}

    def fair(self, market: Market) -> tuple[Decimal, int]:
        """Return quote per base and when the older of both prices came in (Unix milliseconds).

        Raises `Unavailable`: `price.missing`, `price.stale`, or what else makes a price unfit to
        trade on (see `core.validity.unfit`).
        """
        now_ms, age_ms_max = self.clock.now_ms(), self.limits().price_age_ms_max
        fair = self._fair.get(market.pair)
        if (
            fair is None
            or fair.revision != self.board.revision
            or now_ms > fair.until_ms
            or fair.age_ms_max != age_ms_max
        ):
            fair = self._fair[market.pair] = self._asked(market, now_ms, age_ms_max)
        return fair.value, fair.seen_ms

    def check(self, market: Market, price: Decimal) -> None:
        """Raise unless a route's price (quote per base) is near a fresh reference."""
        fair, _ = self.fair(market)
        check_price(price, fair=fair, limits=self.limits())

    def _asked(self, market: Market, now_ms: int, age_ms_max: int) -> _Fair:
        board = self.board
        symbols = (market.base.symbol, market.quote.symbol)
        base, quote = (board.fresh(s, now_ms=now_ms, age_ms_max=age_ms_max) for s in symbols)
        oldest_ms = max(board.age_ms(symbol, now_ms=now_ms) for symbol in symbols)
        return _Fair(
            value=base.value / quote.value,
            seen_ms=min(base.received_ms, quote.received_ms),
            revision=board.revision,
            age_ms_max=age_ms_max,
            until_ms=min(
                [
                    now_ms + age_ms_max - oldest_ms,
                    *(price.until_ms for price in (base, quote) if price.until_ms is not None),
                ]
            ),
        )
