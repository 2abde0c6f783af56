"""The committed programs are what their sources make, byte for byte, and so is the C header."""

from pathlib import Path

import pytest

from sbpf import syscalls
from sbpf.__main__ import main
from sbpf.build import PROGRAMS, ROOT, build, programs

pytest.importorskip("ziglang", reason="the C compiler of the programs comes with the dev extra")


@pytest.mark.parametrize("folder", programs(), ids=lambda folder: folder.name)
def test_that_a_program_is_reproduced_from_its_sources(folder: Path, tmp_path: Path) -> None:
    committed = PROGRAMS / f"{folder.name}.so"
    assert build(folder, work=tmp_path) == committed.read_bytes(), "run: python -m sbpf"


def test_that_every_committed_program_has_its_sources() -> None:
    assert {file.stem for file in PROGRAMS.glob("*.so")} == {folder.name for folder in programs()}


def test_that_the_committed_header_declares_the_functions_of_the_vm() -> None:
    committed = (ROOT / "programs" / "lib" / "syscalls.h").read_text()
    assert committed == syscalls.header(), "run: python -m sbpf"


@pytest.mark.parametrize(
    ("name", "number"),
    [("abort", 0xB6FC1A11), ("sol_log_", 0x207559BD), ("sol_memcpy_", 0x717CC4A3)],
)
def test_that_functions_have_the_numbers_the_vm_gives_them(name: str, number: int) -> None:
    assert syscalls.murmur3_32(name) == number


def test_that_no_path_of_this_machine_is_in_a_program() -> None:
    for file in PROGRAMS.glob("*.so"):
        assert str(ROOT).encode() not in file.read_bytes()


def test_that_a_program_nobody_wrote_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["raydium_cpmm", "nonesuch"]) == 2
    assert "no such program: nonesuch; have " in capsys.readouterr().err
