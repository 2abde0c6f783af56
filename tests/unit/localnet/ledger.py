"""A cluster in a folder, driven by hand: no network, no sleeping, its own time."""

from pathlib import Path

from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from quantdesk.localnet.cluster import Cluster, Told, open_cluster
from quantdesk.localnet.genesis import Genesis, faucet
from quantdesk.localnet.landed import Landed

T0_MS = 1_700_000_000_000
SLOT_MS = 400
SOL = 1_000_000_000


class Ledger:
    """A cluster whose slots pass when told to."""

    def __init__(self, folder: Path, genesis: Genesis | None = None) -> None:
        self.folder = folder
        self.now_ms = T0_MS
        self.told: list[Told] = []
        self.cluster: Cluster = open_cluster(
            folder,
            genesis=genesis or Genesis(),
            now_ms=self.now_ms,
            slot_ms=SLOT_MS,
            tell=self.told.append,
        )
        self.source = faucet(self.cluster.bank.timeline.seed)

    def pass_slots(self, count: int, *, synced: bool = True) -> None:
        """Let slots pass; the disk keeps up unless told otherwise."""
        for _ in range(count):
            self.now_ms += SLOT_MS
            if synced:
                self.cluster.journal.sync()
            self.cluster.tick(self.now_ms)

    def payment(
        self, to: Pubkey, lamports: int = SOL, *, slot: int | None = None
    ) -> VersionedTransaction:
        """Return a payment from the faucet on the blockhash of a slot, the current by default."""
        gift = TransferParams(from_pubkey=self.source.pubkey(), to_pubkey=to, lamports=lamports)
        return self.signed([transfer(gift)], slot=slot)

    def signed(
        self, instructions: list[Instruction], *, slot: int | None = None
    ) -> VersionedTransaction:
        """Return a transaction of the faucet on the blockhash of a slot."""
        timeline = self.cluster.bank.timeline
        blockhash = timeline.hash_of(timeline.slot if slot is None else slot)
        message = MessageV0.try_compile(self.source.pubkey(), instructions, [], blockhash)
        return VersionedTransaction(message, [self.source])

    def send(self, transaction: VersionedTransaction) -> Landed | None:
        """Send it."""
        return self.cluster.send(bytes(transaction), transaction)

    def pay(self, to: Pubkey, lamports: int = SOL) -> Landed:
        """Send a payment that must land."""
        landed = self.send(self.payment(to, lamports))
        assert landed is not None
        return landed

    def balance(self, key: Pubkey, commitment: str = "processed") -> int:
        """Return an account's lamports at a commitment."""
        bank = self.cluster.bank
        account = bank.state.account(key, slot=bank.slot_at(commitment))
        return account.lamports if account else 0

    def close(self) -> None:
        """Close it as a clean stop does."""
        self.cluster.close()

    def die(self) -> None:
        """Leave it as kill -9 does: nothing synced, the lock gone with the process."""
        self.cluster.journal.close()
        self.cluster.history.close()
        self.cluster.release()


def somebody() -> Pubkey:
    """Return a fresh address."""
    return Keypair().pubkey()


def holding(data: bytes, owner: Pubkey) -> Account:
    """Return an account of one SOL."""
    return Account(lamports=SOL, data=data, owner=owner, executable=False, rent_epoch=0)
