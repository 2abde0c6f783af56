"""Instructions of the address lookup table program, as its users write them.

Source: https://docs.rs/solana-address-lookup-table-interface (instruction.rs)
"""

import struct
from collections.abc import Sequence

from solders.address_lookup_table_account import (
    AddressLookupTableAccount,
    derive_lookup_table_address,
)
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from quantdesk.localnet.lookup_table import PROGRAM

TABLES = Pubkey.from_string(PROGRAM)


def create(owner: Pubkey, recent_slot: int) -> tuple[Pubkey, Instruction]:
    """Return the address of a new table and what makes it."""
    address, bump = derive_lookup_table_address(owner, recent_slot)
    data = struct.pack("<IQB", 0, recent_slot, bump)
    return address, Instruction(TABLES, data, [*_named(address, owner), *_paid_by(owner)])


def extend(address: Pubkey, owner: Pubkey, entries: Sequence[Pubkey]) -> Instruction:
    """Return what adds entries to a table."""
    data = struct.pack("<IQ", 2, len(entries)) + b"".join(bytes(entry) for entry in entries)
    return Instruction(TABLES, data, [*_named(address, owner), *_paid_by(owner)])


def deactivate(address: Pubkey, owner: Pubkey) -> Instruction:
    """Return what begins to drop a table."""
    return Instruction(TABLES, struct.pack("<I", 3), _named(address, owner))


def close(address: Pubkey, owner: Pubkey) -> Instruction:
    """Return what takes a dropped table's lamports back."""
    metas = [*_named(address, owner), AccountMeta(owner, is_signer=False, is_writable=True)]
    return Instruction(TABLES, struct.pack("<I", 4), metas)


def read(address: Pubkey, entries: Sequence[Pubkey]) -> AddressLookupTableAccount:
    """Return a table as a message is compiled with it."""
    return AddressLookupTableAccount(address, entries)


def addresses(count: int, first: int = 1) -> list[Pubkey]:
    """Return some addresses, the same ones every time."""
    return [Keypair.from_seed(bytes([first + at]) * 32).pubkey() for at in range(count)]


def _named(address: Pubkey, owner: Pubkey) -> list[AccountMeta]:
    return [
        AccountMeta(address, is_signer=False, is_writable=True),
        AccountMeta(owner, is_signer=True, is_writable=False),
    ]


def _paid_by(owner: Pubkey) -> list[AccountMeta]:
    return [
        AccountMeta(owner, is_signer=True, is_writable=True),
        AccountMeta(Pubkey.default(), is_signer=False, is_writable=False),
    ]
