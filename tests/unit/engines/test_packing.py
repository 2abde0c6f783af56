"""Promise: of what goes into one transaction the best is found, or a set as good as it."""

from collections.abc import Iterator
from itertools import combinations
from math import inf
from random import Random

import pytest

from quantdesk.engines.orders.packing import packed
from quantdesk.engines.orders.selection import Option, Picks, Problem, Split
from quantdesk.engines.orders.splitting import Depth, chained, merged
from quantdesk.venues.port import Piece

_LEGS_MAX = 6
_PROBLEMS = 60
_NEAR = 1e-6  # of the whole: a hundredth of a basis point
_ROOM = 54  # accounts, of which pools take as many as Solana's do
_TAKEN = (5, 6, 7, 9, 11, 13)

Accounts = dict[str, int]


def _curve(chance: Random, price: float) -> Depth:
    worse = price * (1 - 0.003 * chance.random())
    if chance.random() < 0.3:
        return Depth([Piece(10 ** chance.uniform(7, 9), worse, inf)])
    return Depth([Piece(inf, worse, 10 ** chance.uniform(10, 12))])


def _market(chance: Random) -> tuple[list[Option], Accounts]:
    """Return six pools and the ways through two by three others, and what each takes."""
    direct = {name: _curve(chance, 1.0) for name in "abcdef"}
    first, then = ({name: _curve(chance, 1.0) for name in names} for names in ("gh", "ijk"))
    options = [Option(depth, (name,)) for name, depth in direct.items()]
    for one, ahead in first.items():
        options += [Option(Depth(chained(ahead, at)), (one, two)) for two, at in then.items()]
    return options, {name: chance.choice(_TAKEN) for name in "abcdefghijk"}


def _allowed(problem: Problem, accounts: Accounts, room: int) -> Iterator[Picks]:
    for few in range(1, problem.legs_max + 1):
        for picks in combinations(range(len(problem.options)), few):
            uses = [pool for at in picks for pool in problem.options[at].uses]
            if len(uses) == len(set(uses)) and sum(accounts[pool] for pool in uses) <= room:
                yield picks


def _best(problem: Problem, accounts: Accounts, room: int, near: float) -> float:
    found = (problem.split(picks, near=near) for picks in _allowed(problem, accounts, room))
    return max(split.worth for split in found if split)


def _found(problem: Problem, accounts: Accounts, room: int) -> Split | None:
    whole = Depth(merged([option.depth for option in problem.options]))
    everything = whole.trade(problem.amount, exact_in=problem.exact_in)
    assert everything
    best = problem.solve(everything[0])
    assert best

    def fits(picks: Picks) -> bool:
        return sum(accounts[pool] for at in picks for pool in problem.options[at].uses) <= room

    found = packed(problem, best, fits)
    assert found is None or fits(found.picks)
    return found


@pytest.mark.parametrize("exact_in", [True, False])
@pytest.mark.parametrize("room", [_ROOM, _ROOM // 2, 13])
def test_that_no_other_set_that_fits_does_better(room: int, *, exact_in: bool) -> None:
    chance, losses = Random(room), list[float]()
    for _ in range(_PROBLEMS):
        options, accounts = _market(chance)
        amount = 10 ** chance.uniform(8, 10)
        problem = Problem(options, amount, exact_in, _LEGS_MAX, amount * 1e-7)

        found = _found(problem, accounts, room)

        assert found
        best = _best(problem, accounts, room, found.root)
        losses.append((best - found.worth) / abs(best))
    assert max(losses) <= _NEAR


def test_that_what_fits_nowhere_is_none() -> None:
    options, accounts = _market(Random(1))
    problem = Problem(options, amount=1e9, exact_in=True, legs_max=_LEGS_MAX, call_cost=1.0)

    assert _found(problem, accounts, room=min(_TAKEN) - 1) is None
