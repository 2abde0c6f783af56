"""The bank: what the cluster knows. Blocks, commitments, statuses, duplicates; no disk, no network.

Time is passed in and everything else follows from the order of calls, so that replaying the same
calls gives the same bank.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from solders.account import Account
from solders.hash import Hash
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from quantdesk.core.errors import Refused
from quantdesk.localnet.execute import Keys, execute, keys_of
from quantdesk.localnet.landed import Landed, memos, message_of
from quantdesk.localnet.lookup_table import PROGRAM as TABLES
from quantdesk.localnet.lookup_table import is_active
from quantdesk.localnet.state import State
from quantdesk.localnet.timeline import Timeline

FINAL_DEPTH = 32  # blocks under the current one; 31 under the confirmed one, as the validator roots
SLOTS_PER_EPOCH = 432_000
SLOT_HASHES = Pubkey.from_string("SysvarS1otHashes111111111111111111111111111")
READERS = frozenset((SLOT_HASHES, Pubkey.from_string(TABLES)))
COMMITMENTS = ("processed", "confirmed", "finalized")


@dataclass(slots=True)
class Block:
    """A block that may still be rolled back."""

    slot: int
    landed: list[Landed] = field(default_factory=list)


class Bank:
    """The cluster's state at every commitment."""

    def __init__(
        self, timeline: Timeline, *, finalize: Callable[[int, list[Landed]], None]
    ) -> None:
        self.timeline = timeline
        self.state = State()
        self.state.svm.set_slot_hashes([])
        self.blocks: deque[Block] = deque()
        self.by_signature: dict[bytes, Landed] = {}
        self.spent: dict[Hash, set[bytes]] = {}  # signatures by blockhash, while it is valid
        self.finalize = finalize
        self.final_slot = timeline.slot
        self.durable_slot = timeline.slot
        self._open()

    @property
    def slot(self) -> int:
        """Return the slot in progress."""
        return self.timeline.slot

    def slot_at(self, commitment: str) -> int:
        """Return the last slot at this commitment.

        Processed is the slot in progress; confirmed the last complete one that is on disk;
        finalized the one 32 blocks back that is on disk.
        """
        if commitment == "processed":
            return self.slot
        return self.confirmed_slot if commitment == "confirmed" else self.final_slot

    @property
    def confirmed_slot(self) -> int:
        """Return the last complete slot that is on disk."""
        for block in reversed(self.blocks):
            if block.slot < self.slot and block.slot <= self.durable_slot:
                return block.slot
        return self.final_slot

    def commitment_of(self, slot: int) -> str:
        """Return the highest commitment a landed transaction of this slot has."""
        if slot <= self.final_slot:
            return "finalized"
        return "confirmed" if slot <= self.confirmed_slot else "processed"

    def is_spent(self, transaction: VersionedTransaction) -> bool:
        """Tell whether this transaction landed while its blockhash is still valid."""
        seen = self.spent.get(transaction.message.recent_blockhash)
        return seen is not None and bytes(transaction.signatures[0]) in seen

    def keys(self, transaction: VersionedTransaction) -> Keys:
        """Return the addresses of a transaction, lookup tables resolved."""
        return keys_of(self.state.svm, transaction)

    @contextmanager
    def slot_hashes(self, transaction: VersionedTransaction, keys: Keys) -> Iterator[None]:
        """Show the SlotHashes sysvar to a transaction that reads it.

        Making and dropping lookup tables needs it, and looking up in one that is being dropped. It
        is too much to write for every other transaction: those see an empty one.
        """
        svm = self.state.svm
        if not _reads_slot_hashes(svm, transaction, keys):
            yield
            return
        svm.set_slot_hashes(self.timeline.slot_hashes())
        try:
            yield
        finally:
            svm.set_slot_hashes([])

    def land(self, raw: bytes, transaction: VersionedTransaction) -> Landed | None:
        """Execute a transaction in the current slot.

        None: it is in no block, because it may not land (blockhash, duplicate) or cannot be
        charged. Signatures are taken as verified.
        """
        blockhash = transaction.message.recent_blockhash
        if not self.timeline.is_valid(blockhash) or self.is_spent(transaction):
            return None
        keys = self.keys(transaction)
        with self.slot_hashes(transaction, keys):
            outcome = execute(self.state, transaction, keys)
        if outcome is None:
            return None
        block = self.blocks[-1]
        landed = Landed(
            signature=bytes(transaction.signatures[0]),
            slot=self.slot,
            index=len(block.landed),
            keys=[bytes(key) for key in keys.all],
            memo=memos(message_of(transaction)),
            raw=raw,
            outcome=outcome,
        )
        block.landed.append(landed)
        self.by_signature[landed.signature] = landed
        self.spent.setdefault(blockhash, set()).add(landed.signature)
        return landed

    def put(self, key: Pubkey, account: Account | None) -> None:
        """Write an account from outside, in the current slot."""
        self.state.put(key, account)

    def advance(self, *, now_ms: int, slot_ms: int) -> None:
        """Begin the next slot."""
        self.timeline.next(now_ms=now_ms, slot_ms=slot_ms)
        self._open()

    def jump(self, slot: int) -> None:
        """Go forward to this slot over empty ones, as a replay does: all of it is on disk."""
        self.durable_slot = slot
        if slot - self.slot > 2 * FINAL_DEPTH:
            # Everything here becomes final on the way: no need to live through each slot.
            self._settle(down_to=0)
            self.timeline.jump(slot - FINAL_DEPTH - 1)
            self.final_slot = self.slot
        for passed in range(self.slot + 1, slot + 1):
            self.timeline.jump(passed)
            self._open()

    def durable(self, slot: int) -> None:
        """Take note that everything up to this slot is on disk."""
        self.durable_slot = max(self.durable_slot, slot)
        self._settle()

    def check_rollback(self, count: int) -> None:
        """Raise Refused `localnet.rollback` when that many blocks are not there to be dropped."""
        most = min(len(self.blocks), FINAL_DEPTH) - 1
        if not 0 < count <= most:
            raise Refused(f"1 to {most} blocks can be rolled back", code="localnet.rollback")

    def rollback(self, count: int, *, forget_hashes: bool) -> int:
        """Drop the last `count` blocks, the one in progress included; return the first slot.

        Their transactions vanish and may be sent again. The caller begins the next slot.
        Raises Refused `localnet.rollback`.
        """
        self.check_rollback(count)
        dropped = [self.blocks.pop() for _ in range(count)]
        first = dropped[-1].slot
        for landed in (landed for block in dropped for landed in block.landed):
            del self.by_signature[landed.signature]
            blockhash = landed.transaction().message.recent_blockhash
            self.spent[blockhash].discard(landed.signature)
        self.state.drop(first)
        self.timeline.drop(first, forget_hashes=forget_hashes)
        return first

    def unfinalized(self) -> Iterator[Landed]:
        """Yield the transactions of blocks that may be rolled back, newest first."""
        for block in reversed(self.blocks):
            yield from reversed(block.landed)

    def _open(self) -> None:
        slot = self.slot
        self.blocks.append(Block(slot))
        unix_s = self.timeline.time_ms(slot) // 1000
        self.state.begin(slot, unix_s=unix_s, epoch=slot // SLOTS_PER_EPOCH)
        for blockhash in [known for known in self.spent if known not in self.timeline.hashes]:
            del self.spent[blockhash]
        self._settle()

    def _settle(self, *, down_to: int = FINAL_DEPTH) -> None:
        while len(self.blocks) > down_to and self.blocks[0].slot <= self.durable_slot:
            block = self.blocks.popleft()
            self.finalize(block.slot, block.landed)
            for landed in block.landed:
                del self.by_signature[landed.signature]
            self.final_slot = block.slot
            self.state.settle(block.slot)


def _reads_slot_hashes(svm: LiteSVM, transaction: VersionedTransaction, keys: Keys) -> bool:
    if any(key in READERS for key in keys.all):
        return True
    lookups = getattr(transaction.message, "address_table_lookups", ())
    tables = [svm.get_account(lookup.account_key) for lookup in lookups]
    return any(table is not None and not is_active(table.data) for table in tables)
