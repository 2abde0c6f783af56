"""Promise: what the engine decides follows from tables: moves, retries, routes, what is open."""

from collections.abc import Mapping
from decimal import Decimal, localcontext
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.chains.port import Fate, Sighting
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.core.markets import Side, market
from quantdesk.engines.orders.model import CANCELLABLE, MOVES, OPEN, Order, OrderStatus
from quantdesk.engines.orders.retry import delay_s, failure, fallen, is_due
from quantdesk.engines.orders.routing import capped, choose, compare, limit_raw, meets
from quantdesk.engines.orders.usage import DAY_MS, Usage, gives
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.venue import ScriptedVenue
from quantdesk.venues.port import Quote

S = OrderStatus
SOL = market("SOL-USDC")
ALLOWED = {
    (S.PENDING, S.PENDING), (S.PENDING, S.ROUTING), (S.PENDING, S.FAILED),
    (S.PENDING, S.CANCELLED), (S.ROUTING, S.ROUTING), (S.ROUTING, S.BUILDING),
    (S.ROUTING, S.FAILED), (S.ROUTING, S.CANCELLED), (S.BUILDING, S.ROUTING),
    (S.BUILDING, S.SUBMITTED), (S.BUILDING, S.FAILED), (S.BUILDING, S.CANCELLED),
    (S.SUBMITTED, S.SUBMITTED), (S.SUBMITTED, S.ROUTING), (S.SUBMITTED, S.CONFIRMED),
    (S.SUBMITTED, S.FAILED),
}  # fmt: skip
NOBODY: Mapping[str, DeskError] = {}
RAW = st.integers(1, 10**15)


def _order(status: OrderStatus = S.PENDING, *, number: int = 1, created_ms: int = DAY_MS) -> Order:
    return Order(
        id=UUID(int=number), mode="paper", account_id=UUID(int=9), pair="SOL-USDC", side=Side.BUY,
        base_raw=10**9, slippage_bps=50, notional_usd=Decimal(100), created_ms=created_ms,
        updated_ms=created_ms, status=status,
    )  # fmt: skip


@pytest.mark.parametrize(("was", "to"), list(product(S, S)))
def test_that_every_pair_of_states_moves_as_the_contract_says(
    was: OrderStatus, to: OrderStatus
) -> None:
    order = _order(was)
    if (was, to) in ALLOWED:
        moved = order.moved(to, at_ms=5)
        assert (moved.status, moved.version, moved.updated_ms) == (to, order.version + 1, 5)
    else:
        with pytest.raises(Corrupt):
            order.moved(to, at_ms=5)


def test_that_ends_are_ends_and_nothing_signed_is_cancelled() -> None:
    assert set(MOVES) == set(S)
    assert set(S) - OPEN == {S.CONFIRMED, S.FAILED, S.CANCELLED}
    assert {S.PENDING, S.ROUTING, S.BUILDING} == CANCELLABLE


def test_that_a_move_forgets_what_the_order_waited_for() -> None:
    waiting = _order().moved(S.PENDING, at_ms=1, waiting="price")

    assert waiting.moved(S.ROUTING, at_ms=2).waiting is None


@pytest.mark.parametrize(
    ("problem", "attempt", "due"),
    [
        (Unavailable("x"), 1, True),
        (Unavailable("x"), 2, True),
        (Unavailable("x"), 3, False),
        (Refused("x"), 1, False),
        (Corrupt("x"), 1, False),
    ],
)
def test_that_only_what_may_do_better_is_tried_again(
    problem: DeskError, attempt: int, *, due: bool
) -> None:
    assert is_due(problem, attempt=attempt) is due


def test_that_the_second_attempt_waits_two_seconds_and_the_third_four() -> None:
    assert [delay_s(attempt) for attempt in (2, 3)] == [2.0, 4.0]


@pytest.mark.parametrize(
    ("sighting", "code", "retryable"),
    [
        (Sighting(Fate.DEAD), "blockhash.expired", True),
        (Sighting(Fate.REVERTED, 1, "slippage.exceeded", "d"), "slippage.exceeded", True),
        (Sighting(Fate.REVERTED, 1, "pool.gone", "d"), "pool.gone", True),
        (Sighting(Fate.REVERTED, 1, "funds.insufficient", "d"), "funds.insufficient", False),
    ],
)
def test_that_a_fallen_transaction_says_why(
    sighting: Sighting, code: str, *, retryable: bool
) -> None:
    told = failure(fallen(sighting))
    assert (told.code, told.retryable) == (code, retryable)


@pytest.mark.parametrize("fate", [Fate.UNSEEN, Fate.LANDED])
def test_that_what_may_still_fill_has_not_fallen(fate: Fate) -> None:
    with pytest.raises(AssertionError):
        fallen(Sighting(fate))


def _quote(raw: int, side: Side, venue: str = "a") -> Quote:
    one = Decimal(1)
    return Quote(venue, "pool", SOL, side, 10**9, raw, one, one, one, one, 0, 0)


