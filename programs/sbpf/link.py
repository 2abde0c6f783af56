"""Merge BPF objects into one SBPF v3 image; second step of a build.

Image layout (SIMD-0189: fixed addresses, no section headers, no dynamic relocations):

    file header     e_flags = 3 (the SBPF version), e_entry = address of `entrypoint`
    program header  read-only data at address 0            (absent when there is none)
    program header  code at address 1 << 32
    read-only data, then code

Calls of our own functions are relative to the instruction (source register 1); calls of the VM's
functions carry the hash of their name (source register 0, SIMD-0178) and need no linking at all.
Sources: https://github.com/solana-foundation/solana-improvement-documents proposals 0178, 0189,
0377.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from sbpf import elf, opcodes

TEXT_ADDRESS = 1 << 32
SBPF_VERSION = 3

_FILE_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_PT_LOAD, _PF_X, _PF_R = 1, 1, 4
_ET_DYN = 3
_SECTION_HEADER_BYTES = 64
_RELATIVE_CALL = 0x10
# A constant at address 0 would compare equal to a null pointer.
_NULL_GUARD = bytes(8)
_DROPPED = frozenset({".eh_frame"})


class LinkError(Exception):
    """These objects make no program that the VM would run as the compiler meant it."""


@dataclass(slots=True)
class _Image:
    rodata: bytearray = field(default_factory=bytearray)
    text: bytearray = field(default_factory=bytearray)
    placed: dict[tuple[int, int], int] = field(default_factory=dict)
    exported: dict[str, int] = field(default_factory=dict)

    def segment(self, address: int) -> tuple[bytearray, int]:
        if address >= TEXT_ADDRESS:
            return self.text, address - TEXT_ADDRESS
        return self.rodata, address


def link(objects: Sequence[elf.Object], entry: str = "entrypoint") -> bytes:
    """Return the image of a program.

    Raises `LinkError` for writable data, undefined or duplicate symbols, unknown relocations,
    opcodes outside the allow-list, or a missing `entry`.
    """
    merged = _Image()
    for number, unit in enumerate(objects):
        _place(merged, number, unit)
    for number, unit in enumerate(objects):
        _export(merged, number, unit)
    for number, unit in enumerate(objects):
        for relocation in unit.relocations:
            if (number, relocation.section) in merged.placed:
                _relocate(merged, number, unit, relocation)
    if entry not in merged.exported:
        raise LinkError(f"no function '{entry}'")
    return image(bytes(merged.rodata), bytes(merged.text), entry_address=merged.exported[entry])


def image(rodata: bytes, text: bytes, *, entry_address: int = TEXT_ADDRESS) -> bytes:
    """Return the ELF file of finished segments; raise `LinkError` for a refused opcode."""
    if refused := opcodes.first_refused(text):
        index, reason = refused
        raise LinkError(f"instruction {index}: {reason}; compile with -mcpu=v2")
    rodata += bytes(-len(rodata) % 8)
    count = 2 if rodata else 1
    start = _FILE_HEADER.size + count * _PROGRAM_HEADER.size
    headers = b""
    if rodata:
        headers += _segment(_PF_R, offset=start, address=0, size=len(rodata))
    code_offset = start + len(rodata)
    headers += _segment(_PF_X, offset=code_offset, address=TEXT_ADDRESS, size=len(text))
    header = _FILE_HEADER.pack(
        b"\x7fELF\x02\x01\x01",
        _ET_DYN,
        elf.MACHINE_BPF,
        1,
        entry_address,
        _FILE_HEADER.size,
        0,
        SBPF_VERSION,
        _FILE_HEADER.size,
        _PROGRAM_HEADER.size,
        count,
        _SECTION_HEADER_BYTES,
        0,
        0,
    )
    return header + headers + rodata + text


def _segment(flags: int, *, offset: int, address: int, size: int) -> bytes:
    return _PROGRAM_HEADER.pack(_PT_LOAD, flags, offset, address, address, size, size, 8)


def _place(merged: _Image, number: int, unit: elf.Object) -> None:
    for section in unit.sections:
        if not section.flags & elf.SHF_ALLOC or not section.size or section.name in _DROPPED:
            continue
        if section.flags & elf.SHF_WRITE or section.kind == elf.SHT_NOBITS:
            raise LinkError(
                f"{unit.name}: writable section {section.name} ({section.size} bytes); "
                "a program has no mutable globals"
            )
        is_text = bool(section.flags & elf.SHF_EXECINSTR)
        buffer, origin = (merged.text, TEXT_ADDRESS) if is_text else (merged.rodata, 0)
        if not is_text and not buffer:
            buffer += _NULL_GUARD
        align = max(section.align, opcodes.INSTRUCTION_BYTES if is_text else 1)
        buffer += bytes(-len(buffer) % align)
        merged.placed[number, section.index] = origin + len(buffer)
        buffer += section.data


def _export(merged: _Image, number: int, unit: elf.Object) -> None:
    for symbol in unit.symbols:
        origin = merged.placed.get((number, symbol.section))
        if not symbol.is_global or origin is None:
            continue
        if symbol.name in merged.exported:
            raise LinkError(f"{unit.name}: '{symbol.name}' is defined twice")
        merged.exported[symbol.name] = origin + symbol.value


def _address(merged: _Image, number: int, unit: elf.Object, index: int) -> int:
    symbol = unit.symbols[index]
    origin = merged.placed.get((number, symbol.section))
    if origin is not None:
        return origin + symbol.value
    if symbol.name in merged.exported:
        return merged.exported[symbol.name]
    raise LinkError(f"{unit.name}: undefined symbol '{symbol.name}' (a call of the C library?)")


def _relocate(merged: _Image, number: int, unit: elf.Object, relocation: elf.Relocation) -> None:
    target = _address(merged, number, unit, relocation.symbol)
    origin = merged.placed[number, relocation.section]
    buffer, start = merged.segment(origin)
    place = start + relocation.offset
    patch = _PATCHES.get(relocation.kind)
    if patch is None:
        raise LinkError(f"{unit.name}: relocation of kind {relocation.kind} is not supported")
    patch(buffer, place, target)


def _patch_constant(text: bytearray, place: int, target: int) -> None:
    (low,) = struct.unpack_from("<I", text, place + 4)
    (high,) = struct.unpack_from("<I", text, place + 12)
    value = target + (high << 32 | low)
    struct.pack_into("<I", text, place + 4, value & 0xFFFF_FFFF)
    struct.pack_into("<I", text, place + 12, value >> 32)


def _patch_pointer(rodata: bytearray, place: int, target: int) -> None:
    (addend,) = struct.unpack_from("<Q", rodata, place)
    struct.pack_into("<Q", rodata, place, target + addend)


def _patch_call(text: bytearray, place: int, target: int) -> None:
    if text[place] != opcodes.CALL:
        raise LinkError("a call relocation that is not on a call")
    (addend,) = struct.unpack_from("<i", text, place + 4)  # in instructions, counted from the next
    target += (addend + 1) * opcodes.INSTRUCTION_BYTES
    distance = (target - TEXT_ADDRESS - place) // opcodes.INSTRUCTION_BYTES - 1
    struct.pack_into("<i", text, place + 4, distance)
    text[place + 1] = text[place + 1] & 0x0F | _RELATIVE_CALL


# Kinds of relocation clang emits: https://docs.kernel.org/bpf/llvm_reloc.html
_PATCHES = {
    1: _patch_constant,  # R_BPF_64_64: the two halves of a load of a 64-bit constant
    2: _patch_pointer,  # R_BPF_64_ABS64: a pointer in a table
    10: _patch_call,  # R_BPF_64_32
}
