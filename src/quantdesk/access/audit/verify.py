"""Verifying the audit: every row, every batch of orders it covers, every root, in one pass.

One snapshot of the database is read a page at a time, so that memory stays small and a desk that
goes on writing does not disturb. Roots are one a day and held at once. The first thing that is not
as it was chained ends it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from quantdesk.access.audit import chain
from quantdesk.access.audit.chain import GENESIS, Batch, Row
from quantdesk.access.audit.signing import PublicKey, Root, proven, stated
from quantdesk.access.audit.store import chain as rows
from quantdesk.access.audit.store import noting, orders
from quantdesk.access.audit.tree import Tree
from quantdesk.core.errors import Corrupt
from quantdesk.store.pool import Connection, Pools

PAGE: Final = 10_000
ROOTS_MAX: Final = 100_000
_BATCHES: Final = 500
_LARGE: Final = 20_000
"""A batch of more rows is read in pages."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in order."""

    rows: int
    roots: int
    order_rows: int
    """Rows of orders that the chain covers."""
    waiting: int
    """Acts and rows of orders that are written and not chained yet."""
    witnessed: int
    """Roots kept outside of the database that agree with it."""


async def verify(pools: Pools, *, witnessed: Sequence[Root] = ()) -> Verdict:
    """Return what was verified; `witnessed` are roots that were kept elsewhere.

    Raises `Corrupt` (`audit.broken`) with the first thing that is wrong.
    """
    async with pools.read.snapshot() as c:
        signed = await rows.roots(c, after=0, limit=ROOTS_MAX)
        walk = _Walk(await rows.keys(c), signed, witnessed)
        while found := await rows.rows(c, after=walk.head.seq, limit=PAGE):
            await _check_batches(c, walk.page(found))
        walk.end()
        waiting = await _check_counts(c, walk.order_rows)
    return Verdict(
        rows=walk.head.seq,
        roots=len(signed),
        order_rows=sum(walk.order_rows.values()),
        waiting=waiting,
        witnessed=len(witnessed),
    )


class _Walk:
    """Follows the chain from its first row."""

    def __init__(
        self, keys: Mapping[str, PublicKey], signed: Sequence[Root], witnessed: Sequence[Root]
    ) -> None:
        self.head = GENESIS
        self.order_rows = dict.fromkeys(orders.KINDS, 0)
        self._keys = keys
        self._noted: set[str] = set()
        self._checked: set[str] = set()
        self._first = 1
        self._tree = Tree()
        self._signed = {stated(root).last: root for root in signed}
        self._kept: dict[int, list[Root]] = {}
        for root in witnessed:
            self._kept.setdefault(stated(root).last, []).append(root)

    def page(self, found: Sequence[Row]) -> list[tuple[int, Batch]]:
        """Follow some rows; return the batches they cover, each with its row's number."""
        covered: list[tuple[int, Batch]] = []
        for row in found:
            self.head = chain.follow(self.head, row)
            body = chain.read(row)
            self._tree.add(row.hash)
            if body.batches:
                covered += [(row.seq, batch) for batch in body.covered()]
            self._note(row.seq, body)
            if row.seq in self._signed:
                self._check_root(self._signed.pop(row.seq))
            for root in self._kept.pop(row.seq, ()):
                self._check_kept(root)
        for _, batch in covered:
            self.order_rows[batch.kind] += batch.rows
        return covered

    def _note(self, seq: int, body: chain.Body) -> None:
        if body.action == chain.KEY_MADE:
            self._noted.add(body.about.removeprefix(chain.KEY))
        elif body.action == chain.SIGNED and body.about not in self._checked:
            raise chain.broken(seq, f"the root that it tells of is missing ({body.about})")

    def end(self) -> None:
        """Raise if anything that was signed is not there."""
        missing = [*self._signed, *self._kept]
        if missing:
            raise chain.broken(
                self.head.seq + 1,
                f"it is missing, and so are those up to row {max(missing)}: a signed root tells of"
                " them",
            )

    def _check_root(self, root: Root) -> None:
        said = proven(root, self._public(root))
        if root.key not in self._noted:
            raise chain.broken(said.last, f"its root is signed by {root.key}, which no row made")
        if said.first != self._first or said.head != self.head.hash.hex():
            raise chain.broken(said.last, "its signed root is of other rows")
        if said.tree != self._tree.root().hex():
            raise chain.broken(said.first, f"the rows from it to {said.last} are not those signed")
        self._first, self._tree = said.last + 1, Tree()
        self._checked.add(f"{chain.ROOT}{said.last}")

    def _check_kept(self, root: Root) -> None:
        said = proven(root, self._public(root))
        if said.head != self.head.hash.hex():
            raise chain.broken(said.last, "a root that was kept elsewhere knows another")

    def _public(self, root: Root) -> bytes:
        key = self._keys.get(root.key)
        if key is None:
            raise Corrupt(f"a root of the audit is signed by {root.key}, which is not a key of this"
                          " desk", code="audit.broken")  # fmt: skip
        return key.public


async def _check_batches(c: Connection, covered: Sequence[tuple[int, Batch]]) -> None:
    for kind in orders.KINDS:
        mine = [(seq, batch) for seq, batch in covered if batch.kind == kind]
        small = [(seq, batch) for seq, batch in mine if batch.rows <= _LARGE]
        for start in range(0, len(small), _BATCHES):
            part = small[start : start + _BATCHES]
            now = await orders.digests(c, kind, [batch.number for _, batch in part])
            for seq, batch in part:
                _check_batch(seq, batch, now.get(batch.number))
        for seq, batch in mine:
            if batch.rows > _LARGE:
                _check_batch(seq, batch, await _large(c, batch))


def _check_batch(seq: int, batch: Batch, now: Batch | None) -> None:
    if now != batch:
        raise chain.broken(
            seq,
            f"it covers batch {batch.number} of order {batch.kind}s, {batch.rows} rows, and those"
            " are not as they were written"
            + (f": {now.rows} are left" if now else ": all are gone"),
        )


async def _large(c: Connection, batch: Batch) -> Batch:
    digest, count = hashlib.sha256(), 0
    after: orders.Place | None = None
    while page := await orders.leaves(c, batch.kind, batch.number, after=after):
        for _, leaf in page:
            digest.update(leaf)
        count, after = count + len(page), page[-1][0]
    return Batch(batch.kind, batch.number, count, digest.digest())


async def _check_counts(c: Connection, covered: Mapping[str, int]) -> int:
    """Raise if there are rows of orders that nothing covers; return how much waits."""
    acts, waiting = await noting.waiting(c)
    there = await orders.counts(c)
    for kind in orders.KINDS:
        known = covered[kind] + waiting.get(kind, 0)
        if there[kind] != known:
            raise Corrupt(
                f"there are {there[kind]} rows of order {kind}s, and the audit knows {known}:"
                " some were added behind its back",
                code="audit.broken",
            )
    return acts + sum(waiting.values())
