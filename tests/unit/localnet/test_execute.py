"""Promise: an outcome tells what happened: lookup tables, balances, programs of genesis."""

from pathlib import Path

from solders.account import Account
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from tests.unit.localnet.ledger import SOL, Ledger, somebody

from quantdesk.localnet.genesis import Genesis
from quantdesk.localnet.landed import writable
from quantdesk.localnet.transactions import shown

MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
TABLES = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")


def table_account(addresses: list[Pubkey]) -> Account:
    never = (2**64 - 1).to_bytes(8, "little")
    meta = (1).to_bytes(4, "little") + never + bytes(8) + b"\0" + b"\0" + bytes(32) + bytes(2)
    data = meta + b"".join(bytes(address) for address in addresses)
    return Account(lamports=SOL, data=data, owner=TABLES, executable=False, rent_epoch=0)


def test_that_addresses_of_a_lookup_table_are_resolved(ledger: Ledger) -> None:
    ledger.pass_slots(3)
    to, table = somebody(), somebody()
    ledger.cluster.put(table, table_account([somebody(), to]))
    ledger.pass_slots(2)
    addresses = AddressLookupTableAccount(table, [Pubkey.default(), to])
    source = ledger.source
    gift = TransferParams(from_pubkey=source.pubkey(), to_pubkey=to, lamports=SOL)
    blockhash = ledger.cluster.bank.timeline.hash_of(ledger.cluster.bank.slot)
    message = MessageV0.try_compile(source.pubkey(), [transfer(gift)], [addresses], blockhash)
    landed = ledger.send(VersionedTransaction(message, [source]))
    assert landed is not None
    assert landed.outcome.err is None
    assert landed.outcome.loaded == ([str(to)], [])
    assert landed.keys[-1] == bytes(to)
    assert landed.outcome.after[-1] == SOL
    assert to in writable(landed)
    parsed = shown(landed, encoding="jsonParsed", version_max=0)
    assert parsed["transaction"]["message"]["accountKeys"][-1] == {
        "pubkey": str(to),
        "signer": False,
        "writable": True,
        "source": "lookupTable",
    }
    ledger.cluster.rollback(1, forget_hashes=False, now_ms=ledger.now_ms)
    assert ledger.balance(to) == 0


def test_that_a_program_deployed_at_genesis_runs_and_survives_a_snapshot(tmp_path: Path) -> None:
    program = somebody()
    elf = tmp_path / "program.so"
    bundled = LiteSVM().get_account(MEMO)
    assert bundled is not None
    elf.write_bytes(bundled.data)  # of the loader whose accounts are the ELF itself
    home = tmp_path / "home"
    ledger = Ledger(home, Genesis(programs={str(program): elf}))
    ledger.cluster.records_per_generation = 1
    call = Instruction(program, b"hello", [])
    for _ in range(2):
        ledger.pass_slots(1)
        landed = ledger.send(ledger.signed([call]))
        assert landed is not None
        assert landed.outcome.err is None, landed.outcome
        ledger.pass_slots(40)
        ledger.cluster.save()
        ledger.die()
        ledger = Ledger(home)
    ledger.close()


def test_that_balances_of_a_payment_add_up(ledger: Ledger) -> None:
    landed = ledger.pay(Keypair().pubkey(), 3 * SOL)
    moved = [
        after - before
        for before, after in zip(landed.outcome.before, landed.outcome.after, strict=True)
    ]
    assert moved == [-3 * SOL - 5000, 3 * SOL, 0]
    assert sum(moved) == -landed.outcome.fee
