"""Plans: paths and parts become legs that the pools themselves quoted, in whole base units. Pure.

The continuous optimum says where to go; here its parts are rounded so that they sum to exactly
what was asked, and what a pool refuses, or no transaction can hold, is planned again without.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import msgspec

from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.money import BPS
from quantdesk.engines.orders.packing import packed
from quantdesk.engines.orders.paths import Asked, Leg, Path, quoted
from quantdesk.engines.orders.selection import Fits, Picks, Problem, Split
from quantdesk.engines.orders.splitting import Depth, clipped

Legs = tuple[Leg, ...]

_DUST: Final = 2e-8  # of the whole: what a leg must bring at least
_ROUNDING: Final = 2.0  # base units that a leg may lose to rounding
_NEAR: Final = 1.001  # how far past the last root the depth that is left is felt, relative
_LEAST: Final = 20  # a leg is thought of as this part of the whole at least
_QUESTIONS: Final = 300  # sets that are asked about, whether they fit
_TURNS: Final = 4  # of planning what fits, before single legs are all that is tried
_CLIP: Final = 1_000_000  # a leg refused at its very end is tried with this part less
_TELLING: Final = ("transaction.too_large", "amount.too_small", "liquidity.insufficient")


def always(_: Sequence[Leg]) -> bool:
    """Say that any legs fit."""
    return True


class Terms(msgspec.Struct, frozen=True):
    """What a route has to respect.

    Each pool of a leg costs `call_cost` base units of the token whose amount is not exact; two hops
    count as `hop_cost_bps` worse than they are. `fits` says whether legs go into one transaction.
    `through` are the mints that two hops may go through.
    """

    legs_max: int = 6
    call_cost: int = 0
    fits: Callable[[Sequence[Leg]], bool] = always
    through: tuple[str, ...] = ()
    hop_cost_bps: int = 0


class Plan(msgspec.Struct, frozen=True):
    """Legs, the largest first, that together trade exactly what was asked; amounts in base units.

    `worth` ranks the plans of one question, costs included: the more the better. `roomless` is what
    would have been paid or received, were no transaction too small; None where none was.
    """

    legs: Legs
    paid: int
    received: int
    worth: int
    roomless: int | None = None


class Question(NamedTuple):
    """What is planned: `root` and `other` are the whole market's price and amount for it.

    `sketches` are legs of about the right size, by the pools they use; None where those refuse.
    """

    asked: Asked
    terms: Terms
    root: float
    other: float
    sketches: dict[tuple[str, ...], Leg | None]


class _Declined(NamedTuple):
    at: int
    part: int
    problem: DeskError


def planned(legs: Sequence[Leg], asked: Asked, terms: Terms) -> Plan:
    """Return the plan that legs make."""
    worth = 0
    for leg in legs:
        worse, cost = terms.hop_cost_bps * (len(leg.hops) - 1), terms.call_cost * len(leg.hops)
        if asked.exact_in:
            worth += leg.received * (BPS - worse) - cost * BPS
        else:
            worth -= leg.paid * (BPS + worse) + cost * BPS
    ordered = tuple(sorted(legs, key=lambda leg: leg.paid, reverse=True))
    paid, received = sum(leg.paid for leg in legs), sum(leg.received for leg in legs)
    assert (paid if asked.exact_in else received) == asked.amount, "legs sum to what was asked"
    return Plan(ordered, paid, received, worth)


def best_plan(paths: Sequence[Path], question: Question) -> Plan:
    """Return the best plan over some paths.

    Raises `Refused`: `liquidity.insufficient` when as many of them as there may be legs do not
    fill it, `transaction.too_large`, or else what a pool said.
    """
    asked, terms = question.asked, question.terms
    paths, cut, problems = list(paths), set[str](), list[DeskError]()
    for _ in range(2 * len(paths)):
        problem = _problem(paths, question)
        split = _solved(problem, question.root)
        if split is None:
            break
        legs = _legs(paths, problem, split, asked)
        if not isinstance(legs, _Declined):
            best = planned(tuple(legs.values()), asked, terms)
            if terms.fits(best.legs):
                return best
            legs = _fitting(paths, problem, split, question)
            plan = planned(tuple(legs.values()), asked, terms)
            roomless = best.received if asked.exact_in else best.paid
            return msgspec.structs.replace(plan, roomless=roomless)
        problems.append(legs.problem)
        path = paths[legs.at]
        name = "".join(path.option.uses)
        if legs.problem.code == "liquidity.insufficient" and name not in cut:
            cut.add(name)
            paths[legs.at] = _cut(path, legs.part, exact_in=asked.exact_in)
        else:
            del paths[legs.at]
    raise telling(problems)


def telling(problems: Sequence[DeskError]) -> DeskError:
    """Return the problem that says most about why nothing can be traded."""
    if not problems:
        return Refused("the pools do not hold that much", code="liquidity.insufficient")
    ranks = {code: rank for rank, code in enumerate(_TELLING)}
    return min(problems, key=lambda problem: ranks.get(problem.code, len(ranks)))


def too_large() -> Refused:
    """Return the refusal of legs that do not fit into a transaction."""
    return Refused("no leg fits into one transaction", code="transaction.too_large")


def _problem(paths: Sequence[Path], question: Question) -> Problem:
    asked, terms = question.asked, question.terms
    return Problem(
        options=[path.option for path in paths],
        amount=float(asked.amount),
        exact_in=asked.exact_in,
        legs_max=terms.legs_max,
        call_cost=max(terms.call_cost, _ROUNDING, question.other * _DUST),
    )


def _solved(problem: Problem, root: float) -> Split | None:
    """Return the best split; where even one leg costs more than it brings, of one leg if it can."""
    return (
        problem.solve(root)
        or replace(problem, call_cost=0.0, legs_max=1).solve(root)
        or replace(problem, call_cost=0.0).solve(root)
    )


def _legs(
    paths: Sequence[Path], problem: Problem, split: Split, asked: Asked
) -> dict[int, Leg] | _Declined:
    """Return the leg along each path that gets a part, or which path's pools refuse it."""
    legs = dict[int, Leg]()
    for at, part in zip(split.picks, _whole(problem, split, asked.amount), strict=True):
        if part > 0:
            path = paths[at]
            try:
                legs[at] = quoted(path.pools, path.mints, part, exact_in=asked.exact_in)
            except (Refused, Unavailable) as problem_of_pool:
                return _Declined(at, part, problem_of_pool)
    return legs


