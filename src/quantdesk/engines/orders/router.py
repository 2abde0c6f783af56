"""Router: the best route over all pools of a pair, and what was left on the table. Pure.

`paths.py` draws the ways from one token to the other, `selection.py` takes the few worth a leg,
`splitting.py` says how much goes along each, `plans.py` has the pools quote that in integers. The
result is held against simpler plans, and against a bound that no plan can beat: the optimum of the
relaxed problem (Boyd and Vandenberghe, Convex Optimization, 5.2), without limits, costs or whole
base units.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import ceil, floor, inf
from typing import Final

import msgspec

from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.money import BPS
from quantdesk.engines.orders.paths import Asked, Book, Curves, Leg, Path, Ways, quoted
from quantdesk.engines.orders.plans import (
    Plan,
    Question,
    Terms,
    best_plan,
    planned,
    telling,
    too_large,
)
from quantdesk.engines.orders.splitting import alone
from quantdesk.venues.port import Pool

_MUCH: Final = 100  # a hundredth of the whole moved to another leg is another plan
_NO_GAP: Final = Decimal(0)
_SLACK: Final = 1e-9  # relative: what floats may be off, given to the bound


class Alternative(msgspec.Struct, frozen=True):
    """A simpler plan, or why there is none.

    `kind` is `pool` (everything with one pool, named by its address), `venue` (the best split
    inside one venue, named), `direct` (the best without hops) or `quoted` (the best by quotes
    alone, where past fills advise another).
    """

    kind: str
    name: str
    plan: Plan | None
    problem: DeskError | None = None


class Route(msgspec.Struct, frozen=True):
    """The plan to take, and what it is held against; amounts in base units.

    `bound` is what no plan can beat: the most receivable, or the least payable; `gap_bps` is how
    far the plan is from it. `runner_up` is the best alternative that is another plan.
    """

    asked: Asked
    plan: Plan
    bound: int
    gap_bps: Decimal
    alternatives: tuple[Alternative, ...]
    runner_up: Alternative | None

    @property
    def legs(self) -> tuple[Leg, ...]:
        """Return the parts, the largest first."""
        return self.plan.legs

    @property
    def room_bps(self) -> Decimal:
        """Return how much of the gap is there because one transaction holds no better legs."""
        best, plan = self.plan.roomless, self.plan
        if best is None:
            return _NO_GAP
        short = best - plan.received if self.asked.exact_in else plan.paid - best
        return min(max(Decimal(short) * BPS / self.bound, _NO_GAP), self.gap_bps)

    @property
    def paid(self) -> int:
        """Return what all legs pay."""
        return self.plan.paid

    @property
    def received(self) -> int:
        """Return what all legs bring."""
        return self.plan.received


def route(book: Book, asked: Asked, terms: Terms, *, curves: Curves) -> Route:
    """Return the best route.

    Raises `Refused`: `liquidity.insufficient` when all pools together, or as many as there may be
    legs, do not fill it; `transaction.too_large` when no leg fits; else what the pools say
    (`amount.too_small`, `pool.unsupported`). Raises `Unavailable` (`quotes.none`) without pools.
    """
    assert asked.amount > 0, "an amount is positive"
    ways = Ways(curves, book, asked, terms.through, terms.hop_cost_bps)
    if not ways.between and not ways.direct:
        raise Unavailable("no pool trades this pair now", code="quotes.none")
    if not ways.between and len(ways.direct) == 1:
        return lone(ways.direct[0], asked, terms)
    found = ways.whole().trade(float(asked.amount), exact_in=asked.exact_in)
    if found is None:
        raise Refused("all pools together do not hold that much", code="liquidity.insufficient")
    return _best(ways, Question(asked, terms, *found, {}))


def lone(pool: Pool, asked: Asked, terms: Terms) -> Route:
    """Return the one plan there is over a pool, without drawing its curve; raises as `route`."""
    mints = (asked.paid, asked.received)
    legs = (quoted((pool,), mints, asked.amount, exact_in=asked.exact_in),)
    if not terms.fits(legs):
        raise too_large()
    plan = planned(legs, asked, terms)
    bound = plan.received if asked.exact_in else plan.paid
    return Route(asked, plan, bound, _NO_GAP, (), None)


def advised(found: Route, legs: Sequence[Leg], terms: Terms) -> Route:
    """Return the route with other legs, which past fills advise, unless they are much the same."""
    plan = planned(legs, found.asked, terms)
    if _much_the_same(plan, found.plan):
        return found
    before = Alternative("quoted", "", found.plan)
    return msgspec.structs.replace(
        found,
        plan=plan,
        gap_bps=_gap_bps(plan, found.bound, found.asked),
        alternatives=(before, *found.alternatives),
        runner_up=before,
    )


def _best(ways: Ways, question: Question) -> Route:
    pools = ways.pools()
    paths = [*pools, *ways.chains(question.root)]
    chosen = _tried("best", "", paths, question)
    alternatives = [*_single(pools, question), *_inside(paths, chosen.plan, question)]
    if chosen.plan is None or any(len(leg.hops) > 1 for leg in chosen.plan.legs):
        alternatives.append(_tried("direct", "", pools, question))
    tried = [one for one in (chosen, *alternatives) if one.plan]
    if not tried:
        assert chosen.problem
        raise telling([one.problem for one in (chosen, *alternatives) if one.problem])
    plan = max((one.plan for one in tried if one.plan), key=lambda plan: plan.worth)
    bound = _bound(plan, question)
    return Route(
        asked=question.asked,
        plan=plan,
        bound=bound,
        gap_bps=_gap_bps(plan, bound, question.asked),
        alternatives=tuple(alternatives),
        runner_up=_runner_up(plan, alternatives),
    )


def _tried(kind: str, name: str, paths: Sequence[Path], question: Question) -> Alternative:
    try:
        return Alternative(kind, name, best_plan(paths, question))
    except (Refused, Unavailable) as problem:
        return Alternative(kind, name, None, problem)


def _single(paths: Sequence[Path], question: Question) -> list[Alternative]:
    """Return the best pool for the whole size and the one after it.

    A curve promises at least what its pool then quotes: whoever promises less than two others
    quoted is not asked.
    """
    asked, tried, quotes = question.asked, list[Alternative](), list[float]()
    amount, exact_in, root = float(asked.amount), asked.exact_in, question.root
    for path in _by_share(paths, question):
        least, depth = sorted(quotes)[-2] if len(quotes) > 1 else -inf, path.option.depth
        if alone(depth, amount, exact_in=exact_in, least=least, root=root) is not None:
            tried.append(_whole(path, question))
            if plan := tried[-1].plan:
                quotes.append(plan.received if asked.exact_in else -plan.paid)
    if not tried and paths:
        tried.append(_whole(paths[0], question))
    tried.sort(key=lambda one: one.plan.worth if one.plan else -inf, reverse=True)
    return [one for one in tried if one.plan][:2] or tried[:1]


def _by_share(paths: Sequence[Path], question: Question) -> Sequence[Path]:
    """Return paths by their share in the optimum: those with most of it do best alone, about."""
    side = 0 if question.asked.exact_in else 1
    taken = [path.option.depth.at(question.root)[side] for path in paths]
    return [paths[at] for at in sorted(range(len(taken)), key=taken.__getitem__, reverse=True)]


def _whole(path: Path, question: Question) -> Alternative:
    asked, terms, name = question.asked, question.terms, path.option.uses[0]
    try:
        legs = (quoted(path.pools, path.mints, asked.amount, exact_in=asked.exact_in),)
    except (Refused, Unavailable) as problem:
        return Alternative("pool", name, None, problem)
    if not terms.fits(legs):
        return Alternative("pool", name, None, too_large())
    return Alternative("pool", name, planned(legs, asked, terms))


def _inside(paths: Sequence[Path], plan: Plan | None, question: Question) -> Iterator[Alternative]:
    """Yield the best split inside each venue; it is the plan itself when that stays in one."""
    venues: dict[str, list[Path]] = {}
    for path in paths:
        first, *others = (pool.about.venue for pool in path.pools)
        if all(other == first for other in others):
            venues.setdefault(first, []).append(path)
    used = {hop.pool.about.venue for leg in plan.legs for hop in leg.hops} if plan else set()
    for venue in sorted(venues):
        if used == {venue}:
            yield Alternative("venue", venue, plan)
        else:
            yield _tried("venue", venue, venues[venue], question)


def _bound(plan: Plan, question: Question) -> int:
    """Return the relaxed optimum as whole base units, and never less good than the plan."""
    if question.asked.exact_in:
        return max(plan.received, floor(question.other * (1 + _SLACK)))
    return max(1, min(plan.paid, ceil(question.other * (1 - _SLACK))))


def _gap_bps(plan: Plan, bound: int, asked: Asked) -> Decimal:
    short = bound - plan.received if asked.exact_in else plan.paid - bound
    return Decimal(short) * BPS / bound


def _runner_up(plan: Plan, alternatives: Sequence[Alternative]) -> Alternative | None:
    taken, best, worth = _shape(plan), None, 0
    for one in alternatives:
        if one.plan and _shape(one.plan) != taken and (best is None or one.plan.worth > worth):
            best, worth = one, one.plan.worth
    return best


def _shape(plan: Plan) -> frozenset[tuple[str | int, ...]]:
    return frozenset(
        (leg.paid, leg.received, *(hop.pool.about.address for hop in leg.hops)) for leg in plan.legs
    )


def _much_the_same(one: Plan, other: Plan) -> bool:
    parts, others = ({_pools(leg): leg.paid for leg in plan.legs} for plan in (one, other))
    return parts.keys() == others.keys() and all(
        abs(part - others[pools]) <= other.paid // _MUCH for pools, part in parts.items()
    )


def _pools(leg: Leg) -> tuple[str, ...]:
    return tuple(hop.pool.about.address for hop in leg.hops)
