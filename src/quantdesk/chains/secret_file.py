"""Files of secrets, whoever they sign for: read only where none but their owner may touch them."""

import os
import stat
from pathlib import Path
from typing import Final

from quantdesk.core.errors import Refused

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_BYTES_MAX: Final = 4096


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
