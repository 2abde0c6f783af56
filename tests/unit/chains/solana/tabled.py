"""Addresses and lookup tables for tests, the same ones every time."""

import struct
from hashlib import sha256

from solders.pubkey import Pubkey

from quantdesk.chains.solana.tables import TABLE_PROGRAM, Table, of, table

ACTIVE = 2**64 - 1


def address(number: int) -> str:
    """Return an address."""
    return str(Pubkey(sha256(number.to_bytes(4, "big")).digest()))


def addresses(count: int, first: int = 0) -> list[str]:
    """Return some addresses."""
    return [address(first + at) for at in range(count)]


def holding(*entries: str, number: int = 10_000) -> Table:
    """Return a table of these entries."""
    return of(address(number), [Pubkey.from_string(entry) for entry in entries])


def data(
    entries: list[str],
    *,
    state: int = 1,
    deactivated: int = ACTIVE,
    extended: int = 7,
    start: int = 0,
) -> bytes:
    """Return the data of a table's account."""
    head = struct.pack("<IQQBB32s2x", state, deactivated, extended, start, 1, bytes(32))
    return head + b"".join(bytes(Pubkey.from_string(entry)) for entry in entries)


def decoded(raw: bytes, *, owner: str = TABLE_PROGRAM, slot: int = 8) -> Table | None:
    """Return what is usable of a table's account."""
    return table(address(1), owner=owner, data=raw, slot=slot)
