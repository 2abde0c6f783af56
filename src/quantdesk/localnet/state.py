"""Accounts in LiteSVM, with what each unfinalized slot overwrote.

The undo images answer two questions: what an account held at an older slot (reads at `confirmed`
and `finalized`), and what to put back when a slot is rolled back.
"""

from collections import deque
from collections.abc import Iterable, Iterator

from solders.account import Account
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey

from quantdesk.core.errors import Refused
from quantdesk.localnet.landed import LOADER

SYSTEM = Pubkey.default()
Images = dict[Pubkey, Account | None]


class State:
    """The accounts of the cluster, now and as of every unfinalized slot."""

    def __init__(self) -> None:
        # History 0 and no checks inside: signatures, blockhashes and duplicates are the bank's.
        self.svm = (
            LiteSVM()
            .with_transaction_history(0)
            .with_sigverify(False)  # noqa: FBT003  LiteSVM takes it by position
            .with_blockhash_check(False)  # noqa: FBT003
        )
        self.touched: set[Pubkey] = set()
        self.undo: deque[tuple[int, Images]] = deque()

    def begin(self, slot: int, *, unix_s: int, epoch: int) -> None:
        """Open a slot: the programs' clock shows it, writes are noted under it."""
        self.undo.append((slot, {}))
        clock = self.svm.get_clock()
        clock.slot = slot
        clock.unix_timestamp = unix_s
        clock.epoch = epoch
        clock.leader_schedule_epoch = epoch + 1
        self.svm.set_clock(clock)

    def account(self, key: Pubkey, *, slot: int) -> Account | None:
        """Return an account as it stood at the end of this unfinalized (or last final) slot."""
        for at, images in self.undo:
            if at > slot and key in images:
                return images[key]
        return self.svm.get_account(key)

    def owned(self, program: Pubkey, *, slot: int) -> Iterator[tuple[Pubkey, Account]]:
        """Yield the accounts this program owned at the end of this slot."""
        later: Images = {}
        for at, images in reversed(self.undo):
            if at > slot:
                later.update(images)
        for key, account in self.svm.get_program_accounts(program):
            if key not in later:
                yield key, account
        for key, image in later.items():
            if image is not None and image.owner == program:
                yield key, image

    def note(self, keys: Iterable[Pubkey]) -> None:
        """Remember what these accounts hold before the current slot writes them."""
        images = self.undo[-1][1]
        for key in keys:
            if key not in images:
                images[key] = self.svm.get_account(key)
                self.touched.add(key)

    def put(self, key: Pubkey, account: Account | None) -> None:
        """Write an account from outside; None removes it."""
        self.note([key])
        self._set(key, account)

    def add_program(self, program: Pubkey, elf: bytes) -> None:
        """Deploy an ELF at this address; raises Refused `localnet.program` if it does not load."""
        data, _ = Pubkey.find_program_address([bytes(program)], LOADER)
        self.note([program, data])
        try:
            self.svm.add_program(program, elf)
        except Exception as cause:
            raise Refused(f"{program}: {cause}", code="localnet.program") from cause

    def changed(self, slot: int) -> list[Pubkey]:
        """Return the accounts whose content this unfinalized slot changed."""
        images = next((images for at, images in self.undo if at == slot), {})
        return [key for key, image in images.items() if self.account(key, slot=slot) != image]

    def drop(self, first: int) -> None:
        """Put back what slot `first` and all later ones overwrote."""
        while self.undo and self.undo[-1][0] >= first:
            _, images = self.undo.pop()
            for key, image in images.items():
                self._set(key, image)

    def settle(self, slot: int) -> None:
        """Forget the images up to this slot: it is final."""
        while self.undo and self.undo[0][0] <= slot:
            self.undo.popleft()

    def capture(self, slot: int) -> list[tuple[Pubkey, Account]]:
        """Return every account ever written, as of this slot, programs after their data."""
        found = [(key, self.account(key, slot=slot)) for key in self.touched]
        kept = [(key, account) for key, account in found if account is not None]
        # Setting a program account loads its code, so the code must be there before it.
        return sorted(kept, key=lambda pair: pair[1].executable)

    def restore(self, key: Pubkey, account: Account) -> None:
        """Set an account a snapshot kept, without an undo image."""
        self.touched.add(key)
        self._set(key, account)

    def _set(self, key: Pubkey, account: Account | None) -> None:
        gone = Account(lamports=0, data=b"", owner=SYSTEM, executable=False, rent_epoch=0)
        try:
            self.svm.set_account(key, account or gone)
        except Exception as cause:
            raise Refused(f"{key}: {cause}", code="localnet.account") from cause
