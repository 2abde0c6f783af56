"""Compile and link program folders; what `python -m sbpf` and the reproduction test run.

A program is a folder under `programs/` with C files; all may include headers of `programs/lib`.
Same sources and same compiler wheel give the same bytes: no paths, times or environment enter.
"""

import subprocess
import sys
from pathlib import Path

from sbpf import elf, syscalls
from sbpf.link import LinkError, link

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""

PROGRAMS = ROOT / "src" / "quantdesk" / "localnet" / "programs"
"""Where the finished programs are committed, shipped with the package."""

FLAGS = (
    "-target",
    "bpfel-freestanding",
    "-mcpu=v2",  # later versions emit opcodes that SBPF v3 reads differently
    "-std=c11",
    "-O2",
    "-fno-builtin",  # there is no C library to call
    "-fno-strict-aliasing",  # account data is read through the structs that describe it
    "-fno-asynchronous-unwind-tables",
    "-mllvm",
    "-bpf-stack-size=4096",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unused-function",
    "-Wno-unused-const-variable",
)
"""Compiler flags of every program."""

_COMPILE_SECONDS = 120


def programs(root: Path = ROOT) -> list[Path]:
    """Return the folders under `programs/` that hold a program, in order of name."""
    folders = (root / "programs").iterdir()
    return sorted(folder for folder in folders if folder.name != "lib" and any(folder.glob("*.c")))


def build(folder: Path, *, work: Path | None = None) -> bytes:
    """Return the SBPF v3 image of the program in `folder`; objects go to `work`.

    Raises `LinkError` when a file does not compile or the objects do not link.
    """
    work = work or ROOT / "build" / "sbpf" / folder.name
    work.mkdir(parents=True, exist_ok=True)
    objects = []
    for source in sorted(folder.glob("*.c")):
        target = work / f"{source.stem}.o"
        compile_file(source, target)
        objects.append(elf.read(target.read_bytes(), source.name))
    return link(objects)


def compile_file(source: Path, target: Path) -> None:
    """Compile one C file to a BPF object; raise `LinkError` with the compiler's words."""
    zig(*FLAGS, "-I", "../lib", "-c", source.name, "-o", str(target), cwd=source.parent)


def zig(*arguments: str, cwd: Path) -> None:
    """Run `zig cc`; raise `LinkError` with what it printed when it fails."""
    cache = str(ROOT / "build" / "zig-cache")
    done = subprocess.run(  # noqa: S603 - fixed program, arguments from this repository
        [sys.executable, "-m", "ziglang", "cc", *arguments],
        cwd=cwd,
        env={"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=_COMPILE_SECONDS,
        check=False,
    )
    if done.returncode:
        raise LinkError(done.stderr.strip() or f"zig cc failed with {done.returncode}")


def write_header(lib: Path) -> None:
    """Write `syscalls.h` into the C library folder."""
    (lib / "syscalls.h").write_text(syscalls.header())