def _whole(problem: Problem, split: Split, amount: int) -> list[int]:
    """Return the parts in base units; what rounding leaves goes where it moves the price least."""
    parts = [int(part) for part in split.parts]
    left = amount - sum(parts)
    if left:
        side, root = 0 if problem.exact_in else 1, split.root * _NEAR
        room = [problem.options[at].depth.at(root)[side] for at in split.picks]
        deepest = max(range(len(parts)), key=lambda n: (parts[n] + left >= 0, room[n] - parts[n]))
        parts[deepest] += left
    return parts


def _cut(path: Path, part: int, *, exact_in: bool) -> Path:
    """Return a path that ends a little before what its pool refused."""
    most = part - max(1, part // _CLIP)
    depth = Depth(clipped(path.option.depth, most, exact_in=exact_in))
    return path._replace(option=path.option._replace(depth=depth))


def _fitting(
    paths: Sequence[Path], problem: Problem, split: Split, question: Question
) -> dict[int, Leg]:
    """Return the best legs that fit, given the best split; raises `transaction.too_large`."""
    sketches = _Sketches(paths, split.root, question)
    for found in _candidates(problem, split, sketches.fit):
        legs = _legs(paths, problem, found, question.asked)
        if isinstance(legs, _Declined):
            sketches.put(legs.at, None)
        elif question.terms.fits(tuple(legs.values())):
            return legs
        else:
            for at, leg in legs.items():
                sketches.put(at, leg)
    raise too_large()


def _candidates(problem: Problem, split: Split, fits: Fits) -> Iterator[Split]:
    """Yield what may fit: the best by what is known by then, at last any single leg."""
    for _ in range(_TURNS):
        if not (found := packed(problem, split, fits)):
            break
        yield found
    yield from problem.singles(split.root)


class _Sketches:
    """Legs of about the right size, which say what paths take of a transaction; None is refused.

    Where the leg of the right size takes more, it is put in the place of the sketch.
    """

    def __init__(self, paths: Sequence[Path], root: float, question: Question) -> None:
        self._paths, self._root, self._question = paths, root, question
        self._tried = dict[Picks, bool]()

    def put(self, at: int, leg: Leg | None) -> None:
        """Know better what a path takes."""
        self._question.sketches[self._paths[at].option.uses] = leg
        self._tried.clear()

    def fit(self, picks: Picks) -> bool:
        """Return whether these go into one transaction, as far as sketches tell."""
        picks = tuple(sorted(picks))
        found = self._tried.get(picks)
        if found is None:
            if len(self._tried) >= _QUESTIONS:
                return False
            legs = [leg for at in picks if (leg := self._of(at))]
            found = len(legs) == len(picks) and self._question.terms.fits(legs)
            self._tried[picks] = found
        return found

    def _of(self, at: int) -> Leg | None:
        path, known = self._paths[at], self._question.sketches
        if path.option.uses not in known:
            known[path.option.uses] = _sketched(path, self._root, self._question.asked)
        return known[path.option.uses]


def _sketched(path: Path, root: float, asked: Asked) -> Leg | None:
    """Return a leg of about the size that a path would have; None where its pools refuse that."""
    part = path.option.depth.at(root)[0 if asked.exact_in else 1]
    part = min(max(part, asked.amount / _LEAST), asked.amount)
    try:
        return quoted(path.pools, path.mints, int(part) or 1, exact_in=asked.exact_in)
    except (Refused, Unavailable):
        return None
