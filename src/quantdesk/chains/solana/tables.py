"""Address lookup tables: which of their entries may be used, and which tables are worth it; pure.

A table lets a transaction name an account by one byte instead of 32. Signers and the programs that
are called must stay in the transaction itself; everything else may come from a table.

Layout and rules: https://docs.rs/solana-address-lookup-table-interface (state.rs),
https://solana.com/docs/advanced/lookup-tables
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.pubkey import Pubkey

TABLE_PROGRAM: Final = "AddressLookupTab1e1111111111111111111111111"
TABLE_BYTES: Final = 32 + 1 + 1
"""What naming a table takes in a message: its address, and the lengths of its two lists."""
_META: Final = struct.Struct("<IQQB")  # state, deactivation slot, last extended slot, start index
_META_BYTES: Final = 56
_KEY_BYTES: Final = 32
_INITIALIZED: Final = 1
_ACTIVE: Final = (1 << 64) - 1
_WORTH: Final = 2  # one account from a table costs three bytes more than the account itself


@dataclass(frozen=True, slots=True)
class Table:
    """A table's usable entries; their places are in `account`, as a message is compiled with."""

    address: str
    entries: frozenset[str]
    account: AddressLookupTableAccount = field(compare=False, repr=False)


def table(address: str, *, owner: str, data: bytes, slot: int) -> Table | None:
    """Return an account's usable entries as of a slot; None when it is no active table.

    Entries added in that slot or later are left out: the chain takes them from the next slot on.
    A table being deactivated still works for some minutes, and is not used any more all the same.
    """
    whole = len(data) >= _META_BYTES and (len(data) - _META_BYTES) % _KEY_BYTES == 0
    if owner != TABLE_PROGRAM or not whole:
        return None
    state, deactivated, extended, start = _META.unpack_from(data)
    if state != _INITIALIZED or deactivated != _ACTIVE:
        return None
    end = len(data) if slot > extended else min(len(data), _META_BYTES + start * _KEY_BYTES)
    return of(
        address, [Pubkey(data[at : at + _KEY_BYTES]) for at in range(_META_BYTES, end, _KEY_BYTES)]
    )


def of(address: str, keys: Sequence[Pubkey]) -> Table:
    """Return a table with these entries, in their places."""
    account = AddressLookupTableAccount(Pubkey.from_string(address), keys)
    return Table(address, frozenset(str(key) for key in keys), account)


def chosen(tables: Iterable[Table], wanted: Iterable[str]) -> list[Table]:
    """Return the tables that make a message shorter which may look these accounts up.

    The one that holds most of them comes first, and none is taken for a single account.
    """
    rest, left, picked = list(tables), set(wanted), []
    while rest:
        best = max(rest, key=lambda one: len(one.entries & left))
        if len(best.entries & left) < _WORTH:
            break
        rest.remove(best)
        left -= best.entries
        picked.append(best)
    return picked
