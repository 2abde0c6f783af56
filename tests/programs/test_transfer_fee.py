"""The real Token-2022 program, which LiteSVM brings along, takes the fees this desk expects.

Instructions: https://github.com/solana-program/token-2022 (interface/src/instruction.rs,
extension/transfer_fee/instruction.rs).
"""

import random
import struct
from collections.abc import Sequence
from typing import Final

import pytest
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import CreateAccountParams, create_account
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import TransactionMetadata

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import DeskError
from quantdesk.venues.reading import TOKEN_2022
from quantdesk.venues.transfer_fee import Mint, TransferFee, mint

_U64: Final = (1 << 64) - 1
_PROGRAM: Final = Pubkey.from_string(TOKEN_2022)
_DECIMALS: Final = 6
_MINT_BYTES, _PURSE_BYTES = 278, 178
_CONFIG_AT, _WITHHELD_AT = 170, 170
_EPOCH: Final = 40
_FEE_MISMATCH: Final = 32
_FEES: Final = (
    TransferFee(0, 0),
    TransferFee(0, 10**6),
    TransferFee(1, _U64),
    TransferFee(30, 7),
    TransferFee(100, 5_000),
    TransferFee(333, 10**12),
    TransferFee(9_999, _U64),
    TransferFee(10_000, 10**9),
)


class Tokens:
    """A chain with one mint that charges a fee, and two purses of its holder."""

    def __init__(self, fee: TransferFee) -> None:
        self.svm = LiteSVM().with_transaction_history(0).with_sigverify(False)  # noqa: FBT003
        self.holder, self.mint, self.source, self.target = (
            Keypair.from_seed(bytes([n]) * 32).pubkey() for n in range(4)
        )
        self.svm.airdrop(self.holder, 10**12)
        self.at(_EPOCH)
        someone = b"\1" + bytes(self.holder)
        config = bytes((26, 0)) + someone * 2 + struct.pack("<HQ", fee.bps, fee.most)
        token = bytes((20, _DECIMALS)) + bytes(self.holder) + b"\0"
        self.send(self._room(self.mint, _MINT_BYTES), self._call(config), self._call(token))
        for purse in (self.source, self.target):
            opened = self._on(bytes((18,)) + bytes(self.holder), purse, self.mint)
            self.send(self._room(purse, _PURSE_BYTES), opened)

    def at(self, epoch: int) -> None:
        """Set the chain's epoch."""
        clock = self.svm.get_clock()
        clock.epoch = epoch
        self.svm.set_clock(clock)

    def charge(self, fee: TransferFee) -> None:
        """Overwrite both of the mint's fees."""
        value = struct.pack("<2QH", 0, fee.most, fee.bps)
        self.patch(self.mint, _CONFIG_AT + 72, value * 2)

    def announce(self, fee: TransferFee) -> None:
        """Have the program set a new fee, which it lets begin two epochs later."""
        data = bytes((26, 5)) + struct.pack("<HQ", fee.bps, fee.most)
        self.send(self._call(data, AccountMeta(self.holder, True, False)))  # noqa: FBT003

    def patch(self, address: Pubkey, offset: int, value: bytes) -> None:
        """Overwrite bytes of an account; it grows where they go past its end."""
        data = bytearray(self.data(address))
        data[offset : offset + len(value)] = value
        account = Account(10**10, bytes(data), _PROGRAM, False, 0)  # noqa: FBT003
        self.svm.set_account(address, account)

    def data(self, address: Pubkey) -> bytes:
        """Return the data of an account."""
        account = self.svm.get_account(address)
        assert account is not None
        return bytes(account.data)

    def read(self) -> Mint:
        """Return the mint as the desk reads it."""
        return mint(AccountState(str(self.mint), self.data(self.mint), TOKEN_2022, 1))

    def transfer(self, amount: int, fee: int | None = None) -> tuple[int, int] | str:
        """Return what arrived and what was withheld of a transfer, or the error."""
        self.patch(self.source, 64, struct.pack("<Q", amount))
        self.patch(self.target, 64, bytes(8))
        self.patch(self.target, _WITHHELD_AT, bytes(8))
        data = bytes((12,)) if fee is None else bytes((26, 1))
        data += struct.pack("<QB", amount, _DECIMALS)
        data += b"" if fee is None else struct.pack("<Q", fee)
        metas = [
            AccountMeta(self.source, False, True),  # noqa: FBT003
            AccountMeta(self.mint, False, False),  # noqa: FBT003
            AccountMeta(self.target, False, True),  # noqa: FBT003
            AccountMeta(self.holder, True, False),  # noqa: FBT003
        ]
        if failed := self.run([Instruction(_PROGRAM, data, metas)]):
            return failed
        after = self.data(self.target)
        arrived, withheld = (
            int.from_bytes(after[at : at + 8], "little") for at in (64, _WITHHELD_AT)
        )
        return arrived, withheld

    def send(self, *calls: Instruction) -> None:
        """Run calls that must succeed."""
        assert self.run(calls) == ""

    def run(self, calls: Sequence[Instruction]) -> str:
        """Run calls in a transaction; return the error, if any."""
        self.svm.expire_blockhash()
        message = MessageV0.try_compile(self.holder, calls, [], self.svm.latest_blockhash())
        unsigned = [Signature.default()] * message.header.num_required_signatures
        result = self.svm.send_transaction(VersionedTransaction.populate(message, unsigned))
        return "" if isinstance(result, TransactionMetadata) else str(result.err())

    def _room(self, address: Pubkey, size: int) -> Instruction:
        return create_account(
            CreateAccountParams(
                from_pubkey=self.holder,
                to_pubkey=address,
                lamports=10**9,
                space=size,
                owner=_PROGRAM,
            )
        )

    def _call(self, data: bytes, *others: AccountMeta) -> Instruction:
        mint_ = AccountMeta(self.mint, False, True)  # noqa: FBT003
        return Instruction(_PROGRAM, data, [mint_, *others])

    def _on(self, data: bytes, purse: Pubkey, mint_: Pubkey) -> Instruction:
        metas = [AccountMeta(purse, False, True), AccountMeta(mint_, False, False)]  # noqa: FBT003
        return Instruction(_PROGRAM, data, metas)


