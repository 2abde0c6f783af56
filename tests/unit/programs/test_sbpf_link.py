"""The linker makes what the VM runs as the compiler meant it, and refuses everything else."""

import struct
from pathlib import Path
from typing import Final

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import TransactionMetadata

from sbpf import elf, opcodes
from sbpf.build import ROOT, compile_file
from sbpf.link import TEXT_ADDRESS, LinkError, image, link

pytest.importorskip("ziglang", reason="the C compiler of the programs comes with the dev extra")

_HEAD: Final = '#include "accounts.h"\n#include "wide.h"\n'
_EXIT: Final = struct.pack("<BBhi", opcodes.EXIT, 0, 0, 0)
_RETURN_0: Final = struct.pack("<BBhi", 0xB7, 0, 0, 0) + _EXIT


def _compile(folder: Path, **sources: str) -> list[elf.Object]:
    """Compile sources in a folder beside the C library, as build does."""
    work = folder / "program"
    work.mkdir(exist_ok=True)
    library = folder / "lib"
    if not library.exists():
        library.symlink_to(ROOT / "programs" / "lib")
    objects = []
    for name, text in sources.items():
        source, target = work / f"{name}.c", work / f"{name}.o"
        source.write_text(_HEAD + text)
        compile_file(source, target)
        objects.append(elf.read(target.read_bytes(), source.name))
    return objects


def _run(program: bytes, data: bytes = b"") -> tuple[object, list[str]]:
    """Return the error, or None, and what the program logged."""
    svm, payer, address = LiteSVM(), Keypair(), Pubkey.new_unique()
    svm.add_program(address, program)
    svm.airdrop(payer.pubkey(), 10**9)
    call = Instruction(address, data, [])
    message = MessageV0.try_compile(payer.pubkey(), [call], [], svm.latest_blockhash())
    done = svm.send_transaction(VersionedTransaction(message, [payer]))
    if isinstance(done, TransactionMetadata):
        return None, done.logs()
    return done.err(), done.meta().logs()


def _logged(lines: list[str]) -> list[str]:
    return [line.removeprefix("Program log: ") for line in lines if "Program log: " in line]


def test_that_calls_and_tables_reach_across_files(tmp_path: Path) -> None:
    objects = _compile(
        tmp_path,
        main="""
            extern u64 twice(u64 value);
            extern const char *const WORDS[2];
            NOINLINE u64 plus_one(u64 value) { return value + 1; }
            static u64 (*const FUNCTIONS[2])(u64) = {plus_one, twice};
            u64 entrypoint(const u8 *input) {
                u64 index = load_u64(input + 16) & 1;
                sol_log_(WORDS[index], 5);
                sol_log_64_(FUNCTIONS[index](20), twice(plus_one(20)), 0, 0, 0);
                return OK;
            }""",
        other="""
            __attribute__((noinline)) u64 twice(u64 value) { return value * 2; }
            const char *const WORDS[2] = {"first", "other"};""",
    )
    error, lines = _run(link(objects), struct.pack("<Q", 1))
    assert error is None
    assert _logged(lines) == ["other", "0x28, 0x2a, 0x0, 0x0, 0x0"]


def test_that_no_constant_is_at_the_null_address(tmp_path: Path) -> None:
    objects = _compile(
        tmp_path,
        main="""
            static const char *const TEXT[1] = {"x"};
            u64 entrypoint(const u8 *input) { return TEXT[load_u64(input)] == NULL ? 1 : OK; }""",
    )
    assert _run(link(objects))[0] is None


def test_that_an_error_of_the_program_is_the_error_of_the_transaction(tmp_path: Path) -> None:
    objects = _compile(
        tmp_path, main="u64 entrypoint(const u8 *input) { return 6000 + load_u64(input); }"
    )
    assert "6000" in str(_run(link(objects))[0])


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("u64 counter = 1; u64 entrypoint(u8 *i) { return counter += i[0]; }", "writable section"),
        ("u64 counter; u64 entrypoint(u8 *i) { return counter += i[0]; }", "writable section"),
        ("u64 missing(void); u64 entrypoint(u8 *i) { return missing() + i[0]; }", "'missing'"),
        ("u64 elsewhere(const u8 *input) { return input[0]; }", "no function 'entrypoint'"),
        ("i64 entrypoint(const i64 *i) { return i[0] / i[1]; }", "signed division"),
        ("u64 entrypoint(const u128 *i) { return (u64)(i[0] * i[1] >> 64); }", "__multi3"),
        ("u64 entrypoint(const u64 *i) { return (u64)((u128)i[0] << i[1] >> 64); }", "__ashlti3"),
        ("u64 entrypoint(double *i) { return (u64)(i[0] * 2.5); }", "__muldf3"),
        ("u64 entrypoint(u64 *i) { volatile u8 big[5000]; return big[i[0]]; }", "stack limit"),
        ("u64 entrypoint(u64 *i) { unused; return i[0]; }", "undeclared"),
    ],
)
def test_that_what_the_vm_cannot_run_is_refused(tmp_path: Path, source: str, reason: str) -> None:
    with pytest.raises(LinkError, match=reason):
        link(_compile(tmp_path, main=source))


