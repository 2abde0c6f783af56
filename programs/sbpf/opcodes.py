"""Opcodes a program may contain: those that mean the same to clang's BPF and to SBPF v3.

A safety net under the compiler flags: with `-mcpu=v2` clang emits nothing else. Refused are 32-bit
arithmetic and jumps, atomics, signed division and sign-extending moves (newer BPF, where SBPF
differs or has nothing). Instruction set: https://www.rfc-editor.org/rfc/rfc9669.html;
SBPF v3: SIMD-0178, SIMD-0189, SIMD-0377 of
https://github.com/solana-foundation/solana-improvement-documents.
"""

import struct

INSTRUCTION_BYTES = 8
LOAD_CONSTANT = 0x18
CALL, CALL_REGISTER, EXIT = 0x85, 0x8D, 0x95

_ALU64 = 0x07
_JUMP = 0x05
_REGISTER = 0x08

# add sub mul div or and lsh rsh mod xor mov arsh, each with a constant or a register
_ARITHMETIC = {code << 4 | _ALU64 for code in (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12)}
_NEGATE = 0x87
# jeq jgt jge jset jne jsgt jsge jlt jle jslt jsle
_COMPARE = {code << 4 | _JUMP for code in (1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13)}
_ALWAYS = 0x05
_LOADS = {0x61, 0x69, 0x71, 0x79}
_STORES = {0x62, 0x63, 0x6A, 0x6B, 0x72, 0x73, 0x7A, 0x7B}
_TO_BIG_ENDIAN = 0xDC

ALLOWED = frozenset(
    _ARITHMETIC
    | {code | _REGISTER for code in _ARITHMETIC}
    | {_NEGATE, _ALWAYS, LOAD_CONSTANT, CALL, CALL_REGISTER, EXIT, _TO_BIG_ENDIAN}
    | _COMPARE
    | {code | _REGISTER for code in _COMPARE}
    | _LOADS
    | _STORES
)
"""First bytes of the instructions a program may hold."""


def first_refused(text: bytes) -> tuple[int, str] | None:
    """Return (instruction index, reason) of the first instruction not allowed, or None."""
    index, count = 0, len(text) // INSTRUCTION_BYTES
    while index < count:
        opcode, _, offset, _ = struct.unpack_from("<BBhi", text, index * INSTRUCTION_BYTES)
        if opcode not in ALLOWED:
            return index, f"opcode 0x{opcode:02x} is not one clang and SBPF v3 agree on"
        if opcode & 0x07 == _ALU64 and offset:
            return index, f"opcode 0x{opcode:02x} with an offset (signed division or move)"
        index += 2 if opcode == LOAD_CONSTANT else 1
    if len(text) % INSTRUCTION_BYTES or index != count:
        return count, "the text ends inside an instruction"
    return None
