"""Promise: lookup tables are made, used, dropped and told of as on a cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from solders.address_lookup_table_account import AddressLookupTable
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from tests.unit.localnet.ledger import SOL, Ledger, somebody
from tests.unit.localnet.table_program import (
    TABLES,
    addresses,
    close,
    create,
    deactivate,
    extend,
    read,
)

from quantdesk.localnet.genesis import Genesis
from quantdesk.localnet.landed import Landed, writable
from quantdesk.localnet.lookup_table import ADDRESSES_MAX, lookup_table
from quantdesk.localnet.simulate import try_out
from quantdesk.localnet.transactions import shown

MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
KNOWN = addresses(8)
TABLE = addresses(1, first=200)[0]
CLOCK = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    table = lookup_table(str(TABLE), [str(key) for key in (*KNOWN, CLOCK)])
    opened = Ledger(tmp_path, Genesis(accounts=[table]))
    yield opened
    opened.close()


def by_table(
    ledger: Ledger, steps: list[Instruction], table: Pubkey, entries: list[Pubkey]
) -> VersionedTransaction:
    timeline = ledger.cluster.bank.timeline
    message = MessageV0.try_compile(
        ledger.source.pubkey(), steps, [read(table, entries)], timeline.hash_of(timeline.slot)
    )
    assert message.address_table_lookups
    return VersionedTransaction(message, [ledger.source])


def gift(ledger: Ledger, to: Pubkey) -> Instruction:
    source = ledger.source.pubkey()
    return transfer(TransferParams(from_pubkey=source, to_pubkey=to, lamports=SOL))


def made(ledger: Ledger, entries: list[Pubkey]) -> Pubkey:
    """Make a table by its program, and let its entries become usable."""
    owner = ledger.source.pubkey()
    table, creation = create(owner, ledger.cluster.bank.slot - 2)
    landed = ledger.send(ledger.signed([creation, extend(table, owner, entries)]))
    assert landed is not None
    assert landed.outcome.err is None, landed.outcome.logs
    ledger.pass_slots(1)
    return table


def pays(ledger: Ledger, table: Pubkey, entries: list[Pubkey], to: Pubkey) -> Landed | None:
    return ledger.send(by_table(ledger, [gift(ledger, to)], table, entries))


def test_that_a_table_of_genesis_is_used_in_the_first_slot(ledger: Ledger) -> None:
    landed = pays(ledger, TABLE, [*KNOWN, CLOCK], KNOWN[7])
    assert landed is not None
    assert ledger.balance(KNOWN[7]) == SOL


def test_that_a_table_of_genesis_is_what_the_program_s_own_reader_reads() -> None:
    names = [str(key) for key in addresses(ADDRESSES_MAX)]
    account = lookup_table(str(TABLE), [*names, *names])
    found = AddressLookupTable.deserialize(account.data)
    assert account.owner == str(TABLES)
    assert [str(key) for key in found.addresses] == names
    assert found.meta.deactivation_slot == 2**64 - 1
    assert found.meta.authority is None
    with pytest.raises(AssertionError):
        lookup_table(str(TABLE), [*names, str(somebody())])


def test_that_balances_and_keys_are_static_then_writable_then_readonly(ledger: Ledger) -> None:
    ledger.pass_slots(3)
    paid, other = KNOWN[5], KNOWN[2]
    steps = [gift(ledger, paid), Instruction(MEMO, b"x", []), gift(ledger, other)]
    extra = AccountMeta(CLOCK, is_signer=False, is_writable=False)
    steps[0] = Instruction(steps[0].program_id, steps[0].data, [*steps[0].accounts, extra])
    landed = ledger.send(by_table(ledger, steps, TABLE, [*KNOWN, CLOCK]))
    assert landed is not None
    outcome = landed.outcome
    assert outcome.err is None, outcome.logs
    static = [str(key) for key in landed.message().account_keys]
    sent = landed.message()
    assert isinstance(sent, MessageV0)
    (lookup,) = sent.address_table_lookups
    written = [str(KNOWN[at]) for at in lookup.writable_indexes]
    assert sorted(written) == sorted([str(other), str(paid)])
    assert outcome.loaded == (written, [str(CLOCK)])
    assert [str(Pubkey(key)) for key in landed.keys] == [*static, *written, str(CLOCK)]
    assert outcome.after[len(static) :][:2] == [SOL, SOL]
    assert len(outcome.before) == len(outcome.after) == len(static) + 3
    assert {paid, other} < set(writable(landed))
    assert CLOCK not in writable(landed)
    told = shown(landed, encoding="json", version_max=0)
    assert told["meta"]["loadedAddresses"] == {
        "writable": written,
        "readonly": [str(CLOCK)],
    }
    assert told["transaction"]["message"]["accountKeys"] == static
    assert told["transaction"]["message"]["addressTableLookups"] == [
        {
            "accountKey": str(TABLE),
            "writableIndexes": list(lookup.writable_indexes),
            "readonlyIndexes": [8],
        }
    ]
    parsed = shown(landed, encoding="jsonParsed", version_max=0)
    roles = {row["pubkey"]: row for row in parsed["transaction"]["message"]["accountKeys"]}
    assert roles[str(CLOCK)]["source"] == "lookupTable"
    assert [roles[str(key)]["writable"] for key in (paid, other, CLOCK)] == [True, True, False]
    assert "loadedAddresses" not in parsed["meta"]


def test_that_a_trial_tells_the_balances_execution_then_tells(ledger: Ledger) -> None:
    ledger.pass_slots(3)
    transaction = by_table(ledger, [gift(ledger, KNOWN[1])], TABLE, [*KNOWN, CLOCK])
    balances = try_out(ledger.cluster.bank, transaction, known_by=None).balances
    landed = ledger.send(transaction)
    assert landed is not None
    assert balances is not None
    assert (balances.before, balances.after) == (landed.outcome.before, landed.outcome.after)


def test_that_a_failed_trial_is_charged_and_one_that_cannot_be_has_no_balances(
    ledger: Ledger,
) -> None:
    ledger.pass_slots(3)
    source = ledger.source.pubkey()
    held = ledger.balance(source)
    trial = try_out(ledger.cluster.bank, ledger.payment(somebody(), 2 * held), known_by=None)
    assert trial.balances is not None
    assert trial.balances.after == [held - 5000, *trial.balances.before[1:]]
    ledger.source = type(ledger.source)()
    unknown = try_out(ledger.cluster.bank, ledger.payment(somebody()), known_by=None)
    assert (unknown.err, unknown.balances) == ("AccountNotFound", None)


def test_that_entries_are_usable_from_the_slot_after_they_were_added(ledger: Ledger) -> None:
    ledger.pass_slots(5)
    owner, (first, second) = ledger.source.pubkey(), addresses(2, first=50)
    table = made(ledger, [first])
    assert ledger.send(ledger.signed([extend(table, owner, [second])])) is not None
    assert pays(ledger, table, [first], first) is not None
    assert pays(ledger, table, [first, second], second) is None
    ledger.pass_slots(1)
    assert pays(ledger, table, [first, second], second) is not None


def test_that_only_a_recent_slot_makes_a_table(ledger: Ledger) -> None:
    ledger.pass_slots(600)
    owner, slot = ledger.source.pubkey(), ledger.cluster.bank.slot
    outcomes = {}
    for age in (0, 1, 512, 513):
        landed = ledger.send(ledger.signed([create(owner, slot - age)[1]]))
        assert landed is not None
        outcomes[age] = landed.outcome.err
    refused = {"InstructionError": [0, "InvalidInstructionData"]}
    assert outcomes == {0: refused, 1: None, 512: None, 513: refused}


def test_that_a_dropped_table_works_for_512_blocks_and_can_then_be_closed(ledger: Ledger) -> None:
    ledger.pass_slots(5)
    owner, entries = ledger.source.pubkey(), addresses(3, first=60)
    table = made(ledger, entries)
    landed = ledger.send(ledger.signed([deactivate(table, owner)]))
    assert landed is not None
    assert landed.outcome.err is None
    ledger.pass_slots(512)
    assert pays(ledger, table, entries, entries[0]) is not None
    early = ledger.send(ledger.signed([close(table, owner)]))
    assert early is not None
    assert early.outcome.err is not None
    ledger.pass_slots(1)
    assert pays(ledger, table, entries, entries[1]) is None
    late = ledger.send(ledger.signed([close(table, owner), Instruction(MEMO, b"late", [])]))
    assert late is not None
    assert late.outcome.err is None
    assert ledger.balance(table) == 0


def test_that_a_table_is_there_again_after_a_crash(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.pass_slots(5)
    entries = addresses(3, first=70)
    table = made(ledger, entries)
    assert pays(ledger, table, entries, entries[2]) is not None
    ledger.pass_slots(40)
    ledger.die()
    again = Ledger(tmp_path)
    again.source = ledger.source
    assert again.balance(entries[2]) == SOL
    assert pays(again, table, entries, entries[0]) is not None
    again.close()


def test_that_a_rolled_back_table_is_gone(ledger: Ledger) -> None:
    ledger.pass_slots(40)
    entries = addresses(2, first=80)
    table = made(ledger, entries)
    ledger.cluster.rollback(3, forget_hashes=False, now_ms=ledger.now_ms)
    assert ledger.balance(table) == 0
    assert pays(ledger, table, entries, entries[0]) is None


def test_that_its_program_s_instructions_are_told_by_name(ledger: Ledger) -> None:
    ledger.pass_slots(5)
    owner, entries = ledger.source.pubkey(), addresses(2, first=90)
    slot = ledger.cluster.bank.slot - 2
    table, creation = create(owner, slot)
    steps = [creation, extend(table, owner, entries), deactivate(table, owner)]
    landed = ledger.send(ledger.signed(steps))
    assert landed is not None
    told = shown(landed, encoding="jsonParsed", version_max=0)["transaction"]["message"]
    first, second, third = (step["parsed"] for step in told["instructions"])
    named = {"lookupTableAccount": str(table), "lookupTableAuthority": str(owner)}
    paid = {"payerAccount": str(owner), "systemProgram": str(Pubkey.default())}
    assert first["type"] == "createLookupTable"
    assert {**named, **paid, "recentSlot": slot}.items() <= first["info"].items()
    assert second == {
        "type": "extendLookupTable",
        "info": {**named, **paid, "newAddresses": [str(entry) for entry in entries]},
    }
    assert third == {"type": "deactivateLookupTable", "info": named}
    assert {step["program"] for step in told["instructions"]} == {"address-lookup-table"}
