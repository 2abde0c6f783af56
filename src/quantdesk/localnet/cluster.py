"""The cluster: the bank with a disk under it. Journal first, then execute, then tell.

Everything that changes the bank comes through here, as a record in the journal; at start the
records are played again and give the same bank.
"""

import asyncio
import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from solders.account import Account
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.localnet import journal as journals
from quantdesk.localnet import snapshot
from quantdesk.localnet.bank import FINAL_DEPTH, Bank
from quantdesk.localnet.execute import is_panic
from quantdesk.localnet.genesis import Genesis, found
from quantdesk.localnet.history import History, Position
from quantdesk.localnet.journal import Journal
from quantdesk.localnet.landed import Landed, writable
from quantdesk.localnet.records import Deployed, Founded, Record, RolledBack, Sent, Wrote
from quantdesk.localnet.timeline import Timeline

log = structlog.get_logger("localnet")
RECORDS_PER_GENERATION = 20_000
BYTES_PER_GENERATION = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Notice:
    """Something reached a commitment: transactions and changed accounts of a slot."""

    commitment: str
    slot: int
    landed: list[Landed]
    changed: list[Pubkey]


@dataclass(frozen=True, slots=True)
class SlotBegan:
    """A new slot is in progress."""

    slot: int
    parent: int
    root: int


Told = Notice | SlotBegan


