"""Promise: what the journal holds is played again to the same cluster.

A torn tail costs nothing that was acknowledged, and damage is never passed over.
"""

import asyncio
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.keypair import Keypair
from tests.unit.localnet.ledger import SOL, Ledger, holding, somebody

from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.localnet import journal as journals
from quantdesk.localnet import snapshot
from quantdesk.localnet.accounts import GenesisAccount
from quantdesk.localnet.cluster import Cluster
from quantdesk.localnet.genesis import SYSTEM, Genesis, rent_exempt

PEOPLE = [Keypair.from_seed(bytes([n]) * 32).pubkey() for n in range(4)]
STEPS = st.one_of(
    st.tuples(st.just("pay"), st.integers(0, 3), st.integers(1, 5 * SOL)),
    st.tuples(st.just("pass"), st.integers(1, 80)),
    st.tuples(st.just("put"), st.integers(0, 3), st.binary(max_size=40)),
    st.tuples(st.just("gone"), st.integers(0, 3)),
    st.tuples(st.just("rollback"), st.integers(1, 31), st.booleans()),
    st.tuples(st.just("again")),
)


def portrait(cluster: Cluster) -> object:
    """Everything a client could tell two clusters apart by."""
    bank = cluster.bank
    state = bank.state
    return (
        bank.slot,
        bank.timeline.height,
        bank.final_slot,
        bank.timeline.skipped,
        list(bank.timeline.hashes.items()),
        bank.spent,
        [(block.slot, block.landed) for block in bank.blocks],
        sorted(
            (bytes(key), bytes(account))
            for key in state.touched
            if (account := state.svm.get_account(key)) is not None
        ),
        cluster.history.position,
        cluster.transaction_count,
    )


def live(ledger: Ledger, steps: list[tuple[object, ...]]) -> None:
    last = ledger.payment(PEOPLE[0])
    for step in steps:
        match step:
            case ("pay", int(who), int(lamports)):
                last = ledger.payment(PEOPLE[who], lamports)
                ledger.send(last)
            case ("again",):
                ledger.send(last)
            case ("pass", int(count)):
                ledger.pass_slots(count)
            case ("put", int(who), bytes(data)):
                ledger.cluster.put(PEOPLE[who], holding(data, SYSTEM))
            case ("gone", int(who)):
                ledger.cluster.put(PEOPLE[who], None)
            case ("rollback", int(count), bool(forget)):
                roll_back(ledger, min(count, len(ledger.cluster.bank.blocks) - 1), forget=forget)


def roll_back(ledger: Ledger, count: int, *, forget: bool) -> None:
    if count > 0:
        ledger.cluster.rollback(count, forget_hashes=forget, now_ms=ledger.now_ms)


@given(steps=st.lists(STEPS, max_size=25), per_generation=st.sampled_from([3, 10_000]))
def test_that_a_killed_cluster_comes_back_the_same(
    steps: list[tuple[object, ...]], per_generation: int
) -> None:
    with TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder))
        ledger.cluster.records_per_generation = per_generation
        live(ledger, steps)
        ledger.cluster.journal.sync()
        ledger.cluster.bank.durable(ledger.cluster.bank.slot)
        ledger.cluster.save()
        before = portrait(ledger.cluster)
        ledger.die()
        again = Ledger(Path(folder))
        assert portrait(again.cluster) == before
        again.close()


