"""Read a relocatable BPF object as clang writes it; first step of linking.

Layout: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html (ELF64, little endian).
"""

import struct
from dataclasses import dataclass

MACHINE_BPF = 247
"""EM_BPF of the ELF header."""

SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR = 1, 2, 4
SHT_PROGBITS, SHT_SYMTAB, SHT_RELA, SHT_NOBITS, SHT_REL = 1, 2, 4, 8, 9
STB_GLOBAL = 1

_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQ")
_HEADER_BYTES = 64


class ObjectError(Exception):
    """The file is not an object this linker can read."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section and its bytes; `info` of a relocation section is the section it applies to."""

    index: int
    name: str
    kind: int
    flags: int
    align: int
    link: int
    info: int
    size: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name at an offset in a section; section 0 means undefined here."""

    name: str
    is_global: bool
    section: int
    value: int


@dataclass(frozen=True, slots=True)
class Relocation:
    """A place in section `section` that needs the address of a symbol."""

    section: int
    offset: int
    kind: int
    symbol: int


@dataclass(frozen=True, slots=True)
class Object:
    """One compiled source file."""

    name: str
    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]
    relocations: tuple[Relocation, ...]


def read(raw: bytes, name: str) -> Object:
    """Return the object in `raw`; raise `ObjectError` if it is not a whole BPF object."""
    if raw[:6] != b"\x7fELF\x02\x01" or len(raw) < _HEADER_BYTES:
        raise ObjectError(f"{name}: not a little-endian ELF64 file")
    if struct.unpack_from("<H", raw, 18)[0] != MACHINE_BPF:
        raise ObjectError(f"{name}: not compiled for BPF")
    try:
        sections = _sections(raw)
        symbols = _symbols(sections)
        relocations = _relocations(sections, name)
    except (struct.error, ValueError, IndexError, StopIteration) as error:
        raise ObjectError(f"{name}: truncated or damaged") from error
    return Object(name, sections, symbols, relocations)


def _sections(raw: bytes) -> tuple[Section, ...]:
    (table,) = struct.unpack_from("<Q", raw, 40)
    count, names_index = struct.unpack_from("<HH", raw, 60)
    rows = [_SECTION.unpack_from(raw, table + i * _SECTION.size) for i in range(count)]
    names = rows[names_index][4]
    found = []
    for index, (name, kind, flags, _, offset, size, link, info, align, _) in enumerate(rows):
        data = b"" if kind == SHT_NOBITS else raw[offset : offset + size]
        if kind not in {0, SHT_NOBITS} and len(data) != size:
            raise ValueError("section reaches past the end")
        label = _text(raw, names + name)
        found.append(Section(index, label, kind, flags, align, link, info, size, data))
    return tuple(found)


def _symbols(sections: tuple[Section, ...]) -> tuple[Symbol, ...]:
    table = next(section for section in sections if section.kind == SHT_SYMTAB)
    names = sections[table.link].data
    return tuple(
        Symbol(_text(names, name), info >> 4 == STB_GLOBAL, section, value)
        for name, info, _, section, value, _ in _SYMBOL.iter_unpack(table.data)
    )


def _relocations(sections: tuple[Section, ...], name: str) -> tuple[Relocation, ...]:
    found = []
    for table in sections:
        if table.kind == SHT_RELA:
            raise ObjectError(f"{name}: relocations with addends; BPF objects have none")
        if table.kind == SHT_REL:
            found += [
                Relocation(table.info, offset, info & 0xFFFF_FFFF, info >> 32)
                for offset, info in _RELOCATION.iter_unpack(table.data)
            ]
    return tuple(found)


def _text(raw: bytes, offset: int) -> str:
    return raw[offset : raw.index(0, offset)].decode()
