"""A day's budget is reached and never passed, whatever happens to the asking or the ledger."""

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.errors import Unavailable
from quantdesk.sources.budget import Budget, Cost, OverBudget
from quantdesk.sources.limits import Declined
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.news import MemoryLedger

CENT = Decimal("0.01")
DAY = "2023-11-14"
LEFT_S = 6400.0  # of the day at which a manual clock begins


def budget(
    ledger: MemoryLedger,
    *,
    requests: int = 3,
    usd: Decimal = CENT,
    clock: ManualClock | None = None,
) -> Budget:
    limit = Cost(requests, usd)
    return Budget("x", limit=limit, ledger=ledger, clock=clock or ManualClock())


async def ask(of: Budget, most: Decimal = CENT, cost: Decimal = CENT) -> str:
    async def answer() -> str:
        return "answer"

    return await of.asked(most, answer, lambda _: cost)


def test_that_the_last_cent_may_be_spent_and_no_more() -> None:
    ledger = MemoryLedger()
    of = budget(ledger, usd=2 * CENT)

    assert asyncio.run(ask(of)) == "answer"
    assert asyncio.run(ask(of)) == "answer"
    with pytest.raises(OverBudget) as over:
        asyncio.run(ask(of, most=Decimal("0.000001")))

    assert (over.value.code, over.value.wait_s) == ("source.budget", LEFT_S)
    assert ledger.days["x", DAY] == of.spent == Cost(2, 2 * CENT)


def test_that_the_last_request_may_be_made_and_no_more() -> None:
    of = budget(MemoryLedger(), requests=1)

    asyncio.run(ask(of, Decimal(0), Decimal(0)))
    with pytest.raises(OverBudget, match="1 requests"):
        asyncio.run(ask(of, Decimal(0), Decimal(0)))


def test_that_a_restart_forgets_nothing() -> None:
    ledger = MemoryLedger()
    asyncio.run(ask(budget(ledger)))

    with pytest.raises(OverBudget):
        asyncio.run(ask(budget(ledger)))


def test_that_a_new_day_begins_at_midnight_utc() -> None:
    async def work() -> None:
        clock = ManualClock()
        of = budget(MemoryLedger(), clock=clock)
        await ask(of)
        await clock.advance(LEFT_S - 0.001)
        with pytest.raises(OverBudget):
            await ask(of)
        await clock.advance(0.001)
        assert await ask(of) == "answer"

    asyncio.run(work())


def test_that_what_was_not_charged_is_given_back() -> None:
    ledger = MemoryLedger()
    of = budget(ledger)

    asyncio.run(ask(of, cost=CENT / 4))

    assert ledger.days["x", DAY] == of.spent == Cost(1, CENT / 4)


@pytest.mark.parametrize(
    ("problem", "spent"),
    [
        (Declined("busy", status=429), Decimal(0)),
        (Unavailable("no answer"), CENT),
        (ZeroDivisionError(), CENT),
    ],
)
def test_that_who_does_not_learn_the_cost_counts_the_most(
    problem: Exception, spent: Decimal
) -> None:
    ledger = MemoryLedger()

    async def fail() -> str:
        raise problem

    with pytest.raises(type(problem)):
        asyncio.run(budget(ledger).asked(CENT, fail, lambda _: CENT))

    assert ledger.days["x", DAY] == Cost(1, spent)


def test_that_nothing_is_asked_while_the_ledger_is_away() -> None:
    ledger = MemoryLedger()
    ledger.away = True
    asked = []

    async def answer() -> str:
        asked.append(1)
        return "answer"

    with pytest.raises(Unavailable, match="database"):
        asyncio.run(budget(ledger).asked(CENT, answer, lambda _: CENT))
    assert asked == []


def test_that_an_answer_is_not_lost_with_its_refund() -> None:
    ledger = MemoryLedger()

    async def answer() -> str:
        ledger.away = True
        return "answer"

    asked = budget(ledger).asked(CENT, answer, lambda _: Decimal(0))

    assert asyncio.run(asked) == "answer"
    assert ledger.days["x", DAY] == Cost(1, CENT)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.booleans()), max_size=40),
    st.integers(0, 10),
    st.integers(0, 100),
)
def test_that_no_row_of_askings_passes_the_limit(
    askings: list[tuple[int, int, bool]], requests: int, cents: int
) -> None:
    ledger = MemoryLedger()
    of = budget(ledger, requests=requests, usd=cents * CENT)
    paid = Decimal(0)

    async def one(most: int, cost: int, *, fails: bool) -> Decimal:
        async def answer() -> str:
            if fails:
                raise Unavailable("no answer")
            return "answer"

        await of.asked(most * CENT, answer, lambda _: min(cost, most) * CENT)
        return min(cost, most) * CENT

    for most, cost, fails in askings:
        try:
            paid += asyncio.run(one(most, cost, fails=fails))
        except Unavailable:
            continue
    spent = ledger.days.get(("x", DAY), Cost(0))
    assert paid <= spent.usd <= cents * CENT
    assert spent.requests <= requests
