"""Programs a bench starts and surely ends, whatever happens in between.

Each runs in a session of its own, so that Ctrl-C reaches only the bench, which then stops its
children one by one, by pid, in the reverse order of their start.
"""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from quantdesk.core.errors import Unavailable

Found = TypeVar("Found")
Child = subprocess.Popen[bytes]
Command = Sequence[str | Path]

STOP_S = 10.0
"""How long a child may take to end by itself before it is killed."""
_LOOK_S = 0.02
_TAIL_LINES = 20


@contextmanager
def child(
    command: Command,
    *,
    log: Path,
    stop_signal: signal.Signals = signal.SIGTERM,
    user: str | None = None,
) -> Iterator[Child]:
    """Run `command` with its output in `log`, as `user` when given; end it on leaving."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=user,
        )
    try:
        yield process
    finally:
        _end(process, stop_signal)


def await_ready(
    process: Child, look: Callable[[], Found | None], *, log: Path, seconds: float
) -> Found:
    """Return what `look` finds, asking again until it finds something.

    Raises `Unavailable` with the end of the log when the process dies or `seconds` pass.
    """
    for _ in range(int(seconds / _LOOK_S)):
        if (found := look()) is not None:
            return found
        try:
            process.wait(_LOOK_S)
        except subprocess.TimeoutExpired:
            continue
        raise Unavailable(f"{_name(process)} ended with {process.returncode}:\n{_tail(log)}")
    raise Unavailable(f"{_name(process)} was not ready after {seconds:g} s:\n{_tail(log)}")


def check(command: Command, *, cwd: Path | None = None, user: str | None = None) -> str:
    """Run `command` to its end and return what it printed; raise `Unavailable` when it fails."""
    try:
        done = subprocess.run(
            command, cwd=cwd, user=user, capture_output=True, text=True, check=False
        )
    except OSError as missing:
        raise Unavailable(f"{command[0]} cannot be run: {missing}") from missing
    if done.returncode != 0:
        raise Unavailable(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def end_on_terminate() -> None:
    """Make SIGTERM unwind the bench like Ctrl-C does, so that its children are ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _end(process: Child, stop_signal: signal.Signals) -> None:
    if process.poll() is not None:
        return
    process.send_signal(stop_signal)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _name(process: Child) -> str:
    command = process.args
    assert isinstance(command, list | tuple)
    return Path(str(command[0])).name


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
