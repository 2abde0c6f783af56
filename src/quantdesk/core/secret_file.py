"""Files of secrets, whoever they are for: theirs who own the desk, and nobody else's.

The one reader and the one writer of them. It stands this low because every layer has such files:
wallets, master keys, keys of exchanges and of TLS. What is written is on disk, under its name, when
a call returns; a process killed in the middle leaves the file as it was or as it is to be.
"""

import os
import stat
from pathlib import Path
from typing import Final

from quantdesk.core.errors import Refused

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_BYTES_MAX: Final = 64 * 1024
_NEW: Final = ".new"


def read(path: Path) -> bytes:
    """Return the content of a file that only its owner may touch.

    Raises `Refused` (`key.missing`, `key.mode`).
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as problem:
        raise Refused(f"no key at {path}: {problem.strerror}", code="key.missing") from None
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode) or mode & _OTHERS:
            raise Refused(
                f"{path} is open to other users (mode {stat.S_IMODE(mode):04o}); chmod 600 it",
                code="key.mode",
            )
        return file.read(_BYTES_MAX)


def create(path: Path, content: bytes) -> None:
    """Write a new file, mode 0600; raise `Refused` (`key.exists`) rather than overwrite one.

    A link takes its place: whoever comes second is refused, and nobody sees half a file.
    """
    fresh = _written(path, content)
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        raise Refused(f"there is a key at {path} already", code="key.exists") from None
    finally:
        fresh.unlink()
    _sync_folder(path.parent)


def replace(path: Path, content: bytes) -> None:
    """Put a file, mode 0600, in the place of another in one step."""
    _written(path, content).replace(path)
    _sync_folder(path.parent)


def _written(path: Path, content: bytes) -> Path:
    fresh = path.with_name(path.name + _NEW)
    fresh.unlink(missing_ok=True)  # of a process that was killed, with whatever mode
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    return fresh


def _sync_folder(folder: Path) -> None:
    # Without this the name of the file may be lost with the power, and the funds with it.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
