"""Average cost: nothing is lost or made up, whatever is bought and sold in whichever order."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.markets import MARKETS, Side, market
from quantdesk.engines.portfolio.model import (
    Book,
    Fill,
    Gain,
    average_cost,
    counted,
    unrealized,
)

BUY, SELL = Side.BUY, Side.SELL
SOL, USDC = 10**9, 10**6
Trade = tuple[Side, int, int]

amounts = st.integers(0, 2**63 - 1) | st.integers(0, 1_000)
trades = st.lists(st.tuples(st.sampled_from(Side), amounts, amounts), max_size=40)
prices = st.decimals(Decimal("0.000001"), Decimal(1_000_000), places=6)


def fill(side: Side, base_raw: int, quote_raw: int, **more: object) -> Fill:
    told = {
        "order_id": UUID(int=1), "account_id": UUID(int=2), "mode": "paper", "pair": "SOL-USDC",
        "network_fee_lamports": 5_000, "at_ms": 1_000, **more,
    }  # fmt: skip
    return Fill(side=side, base_raw=base_raw, quote_raw=quote_raw, **told)  # type: ignore[arg-type]


def after(made: Sequence[Trade]) -> tuple[Book, list[Gain]]:
    book, gains = Book(), []
    for trade in made:
        book, gain = counted(book, fill(*trade))
        gains.append(gain)
    return book, gains


@given(trades, prices)
def test_that_cash_and_position_are_what_was_realized_and_what_is_not_yet(
    made: list[Trade], price: Decimal
) -> None:
    book, _ = after(made)

    cash = sum(quote if side is SELL else -quote for side, _, quote in made)
    value = Fraction(book.position_raw, SOL) * Fraction(price) * USDC
    open_gain = Fraction(unrealized(book, "SOL-USDC", price)) * USDC
    assert cash + value == book.realized_raw + open_gain + book.unknown_quote_raw


@given(trades)
def test_that_nothing_is_ever_short_and_every_unit_sold_is_known_or_said_to_be_unknown(
    made: list[Trade],
) -> None:
    book, gains = after(made)

    bought = sum(base for side, base, _ in made if side is BUY)
    sold = sum(base for side, base, _ in made if side is SELL)
    assert (book.bought_base_raw, book.sold_base_raw) == (bought, sold)
    assert book.position_raw == bought - sold + book.unknown_base_raw
    assert book.position_raw >= 0
    assert book.cost_raw >= 0
    assert book.cost_raw == 0 or book.position_raw > 0
    assert all(gain.unknown_base_raw >= 0 <= gain.unknown_quote_raw for gain in gains)


@given(trades)
def test_that_the_gains_of_fills_add_up_to_the_totals(made: list[Trade]) -> None:
    book, gains = after(made)

    assert book.realized_raw == sum(gain.realized_raw for gain in gains)
    assert book.unknown_base_raw == sum(gain.unknown_base_raw for gain in gains)
    assert book.unknown_quote_raw == sum(gain.unknown_quote_raw for gain in gains)
    assert book.fills == len(made)
    assert book.network_fee_lamports == 5_000 * len(made)


@given(trades)
def test_that_rounding_costs_at_most_a_base_unit_a_sale(made: list[Trade]) -> None:
    book, _ = after(made)

    # The same by exact fractions, written down again from the definition.
    held, cost, realized = Fraction(0), Fraction(0), Fraction(0)
    for side, base, quote in made:
        if base == 0:
            realized += quote if side is SELL else -quote
        elif side is BUY:
            held, cost = held + base, cost + quote
        else:
            known = min(held, Fraction(base))
            share = cost * known / held if held else Fraction(0)
            realized += Fraction(quote) * known / base - share
            held, cost = held - known, cost - share
    sales = sum(side is SELL for side, _, _ in made)
    assert held == book.position_raw
    assert abs(realized - book.realized_raw) <= 2 * sales
    assert abs(cost - book.cost_raw) <= sales


@given(st.lists(st.tuples(st.integers(1, 10**12), st.integers(0, 10**12)), min_size=1, max_size=20))
def test_that_the_average_lies_between_the_best_and_the_worst_price_paid(
    paid: list[tuple[int, int]],
) -> None:
    book, _ = after([(BUY, base, quote) for base, quote in paid])

    average = Fraction(book.cost_raw, book.position_raw)
    assert min(Fraction(q, b) for b, q in paid) <= average <= max(Fraction(q, b) for b, q in paid)


def test_that_a_round_trip_realizes_the_difference() -> None:
    book, gains = after(
        [
            (BUY, 2 * SOL, 200 * USDC),
            (BUY, 1 * SOL, 130 * USDC),
            (SELL, 1 * SOL, 150 * USDC),
        ]
    )

    assert gains[-1] == Gain(40 * USDC, 0, 0)
    assert (book.position_raw, book.cost_raw) == (2 * SOL, 220 * USDC)
    assert average_cost(book, "SOL-USDC") == Decimal(110)
    assert unrealized(book, "SOL-USDC", Decimal(100)) == Decimal(-20)


def test_that_what_was_never_bought_is_sold_against_an_unknown_cost() -> None:
    book, gains = after([(BUY, 1 * SOL, 100 * USDC), (SELL, 4 * SOL, 480 * USDC)])

    assert gains[-1] == Gain(20 * USDC, 3 * SOL, 360 * USDC)
    assert (book.position_raw, book.cost_raw, book.realized_raw) == (0, 0, 20 * USDC)
    assert average_cost(book, "SOL-USDC") is None


def test_that_a_sale_before_any_purchase_realizes_nothing_and_later_ones_are_known() -> None:
    book, gains = after([(SELL, SOL, 100 * USDC), (BUY, SOL, 90 * USDC), (SELL, SOL, 95 * USDC)])

    assert gains[0] == Gain(0, SOL, 100 * USDC)
    assert book.realized_raw == 5 * USDC


def test_that_a_payment_for_nothing_is_a_loss_and_no_cost() -> None:
    book, gains = after([(BUY, 0, 7), (SELL, 0, 3)])

    assert [gain.realized_raw for gain in gains] == [-7, 3]
    assert (book.position_raw, book.cost_raw) == (0, 0)


def test_that_times_and_other_fees_are_kept_whatever_the_order() -> None:
    book = Book()
    for at_ms, fees in ((5, {"BNB": Decimal("0.1")}), (3, {}), (9, {"BNB": Decimal("0.2")})):
        book, _ = counted(book, fill(BUY, 1, 1, at_ms=at_ms, other_fees=fees))

    assert (book.first_ms, book.last_ms) == (3, 9)
    assert book.other_fees == {"BNB": Decimal("0.3")}


@pytest.mark.parametrize("pair", MARKETS)
def test_that_the_average_is_quote_per_base_in_whole_units(pair: str) -> None:
    traded = market(pair)
    bought = fill(BUY, 3 * 10**traded.base.decimals, 12 * 10**traded.quote.decimals, pair=pair)
    book, _ = counted(Book(), bought)

    assert average_cost(book, pair) == 4
    assert unrealized(book, pair, Decimal(5)) == 3