def test_that_a_name_defined_twice_is_refused(tmp_path: Path) -> None:
    one = "u64 entrypoint(const u8 *input) { return input[0]; }"
    with pytest.raises(LinkError, match="defined twice"):
        link(_compile(tmp_path, first=one, second=one))


@pytest.mark.parametrize(
    "opcode",
    [
        0x04,  # add32: newer SBPF and BPF disagree on the upper half
        0xB4,  # mov32
        0x16,  # jeq32
        0xDB,  # atomic
        0xD4,  # to little endian
        0x8F,  # no instruction at all
    ],
)
def test_that_opcodes_with_another_meaning_are_refused(opcode: int) -> None:
    with pytest.raises(LinkError, match=f"0x{opcode:02x}"):
        image(b"", struct.pack("<BBhi", opcode, 0, 0, 0) + _RETURN_0)


@pytest.mark.parametrize("opcode", [0x3F, 0xBF])
def test_that_signed_division_and_moves_are_refused(opcode: int) -> None:
    with pytest.raises(LinkError, match="with an offset"):
        image(b"", struct.pack("<BBhi", opcode, 0, 1, 0) + _RETURN_0)


def test_that_text_cut_inside_an_instruction_is_refused() -> None:
    constant = struct.pack("<BBhi", opcodes.LOAD_CONSTANT, 0, 0, 1)
    for text in (_RETURN_0[:-1], _EXIT + constant):
        with pytest.raises(LinkError, match="ends inside"):
            image(b"", text)


def _example(opcode: int) -> bytes:
    """Return the opcode, used sensibly on registers 0 and 1 and the stack."""
    register = opcode & 0x08 and opcode != 0xDC
    sensible = {
        0x01: struct.pack("<BBhi", opcode, 0x11, 0, 0),  # load what register 1 points to
        0x02: struct.pack("<BBhi", opcode, 0x0A, -8, 0),  # store on the stack
        0x03: struct.pack("<BBhi", opcode, 0x0A, -8, 0),
        0x05: struct.pack("<BBhi", opcode, 0x11 if register else 1, 0, 0),  # jump to the next
        0x07: struct.pack("<BBhi", opcode, 0x11 if register else 1, 0, 16),
        0x04: struct.pack("<BBhi", opcode, 1, 0, 16),
    }
    if opcode == opcodes.LOAD_CONSTANT:
        return struct.pack("<BBhiBBhi", opcode, 1, 0, 5, 0, 0, 0, 1)
    return sensible[opcode & 0x07]


_CONTROL: Final = {opcodes.EXIT, opcodes.CALL, opcodes.CALL_REGISTER}  # other tests run these


@pytest.mark.parametrize("opcode", sorted(opcodes.ALLOWED - _CONTROL))
def test_that_the_vm_accepts_every_opcode_allowed(opcode: int) -> None:
    assert _run(image(b"", _example(opcode) + _RETURN_0))[0] is None


def test_that_the_image_has_the_layout_of_version_3() -> None:
    built = image(b"abc", _RETURN_0)
    assert struct.unpack_from("<HHIQQQI", built, 16) == (3, 247, 1, TEXT_ADDRESS, 64, 0, 3)
    headers = [struct.unpack_from("<IIQQQQQ", built, 64 + 56 * i) for i in range(2)]
    assert [(kind, flags, at) for kind, flags, _, at, *_ in headers] == [
        (1, 4, 0),
        (1, 1, TEXT_ADDRESS),
    ]
    _, _, offset, _, _, size, _ = headers[1]
    assert built[offset : offset + size] == _RETURN_0
    assert len(built) == offset + size


def test_that_a_file_that_is_no_bpf_object_is_refused(tmp_path: Path) -> None:
    _compile(tmp_path, main="u64 entrypoint(const u8 *input) { return input[0]; }")
    whole = (tmp_path / "program" / "main.o").read_bytes()
    other_machine = whole[:18] + b"\x3e\0" + whole[20:]
    for damaged in (b"", b"\x7fELF", whole[:64], whole[:-40], other_machine, b"#" + whole[1:]):
        with pytest.raises(elf.ObjectError):
            elf.read(damaged, "damaged")
