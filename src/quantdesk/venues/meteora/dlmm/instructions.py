"""The swap instructions of the DLMM program.

Accounts and arguments: https://github.com/MeteoraAg/dlmm-sdk/blob/main/idls/dlmm.json
(`swap2`, `swap_exact_out2`). An optional account that is absent is given as the program's own id.
The bin arrays the swap may touch follow the named accounts.
"""

import struct
from dataclasses import dataclass
from typing import Final

from quantdesk.chains.port import AccountMeta, Instruction
from quantdesk.venues.meteora.dlmm import layout
from quantdesk.venues.meteora.dlmm.layout import PROGRAM, Pair

SWAP_EXACT_IN: Final = bytes((65, 75, 63, 76, 235, 91, 91, 136))
SWAP_EXACT_OUT: Final = bytes((43, 215, 247, 132, 137, 60, 243, 81))

_MEMOS: Final = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
_EVENT_AUTHORITY: Final = layout.event_authority()
_ARGUMENTS: Final = struct.Struct("<8s 2Q I")
_NO_SLICES: Final = 0  # no transfer hooks: the remaining accounts are bin arrays only


@dataclass(frozen=True, slots=True)
class Trade:
    """A swap's accounts: `arrays` are indexes of bin arrays, nearest first; addresses are base58.

    `extension` is the bitmap extension, where the pair has one.
    """

    address: str
    pair: Pair
    extension: str | None
    arrays: tuple[int, ...]
    owner: str
    paid_from: str
    received_in: str


def swap_exact_in(trade: Trade, amount_in: int, least_out: int) -> Instruction:
    """Return the instruction that pays exactly `amount_in` and receives at least `least_out`."""
    return _instruction(trade, _ARGUMENTS.pack(SWAP_EXACT_IN, amount_in, least_out, _NO_SLICES))


def swap_exact_out(trade: Trade, amount_out: int, most_in: int) -> Instruction:
    """Return the instruction that receives exactly `amount_out` and pays at most `most_in`."""
    return _instruction(trade, _ARGUMENTS.pack(SWAP_EXACT_OUT, most_in, amount_out, _NO_SLICES))


def _instruction(trade: Trade, data: bytes) -> Instruction:
    pair = trade.pair
    named = (
        _writable(trade.address),
        _writable(trade.extension) if trade.extension else _read(PROGRAM),
        _writable(pair.reserve_x),
        _writable(pair.reserve_y),
        _writable(trade.paid_from),
        _writable(trade.received_in),
        _read(pair.mint_x),
        _read(pair.mint_y),
        _writable(pair.oracle),
        _read(PROGRAM),  # no host takes a share of the fee
        AccountMeta(trade.owner, is_signer=True, is_writable=False),
        *(_read(program) for program in pair.token_programs),
        _read(_MEMOS),
        _read(_EVENT_AUTHORITY),
        _read(PROGRAM),
    )
    arrays = (_writable(layout.bin_array_address(trade.address, index)) for index in trade.arrays)
    return Instruction(PROGRAM, (*named, *arrays), data)


def _read(address: str) -> AccountMeta:
    return AccountMeta(address, is_signer=False, is_writable=False)


def _writable(address: str) -> AccountMeta:
    return AccountMeta(address, is_signer=False, is_writable=True)
