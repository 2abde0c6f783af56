"""Only entries the chain would take are used, and only tables that make a message shorter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.address_lookup_table_account import AddressLookupTable
from tests.unit.chains.solana.tabled import address, addresses, data, decoded, holding

from quantdesk.chains.solana.tables import TABLE_BYTES, TABLE_PROGRAM, chosen

ENTRIES = addresses(5)


def test_reads_an_active_table_with_every_entry_in_its_place() -> None:
    raw = data(ENTRIES)
    found = decoded(raw)

    assert found is not None
    assert found.entries == frozenset(ENTRIES)
    assert [str(key) for key in found.account.addresses] == ENTRIES
    assert found.account.addresses == AddressLookupTable.deserialize(raw).addresses
    assert str(found.account.key) == found.address == address(1)


@pytest.mark.parametrize(
    ("slot", "usable"), [(6, 3), (7, 3), (8, 5)], ids=["before", "in that slot", "after"]
)
def test_leaves_out_what_was_added_in_the_slot_it_was_read_at(slot: int, usable: int) -> None:
    found = decoded(data(ENTRIES, extended=7, start=3), slot=slot)

    assert found is not None
    assert [str(key) for key in found.account.addresses] == ENTRIES[:usable]


@pytest.mark.parametrize(
    ("raw", "owner"),
    [
        (data(ENTRIES), "11111111111111111111111111111111"),
        (data(ENTRIES, state=0), TABLE_PROGRAM),
        (data(ENTRIES, state=2), TABLE_PROGRAM),
        (data(ENTRIES, deactivated=5), TABLE_PROGRAM),
        (data(ENTRIES, deactivated=2**64 - 2), TABLE_PROGRAM),
        (data(ENTRIES)[:-1], TABLE_PROGRAM),
        (data([])[:-1], TABLE_PROGRAM),
        (b"", TABLE_PROGRAM),
    ],
)
def test_uses_no_table_that_is_foreign_dropped_or_damaged(raw: bytes, owner: str) -> None:
    assert decoded(raw, owner=owner) is None


@given(st.binary(max_size=200), st.integers(0, 2**64 - 1))
def test_no_bytes_break_the_reader(raw: bytes, slot: int) -> None:
    found = decoded(raw, slot=slot)

    assert found is None or len(found.account.addresses) <= (len(raw) - 56) // 32


def test_takes_the_tables_that_hold_most_first_and_none_for_one_account() -> None:
    few = holding(*ENTRIES[:2], number=1)
    most = holding(*ENTRIES[1:5], number=2)
    rest = holding(ENTRIES[0], address(77), address(78), number=3)

    assert chosen([few, most, rest], ENTRIES) == [most]
    assert chosen([few, most, rest], [*ENTRIES, address(77)]) == [most, rest]
    assert chosen([few, most, rest], ENTRIES[:2]) == [few]
    assert chosen([few, most, rest], [ENTRIES[0]]) == []


@given(st.lists(st.sets(st.integers(0, 30), max_size=20), max_size=4), st.sets(st.integers(0, 40)))
def test_every_table_taken_saves_bytes(held: list[set[int]], wanted: set[int]) -> None:
    tables = [holding(*map(address, one), number=100 + at) for at, one in enumerate(held)]
    left = set(map(address, wanted))

    for one in chosen(tables, left):
        found = one.entries & left
        left -= found
        assert 32 * len(found) > TABLE_BYTES + len(found)
