"""Instructions in jsonParsed: system, tokens, lookup tables, memo; others stay encoded.

A row of a table is an instruction: its name, how its bytes read, what its accounts are called.
Sources: https://docs.rs/solana-system-interface (SystemInstruction, bincode, u32 tag),
https://docs.rs/spl-token (TokenInstruction, u8 tag), agave transaction-status parse_*.rs.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from solders.pubkey import Pubkey

from quantdesk.localnet import lookup_table
from quantdesk.localnet.landed import MEMO_PROGRAMS
from quantdesk.localnet.tokens import PROGRAMS, ui_amount

Json = Any
SYSTEM = "11111111111111111111111111111111"
ASSOCIATED = "ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"
KEY_BYTES = 32
TOKENS = {str(program): name for program, name in PROGRAMS.items()}
AUTHORITIES = ("mintTokens", "freezeAccount", "accountOwner", "closeAccount")


class Row(NamedTuple):
    """One kind of instruction: its name, how its bytes read, and its accounts in order."""

    name: str
    layout: tuple[tuple[str, str], ...]
    accounts: tuple[str, ...]


SYSTEM_ROWS = {
    0: Row(
        "createAccount",
        (("lamports", "u64"), ("space", "u64"), ("owner", "key")),
        ("source", "newAccount"),
    ),
    1: Row("assign", (("owner", "key"),), ("account",)),
    2: Row("transfer", (("lamports", "u64"),), ("source", "destination")),
    8: Row("allocate", (("space", "u64"),), ("account",)),
}
TOKEN_ROWS = {
    0: Row(
        "initializeMint",
        (("decimals", "u8"), ("mintAuthority", "key"), ("freezeAuthority", "key?")),
        ("mint", "rentSysvar"),
    ),
    1: Row("initializeAccount", (), ("account", "mint", "owner", "rentSysvar")),
    3: Row("transfer", (("amount", "text64"),), ("source", "destination", "authority")),
    4: Row("approve", (("amount", "text64"),), ("source", "delegate", "owner")),
    5: Row("revoke", (), ("source", "owner")),
    6: Row(
        "setAuthority",
        (("authorityType", "authority"), ("newAuthority", "key?")),
        ("account", "authority"),
    ),
    7: Row("mintTo", (("amount", "text64"),), ("mint", "account", "mintAuthority")),
    8: Row("burn", (("amount", "text64"),), ("account", "mint", "authority")),
    9: Row("closeAccount", (), ("account", "destination", "owner")),
    10: Row("freezeAccount", (), ("account", "mint", "freezeAuthority")),
    11: Row("thawAccount", (), ("account", "mint", "freezeAuthority")),
    12: Row(
        "transferChecked",
        (("tokenAmount", "tokens"),),
        ("source", "mint", "destination", "authority"),
    ),
    13: Row(
        "approveChecked", (("tokenAmount", "tokens"),), ("source", "mint", "delegate", "owner")
    ),
    14: Row("mintToChecked", (("tokenAmount", "tokens"),), ("mint", "account", "mintAuthority")),
    15: Row("burnChecked", (("tokenAmount", "tokens"),), ("account", "mint", "authority")),
    16: Row("initializeAccount2", (("owner", "key"),), ("account", "mint", "rentSysvar")),
    17: Row("syncNative", (), ("account",)),
    18: Row("initializeAccount3", (("owner", "key"),), ("account", "mint")),
    20: Row(
        "initializeMint2",
        (("decimals", "u8"), ("mintAuthority", "key"), ("freezeAuthority", "key?")),
        ("mint",),
    ),
    22: Row("initializeImmutableOwner", (), ("account",)),
}
ASSOCIATED_ACCOUNTS = ("source", "account", "wallet", "mint", "systemProgram", "tokenProgram")
ASSOCIATED_ROWS = {
    0: Row("create", (), ASSOCIATED_ACCOUNTS),
    1: Row("createIdempotent", (), ASSOCIATED_ACCOUNTS),
}


TABLE_ACCOUNTS = ("lookupTableAccount", "lookupTableAuthority")
TABLE_ROWS = {
    0: Row(
        "createLookupTable",
        (("recentSlot", "u64"), ("bumpSeed", "u8")),
        (*TABLE_ACCOUNTS, "payerAccount", "systemProgram"),
    ),
    1: Row("freezeLookupTable", (), TABLE_ACCOUNTS),
    2: Row("extendLookupTable", (("newAddresses", "keys"),), TABLE_ACCOUNTS),
    3: Row("deactivateLookupTable", (), TABLE_ACCOUNTS),
    4: Row("closeLookupTable", (), (*TABLE_ACCOUNTS, "recipient")),
}
TABLE_PAYERS = ("payerAccount", "systemProgram")  # of an extension, where they are given


def parsed_instruction(program: str, data: bytes, accounts: Sequence[str]) -> Json:
    """Return `{program, parsed}` of an instruction, None if it has no parser or does not fit it."""
    if program in MEMO_PROGRAMS:
        return {"program": "spl-memo", "parsed": data.decode(errors="replace")}
    name, row, body = _row(program, data)
    if row is None or len(accounts) < len(row.accounts):
        return None
    try:
        info = _read(row.layout, body)
    except IndexError:
        return None
    called = row.accounts
    if row.name == "extendLookupTable" and len(accounts) >= len(TABLE_ACCOUNTS + TABLE_PAYERS):
        called += TABLE_PAYERS
    info |= dict(zip(called, accounts, strict=False))
    return {"program": name, "parsed": {"info": info, "type": row.name}}


def _row(program: str, data: bytes) -> tuple[str, Row | None, bytes]:
    if program == SYSTEM:
        return "system", SYSTEM_ROWS.get(int.from_bytes(data[:4], "little")), data[4:]
    if program == ASSOCIATED:
        tag = data[0] if data else 0
        return "spl-associated-token-account", ASSOCIATED_ROWS.get(tag), data[1:]
    if program == lookup_table.PROGRAM:
        tag = int.from_bytes(data[:4], "little")
        return "address-lookup-table", TABLE_ROWS.get(tag), data[4:]
    if program in TOKENS and data:
        return TOKENS[program], TOKEN_ROWS.get(data[0]), data[1:]
    return "", None, b""


def _read(layout: Sequence[tuple[str, str]], data: bytes) -> dict[str, Json]:
    found: dict[str, Json] = {}
    at = 0
    for name, kind in layout:
        size, read = READERS[kind]
        if kind == "key?":
            size = 33 if data[at] else 1
        if kind == "keys":
            size += KEY_BYTES * _u64(data[at : at + size])
        part = data[at : at + size]
        if len(part) < size:
            raise IndexError
        value = read(part)
        if value is not None or name == "newAuthority":
            found[name] = value
        at += size
    return found


def _u64(part: bytes) -> int:
    return int.from_bytes(part, "little")


def _optional_key(part: bytes) -> str | None:
    return str(Pubkey(part[1:])) if part[0] else None


def _keys(part: bytes) -> list[str]:
    return [str(Pubkey(part[at : at + KEY_BYTES])) for at in range(8, len(part), KEY_BYTES)]


READERS: dict[str, tuple[int, Callable[[bytes], Json]]] = {
    "u8": (1, _u64),
    "u64": (8, _u64),
    "text64": (8, lambda part: str(_u64(part))),
    "key": (32, lambda part: str(Pubkey(part))),
    "key?": (33, _optional_key),
    "tokens": (9, lambda part: ui_amount(_u64(part[:8]), part[8])),
    "keys": (8, _keys),
    "authority": (1, lambda part: AUTHORITIES[part[0]]),
}
