"""Promise: commitments differ, blockhashes live 150 blocks, a rollback leaves no trace."""

import pytest
from solders.pubkey import Pubkey
from tests.unit.localnet.ledger import SOL, Ledger, holding, somebody

from quantdesk.core.errors import Refused
from quantdesk.localnet.cluster import Notice


def test_that_a_payment_rises_through_the_commitments(ledger: Ledger) -> None:
    ledger.pass_slots(3)
    to = somebody()
    slot = ledger.pay(to).slot
    bank = ledger.cluster.bank
    seen = []
    for _ in range(33):
        seen.append(bank.commitment_of(slot))
        assert [ledger.balance(to, level) for level in ("processed", "confirmed", "finalized")] == [
            SOL,
            SOL if seen[-1] != "processed" else 0,
            SOL if seen[-1] == "finalized" else 0,
        ]
        ledger.pass_slots(1)
    assert seen == ["processed"] + ["confirmed"] * 31 + ["finalized"]


def test_that_nothing_is_confirmed_before_it_is_on_disk(ledger: Ledger) -> None:
    ledger.pass_slots(3)
    slot = ledger.pay(somebody()).slot
    ledger.pass_slots(5, synced=False)
    assert ledger.cluster.bank.commitment_of(slot) == "processed"
    ledger.pass_slots(1)
    assert ledger.cluster.bank.commitment_of(slot) == "confirmed"


def test_that_slots_stop_when_the_disk_does_not_answer(ledger: Ledger) -> None:
    ledger.pass_slots(3)
    slot = ledger.pay(somebody()).slot
    ledger.pass_slots(100, synced=False)
    assert ledger.cluster.bank.slot < slot + 40
    ledger.cluster.journal.sync()
    ledger.cluster.bank.durable(ledger.cluster.bank.slot)
    before = ledger.cluster.bank.slot
    ledger.pass_slots(1)
    assert ledger.cluster.bank.slot == before + 1


@pytest.mark.parametrize(("age", "lands"), [(0, True), (150, True), (151, False)])
def test_that_a_blockhash_lives_150_blocks(ledger: Ledger, age: int, *, lands: bool) -> None:
    ledger.pass_slots(5)
    transaction = ledger.payment(somebody())
    ledger.pass_slots(age)
    assert (ledger.send(transaction) is not None) is lands


def test_that_a_transaction_lands_once(ledger: Ledger) -> None:
    to = somebody()
    transaction = ledger.payment(to)
    assert ledger.send(transaction) is not None
    assert ledger.send(transaction) is None
    ledger.pass_slots(140)
    assert ledger.send(transaction) is None
    assert ledger.balance(to) == SOL


def test_that_a_payer_that_is_not_there_is_in_no_block(ledger: Ledger) -> None:
    ledger.source = type(ledger.source)()
    assert ledger.send(ledger.payment(somebody())) is None
    assert ledger.cluster.transaction_count == 0


def test_that_a_failed_transaction_is_charged_and_told(ledger: Ledger) -> None:
    before = ledger.balance(ledger.source.pubkey())
    landed = ledger.send(ledger.payment(somebody(), before * 2))
    assert landed is not None
    assert landed.outcome.err == {"InstructionError": [0, {"Custom": 1}]}
    assert ledger.balance(ledger.source.pubkey()) == before - landed.outcome.fee == before - 5000


def test_that_a_rollback_leaves_no_trace(ledger: Ledger) -> None:
    ledger.pass_slots(40)
    kept, dropped = somebody(), somebody()
    ledger.pay(kept)
    ledger.pass_slots(2)
    base = ledger.cluster.bank.slot
    source = ledger.balance(ledger.source.pubkey())
    transaction = ledger.payment(dropped, slot=base - 1)
    landed = ledger.send(transaction)
    assert landed is not None
    ledger.pass_slots(4)
    height = ledger.cluster.bank.timeline.height
    first = ledger.cluster.rollback(5, forget_hashes=False, now_ms=ledger.now_ms)
    bank = ledger.cluster.bank
    assert first == base
    assert bank.slot == base + 5
    assert bank.timeline.height == height - 4
    assert ledger.balance(dropped) == 0
    assert ledger.balance(kept) == SOL
    assert ledger.balance(ledger.source.pubkey()) == source
    assert landed.signature not in bank.by_signature
    assert ledger.send(transaction) is not None
    assert ledger.balance(dropped) == SOL