def _amounts(fee: TransferFee) -> list[int]:
    chance = random.Random(fee.bps)
    edges = [1, 2, 99, 100, 101, 9_999, 10_000, 10_001, 10**9, _U64 - 1, _U64]
    if fee.bps:  # where the most is reached
        reached = fee.most * 10_000 // fee.bps
        edges += [near for near in range(reached - 2, reached + 3) if 0 < near <= _U64]
    return edges + [1 + chance.getrandbits(bits) for bits in range(2, 64, 2)]


def test_that_a_mint_the_program_made_is_read() -> None:
    fee = TransferFee(123, 4_567)
    found = Tokens(fee).read()
    assert (found.program, found.decimals) == (TOKEN_2022, _DECIMALS)
    assert (found.older, found.newer) == (fee, fee)
    assert found.fee(_EPOCH) == fee


@pytest.mark.parametrize("fee", _FEES, ids=str)
def test_that_the_program_withholds_what_was_expected(fee: TransferFee) -> None:
    tokens = Tokens(TransferFee(0, 0))
    tokens.charge(fee)
    expected = tokens.read().fee(_EPOCH)
    for amount in _amounts(fee):
        made = (expected.after(amount), expected.on(amount))
        assert tokens.transfer(amount) == made, amount
        assert tokens.transfer(amount, fee=expected.on(amount)) == made, amount


@pytest.mark.parametrize("fee", _FEES, ids=str)
def test_that_the_least_sent_arrives_in_full_and_one_less_does_not(fee: TransferFee) -> None:
    tokens = Tokens(fee)
    for received in _amounts(fee):
        if received > fee.after(_U64):
            continue
        sent = fee.before(received)
        assert tokens.transfer(sent) == (received, sent - received), received
        less = tokens.transfer(sent - 1)
        assert less == (fee.after(sent - 1), fee.on(sent - 1)), received
        assert less[0] == received - 1, received


def test_that_a_new_fee_begins_in_the_epoch_the_mint_says() -> None:
    older, newer, amount = TransferFee(100, _U64), TransferFee(250, 1_000), 30_000
    tokens = Tokens(older)
    tokens.announce(newer)
    found = tokens.read()
    assert (found.older, found.newer, found.newer_from) == (older, newer, _EPOCH + 2)
    for epoch in range(_EPOCH, _EPOCH + 4):
        tokens.at(epoch)
        fee = found.fee(epoch)
        assert tokens.transfer(amount) == (fee.after(amount), fee.on(amount)), epoch


def test_that_the_program_minds_a_fee_that_is_one_off() -> None:
    tokens = Tokens(TransferFee(100, 5_000))
    assert str(_FEE_MISMATCH) in str(tokens.transfer(10_001, fee=100))
    assert tokens.transfer(10_001, fee=101) == (9_900, 101)


def _extension(kind: int, value: bytes) -> bytes:
    return struct.pack("<2H", kind, len(value)) + value


_KEY: Final = bytes(range(1, 33))
_ALLOWED: Final = {
    "mint close authority": _extension(3, _KEY),
    "confidential transfers": _extension(4, _KEY + b"\1" + _KEY),
    "permanent delegate": _extension(12, _KEY),
    "no hook": _extension(14, _KEY + bytes(32)),
    "confidential fee": _extension(16, _KEY + _KEY + b"\1" + bytes(64)),
    "interest": _extension(10, _KEY + bytes(20)),
    "scaled amounts": _extension(25, _KEY + struct.pack("<dqd", 2.0, 0, 2.0)),
    "not paused": _extension(26, _KEY + b"\0"),
}
_STOPPED: Final = {
    "hook": _extension(14, _KEY + _KEY),
    "paused": _extension(26, _KEY + b"\1"),
}


@pytest.mark.parametrize("name", _ALLOWED)
def test_that_an_allowed_extension_does_not_change_a_transfer(name: str) -> None:
    tokens = Tokens(TransferFee(100, 5_000))
    tokens.patch(tokens.mint, _MINT_BYTES, _ALLOWED[name])
    fee = tokens.read().fee(_EPOCH)
    assert tokens.transfer(10_001) == (fee.after(10_001), fee.on(10_001)) == (9_900, 101)


@pytest.mark.parametrize("name", _STOPPED)
def test_that_a_mint_the_program_will_not_move_is_refused(name: str) -> None:
    tokens = Tokens(TransferFee(100, 5_000))
    tokens.patch(tokens.mint, _MINT_BYTES, _STOPPED[name])
    assert isinstance(tokens.transfer(10_001), str)
    with pytest.raises(DeskError):
        tokens.read().fee(_EPOCH)
