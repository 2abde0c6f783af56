"""Selection: which few of many curves an amount is split over, when legs are limited or cost. Pure.

At a root each curve is worth what it brings above the price of the last unit. Taking the curves
worth most at every root, and the lowest root at which they take the whole amount, is the Lagrangian
dual of the problem (https://en.wikipedia.org/wiki/Lagrangian_relaxation): where one set holds below
and above that root it is the best there is; where the set changes there, the sets around it are
compared one by one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from math import inf, nan
from typing import Final, NamedTuple

from quantdesk.engines.orders.splitting import Depth, alone, level, shares

Picks = tuple[int, ...]
Fits = Callable[[Picks], bool]
"""Says whether options may be taken together, by a limit that is not known here."""

_WHOLE: Final = 1 - 1e-9  # of an amount; less than this is not all of it
_STEP: Final = 1e-5  # how far the root first rises, relative
_STEP_MAX: Final = 1e20
_NARROWINGS: Final = 12
_ENOUGH: Final = 1e-6  # of the whole: no better split is looked for to gain less
_ALMOST: Final = 1e-7  # of the whole: as near as the least value of the dual is looked for
_SMALL: Final = 6  # as many curves are tried in every combination


class Option(NamedTuple):
    """A curve that may be taken, and the pools it goes through: each may be used once."""

    depth: Depth
    uses: tuple[str, ...]


class Split(NamedTuple):
    """What is taken of which options up to a root, and what that is worth in the other token."""

    picks: Picks
    root: float
    parts: list[float]
    worth: float


class _Picked(NamedTuple):
    """The options worth taking at a root, and what all options that are are worth, best first.

    `value` is that of the dual: nothing that takes the whole amount is worth more.
    """

    root: float
    picks: Picks
    taken: float
    value: float
    ranked: dict[int, float]


@dataclass(frozen=True, slots=True)
class Problem:
    """Split `amount` over at most `legs_max` options, whose pools cost `call_cost` each.

    With `exact_in` the amount is paid and the cost is in the token received, else the reverse.
    """

    options: Sequence[Option]
    amount: float
    exact_in: bool
    legs_max: int
    call_cost: float

    def solve(self, root: float) -> Split | None:
        """Return the best split; None when no allowed one takes the whole amount.

        `root` is where all options together would take it.
        """
        around = self._around(root)
        if not around:
            return None
        sets = [picked.picks for picked in around if picked.picks]
        near = around[0].root
        splits = [split for picks in sets if (split := self.split(picks, near=near))]
        best = max(splits, key=_worth, default=None)
        if len(around) > 1:
            best = self.better(best, self._near(around), near=near)
        while best:
            changed = chain(self.exchanged(best.picks), without(best.picks))
            if (better := self.better(best, changed, near=near)) is best:
                break
            best = better
        return best

    def singles(self, root: float) -> Iterator[Split]:
        """Yield splits of one option, the best first; `root` is as `solve` takes it.

        Only when nobody wants the best are curves drawn that can be no better.
        """
        side = 0 if self.exact_in else 1
        taken = [option.depth.at(root)[side] for option in self.options]
        order = sorted(range(len(taken)), key=taken.__getitem__, reverse=True)
        found: dict[int, Split] = {}
        least = -inf
        for at in order:  # who has most of the optimum does best alone, about
            depth, uses = self.options[at]
            short = least + self.call_cost * len(uses)
            value = alone(depth, self.amount, exact_in=self.exact_in, least=short, root=root)
            if value is not None and (split := self.split((at,), near=root)):
                found[at], least = split, max(least, split.worth)
        if found:
            yield max(found.values(), key=_worth)
        rest = (found.get(at) or self.split((at,), near=root) for at in order)
        yield from sorted(filter(None, rest), key=_worth, reverse=True)[1:]

    def split(self, picks: Picks, *, near: float) -> Split | None:
        """Return the best split over exactly these; None when they end before the whole amount.

        `near` is a guess of its root.
        """
        depths, exact_in = [self.options[at].depth for at in picks], self.exact_in
        if len(depths) == 1:
            found = depths[0].trade(self.amount, exact_in=exact_in)
            return found and self._split(picks, found[0], [self.amount], found[1])
        root = level(depths, self.amount, exact_in=exact_in, near=near)
        if root is None:
            return None
        parts = shares(depths, root, self.amount, exact_in=exact_in)
        trades = [
            depth.trade(part, exact_in=exact_in) or (root, depth.at(root)[1 if exact_in else 0])
            for depth, part in zip(depths, parts, strict=True)
        ]
        return self._split(picks, root, parts, sum([other for _, other in trades]))

    def _split(self, picks: Picks, root: float, parts: list[float], other: float) -> Split:
        cost = self.call_cost * sum([len(self.options[at].uses) for at in picks])
        return Split(picks, root, parts, other - cost if self.exact_in else -other - cost)

    def better(
        self,
        best: Split | None,
        others: Iterable[Picks],
        *,
        near: float,
        fits: Fits = lambda _picks: True,
    ) -> Split | None:
        """Return the best of a split and others that fit; `near` is a guess of its root.

        By weak duality no split is worth more than its options are at any root, above what the
        whole costs there: those that this rules out at the root of the best are not looked at.
        """
        worths: dict[int, float] = {}
        for picks in others:
            if best and self._ceiling(picks, best.root, worths) <= best.worth:
                continue
            if not self._allowed(picks) or not fits(picks):
                continue
            split = self.split(picks, near=best.root if best else near)
            if split and (best is None or split.worth > best.worth):
                best, worths = split, {}
        return best

    def _ceiling(self, picks: Picks, root: float, worths: dict[int, float]) -> float:
        for at in picks:
            if at not in worths:
                worths[at] = self.worth(at, root)
        whole = self._whole(root * root)
        return whole - abs(whole) * _ENOUGH + sum([worths[at] for at in picks])

    def worth(self, at: int, root: float) -> float:
        """Return what an option brings above the price of the last unit, less its own cost."""
        (depth, uses), squared = self.options[at], root * root
        paid, received = depth.at(root)
        gross = received - paid / squared if self.exact_in else received * squared - paid
        return gross - self.call_cost * len(uses)

    def _whole(self, squared: float) -> float:
        """Return what the whole amount is worth at the price of the last unit."""
        return self.amount / squared if self.exact_in else -self.amount * squared

    def _around(self, root: float) -> list[_Picked]:
        """Return what takes the whole amount, and below the root where that changes, what does."""
        whole, among = self.amount * _WHOLE, range(len(self.options))
        low = high = self._picked(root, among)
        step = _STEP
        while high.taken < whole:
            if step > _STEP_MAX:
                return []
            low, high, step = high, self._picked(root * (1 + step), among), step * 4
        # Worth rises with the root: what is worth less above than the least picked below is out.
        least = low.ranked[low.picks[-1]] if len(low.picks) == self.legs_max else 0.0
        near = [at for at, worth in high.ranked.items() if worth >= least]
        for _ in range(_NARROWINGS):
            alike = set(low.picks) == set(high.picks)
            root, lowest = self._level(high) if alike else self._meeting(low, high)
            middle = self._picked(root, near)
            if alike and set(middle.picks) == set(high.picks):
                return [middle]
            if middle.taken >= whole:
                high = middle
            else:
                low = middle
            if abs(middle.value - lowest) <= abs(lowest) * _ALMOST:
                break
        return [high, low]

    def _level(self, picked: _Picked) -> tuple[float, float]:
        """Return the root where what is picked takes the amount; what is least there is unknown."""
        depths = [self.options[at].depth for at in picked.picks]
        found = level(depths, self.amount, exact_in=self.exact_in, near=picked.root)
        return found or picked.root, nan

    def _meeting(self, low: _Picked, high: _Picked) -> tuple[float, float]:
        """Return the root where the tangents of the dual at two roots meet, and its least value.

        The dual is convex in the price, so it lies above them: where it does not, much, the sets
        picked at both roots are as good as any.
        """
        power, sign = (-2, 1) if self.exact_in else (2, -1)
        one, other = low.root**power, high.root**power
        slope, falling = sign * (self.amount - low.taken), sign * (self.amount - high.taken)
        met = (low.value - high.value + falling * other - slope * one) / (falling - slope)
        inside = min(max(met, min(one, other)), max(one, other))
        return inside ** (1 / power), low.value + slope * (met - one)

    def _picked(self, root: float, among: Iterable[int]) -> _Picked:
        """Return what is worth most at a root, and how much of the amount that takes."""
        squared, cost, options, exact_in = root * root, self.call_cost, self.options, self.exact_in
        found: list[tuple[float, int, float]] = []
        for at in among:
            depth, uses = options[at]
            paid, received = depth.at(root)
            if received:
                worth = received - paid / squared if exact_in else received * squared - paid
                worth -= cost * len(uses)
                if worth > 0:
                    found.append((worth, at, paid if exact_in else received))
        found.sort(reverse=True)
        picks: list[int] = []
        used: set[str] = set()
        taken, value = 0.0, self._whole(squared)
        for worth, at, part in found:
            uses = options[at].uses
            if used.isdisjoint(uses):
                picks.append(at)
                used.update(uses)
                taken, value = taken + part, value + worth
                if len(picks) == self.legs_max:
                    break
        return _Picked(root, tuple(picks), taken, value, {at: worth for worth, at, _ in found})

    def _near(self, around: Sequence[_Picked]) -> Iterator[Picks]:
        """Yield every combination of the few options that matter most where the set changes."""
        picked = {at for one in around for at in one.picks}
        worths: dict[int, float] = {}
        self._ceiling(tuple(range(len(self.options))), around[0].root, worths)
        order = sorted(worths, key=lambda at: (at in picked, worths[at]), reverse=True)
        together = order[: max(_SMALL, len(picked))]
        if len(together) <= _SMALL:
            for size in range(1, min(self.legs_max, len(together)) + 1):
                yield from combinations(together, size)

    def exchanged(self, picks: Picks) -> Iterator[Picks]:
        """Yield what pairing the hops of two options the other way makes."""
        chains = [at for at in picks if len(self.options[at].uses) > 1]
        if len(chains) < 2:  # noqa: PLR2004 - an exchange takes two
            return
        named = {option.uses: at for at, option in enumerate(self.options)}
        for one, two in combinations(chains, 2):
            (a, b), (c, d) = self.options[one].uses, self.options[two].uses
            if (a, d) in named and (c, b) in named:
                rest = tuple(at for at in picks if at not in {one, two})
                yield (*rest, named[a, d], named[c, b])

    def _allowed(self, picks: Picks) -> bool:
        uses = [pool for at in picks for pool in self.options[at].uses]
        return len(uses) == len(set(uses))


def without(picks: Picks) -> list[Picks]:
    """Return what leaving out any one leaves."""
    return [tuple(other for other in picks if other != at) for at in picks if len(picks) > 1]


def _worth(split: Split) -> float:
    return split.worth
