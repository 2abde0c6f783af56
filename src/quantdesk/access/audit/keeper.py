"""The keeper of the audit: takes what was noted, chains it, and signs each day that ended.

    acts, order_batches ──taken──▶ audit          one transaction, one keeper at a time
    the day is over ──▶ audit_roots               a signed root over the rows since the last one
    now and then    ──▶ Witness                   the signed head, outside of the database

A keeper that dies loses nothing and repeats nothing: taking and chaining are one transaction. It
remembers the head it saw last. Rows that are gone or different then were taken by somebody who may
do everything to the database; that is told at once (`audit.tampered`) and chained too.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec
import structlog

from quantdesk.access.acts import Act
from quantdesk.access.audit import chain
from quantdesk.access.audit.chain import GENESIS, Head
from quantdesk.access.audit.signing import (
    DAY_MS,
    Root,
    Signer,
    key_id,
    new_seed,
    over,
    stated,
)
from quantdesk.access.audit.store import chain as rows
from quantdesk.access.audit.store import noting
from quantdesk.access.audit.tree import Tree
from quantdesk.access.model import Origin
from quantdesk.access.sealing import Sealer
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError
from quantdesk.core.ids import NewId
from quantdesk.store.pool import Connection, Pools

log = structlog.get_logger()

PASS_S: Final = 1.0
MORE_S: Final = 0.02
LOOKS: Final = 10
"""Passes of which one looks at everything, whether anything waits or not."""
WITNESS_MS: Final = 60_000
ACTS_MAX: Final = 1_000
"""Acts a pass."""
BATCHES_MAX: Final = 500
"""Batches of orders a pass, and so a row."""
PAGE: Final = 10_000
HERE: Final = Origin(ip="")
"""Where the desk's own acts come from."""


class Witness(Protocol):
    """Keeps what was signed where whoever changes the database does not reach."""

    async def last(self) -> Root | None:
        """Return the last head kept."""

    async def head(self, root: Root) -> None:
        """Keep a signed head in place of the one before."""

    async def ended(self, root: Root) -> None:
        """Keep the root of a day that ended; one kept already is not kept again."""


Hear = Callable[[Sequence[Act]], None]
"""Is handed acts in order once they are chained; returns at once and raises nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the keeper works with; `hear` hears every act, in the one process that keeps."""

    pools: Pools
    clock: Clock
    new_id: NewId
    signer: Signer
    witness: Witness | None = None
    hear: Hear | None = None


async def open_signer(pools: Pools, sealer: Sealer, *, clock: Clock, new_id: NewId) -> Signer:
    """Return the signer of the audit; the first time its key is made, sealed and noted.

    Raises `Corrupt` (`secret.unreadable`) when the master key does not open it.
    """
    async with pools.write.transaction() as c:
        await rows.wait_alone(c)
        found = await rows.signer(c)
        if found is not None:
            number, sealed = found
            return Signer(sealer.open(sealed, about=sealed_about(number)))
        signer = Signer(seed := new_seed())
        public = signer.public
        assert public.id == key_id(public.public)
        sealed = sealer.seal(seed, about=sealed_about(public.id))
        now_ms = clock.now_ms()
        await rows.add_signer(c, public, sealed=sealed, at_ms=now_ms)
        await noting.note(
            c,
            Act(
                id=new_id(),
                at_ms=now_ms,
                action=chain.KEY_MADE,
                origin=HERE,
                about=f"{chain.KEY}{public.id}",
                after={"publicKey": public.public.hex()},
            ),
        )
    return signer


def sealed_about(key: str) -> str:
    """Return what the seed of a key is sealed about."""
    return f"audit:{key}"


