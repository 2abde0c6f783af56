"""The file of master keys: `<home>/master.key`, or the one that `access.master_key_file` names.

One line per key, number and 32 bytes in base 64; the highest number seals, all of them open. There
are two only while a rotation is under way (`rotation.py`). Mode 0600; never in the database, whose
backups then hold nothing that can be read, and never in the environment, which children inherit.
"""

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from quantdesk.access.sealing import KEY_BYTES, NUMBER_BYTES
from quantdesk.core import secret_file
from quantdesk.core.errors import Refused

FILE: Final = "master.key"
_HEAD: Final = "# QuantDesk master keys. Keep a copy, apart from the copies of the database.\n"
_NUMBER_MAX: Final = 256**NUMBER_BYTES - 1


def read(path: Path) -> dict[int, bytes]:
    """Return the master keys of a file by their numbers.

    Raises `Refused` (`key.missing`, `key.mode`, `key.unreadable`).
    """
    lines = secret_file.read(path).decode("ascii", "replace").splitlines()
    told = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    keys = dict(_key(path, words) for words in told)
    if not keys or len(keys) != len(told):
        raise _unreadable(path)
    return keys


def make(path: Path) -> dict[int, bytes]:
    """Make a file with a first key; raise `Refused` (`key.exists`) rather than overwrite one."""
    keys = {1: os.urandom(KEY_BYTES)}
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret_file.create(path, _text(keys))
    return keys


def add(path: Path, keys: Mapping[int, bytes]) -> dict[int, bytes]:
    """Return the keys with a fresh one on top, once the file holds it."""
    more = {**keys, max(keys) + 1: os.urandom(KEY_BYTES)}
    secret_file.replace(path, _text(more))
    return more


def drop(path: Path, keys: Mapping[int, bytes]) -> dict[int, bytes]:
    """Return the newest key alone, once the file holds no other."""
    newest = max(keys)
    secret_file.replace(path, _text({newest: keys[newest]}))
    return {newest: keys[newest]}


def _text(keys: Mapping[int, bytes]) -> bytes:
    lines = (f"{number} {base64.b64encode(keys[number]).decode()}\n" for number in sorted(keys))
    return (_HEAD + "".join(lines)).encode()


def _key(path: Path, words: list[str]) -> tuple[int, bytes]:
    try:
        number, key = words
        found = int(number), base64.b64decode(key, validate=True)
    except (ValueError, binascii.Error):
        raise _unreadable(path) from None
    if not 0 < found[0] <= _NUMBER_MAX or len(found[1]) != KEY_BYTES:
        raise _unreadable(path)
    return found


def _unreadable(path: Path) -> Refused:
    return Refused(
        f"{path} is no file of master keys: put back the copy you keep of it",
        code="key.unreadable",
    )