@given(st.lists(RAW, min_size=1, max_size=6), st.sampled_from(Side), st.integers(0, 10_000))
def test_that_the_choice_is_never_worse_than_any_quote(
    raws: list[int], side: Side, slippage_bps: int
) -> None:
    quotes = [_quote(raw, side, f"v{n}") for n, raw in enumerate(raws)]

    choice = choose(quotes, silent=NOBODY, slippage_bps=slippage_bps)

    best = min(raws) if side is Side.BUY else max(raws)
    assert choice.quote.quote_raw == best
    assert choice.quote is next(quote for quote in quotes if quote.quote_raw == best)
    exact = best * (10_000 + (slippage_bps if side is Side.BUY else -slippage_bps))
    off = choice.limit_raw * 10_000 - exact
    assert 0 <= off < 10_000 if side is Side.BUY else -10_000 < off <= 0
    assert choice.seen == tuple(quotes)
    assert choice.quote.venue in choice.reason


@given(RAW, st.sampled_from(Side), st.decimals("0.000001", "1000000", places=9))
def test_that_a_fill_at_the_bound_respects_the_limit_price(
    base_raw: int, side: Side, price: Decimal
) -> None:
    bound = limit_raw(SOL, side, base_raw, price)

    with localcontext(prec=60):
        exact = Decimal(base_raw) * price / 1000
        assert exact - 1 < bound <= exact if side is Side.BUY else exact <= bound < exact + 1


@pytest.mark.parametrize(("side", "worse"), [(Side.BUY, 1), (Side.SELL, -1)])
def test_that_one_base_unit_past_the_limit_does_not_meet_it(side: Side, worse: int) -> None:
    assert meets(_quote(100_000_000, side), Decimal(100))
    assert not meets(_quote(100_000_000 + worse, side), Decimal(100))


@given(RAW, st.sampled_from(Side), st.decimals("0.01", "1000", places=4))
def test_that_a_limit_only_ever_tightens(raw: int, side: Side, price: Decimal) -> None:
    choice = choose([_quote(raw, side)], silent=NOBODY, slippage_bps=50)
    tighter = capped(choice, price).limit_raw
    both = (choice.limit_raw, limit_raw(SOL, side, 10**9, price))
    assert tighter == (min(both) if side is Side.BUY else max(both))
    assert capped(choice, None) is choice


def test_that_silent_venues_are_named_and_decide_the_error() -> None:
    clock = ManualClock()
    venues = [ScriptedVenue(clock=clock, prices={}, name=name) for name in ("a", "b")]
    quotes, silent = compare(venues, SOL, Side.BUY, 1, now_ms=0)
    with pytest.raises(Unavailable) as gone:
        choose(quotes, silent=silent, slippage_bps=0)
    assert gone.value.code == "pool.gone"

    venues[1].problem = Unavailable("away", code="rpc.unavailable")
    _, silent = compare(venues, SOL, Side.BUY, 1, now_ms=0)
    with pytest.raises(Unavailable) as none:
        choose([], silent=silent, slippage_bps=0)
    assert none.value.code == "quotes.none"

    for venue in venues:
        venue.problem = Refused("too large", code="liquidity.insufficient")
    _, silent = compare(venues, SOL, Side.BUY, 1, now_ms=0)
    with pytest.raises(Refused) as small:
        choose([], silent=silent, slippage_bps=0)
    assert small.value.code == "liquidity.insufficient"


def test_that_usage_counts_an_order_once_and_gives_back_what_did_not_fill() -> None:
    usage, account = Usage(), UUID(int=9)
    for _ in range(2):
        usage.opened(_order())
    usage.opened(_order(number=2))
    assert usage.of(account, now_ms=DAY_MS) == (2, Decimal(200))
    assert usage.reserved("USDC") == 2 * 100_500_000

    usage.ended(UUID(int=1), S.CONFIRMED)
    usage.ended(UUID(int=2), S.FAILED)
    usage.ended(UUID(int=2), S.FAILED)
    assert usage.of(account, now_ms=DAY_MS) == (0, Decimal(100))
    assert (usage.reserved("USDC"), len(usage)) == (0, 0)


def test_that_a_new_day_starts_from_nothing_and_yesterday_gives_nothing_back() -> None:
    usage, account = Usage(), UUID(int=9)
    usage.count_day({account: Decimal(7)}, now_ms=DAY_MS)
    usage.opened(_order())
    assert usage.of(account, now_ms=2 * DAY_MS - 1) == (1, Decimal(107))
    assert usage.of(account, now_ms=2 * DAY_MS) == (1, Decimal(0))
    usage.opened(_order(number=2, created_ms=2 * DAY_MS))
    usage.ended(UUID(int=1), S.CANCELLED)
    assert usage.of(account, now_ms=2 * DAY_MS) == (1, Decimal(100))


def test_that_a_sale_reserves_its_base_and_a_purchase_its_worth_and_slippage() -> None:
    assert gives(SOL, Side.SELL, 5, usd=Decimal(1), slippage_bps=9) == ("SOL", 5)
    assert gives(SOL, Side.BUY, 5, usd=Decimal(100), slippage_bps=50) == ("USDC", 100_500_000)