class Keeper:
    """Keeps the audit; any number of processes may have one."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._known = GENESIS
        self._day: int | None = None
        self._witnessed_ms: int | None = None
        self._began = False
        self._first, self._tree = 1, Tree()  # grows with the chain: each hash is read once
        self.rows = 0
        """Rows that this keeper chained."""
        self.tampered = False
        """Whether it ever found the audit other than it had left it."""

    async def run(self) -> None:
        """Keep the audit until cancelled."""
        clock, passes = self._means.clock, 0
        while True:
            more = False
            try:
                if passes % LOOKS == 0 or await self._waits():
                    more = await self.step()
            except DeskError as problem:
                log.warning("audit.waits", code=problem.code, detail=problem.detail)
            passes += 1
            await clock.sleep(MORE_S if more else PASS_S)

    async def _waits(self) -> bool:
        async with self._means.pools.read.connection() as c:
            return await noting.waits(c)

    async def step(self) -> bool:
        """Make one pass of bounded work; return whether there is more to do at once.

        Raises `Unavailable` when the database is away: another pass takes up all that was left.
        """
        await self._begin()
        ended: Root | None = None
        async with self._means.pools.write.transaction() as c:
            if not await rows.alone(c):
                return False
            found = await rows.head(c)
            await self._check(c, found)
            ended = await self._end_day(c, found)
            head, more, acts = await self._chain(c, found)
        if self._means.hear is not None and acts:
            self._means.hear(acts)
        self.rows += head.seq - found.seq
        self._known = head
        await self._tell_witness(ended)
        return more

    async def _begin(self) -> None:
        if self._began:
            return
        witness = self._means.witness
        if witness is not None:
            last = await witness.last()
            if last is not None:
                said = stated(last)
                self._known = Head(said.last, bytes.fromhex(said.head))
        self._began = True

    async def _check(self, c: Connection, found: Head) -> None:
        known = self._known
        if known == found or await rows.hash_at(c, known.seq) == known.hash:
            return
        now = f"it ends at row {found.seq}" if found.seq < known.seq else "that row is another"
        detail = f"row {known.seq} of the audit was seen, and now {now}"
        log.error("audit.tampered", detail=detail)
        self.tampered, self._tree = True, Tree()
        act = self._act("audit.tampered", after={"detail": detail, "hash": known.hash.hex()})
        await noting.note(c, act)

    async def _chain(self, c: Connection, head: Head) -> tuple[Head, bool, list[Act]]:
        acts = await noting.take_acts(c, limit=ACTS_MAX)
        batches = await noting.take_batches(c, limit=BATCHES_MAX)
        # Of one that was noted twice because an answer was lost, one copy may be chained already.
        done = await noting.chained(c, [act.id for act in acts]) if acts else set()
        fresh = [act for act in acts if act.id not in done]
        bodies: list[dict[str, Any]] = [
            {"id": act.id, **chain.told(act.number, act.act)} for act in fresh
        ]
        if batches:
            means = self._means
            bodies.append(chain.recorded(batches, id_=means.new_id(), at_ms=means.clock.now_ms()))
        if not bodies:
            return head, False, []
        added = chain.linked(head, bodies)
        await rows.append(c, added)
        if batches:
            await rows.cover(c, batches, seq=added[-1].seq)
        more = len(acts) == ACTS_MAX or len(batches) == BATCHES_MAX
        return Head(added[-1].seq, added[-1].hash), more, _readable(fresh)

    async def _end_day(self, c: Connection, head: Head) -> Root | None:
        today = self._means.clock.now_ms() // DAY_MS
        if today == self._day:
            return None
        begun_ms = await _begun_ms(c)
        if begun_ms is None or begun_ms // DAY_MS >= today:
            if head.seq:
                self._day = today
            return None
        root = await self._signed(c, head, day=day_name(today - 1))
        if root is not None:
            await rows.add_root(c, root, last=head.seq)
            await noting.note(c, self._act(chain.SIGNED, about=f"{chain.ROOT}{head.seq}"))
        return root

    async def _tell_witness(self, ended: Root | None) -> None:
        means, now_ms = self._means, self._means.clock.now_ms()
        if means.witness is None:
            return
        if ended is not None:
            await means.witness.ended(ended)
        last = self._witnessed_ms
        if last is not None and abs(now_ms - last) < WITNESS_MS:
            return
        async with means.pools.read.snapshot() as c:
            root = await self._signed(c, await rows.head(c), day=None)
        if root is not None:
            await means.witness.head(root)
        self._witnessed_ms = now_ms

    async def _signed(self, c: Connection, upto: Head, *, day: str | None) -> Root | None:
        """Return a root over the rows since the last one; None if there are none."""
        last = await rows.last_root(c)
        first = 1 if last is None else stated(last).last + 1
        count = upto.seq - first + 1
        if count < 1:
            return None
        if self._first != first or self._tree.count > count:
            self._first, self._tree = first, Tree()
        tree = self._tree
        while tree.count < count:
            after = first + tree.count - 1
            found = await rows.hashes(c, after=after, last=upto.seq, limit=PAGE)
            if not found:
                raise chain.broken(after + 1, "it is missing")
            for each in found:
                tree.add(each)
        now_ms = self._means.clock.now_ms()
        return self._means.signer.sign(
            over(tree, first=first, head=upto.hash, at_ms=now_ms, day=day)
        )

    def _act(self, action: str, *, about: str = "", after: object = None) -> Act:
        means = self._means
        return Act(
            id=means.new_id(),
            at_ms=means.clock.now_ms(),
            action=action,
            origin=HERE,
            about=about,
            after=after,
        )


def day_name(day: int) -> str:
    """Return a day since 1970 as ISO-8601 writes it."""
    return f"{datetime.fromtimestamp(day * DAY_MS / 1000, tz=UTC):%Y-%m-%d}"


async def _begun_ms(c: Connection) -> int | None:
    """Return since when rows wait for a root: the last one's time, else the first row's."""
    last = await rows.last_root(c)
    return await rows.first_at(c) if last is None else stated(last).at


def _readable(noted: Sequence[noting.Noted]) -> list[Act]:
    found = []
    for one in noted:
        with suppress(msgspec.DecodeError):  # chained all the same, as it stands
            found.append(msgspec.json.decode(one.act, type=Act))
    return found
