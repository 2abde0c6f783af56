"""Address lookup tables: their layout, and one that a fresh localnet starts with.

Layout: https://docs.rs/solana-address-lookup-table-interface (state.rs)
"""

import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

from solders.pubkey import Pubkey

from quantdesk.localnet.accounts import GenesisAccount

PROGRAM: Final = "AddressLookupTab1e1111111111111111111111111"
META_BYTES: Final = 56
ADDRESS_BYTES: Final = 32
ADDRESSES_MAX: Final = 255
"""Of the 256 a table holds, as many as its start index, one byte, can call usable in slot 0."""

_META: Final = struct.Struct("<IQQBB32s2x")
_TABLE: Final = 1
_NEVER: Final = (1 << 64) - 1


class Meta(NamedTuple):
    """The head of a table; `deactivated` is a slot, or the highest number while it is active."""

    deactivated: int
    extended: int
    start: int
    authority: Pubkey | None


def lookup_table(address: str, addresses: Iterable[str]) -> GenesisAccount:
    """Return an active table, frozen for good, of these addresses without repetitions.

    Usable from slot 0: it stands as if what it holds had been there before that slot extended it.
    Raises ValueError for an address that is none.
    """
    unique = list(dict.fromkeys(addresses))
    assert len(unique) <= ADDRESSES_MAX, "one table holds no more"
    head = _META.pack(_TABLE, _NEVER, 0, len(unique), 0, bytes(32))
    entries = b"".join(bytes(Pubkey.from_string(one)) for one in unique)
    return GenesisAccount(address, PROGRAM, head + entries)


def table_address(authority: str) -> str:
    """Return where a table lies that an authority makes in slot 0."""
    seeds = [bytes(Pubkey.from_string(authority)), bytes(8)]
    return str(Pubkey.find_program_address(seeds, Pubkey.from_string(PROGRAM))[0])


def meta(data: bytes) -> Meta | None:
    """Return the head of a table's data, None if it is not one."""
    if len(data) < META_BYTES or (len(data) - META_BYTES) % ADDRESS_BYTES:
        return None
    kind, deactivated, extended, start, has_authority, authority = _META.unpack_from(data)
    if kind != _TABLE:
        return None
    return Meta(deactivated, extended, start, Pubkey(authority) if has_authority else None)


def is_active(data: bytes) -> bool:
    """Return whether this is a table that nobody has begun to drop."""
    head = meta(data)
    return head is not None and head.deactivated == _NEVER


def entries(data: bytes) -> list[str]:
    """Return the addresses in a table's data."""
    ends = range(META_BYTES + ADDRESS_BYTES, len(data) + 1, ADDRESS_BYTES)
    return [str(Pubkey(data[end - ADDRESS_BYTES : end])) for end in ends]
