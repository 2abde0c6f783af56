"""Promise: of the many ways to choose a few curves, the best is taken, or one as good as it."""

from collections.abc import Iterator
from itertools import combinations, product
from math import inf
from random import Random

import pytest

from quantdesk.engines.orders.selection import Option, Problem
from quantdesk.engines.orders.splitting import Depth, chained, merged
from quantdesk.venues.port import Piece

_NEAR = 1e-5  # a tenth of a basis point
_PROBLEMS = 150


def _curve(chance: Random, price: float) -> Depth:
    worse = price * (1 - 0.01 * chance.random())
    if chance.random() < 0.3:
        return Depth([Piece(10 ** chance.uniform(8, 10), worse, inf)])
    return Depth([Piece(inf, worse, 10 ** chance.uniform(9, 12))])


def _allowed(problem: Problem) -> Iterator[tuple[int, ...]]:
    for few in range(1, problem.legs_max + 1):
        for picks in combinations(range(len(problem.options)), few):
            uses = [pool for at in picks for pool in problem.options[at].uses]
            if len(uses) == len(set(uses)):
                yield picks


def _best(problem: Problem) -> float:
    """Return the most that any allowed choice is worth, each read off its merged curve."""
    worths = []
    for picks in _allowed(problem):
        whole = Depth(merged([problem.options[at].depth for at in picks]))
        if found := whole.trade(problem.amount, exact_in=problem.exact_in):
            other = found[1] if problem.exact_in else -found[1]
            worths.append(other - len(picks) * problem.call_cost)
    return max(worths, default=-inf)


def _lost(problem: Problem) -> float:
    """Return by how much the choice is worse than the best, as part of it."""
    whole = Depth(merged([option.depth for option in problem.options]))
    everything = whole.trade(problem.amount, exact_in=problem.exact_in)
    assert everything
    best, found = _best(problem), problem.solve(everything[0])
    if best == -inf:
        assert found is None
        return 0.0
    assert found
    assert tuple(sorted(found.picks)) in set(_allowed(problem))
    assert sum(found.parts) == pytest.approx(problem.amount)
    return (best - found.worth) / abs(best)


@pytest.mark.parametrize("legs_max", [1, 2, 3])
@pytest.mark.parametrize("exact_in", [True, False])
def test_that_of_a_few_curves_the_best_are_chosen(legs_max: int, *, exact_in: bool) -> None:
    chance = Random(legs_max)
    for _ in range(_PROBLEMS):
        amount = 10 ** chance.uniform(7, 9.5)
        cost = amount * chance.choice((0, 1e-5, 1e-4, 1e-3))
        options = [Option(_curve(chance, 1.0), (name,)) for name in "abcdef"]

        lost = _lost(Problem(options, amount, exact_in, legs_max, cost))

        assert lost <= _NEAR


@pytest.mark.parametrize("exact_in", [True, False])
def test_that_of_many_curves_nearly_the_best_are_chosen(*, exact_in: bool) -> None:
    chance, losses = Random(4), list[float]()
    for _ in range(_PROBLEMS):
        amount = 10 ** chance.uniform(7, 9.5)
        options = [Option(_curve(chance, 1.0), (name,)) for name in "abcdefghij"]
        losses.append(_lost(Problem(options, amount, exact_in, 3, amount * 1e-5)))

    assert sum(lost > _NEAR for lost in losses) <= _PROBLEMS // 30
    assert max(losses) < 10 * _NEAR


def test_that_hops_are_paired_well() -> None:
    chance, losses = Random(5), list[float]()
    for _ in range(_PROBLEMS):
        firsts = {name: _curve(chance, 1.0) for name in "abc"}
        thens = {name: _curve(chance, 1.0) for name in "xyz"}
        options = [Option(_curve(chance, 0.995), (name,)) for name in "de"]
        for (one, first), (two, then) in product(firsts.items(), thens.items()):
            options.append(Option(Depth(chained(first, then)), (one, two)))
        amount = 10 ** chance.uniform(7, 9.5)
        losses.append(_lost(Problem(options, amount, exact_in=True, legs_max=4, call_cost=0.0)))

    assert sum(lost > _NEAR for lost in losses) <= _PROBLEMS // 10
    assert max(losses) < 10 * _NEAR


@pytest.mark.parametrize("exact_in", [True, False])
def test_that_a_price_without_end_is_one_of_the_choices(*, exact_in: bool) -> None:
    chance, taken = Random(8), 0
    for _ in range(_PROBLEMS):
        amount = 10 ** chance.uniform(7, 9.5)
        endless = Depth([Piece(inf, 1 - 0.01 * chance.random(), inf)])
        options = [Option(_curve(chance, 1.0), (name,)) for name in "abc"]
        problem = Problem([*options, Option(endless, ("d",))], amount, exact_in, 2, amount * 1e-5)

        assert _lost(problem) <= _NEAR

        found = problem.solve(endless.start)
        taken += bool(found and 3 in found.picks)
    assert taken > _PROBLEMS // 3


@pytest.mark.parametrize("exact_in", [True, False])
def test_that_single_curves_come_best_first_and_each_once(*, exact_in: bool) -> None:
    chance = Random(6)
    for _ in range(_PROBLEMS):
        uses = [("a",), ("b",), ("c", "d"), ("e", "f"), ("g",)]
        options = [Option(_curve(chance, 1.0), names) for names in uses]
        amount = 10 ** chance.uniform(7, 9.5)
        problem = Problem(options, amount, exact_in, 4, amount * chance.choice((0, 1e-4, 1e-2)))
        whole = Depth(merged([option.depth for option in options])).trade(amount, exact_in=exact_in)
        assert whole

        found = list(problem.singles(whole[0]))

        worths = {}
        for at, (depth, names) in enumerate(options):
            if alone := depth.trade(amount, exact_in=exact_in):
                other = alone[1] if exact_in else -alone[1]
                worths[at,] = other - problem.call_cost * len(names)
        assert len(found) == len(worths)
        assert {split.picks: split.worth for split in found} == pytest.approx(worths)
        ranked = [split.worth for split in found]
        assert ranked == sorted(ranked, reverse=True)
        assert all(split.parts == [amount] for split in found)


@pytest.mark.parametrize("exact_in", [True, False])
def test_that_hopeless_curves_are_not_drawn_for_the_best_alone(*, exact_in: bool) -> None:
    drawn = [0, 0]

    def pieces(number: int, price: float) -> Iterator[Piece]:
        for at in range(1_000):
            drawn[number] += 1
            yield Piece(1e6, price * (1 - 1e-5 * at), inf)

    options = [
        Option(Depth(pieces(number, price)), (str(number),))
        for number, price in enumerate((1.0, 0.995))
    ]
    problem = Problem(options, 5e8, exact_in=exact_in, legs_max=1, call_cost=0.0)

    best = next(problem.singles(1.0005))

    assert best.picks == (0,)
    assert drawn[0] > 500 > drawn[1]