def test_that_a_snapshot_takes_the_place_of_older_journals(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.cluster.records_per_generation = 5
    people = [somebody() for _ in range(30)]
    for who in people:
        ledger.pay(who)
        ledger.pass_slots(1)
    ledger.pass_slots(40)
    ledger.cluster.save()
    names = {path.name for path in tmp_path.iterdir()}
    assert "journal-00000001.bin" not in names
    assert any(name.startswith("snapshot-") for name in names)
    before = portrait(ledger.cluster)
    ledger.die()
    again = Ledger(tmp_path)
    assert portrait(again.cluster) == before
    assert [again.balance(who) for who in people] == [SOL] * 30
    assert again.send(again.payment(somebody())) is not None
    again.close()


def test_that_transactions_are_in_history_after_a_snapshot_and_a_kill(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.cluster.records_per_generation = 5
    landed = []
    for _ in range(12):
        landed.append(ledger.pay(somebody()))
        ledger.pass_slots(1)
    ledger.pass_slots(40)
    ledger.cluster.save()
    ledger.die()
    again = Ledger(tmp_path)
    found = [again.cluster.history.transaction(item.signature) for item in landed]
    assert found == landed
    source = bytes(again.source.pubkey())
    listed = [entry.signature for entry in again.cluster.history.of_address(source)]
    assert listed == [item.signature for item in reversed(landed)]
    again.close()


@pytest.mark.parametrize("cut", [1, 7, 8, 100])
def test_that_a_torn_tail_is_cut_off(tmp_path: Path, cut: int) -> None:
    ledger = Ledger(tmp_path)
    ledger.pass_slots(2)
    first = ledger.pay(somebody())
    ledger.cluster.journal.sync()
    ledger.cluster.journal.mark(ledger.cluster.bank.slot)
    second = ledger.pay(somebody(), SOL + 1)
    ledger.die()
    path = journals.path_of(tmp_path, 1)
    path.write_bytes(path.read_bytes()[:-cut])
    again = Ledger(tmp_path)
    assert first.signature in again.cluster.bank.by_signature
    assert second.signature not in again.cluster.bank.by_signature
    third = again.pay(somebody())
    again.die()
    last = Ledger(tmp_path)
    assert third.signature in last.cluster.bank.by_signature
    last.close()


def test_that_damage_in_the_synced_part_stops_the_start(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.pass_slots(2)
    ledger.pay(somebody())
    ledger.close()
    path = journals.path_of(tmp_path, 1)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(Corrupt):
        Ledger(tmp_path)


def test_that_empty_slots_are_kept_without_records(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    size = ledger.cluster.journal.size
    ledger.pass_slots(500)
    slot = ledger.cluster.bank.slot
    assert ledger.cluster.journal.size == size
    ledger.die()
    again = Ledger(tmp_path)
    assert again.cluster.bank.slot == slot
    again.close()


def test_that_a_full_disk_refuses_and_executes_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.pass_slots(1)
    to = somebody()

    def full(_: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Unavailable):
        ledger.send(ledger.payment(to))
    with pytest.raises(Unavailable):
        ledger.cluster.put(to, holding(b"", SYSTEM))
    assert ledger.balance(to) == 0
    monkeypatch.undo()
    ledger.pay(to)
    assert ledger.balance(to) == SOL


def test_that_a_half_written_record_is_taken_back(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.pass_slots(1)
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:10]))
    with pytest.raises(Unavailable):
        ledger.send(ledger.payment(somebody()))
    monkeypatch.undo()
    landed = ledger.pay(somebody())
    records = list(journals.read(ledger.folder, 1, None))
    assert bytes(landed.raw) == records[-1].raw  # type: ignore[union-attr]  # the last is a Sent


def test_that_genesis_accounts_are_rent_exempt_and_written_once(tmp_path: Path) -> None:
    here, there = somebody(), somebody()
    genesis = Genesis(accounts=[GenesisAccount(str(here), str(SYSTEM), b"abc")])
    ledger = Ledger(tmp_path, genesis)
    account = ledger.cluster.bank.state.svm.get_account(here)
    assert account is not None
    assert account.lamports == rent_exempt(3)
    svm = ledger.cluster.bank.state.svm
    assert rent_exempt(3) == svm.minimum_balance_for_rent_exemption(3)
    ledger.close()
    other = Genesis(accounts=[GenesisAccount(str(there), str(SYSTEM), b"")])
    again = Ledger(tmp_path, other)
    assert again.balance(here) == rent_exempt(3)
    assert again.balance(there) == 0
    again.close()


@pytest.mark.parametrize(
    "genesis",
    [
        Genesis(programs={"nowhere": Path("/nonexistent")}),
        Genesis(accounts=[GenesisAccount("no address", str(SYSTEM), b"")]),
    ],
)
def test_that_a_genesis_that_cannot_be_read_leaves_nothing(
    tmp_path: Path, genesis: Genesis
) -> None:
    with pytest.raises(Refused):
        Ledger(tmp_path, genesis)
    Ledger(tmp_path).close()


def test_that_two_clusters_of_one_seed_share_no_blockhash(tmp_path: Path) -> None:
    first = Ledger(tmp_path / "a", Genesis(seed=b"x"))
    timeline = first.cluster.bank.timeline
    assert timeline.seed
    first.close()
    second = Ledger(tmp_path / "b", Genesis(seed=b"y"))
    assert second.cluster.bank.timeline.hash_of(0) != timeline.hash_of(0)
    second.close()


def test_that_a_failed_sync_stops_the_cluster_for_good(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.pass_slots(3)
    landed = ledger.pay(somebody())

    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", broken)
    ledger.pass_slots(1, synced=False)
    asyncio.run(ledger.cluster.sync_forever())
    assert ledger.cluster.health is not None
    assert ledger.cluster.bank.commitment_of(landed.slot) == "processed"
    slot = ledger.cluster.bank.slot
    ledger.pass_slots(3, synced=False)
    assert ledger.cluster.bank.slot == slot
    with pytest.raises(Unavailable):
        ledger.pay(somebody())


def test_that_skipped_slots_outlive_a_snapshot(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.cluster.records_per_generation = 2
    ledger.pass_slots(10)
    ledger.cluster.rollback(4, forget_hashes=False, now_ms=ledger.now_ms)
    ledger.pay(somebody())
    ledger.pass_slots(80)
    ledger.cluster.save()
    assert journals.generations(tmp_path) == [2]
    before = portrait(ledger.cluster)
    ledger.die()
    again = Ledger(tmp_path)
    assert portrait(again.cluster) == before
    assert again.cluster.bank.timeline.height == again.cluster.bank.slot - 4
    again.close()


def test_that_a_rollback_over_a_snapshot_s_slot_calls_the_snapshot_off(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.cluster.records_per_generation = 1
    ledger.pass_slots(10)
    dropped = somebody()
    ledger.pay(dropped)
    ledger.pass_slots(3)
    assert journals.generations(tmp_path) == [1, 2]
    ledger.cluster.rollback(6, forget_hashes=False, now_ms=ledger.now_ms)
    ledger.pass_slots(80)
    assert snapshot.latest(tmp_path) is None
    ledger.pay(somebody())
    ledger.pass_slots(80)
    ledger.cluster.save()
    assert snapshot.latest(tmp_path) is not None
    before = portrait(ledger.cluster)
    ledger.die()
    again = Ledger(tmp_path)
    assert portrait(again.cluster) == before
    assert again.balance(dropped) == 0
    again.close()
