"""Packing: the best split that goes into one transaction, where the best of all does not. Pure.

What fits is known only of sets that are tried, and many small calls may fit where a few large ones
do not. So all parts of the best split are looked at, and then what putting another option or two in
the place of one or two, or beside them, would make better, until nothing does.
"""

from collections.abc import Iterator
from itertools import chain, combinations
from typing import Final

from quantdesk.engines.orders.selection import Fits, Picks, Problem, Split

_WHOLE: Final = 8  # of the best split, all combinations of the options worth most are tried
_OTHERS: Final = 8  # as many more are thought of
_ROUNDS: Final = 12  # of which each makes it better
_PAIR: Final = 2


def packed(problem: Problem, split: Split, fits: Fits) -> Split | None:
    """Return the best split found that fits, given the best of all; None when nothing does."""
    found = problem.better(None, _subsets(problem, split), near=split.root, fits=fits)
    if found is None:
        singles = problem.singles(split.root)
        found = next((single for single in singles if fits(single.picks)), None)
    others = _others(problem, split) if found else []
    for _ in range(_ROUNDS if found else 0):
        before = found
        for out in (0, 1, _PAIR):
            if found and found is before:
                moves = _moves(problem, found, others, out, fits)
                found = problem.better(found, moves, near=found.root, fits=fits)
        if found is before:
            break
    return found


def _subsets(problem: Problem, split: Split) -> list[Picks]:
    """Return the combinations of what a split takes, those worth most first."""
    worths = {at: problem.worth(at, split.root) for at in split.picks}
    most = sorted(worths, key=worths.__getitem__, reverse=True)[:_WHOLE]
    every = chain.from_iterable(combinations(most, size) for size in range(1, len(most) + 1))
    return sorted(every, key=lambda picks: sum([worths[at] for at in picks]), reverse=True)


def _others(problem: Problem, split: Split) -> list[int]:
    worths = {at: problem.worth(at, split.root) for at in range(len(problem.options))}
    return sorted(worths, key=worths.__getitem__, reverse=True)[: _OTHERS + len(split.picks)]


def _moves(
    problem: Problem, split: Split, others: list[int], out: int, fits: Fits
) -> Iterator[Picks]:
    """Yield what one or two others in the place of so many make, if that is worth more there."""
    worths = {at: problem.worth(at, split.root) for at in {*others, *split.picks}}
    outside = [at for at in others if at not in split.picks]
    most = max((worths[at] for at in outside), default=0.0)
    room = problem.legs_max - len(split.picks) + out
    yield from problem.exchanged(split.picks)
    for left in combinations(split.picks, out) if room > 0 else ():
        kept = tuple(at for at in split.picks if at not in left)
        least = sum([worths[at] for at in left])
        partners = least - most if room >= _PAIR else least
        fitting = [at for at in outside if worths[at] > partners and fits((*kept, at))]
        yield from ((*kept, at) for at in fitting if worths[at] > least)
        if room >= _PAIR:
            pairs = combinations(fitting, _PAIR)
            yield from ((*kept, *two) for two in pairs if worths[two[0]] + worths[two[1]] > least)
