"""The VM's functions: names, C prototypes, and numbers (murmur3 of the name, SIMD-0178).

`header()` is the C header committed as `programs/lib/syscalls.h`. Prototypes:
https://github.com/anza-xyz/solana-sdk/tree/master/define-syscall and the loader's own C header.
"""

from dataclasses import dataclass

_MASK = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Syscall:
    """A function of the VM as C sees it."""

    name: str
    returns: str
    parameters: str


SYSCALLS = (
    Syscall("abort", "void", "void"),
    Syscall("sol_log_", "void", "const char *text, u64 length"),
    Syscall("sol_log_64_", "void", "u64 a, u64 b, u64 c, u64 d, u64 e"),
    Syscall("sol_log_pubkey", "void", "const void *pubkey"),
    Syscall("sol_log_compute_units_", "void", "void"),
    Syscall("sol_log_data", "void", "const void *slices, u64 count"),
    Syscall("sol_memcpy_", "void", "void *to, const void *from, u64 length"),
    Syscall("sol_memmove_", "void", "void *to, const void *from, u64 length"),
    Syscall("sol_memset_", "void", "void *to, u64 byte, u64 length"),
    Syscall("sol_memcmp_", "void", "const void *a, const void *b, u64 length, i32 *order"),
    Syscall("sol_get_clock_sysvar", "u64", "void *clock"),
    Syscall("sol_get_rent_sysvar", "u64", "void *rent"),
    Syscall(
        "sol_create_program_address",
        "u64",
        "const void *seeds, u64 count, const void *program, void *address",
    ),
    Syscall(
        "sol_try_find_program_address",
        "u64",
        "const void *seeds, u64 count, const void *program, void *address, u8 *bump",
    ),
    Syscall(
        "sol_invoke_signed_c",
        "u64",
        "const void *instruction, const void *accounts, u64 count, "
        "const void *signers, u64 signer_count",
    ),
    Syscall("sol_set_return_data", "void", "const void *data, u64 length"),
    Syscall("sol_sha256", "u64", "const void *slices, u64 count, void *hash"),
)
"""The functions our programs may call."""


def murmur3_32(text: str) -> int:
    """Return the 32-bit MurmurHash3 with seed 0, the number of a function of the VM.

    Algorithm: https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
    """
    data = text.encode()
    tail = len(data) // 4 * 4
    state = 0
    for start in range(0, tail, 4):
        state ^= _scramble(int.from_bytes(data[start : start + 4], "little"))
        state = (_rotate(state, 13) * 5 + 0xE6546B64) & _MASK
    state ^= _scramble(int.from_bytes(data[tail:], "little"))
    state ^= len(data)
    state = (state ^ state >> 16) * 0x85EBCA6B & _MASK
    state = (state ^ state >> 13) * 0xC2B2AE35 & _MASK
    return state ^ state >> 16


def header() -> str:
    """Return the C header that declares every function of the VM."""
    lines = [
        "/* The VM's functions. Made by `python -m sbpf` from sbpf/syscalls.py; do not edit.",
        " *",
        " * A call of a constant address becomes `call imm`, imm being the murmur3 of the name:",
        " * SBPF v3 static syscalls, SIMD-0178.",
        " */",
        "#pragma once",
        "",
        '#include "types.h"',
        "",
    ]
    lines += [_declaration(call) for call in SYSCALLS]
    return "\n".join(lines) + "\n"


def _declaration(call: Syscall) -> str:
    number = f"0x{murmur3_32(call.name):08x}"
    pointer = f"static {call.returns} (*const {call.name})({call.parameters}) ="
    return f"{pointer}\n    ({call.returns} (*)({call.parameters})){number}ull;"


def _scramble(word: int) -> int:
    return _rotate(word * 0xCC9E2D51 & _MASK, 15) * 0x1B873593 & _MASK


def _rotate(word: int, bits: int) -> int:
    return (word << bits | word >> 32 - bits) & _MASK
