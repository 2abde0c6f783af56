"""Paths: every way from the token paid to the token received, and its curve. Pure.

A path is one pool, or two with a token in between. `Curves` keeps what was drawn, as long as the
snapshots it was drawn from are the pools' newest.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import nlargest
from itertools import product
from math import inf
from operator import is_
from typing import Final, NamedTuple, TypeVar, cast

import msgspec

from quantdesk.engines.orders.selection import Option
from quantdesk.engines.orders.splitting import Depth, alone, chained, merged
from quantdesk.venues.port import Fill, Pool

Book = Mapping[frozenset[str], Sequence[Pool]]
"""The pools of each pair of mints."""

Made = TypeVar("Made")

_FEW: Final = 4  # pools of a hop: all are paired with those of the other hop. Of more,
_SHARING: Final = 4  # those that would take most of what goes this way,
_LARGEST: Final = 2  # and those that would do the whole size best


class Asked(msgspec.Struct, frozen=True):
    """What is to be traded: exactly `amount` base units of the mint paid, or of that received."""

    paid: str
    received: str
    exact_in: bool
    amount: int


class Hop(msgspec.Struct, frozen=True):
    """A trade with one pool."""

    pool: Pool
    paid: str
    received: str
    fill: Fill

    @property
    def compute_units(self) -> int:
        """Return what its call takes of a transaction's compute, about."""
        return self.pool.about.compute_units + self.fill.more_units


class Leg(msgspec.Struct, frozen=True):
    """A part of a route: one pool, or two of which the second takes what the first brings."""

    hops: tuple[Hop, ...]

    @property
    def paid(self) -> int:
        """Return what goes in, in base units."""
        return self.hops[0].fill.paid

    @property
    def received(self) -> int:
        """Return what comes out, in base units."""
        return self.hops[-1].fill.received


class Path(NamedTuple):
    """Pools in the order of the trade, and the mints before, between and after them."""

    pools: tuple[Pool, ...]
    mints: tuple[str, ...]
    option: Option


def quoted(pools: Sequence[Pool], mints: Sequence[str], amount: int, *, exact_in: bool) -> Leg:
    """Return the leg that trades exactly `amount`; raises what the pools raise.

    The second pool takes exactly what the first brings.
    """
    if len(pools) == 1:
        (pool,), (paid, received) = pools, mints
        fill = (pool.exact_in if exact_in else pool.exact_out)(paid, amount)
        return Leg((Hop(pool, paid, received, fill),))
    hops: list[Hop] = []
    steps = list(zip(pools, mints, mints[1:], strict=False))
    for pool, paid, received in steps if exact_in else reversed(steps):
        if exact_in:
            fill = pool.exact_in(paid, amount)
            amount = fill.received
        else:
            fill = pool.exact_out(paid, amount)
            amount = fill.paid
        hops.append(Hop(pool, paid, received, fill))
    return Leg(tuple(hops if exact_in else reversed(hops)))


class Curves:
    """Curves of snapshots, and of what they add up to; the least recently used are forgotten.

    A newer snapshot of a pool takes the place of the one before. Not for several threads at once.
    """

    def __init__(self, *, kept: int = 4_096) -> None:
        self._kept = kept
        self._made: OrderedDict[object, tuple[Sequence[Pool], object]] = OrderedDict()

    def pool(self, pool: Pool, paid: str) -> Depth:
        """Return the curve of one pool."""
        found = self._made.get(key := (pool.about.address, paid))
        if found and found[0][0] is pool:  # asked for at every turn, so not by way of `of`
            self._made.move_to_end(key)
            return cast("Depth", found[1])
        return self.of(key, (pool,), lambda: Depth(pool.curve(paid)))

    def side_by_side(self, pools: Sequence[Pool], mints: tuple[str, str]) -> Depth:
        """Return the curve of several pools traded at once."""
        paid = mints[0]
        key = ("pair", *mints)
        return self.of(key, pools, lambda: Depth(merged(self.pool(pool, paid) for pool in pools)))

    def of(self, key: object, pools: Sequence[Pool], make: Callable[[], Made]) -> Made:
        """Return what was made under a key, made anew unless it was of these very snapshots."""
        found = self._made.get(key)
        if found and len(found[0]) == len(pools) and all(map(is_, found[0], pools)):
            self._made.move_to_end(key)
            return cast("Made", found[1])
        made = make()
        self._made[key] = (tuple(pools), made)
        self._made.move_to_end(key)
        while len(self._made) > self._kept:
            self._made.popitem(last=False)
        return made