class Cluster:
    """A running cluster in a data folder."""

    def __init__(self, folder: Path, *, slot_ms: int, tell: Callable[[Told], None]) -> None:
        self.folder = folder
        self.slot_ms = slot_ms
        self.tell: Callable[[Told], None] = lambda _: None  # quiet while replaying
        self.records_per_generation = RECORDS_PER_GENERATION
        self.trouble: str | None = None
        self._boundary: tuple[int, int] | None = None  # generation, slot a snapshot is due for
        self._snapshot: list[bytes] | None = None
        self._snapshot_generation = 0
        self._wanted = asyncio.Event()
        self._lock = _lock(folder)
        try:
            self._start()
        except BaseException:
            if hasattr(self, "history"):
                self.history.close()
            self.release()
            raise
        self.tell = tell
        self._confirmed_told = self.bank.confirmed_slot

    @property
    def health(self) -> str | None:
        """Return what keeps the cluster from taking transactions, None if nothing."""
        return self.trouble

    @property
    def transaction_count(self) -> int:
        """Return how many transactions ever landed."""
        return self.history.count + sum(len(block.landed) for block in self.bank.blocks)

    def send(self, raw: bytes, transaction: VersionedTransaction) -> Landed | None:
        """Write a transaction down and execute it; None if it is in no block.

        Raises Unavailable `localnet.disk` when it cannot be written down.
        """
        self._write(Sent(slot=self.bank.slot, anchor=self.bank.timeline.anchor, raw=raw))
        landed = self._land(raw, transaction)
        if landed is not None:
            self.tell(Notice("processed", landed.slot, [landed], writable(landed)))
        return landed

    def put(self, key: Pubkey, account: Account | None) -> None:
        """Set an account; raises Refused `localnet.account`, Unavailable `localnet.disk`."""
        before = self.bank.state.svm.get_account(key)
        # Tried first: a record that cannot be played again would stop every later start.
        self.bank.put(key, account)
        try:
            self._write(self._wrote(key, account))
        except Unavailable:
            self.bank.put(key, before)
            raise
        self.tell(Notice("processed", self.bank.slot, [], [key]))

    def rollback(self, count: int, *, forget_hashes: bool, now_ms: int) -> int:
        """Drop the last blocks and begin the next slot; return the first slot dropped.

        Raises Refused `localnet.rollback`, Unavailable `localnet.disk`.
        """
        self.bank.check_rollback(count)
        timeline = self.bank.timeline
        self._write(RolledBack(timeline.slot, timeline.anchor, count, forget_hashes))
        first = self.bank.rollback(count, forget_hashes=forget_hashes)
        if self._boundary and first <= self._boundary[1]:
            self._boundary = None
        self._confirmed_told = min(self._confirmed_told, self.bank.confirmed_slot)
        self.tick(now_ms)
        return first

    def tick(self, now_ms: int) -> None:
        """Begin the next slot, unless the disk is too far behind to ever confirm it."""
        done = self.bank.slot
        if self.trouble or done - self.bank.durable_slot >= FINAL_DEPTH:
            return
        self.bank.advance(now_ms=now_ms, slot_ms=self.slot_ms)
        slot = self.bank.slot
        self._maybe_rotate(done)
        self.journal.mark(slot)
        root = self.bank.final_slot
        self.tell(SlotBegan(slot=slot, parent=self.bank.timeline.parent(slot), root=root))
        if self.journal.is_dirty:
            self._wanted.set()
        else:
            self._durable(done)

    async def sync_forever(self) -> None:
        """Sync the journal whenever a slot with records is over; slots confirm behind it."""
        while not self.trouble:
            await self._wanted.wait()
            self._wanted.clear()
            done = self.bank.timeline.parent(self.bank.slot)
            try:
                await asyncio.to_thread(self.journal.sync)
                self._durable(done)
                await asyncio.to_thread(self.save)
            except OSError as cause:
                # After a failed sync the kernel may have dropped the pages: nothing later counts.
                self.trouble = f"journal cannot be synced: {cause.strerror}"

    def close(self) -> None:
        """Sync and close the files; raises OSError when the disk takes it not."""
        try:
            if self.trouble is None:
                self.journal.sync()
                self.journal.mark(self.bank.slot)
        finally:
            self.journal.close()
            self.history.close()
            self.release()

    def release(self) -> None:
        """Let another process have the folder."""
        os.close(self._lock)

    def save(self) -> None:
        """Write the snapshot that is due, if one is, and drop what it replaces; blocks.

        Raises OSError.
        """
        payloads, generation = self._snapshot, self._snapshot_generation
        if payloads is None:
            return
        self.history.sync()
        snapshot.write(self.folder, generation, payloads)
        snapshot.drop_older(self.folder, generation)
        self._snapshot = None

    def _land(self, raw: bytes, transaction: VersionedTransaction) -> Landed | None:
        try:
            return self.bank.land(raw, transaction)
        except BaseException as failure:
            if not is_panic(failure):
                raise
            # The runtime's own bug: nothing was written, here and at every replay.
            log.exception("localnet.runtime_panicked", signature=str(transaction.signatures[0]))
            return None

    def _write(self, record: Record) -> None:
        if self.trouble:
            raise Unavailable(self.trouble, code="localnet.disk")
        self.journal.append(record)

    def _wrote(self, key: Pubkey, account: Account | None) -> Wrote:
        return Wrote(
            slot=self.bank.slot,
            anchor=self.bank.timeline.anchor,
            address=bytes(key),
            lamports=account.lamports if account else None,
            data=account.data if account else b"",
            owner=bytes(account.owner) if account else b"",
            executable=account.executable if account else False,
        )

    def _durable(self, slot: int) -> None:
        self.bank.durable(slot)
        confirmed = self.bank.confirmed_slot
        for block in list(self.bank.blocks):
            if self._confirmed_told < block.slot <= confirmed:
                changed = self.bank.state.changed(block.slot)
                self.tell(Notice("confirmed", block.slot, block.landed, changed))
        self._confirmed_told = confirmed

    def _finalize(self, slot: int, landed: list[Landed]) -> None:
        self.history.append(landed)
        self.tell(Notice("finalized", slot, landed, self.bank.state.changed(slot)))
        if self._boundary and self._boundary[1] == slot:
            self._snapshot_generation = self._boundary[0]
            self._boundary = None
            position = self.history.position
            self._snapshot = snapshot.capture(self.bank, slot=slot, history=position)
            self._wanted.set()

    def _maybe_rotate(self, done: int) -> None:
        """Close a full generation at a slot's end; its snapshot is due when that slot is final."""
        full = (
            self.journal.records >= self.records_per_generation
            or self.journal.size >= BYTES_PER_GENERATION
        )
        # A slot that was just rolled back never becomes final: wait for one that can.
        is_block = not self.bank.timeline.is_skipped(done)
        if full and is_block and self._boundary is None and self._snapshot is None:
            self._boundary = (self.journal.rotate(), done)

    def _start(self) -> None:
        for draft in self.folder.glob("*.draft"):
            draft.unlink()
        mark = journals.read_mark(self.folder)
        generation = snapshot.latest(self.folder)
        later = [n for n in journals.generations(self.folder) if n > (generation or 0)]
        if generation is not None:
            self._restore(generation)
        for number in later:
            for record in journals.read(self.folder, number, mark):
                self._replay(record)
        if not hasattr(self, "bank"):
            raise Corrupt("the journal has no beginning", code="localnet.journal")
        if mark is not None and mark.slot > self.bank.slot:
            self.bank.jump(mark.slot)
        self.bank.durable(self.bank.slot)
        newest = max(later, default=(generation or 0) + 1)
        self.journal = Journal(self.folder, newest)

    def _restore(self, generation: int) -> None:
        header, accounts = snapshot.read(self.folder, generation)
        self.history = History(self.folder, upto=header.history)
        self.bank = Bank(snapshot.fresh_timeline(header), finalize=self._finalize)
        snapshot.restore(header, accounts, self.bank)

    def _replay(self, record: Record) -> None:
        if isinstance(record, Founded):
            self.history = History(self.folder, upto=Position(1, 0, 0))
            timeline = Timeline(seed=record.seed, anchor=record.anchor)
            self.bank = Bank(timeline, finalize=self._finalize)
            return
        self.bank.timeline.fix(record.anchor)
        if record.slot > self.bank.slot:
            self.bank.jump(record.slot)
        match record:
            case Sent():
                self._land(record.raw, VersionedTransaction.from_bytes(record.raw))
            case Wrote():
                self.bank.put(Pubkey(record.address), record.account())
            case Deployed():
                self.bank.state.add_program(Pubkey(record.address), record.elf)
            case RolledBack():
                self.bank.rollback(record.count, forget_hashes=record.forget_hashes)


def open_cluster(
    folder: Path, *, genesis: Genesis, now_ms: int, slot_ms: int, tell: Callable[[Told], None]
) -> Cluster:
    """Start from what the folder holds, or found a new cluster in it.

    Raises Refused `localnet.genesis` / `localnet.running`, Corrupt when the folder is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not journals.generations(folder) and snapshot.latest(folder) is None:
        found(folder, genesis, now_ms=now_ms, slot_ms=slot_ms)
    return Cluster(folder, slot_ms=slot_ms, tell=tell)


def _lock(folder: Path) -> int:
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as cause:
        os.close(handle)
        raise Refused(f"{folder} is in use by another localnet", code="localnet.running") from cause
    return handle
