"""Routing: from the venues' pools to the choice of a route, its bound on chain, and why. Pure.

Slippage says how far below the quote a fill may land; price impact, which is in the quote already,
says how far the trade itself moves the price.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

import msgspec

from quantdesk.chains.port import Priority
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import Market, Side
from quantdesk.core.money import BPS, ceil_div
from quantdesk.engines.orders.bench import Bench
from quantdesk.engines.orders.expected import Expectations, as_quoted
from quantdesk.engines.orders.paths import Asked, Book, Curves, Leg
from quantdesk.engines.orders.plans import Terms, always
from quantdesk.engines.orders.router import Route, advised, lone, route
from quantdesk.venues.port import Pool, Venue

_PARTS = 1_000

Fits = Callable[[Sequence[Leg]], bool]
"""Says whether legs go into one transaction."""


def unbiased(_venue: str, _pair: str) -> Decimal:
    """Hold nothing against anybody."""
    return Decimal(0)


class Wanted(msgspec.Struct, frozen=True):
    """What an order asks of routing; `limit_price` is quote per base.

    `priority` is what it pays for speed, which each pool of a route adds to; None as the desk does.
    """

    market: Market
    side: Side
    base_raw: int
    slippage_bps: int
    limit_price: Decimal | None = None
    priority: Priority | None = None

    @property
    def asked(self) -> Asked:
        """Return it as a question to the router: BUY is exact out, SELL is exact in."""
        base, quote = self.market.base.mint, self.market.quote.mint
        sells = self.side is Side.SELL
        paid, received = (base, quote) if sells else (quote, base)
        return Asked(paid, received, exact_in=sells, amount=self.base_raw)


class Choice(msgspec.Struct, frozen=True):
    """The route to take; `limit_raw` bounds the whole fill on chain, in the quote asset.

    `seen` are the pair's own pools, `silent` says why venues have none. The pools stood like this
    at `as_of_ms`, however long ago they changed. `call_cost` is what each pool of a route was
    reckoned to cost in fees of the network, in base units of the quote asset; None if unknown.
    """

    wanted: Wanted
    route: Route
    limit_raw: int
    seen: tuple[Pool, ...]
    silent: Mapping[str, DeskError]
    as_of_ms: int
    call_cost: int | None = 0

    @property
    def quote_raw(self) -> int:
        """Return what is paid (BUY) or received (SELL), all pool fees included."""
        return self.route.received if self.wanted.side is Side.SELL else self.route.paid

    @property
    def price(self) -> Decimal:
        """Return quote per base, all pool fees included."""
        return price_of(self.quote_raw, self.wanted)

    @property
    def meets_limit(self) -> bool:
        """Return whether a fill as quoted respects the trader's limit price."""
        wanted = self.wanted
        if wanted.limit_price is None:
            return True
        return _meets(wanted, self.quote_raw)

    @property
    def lacks_depth(self) -> bool:
        """Return whether its size alone is in the way: a thousandth would meet the limit price."""
        part = msgspec.structs.replace(self.wanted, base_raw=max(1, self.wanted.base_raw // _PARTS))
        return not self.meets_limit and any(_fills(pool, part) for pool in self.seen)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How routes are looked for.

    `through` are mints that a second hop may go through, `hop_cost_bps` what that must gain. Pools
    are not traded on once their chain has been silent for longer than `age_ms_max`.
    """

    legs_max: int = 6
    through: tuple[str, ...] = ()
    hop_cost_bps: int = 2
    age_ms_max: int = 5_000


_RULES = Rules()


class Routing:
    """Finds routes over the pools of some venues.

    `heard_ms` says when the pools' chain was last heard of; `bias` how much worse than quoted a
    venue's fills of a pair have landed.
    """

    def __init__(
        self,
        venues: Sequence[Venue],
        *,
        rules: Rules = _RULES,
        heard_ms: Callable[[], int] | None = None,
        bias: Callable[[str, str], Decimal] = unbiased,
    ) -> None:
        self.venues = tuple(venues)
        self._rules = rules
        self._heard_ms = heard_ms
        self._bias = bias
        self.bench = Bench()
        """Pools that rest since their trades failed when tried."""
        self._curves = Curves()
        self._expectations = Expectations()
        self._expected_curves = Curves()

    def only(self, names: Sequence[str]) -> "Routing":
        """Return routing over the venues of these names."""
        made = copy(self)
        made.venues = tuple(venue for venue in self.venues if venue.name in names)
        return made

    def bias_bps(self, venue: str, pair: str) -> Decimal:
        """Return how much worse than quoted a venue's fills of a pair have landed."""
        return self._bias(venue, pair)

    def choose(
        self, wanted: Wanted, *, now_ms: int, fits: Fits = always, call_cost: int | None = 0
    ) -> Choice:
        """Return the best route now.

        `call_cost` is what each pool of a route costs, in base units of the quote asset; where it
        is not known (None), the route is the best without it, and says so.

        Raises `Refused` (`liquidity.insufficient`, `amount.too_small`, `transaction.too_large`)
        when no pools fill it, else `Unavailable` (`pools.stale`, `quotes.none`, or the one code all
        venues give).
        """
        as_of_ms = self._as_of(now_ms)
        asked = wanted.asked
        direct, silent = self._pools(asked.paid, asked.received, now_ms)
        terms = Terms(
            legs_max=self._rules.legs_max,
            call_cost=call_cost or 0,
            fits=fits,
            through=self._rules.through,
            hop_cost_bps=self._rules.hop_cost_bps,
        )
        if len(direct) == 1 and not self._rules.through:
            found = lone(direct[0], asked, terms)
            limit = _limit(found, wanted)
            return Choice(wanted, found, limit, tuple(direct), silent, as_of_ms, call_cost)
        book = {frozenset((asked.paid, asked.received)): direct}
        for mint in self._rules.through:
            if mint not in (asked.paid, asked.received):
                for end in (asked.paid, asked.received):
                    book[frozenset((mint, end))] = self._pools(mint, end, now_ms)[0]
        if not any(book.values()):
            raise _nobody(silent)
        found = self._advised(route(book, asked, terms, curves=self._curves), book, wanted, terms)
        limit = _limit(found, wanted)
        return Choice(wanted, found, limit, tuple(direct), silent, as_of_ms, call_cost)

    def _advised(self, found: Route, book: Book, wanted: Wanted, terms: Terms) -> Route:
        """Return the route that past fills advise, where they advise another."""
        asked, pair = found.asked, wanted.market.pair
        mints = frozenset((asked.paid, asked.received))
        expected = self._expectations.book(book, mints, lambda venue: self._bias(venue, pair))
        if expected is None:
            return found
        try:
            better = route(expected, asked, terms, curves=self._expected_curves)
            return advised(found, as_quoted(better.legs, asked), terms)
        except (Refused, Unavailable):
            return found  # advice is no reason not to trade

    def _as_of(self, now_ms: int) -> int:
        if self._heard_ms is None:
            return now_ms
        heard_ms = self._heard_ms()
        if now_ms - heard_ms > self._rules.age_ms_max:
            raise Unavailable(
                f"the pools' chain has not been heard of for {now_ms - heard_ms} ms",
                code="pools.stale",
            )
        return min(heard_ms, now_ms)

    def _pools(self, one: str, other: str, now_ms: int) -> tuple[list[Pool], dict[str, DeskError]]:
        pools: list[Pool] = []
        silent: dict[str, DeskError] = {}
        for venue in self.venues:
            try:
                pools += venue.pools(frozenset((one, other)), now_ms=now_ms)
            except (Refused, Unavailable) as problem:
                silent[venue.name] = problem
        return [*self.bench.playing(pools, now_ms=now_ms)], silent


def limit_raw(wanted: Wanted, limit_price: Decimal) -> int:
    """Return the most to pay (BUY) or least to receive (SELL) at a limit price, in base units."""
    with localcontext(prec=60):
        exact = Decimal(wanted.base_raw) * limit_price
        exact = exact.scaleb(wanted.market.quote.decimals - wanted.market.base.decimals)
        rounding = ROUND_FLOOR if wanted.side is Side.BUY else ROUND_CEILING
        return int(exact.to_integral_value(rounding))


def within(bound_raw: int, wanted: Wanted, limit_price: Decimal | None) -> int:
    """Return a bound in base units of the quote asset, never past a limit price."""
    if limit_price is None:
        return bound_raw
    pick = min if wanted.side is Side.BUY else max
    return pick(bound_raw, limit_raw(wanted, limit_price))


def price_of(quote_raw: int, wanted: Wanted) -> Decimal:
    """Return quote per base of a fill of the wanted size."""
    scale = wanted.market.base.decimals - wanted.market.quote.decimals
    return (Decimal(quote_raw) / wanted.base_raw).scaleb(scale)


def _meets(wanted: Wanted, quote_raw: int) -> bool:
    assert wanted.limit_price is not None, "there is a limit price to meet"
    bound = limit_raw(wanted, wanted.limit_price)
    return quote_raw <= bound if wanted.side is Side.BUY else quote_raw >= bound


def _fills(pool: Pool, wanted: Wanted) -> bool:
    asked = wanted.asked
    try:
        if asked.exact_in:
            return _meets(wanted, pool.exact_in(asked.paid, asked.amount).received)
        return _meets(wanted, pool.exact_out(asked.paid, asked.amount).paid)
    except (Refused, Unavailable):
        return False


def leg_limits(choice: Choice) -> list[int]:
    """Return each leg's part of the bound: together they keep it, and each can be met.

    At least this is received (SELL), or at most this is paid (BUY).
    """
    total, bound = choice.quote_raw, choice.limit_raw
    if choice.wanted.side is Side.SELL:
        return [ceil_div(leg.received * bound, total) for leg in choice.route.legs]
    return [leg.paid * bound // total for leg in choice.route.legs]


def _limit(found: Route, wanted: Wanted) -> int:
    """Return the quote, worse by the slippage, but never past the trader's limit price."""
    buys = wanted.side is Side.BUY
    if buys:
        bound = ceil_div(found.paid * (BPS + wanted.slippage_bps), BPS)
    else:
        bound = found.received * (BPS - wanted.slippage_bps) // BPS
    return within(bound, wanted, wanted.limit_price)


def _nobody(silent: Mapping[str, DeskError]) -> DeskError:
    why = "; ".join(f"{venue}: {problem.detail}" for venue, problem in silent.items())
    codes = {problem.code for problem in silent.values()}
    code = codes.pop() if len(codes) == 1 else "quotes.none"
    hopeless = silent and not any(problem.retryable for problem in silent.values())
    kind = Refused if hopeless else Unavailable
    return kind(f"no venue trades this pair now ({why})", code=code)
