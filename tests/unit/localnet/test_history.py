"""Promise: history is found by signature, address and slot, and stays within its bound."""

from pathlib import Path

from quantdesk.localnet.history import History, Position
from quantdesk.localnet.landed import Landed, Outcome

SHELF = 4


def landed(number: int, *, slot: int, address: bytes = b"a" * 32) -> Landed:
    outcome = Outcome(None, 5000, 150, ["log"], [], None, [9], [4], [], [], ([], []))
    signature = number.to_bytes(64, "big")
    return Landed(signature, slot, 0, [address], None, b"raw", outcome)


def shelved(folder: Path, count: int) -> History:
    history = History(folder, upto=Position(1, 0, 0), shelf_size=SHELF)
    for number in range(count):
        history.append([landed(number, slot=number * 2)])
    return history


def test_that_a_transaction_is_found_in_three_ways(tmp_path: Path) -> None:
    history = shelved(tmp_path, 3)
    wanted = landed(1, slot=2)
    assert history.transaction(wanted.signature) == wanted
    assert history.of_slot(2) == [wanted]
    assert history.of_slot(3) == []
    assert [entry.slot for entry in history.of_address(b"a" * 32)] == [4, 2, 0]
    assert list(history.of_address(b"b" * 32)) == []
    history.close()


def test_that_the_oldest_shelf_goes_when_the_newest_is_full(tmp_path: Path) -> None:
    history = shelved(tmp_path, 3 * SHELF + 1)
    kept = [entry.slot // 2 for entry in history.of_address(b"a" * 32)]
    assert kept == [12, 11, 10, 9, 8]
    assert history.transaction(landed(0, slot=0).signature) is None
    assert history.count == 3 * SHELF + 1
    assert history.first_slot == 17
    assert len(list(tmp_path.iterdir())) == 2
    history.close()


def test_that_what_no_snapshot_vouches_for_is_cut_off(tmp_path: Path) -> None:
    history = shelved(tmp_path, SHELF + 2)
    position = history.position
    history.append([landed(99, slot=50)])
    history.close()
    again = History(tmp_path, upto=position, shelf_size=SHELF)
    assert again.position == position
    assert again.transaction(landed(99, slot=50).signature) is None
    assert again.transaction(landed(1, slot=2).signature) == landed(1, slot=2)
    again.close()


def test_that_a_shelf_newer_than_the_snapshot_is_removed(tmp_path: Path) -> None:
    history = shelved(tmp_path, SHELF)
    position = history.position
    history.append([landed(50, slot=60)])
    history.close()
    again = History(tmp_path, upto=position, shelf_size=SHELF)
    assert again.transaction(landed(50, slot=60).signature) is None
    assert again.position.shelf == position.shelf
    again.close()