@pytest.mark.parametrize("forget", [False, True])
def test_that_a_rollback_keeps_or_forgets_the_dropped_blockhashes(
    ledger: Ledger, *, forget: bool
) -> None:
    ledger.pass_slots(40)
    transaction = ledger.payment(somebody())
    ledger.cluster.rollback(3, forget_hashes=forget, now_ms=ledger.now_ms)
    assert (ledger.send(transaction) is None) is forget


def test_that_skipped_slots_have_no_height(ledger: Ledger) -> None:
    ledger.pass_slots(40)
    ledger.cluster.rollback(5, forget_hashes=False, now_ms=ledger.now_ms)
    ledger.pass_slots(3)
    ledger.cluster.rollback(2, forget_hashes=False, now_ms=ledger.now_ms)
    ledger.pass_slots(50)
    timeline = ledger.cluster.bank.timeline
    blocks = [slot for slot in range(timeline.slot + 1) if not timeline.is_skipped(slot)]
    assert [timeline.height_of(slot) for slot in blocks] == list(range(len(blocks)))
    assert [timeline.slot_of(height) for height in range(len(blocks))] == blocks
    assert [timeline.parent(slot) for slot in blocks[1:]] == blocks[:-1]


@pytest.mark.parametrize("count", [0, 32, 1000])
def test_that_only_unfinal_blocks_can_be_rolled_back(ledger: Ledger, count: int) -> None:
    ledger.pass_slots(60)
    with pytest.raises(Refused):
        ledger.cluster.rollback(count, forget_hashes=False, now_ms=ledger.now_ms)


def test_that_owned_accounts_are_read_as_of_a_slot(ledger: Ledger) -> None:
    owner, key = somebody(), somebody()
    ledger.pass_slots(3)
    ledger.cluster.put(key, holding(b"one", owner))
    ledger.pass_slots(2)
    ledger.cluster.put(key, holding(b"two", owner))
    at = ledger.cluster.bank.slot
    ledger.pass_slots(1)
    ledger.cluster.put(key, None)

    def owned(slot: int) -> list[tuple[Pubkey, bytes]]:
        found = ledger.cluster.bank.state.owned(owner, slot=slot)
        return [(at_key, account.data) for at_key, account in found]

    assert owned(at - 2) == [(key, b"one")]
    assert owned(at) == [(key, b"two")]
    assert owned(at + 1) == []
    assert owned(at - 3) == []


def test_that_each_commitment_is_told_once_and_in_order(ledger: Ledger) -> None:
    ledger.pass_slots(3)
    signature = ledger.pay(somebody()).signature
    ledger.pass_slots(40)
    told = [
        notice.commitment
        for notice in ledger.told
        if isinstance(notice, Notice) and signature in [item.signature for item in notice.landed]
    ]
    assert told == ["processed", "confirmed", "finalized"]


def test_that_block_time_follows_the_clock_and_never_runs_back(ledger: Ledger) -> None:
    ledger.pass_slots(5)
    ledger.now_ms += 3_600_000
    ledger.pass_slots(1)
    timeline = ledger.cluster.bank.timeline
    assert timeline.time_ms(timeline.slot) == ledger.now_ms
    ledger.now_ms -= 7_200_000
    ledger.pass_slots(3)
    times = [timeline.time_ms(slot) for slot in range(timeline.slot + 1)]
    assert times == sorted(times)
    clock = ledger.cluster.bank.state.svm.get_clock()
    assert (clock.slot, clock.unix_timestamp) == (timeline.slot, times[-1] // 1000)
