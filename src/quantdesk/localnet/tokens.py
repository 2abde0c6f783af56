"""Token accounts and mints as the SPL token programs lay them out.

Source: https://docs.rs/spl-token/latest/spl_token/state (Account, 165 bytes; Mint, 82 bytes).
Token-2022 keeps the same first 165 bytes and puts the account type behind them.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from solders.pubkey import Pubkey

TOKEN = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
PROGRAMS = {TOKEN: "spl-token", TOKEN_2022: "spl-token-2022"}
ACCOUNT_BYTES = 165
MINT_BYTES = 82
TYPE_MINT, TYPE_ACCOUNT = 1, 2
STATES = ("uninitialized", "initialized", "frozen")


@dataclass(frozen=True, slots=True)
class Holding:
    """A token account; amounts in base units."""

    mint: Pubkey
    owner: Pubkey
    amount: int
    delegate: Pubkey | None
    state: str
    rent_reserve: int | None  # lamports; set for wrapped SOL only
    delegated: int
    close_authority: Pubkey | None


@dataclass(frozen=True, slots=True)
class Mint:
    """A token; supply in base units."""

    authority: Pubkey | None
    supply: int
    decimals: int
    freeze_authority: Pubkey | None


def is_token_program(program: Pubkey) -> bool:
    """Tell whether this is one of the two token programs."""
    return program in PROGRAMS


def holding(data: bytes) -> Holding | None:
    """Return the token account in these bytes, None if they are none."""
    if not _is_type(data, ACCOUNT_BYTES, TYPE_ACCOUNT) or not 0 < data[108] < len(STATES):
        return None
    native = _option(data, 109, 8)
    return Holding(
        mint=Pubkey(data[0:32]),
        owner=Pubkey(data[32:64]),
        amount=_u64(data, 64),
        delegate=_key(data, 72),
        state=STATES[data[108]],
        rent_reserve=None if native is None else int.from_bytes(native, "little"),
        delegated=_u64(data, 121),
        close_authority=_key(data, 129),
    )


def mint(data: bytes) -> Mint | None:
    """Return the mint in these bytes, None if they are none."""
    if not _is_type(data, MINT_BYTES, TYPE_MINT) or data[45] != 1:
        return None
    return Mint(
        authority=_key(data, 0),
        supply=_u64(data, 36),
        decimals=data[44],
        freeze_authority=_key(data, 46),
    )


def mint_decimals(data: bytes) -> int:
    """Return the decimals of the mint in these bytes, 0 if they are none."""
    found = mint(data)
    return found.decimals if found else 0


def ui_amount(amount: int, decimals: int) -> dict[str, Any]:
    """Return base units as the RPC's UiTokenAmount."""
    value = Decimal(amount).scaleb(-decimals)
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return {
        "amount": str(amount),
        "decimals": decimals,
        "uiAmount": float(value),
        "uiAmountString": text,
    }


def _is_type(data: bytes, plain_bytes: int, kind: int) -> bool:
    if len(data) == plain_bytes:
        return True
    return len(data) > ACCOUNT_BYTES and data[ACCOUNT_BYTES] == kind


def _u64(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def _option(data: bytes, at: int, size: int) -> bytes | None:
    """COption: a u32 tag, then the value's room."""
    return data[at + 4 : at + 4 + size] if data[at] == 1 else None


def _key(data: bytes, at: int) -> Pubkey | None:
    found = _option(data, at, 32)
    return None if found is None else Pubkey(found)