class Ways(NamedTuple):
    """All ways between two mints: `direct` pools, and by `through` which mints two hops may go."""

    curves: Curves
    book: Book
    asked: Asked
    through: tuple[str, ...]
    hop_cost_bps: int

    @property
    def between(self) -> list[str]:
        """Return the mints in between that two hops can go through."""
        return [m for m in self.through if m not in self._ends() and all(self._hops(m))]

    @property
    def direct(self) -> Sequence[Pool]:
        """Return the pools of the pair itself."""
        return self.book.get(frozenset((self.asked.paid, self.asked.received)), ())

    def whole(self) -> Depth:
        """Return the curve of everything at once, without limits or costs: nothing beats it."""
        paid, received = self._ends()
        key = ("whole", paid, received, self.through)
        hops = [pools for mint in self.between for pools in self._hops(mint)]
        pools = [*self.direct, *(pool for each in hops for pool in each)]
        return self.curves.of(key, pools, lambda: Depth(merged(self._everything())))

    def pools(self) -> Sequence[Path]:
        """Return the paths of one pool."""
        mints, curves = self._ends(), self.curves

        def make() -> list[Path]:
            return [
                Path((pool,), mints, Option(curves.pool(pool, mints[0]), (_name(pool),)))
                for pool in self.direct
            ]

        return curves.of(("pools", *mints), self.direct, make)

    def chains(self, root: float) -> Iterator[Path]:
        """Yield the paths of two pools that may be of use, given the root of the whole market."""
        paid, received = self._ends()
        for mint in self.between:
            first, then = self._hops(mint)
            ones, twos = self._useful(first, then, mint, root)
            for one, two in product(ones, twos):
                option = Option(self._chain(one, two, mint), (_name(one), _name(two)))
                yield Path((one, two), (paid, mint, received), option)

    def _ends(self) -> tuple[str, str]:
        return self.asked.paid, self.asked.received

    def _hops(self, mint: str) -> tuple[Sequence[Pool], Sequence[Pool]]:
        paid, received = self._ends()
        book = self.book
        return book.get(frozenset((paid, mint)), ()), book.get(frozenset((mint, received)), ())

    def _everything(self) -> Iterator[Depth]:
        paid, received = self._ends()
        if self.direct:
            yield self.curves.side_by_side(self.direct, (paid, received))
        for mint in self.between:
            first, then = self._hops(mint)
            yield self._through(first, then, mint)

    def _through(self, first: Sequence[Pool], then: Sequence[Pool], mint: str) -> Depth:
        paid, received = self._ends()
        one = self.curves.side_by_side(first, (paid, mint))
        two = self.curves.side_by_side(then, (mint, received))
        key = ("through", paid, mint, received)
        return self.curves.of(key, [*first, *then], lambda: Depth(chained(one, two)))

    def _chain(self, one: Pool, two: Pool, mint: str) -> Depth:
        exact_in, bps = self.asked.exact_in, self.hop_cost_bps
        key = (_name(one), self.asked.paid, _name(two), bps, bps and exact_in)

        def make() -> Depth:
            first, then = self.curves.pool(one, self.asked.paid), self.curves.pool(two, mint)
            return Depth(chained(first, then, bps=bps, exact_in=exact_in))

        return self.curves.of(key, (one, two), make)

    def _useful(
        self, first: Sequence[Pool], then: Sequence[Pool], mint: str, root: float
    ) -> tuple[list[Pool], list[Pool]]:
        """Return the pools of either hop worth pairing: all of a few, else the best at two sizes.

        One size is the share that two hops have in the optimum, the other is the whole.
        """
        paid, received = self._ends()
        exact_in, amount = self.asked.exact_in, float(self.asked.amount)
        hops = ((first, (paid, mint)), (then, (mint, received)))
        share = self._through(first, then, mint).at(root)[0 if exact_in else 1]
        chosen = [
            {_name(pool): pool for pool in pools if len(pools) <= _FEW} for pools in (first, then)
        ]
        for size, count in ((share, _SHARING), (amount, _LARGEST)):
            left: float | None = size
            for side in (0, 1) if exact_in else (1, 0):
                pools, mints = hops[side]
                if left is None or len(pools) <= _FEW >= len(hops[1 - side][0]):
                    break
                ranked = self._ranked(pools, mints, left, best=count if size == amount else 0)
                chosen[side].update((_name(pool), pool) for pool in ranked[:count])
                found = self.curves.side_by_side(pools, mints).trade(left, exact_in=exact_in)
                left = found[1] if found else None
        return list(chosen[0].values()), list(chosen[1].values())

    def _ranked(
        self, pools: Sequence[Pool], mints: tuple[str, str], size: float, *, best: int
    ) -> list[Pool]:
        """Return pools by what they take of a size, after the `best` of those that do it alone.

        Those that take nothing are ranked by their first price.
        """
        exact_in = self.asked.exact_in
        depths = [self.curves.pool(pool, mints[0]) for pool in pools]
        found = self.curves.side_by_side(pools, mints).trade(size, exact_in=exact_in)
        root = found[0] * (1 + 1e-9) if found else inf
        taken = [(-depth.at(root)[0], depth.start) for depth in depths]
        order = sorted(range(len(pools)), key=taken.__getitem__)
        values: dict[int, float] = {}
        for at in order if best else ():
            least = nlargest(best, values.values())[-1] if len(values) >= best else -inf
            value = alone(depths[at], size, exact_in=exact_in, least=least, root=root)
            if value is not None:
                values[at] = value
        ahead = nlargest(best, values, key=values.__getitem__)
        return [pools[at] for at in (*ahead, *(at for at in order if at not in ahead))]


def _name(pool: Pool) -> str:
    return pool.about.address
